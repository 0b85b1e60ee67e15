"""The parts of which pages are made. Built in: no template needs `{% load %}`. The gallery at /design/ shows each."""

from __future__ import annotations

import math
from calendar import month_name
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django import template
from django.conf import settings
from django.template.base import FilterExpression, NodeList, Parser, Token
from django.template.context import Context
from django.template.loader import render_to_string
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from commonweal.kernel.doors import KEY_FIELD, fresh_key
from commonweal.kernel.files.store import WIDTHS
from commonweal.kernel.quantity import CNY, Asset, format_amount
from commonweal.kernel.registry import assets
from commonweal.kernel.text import Text, fill
from commonweal.web import charts, drawings
from commonweal.web.languages import current, said

register = template.Library()
register.filter("said", said)


@register.simple_tag
def say(en: str, zh: str, **values: Any) -> SafeString:
    """`{% say "{n} {n:gift|gifts}" "{n} 笔捐款" n=count %}`: the text in the page's language, its values escaped.

    The texts themselves are the author's and may carry markup.
    """
    pattern = conditional_escape(Text(en, zh).say(current()))
    filled = {
        name: conditional_escape(said(value) if isinstance(value, Text) else value) for name, value in values.items()
    }
    return mark_safe(fill(pattern, **filled) if filled else pattern)  # noqa: S308 (all parts are escaped)


class Both(template.Node):
    """Markup in both languages."""

    def __init__(self, en: NodeList, zh: NodeList) -> None:
        self.en, self.zh = en, zh

    def render(self, context: Context) -> SafeString:
        return (self.zh if current() == "zh" else self.en).render(context)


@register.tag
def both(parser: Parser, token: Token) -> Both:
    """`{% both %}English <b>markup</b>{% in_chinese %}中文{% endboth %}`."""
    en = parser.parse(("in_chinese",))
    parser.delete_first_token()
    zh = parser.parse(("endboth",))
    parser.delete_first_token()
    return Both(en, zh)


def _asset(asset: Asset | str) -> Asset:
    return asset if isinstance(asset, Asset) else assets()[asset]


@register.simple_tag
def money(amount: int, asset: Asset | str = CNY) -> SafeString:
    """`{% money amount asset %}`: smallest units, written for reading: ¥ 1,284.50, 1,284.50 元, 960 minutes."""
    asset = _asset(asset)
    written = format_amount(amount, asset)
    if asset.symbol and current() == "en":
        return format_html('<span class="num">{} {}</span>', asset.symbol, written)
    return format_html('<span class="num">{} {}</span>', written, said(asset.named(amount)))


@register.filter
def grouped(number: int) -> SafeString:
    """A count with separators: 48,112."""
    return format_html('<span class="num">{}</span>', f"{number:,}")


@register.simple_tag
def when(moment: datetime | date, style: str = "moment") -> SafeString:
    """`{% when moment %}`: the local time; `{% when moment "day" %}`: the local day alone (always so for a date)."""
    local = moment.astimezone(ZoneInfo(settings.LOCAL_ZONE)) if isinstance(moment, datetime) else moment
    day = (
        f"{local.year}年{local.month}月{local.day}日"
        if current() == "zh"
        else f"{local.day} {month_name[local.month]} {local.year}"
    )
    if not isinstance(local, datetime) or style == "day":
        return format_html('<time class="num" datetime="{}">{}</time>', f"{local:%Y-%m-%d}", day)
    separator = " " if current() == "zh" else ", "
    written = f"{day}{separator}{local:%H:%M}"
    return format_html('<time datetime="{}">{}</time>', local.isoformat(timespec="seconds"), written)


class ProofMark(template.Node):
    """A figure that leads to its proof."""

    def __init__(self, url: FilterExpression, figure: NodeList) -> None:
        self.url, self.figure = url, figure

    def render(self, context: Context) -> SafeString:
        return format_html(
            '<a class="proof" href="{}">{}<span class="unseen">{}</span></a>',
            self.url.resolve(context),
            mark_safe(self.figure.render(context).strip()),  # noqa: S308 (rendered by the template already)
            Text(" (see the proof)", "（查看证明）").say(current()),
        )


@register.tag
def proof_mark(parser: Parser, token: Token) -> ProofMark:
    """`{% proof_mark url %}figure{% endproof_mark %}`."""
    words = token.split_contents()
    if len(words) != 2:
        raise template.TemplateSyntaxError("proof_mark takes the address of the proof")
    figure = parser.parse(("endproof_mark",))
    parser.delete_first_token()
    return ProofMark(parser.compile_filter(words[1]), figure)


def _label(label: Text | None, en: str, zh: str) -> Text | None:
    return label or (Text(en, zh) if en or zh else None)


def _part(part: str, /, **context: object) -> SafeString:
    return render_to_string(f"web/parts/{part}.html", context)


def _kept(context: Context, name: str, otherwise: object) -> object:
    """What was sent in the form that is being shown again, if one was."""
    form: Mapping[str, object] | None = context.get("form")
    return otherwise if form is None else form.get(name, "")


def _error(context: Context, name: str) -> Text | None:
    refusal = context.get("refusal")
    return refusal.text if refusal is not None and refusal.field == name else None


def _attributes(given: Mapping[str, object]) -> SafeString:
    """Attributes for an input: `inputmode="decimal"`; True writes the name alone, False and None write nothing."""
    return format_html_join(
        "",
        " {}{}",
        (
            (name.replace("_", "-"), "" if value is True else format_html('="{}"', value))
            for name, value in given.items()
            if value is not None and value is not False
        ),
    )


@register.simple_tag(takes_context=True)
def field(
    context: Context,
    name: str,
    *,
    en: str = "",
    zh: str = "",
    label: Text | None = None,
    hint_en: str = "",
    hint_zh: str = "",
    hint: Text | None = None,
    type: str = "text",
    value: object = "",
    required: bool = True,
    unit: Text | str = "",
    **attributes: object,
) -> SafeString:
    """A labelled input with its hint and its error; further keywords become attributes (`inputmode="decimal"`).

    `type` may also be `textarea` or `checkbox`. The error is that of the context's `refusal` whose field this is; the
    value is kept from the context's `form`. `unit` is written behind the input.
    """
    title = _label(label, en, zh)
    if title is None:
        raise template.TemplateSyntaxError(f"the field {name} needs a label")
    said_hint, error = _label(hint, hint_en, hint_zh), _error(context, name)
    described = " ".join(f"{name}-{part}" for part, there in (("hint", said_hint), ("error", error)) if there)
    kept = "" if type in ("password", "file") else _kept(context, name, value)
    given = {"aria-describedby": described or None, "aria-invalid": "true" if error else None} | attributes
    return _part(
        "field",
        name=name,
        label=title,
        hint=said_hint,
        error=error,
        type=type,
        value=kept,
        checked=type == "checkbox" and bool(kept),
        required=required,
        unit=unit,
        attributes=_attributes(given),
    )


@register.simple_tag(takes_context=True)
def choices(
    context: Context,
    name: str,
    options: Iterable[Any],
    *,
    en: str = "",
    zh: str = "",
    label: Text | None = None,
    hint_en: str = "",
    hint_zh: str = "",
    type: str = "radio",
    value: object = "",
    required: bool = True,
) -> SafeString:
    """One of several: `type` is `radio` (a list), `tiles` (short answers beside one another) or `select`.

    `options` are pairs of a value and a title (Text or string), or triples with a hint.
    """
    title = _label(label, en, zh)
    if title is None:
        raise template.TemplateSyntaxError(f"the choices {name} need a label")
    said_hint, error = _label(None, hint_en, hint_zh), _error(context, name)
    chosen = str(_kept(context, name, value))
    rows = [
        {
            "id": name if n == 0 else f"{name}-{n}",
            "value": option[0],
            "title": option[1],
            "hint": option[2] if len(option) > 2 else None,
            "chosen": str(option[0]) == chosen,
        }
        for n, option in enumerate(options)
    ]
    described = " ".join(f"{name}-{part}" for part, there in (("hint", said_hint), ("error", error)) if there)
    return _part(
        "choices",
        name=name,
        label=title,
        hint=said_hint,
        error=error,
        type=type,
        options=rows,
        required=required,
        attributes=_attributes({"aria-describedby": described or None, "aria-invalid": "true" if error else None}),
    )


@register.simple_tag(takes_context=True)
def error_summary(context: Context) -> SafeString:
    """What has to be put right, at the head of a form that is shown again; it takes the focus."""
    refusal = context.get("refusal")
    return _part("error_summary", refusal=refusal) if refusal is not None else SafeString()


@register.simple_tag(takes_context=True)
def form_key(context: Context) -> SafeString:
    """The hidden idempotency key of a form that moves something; a form that is shown again keeps its key."""
    key = _kept(context, KEY_FIELD, "") or fresh_key()
    return format_html('<input type="hidden" name="{}" value="{}">', KEY_FIELD, key)


@register.simple_tag
def thread(value: int, goal: int, *, en: str = "", zh: str = "") -> SafeString:
    """How far along something is, drawn as the thread. Its label is the share unless another is given."""
    share = 100 * value / goal if goal > 0 else 0.0
    shown = min(100.0, max(0.0, share))
    # Rounded down: nothing is called complete before it is.
    percent = f"{math.floor(share * 10) / 10:g}"
    label = _label(None, en, zh) or Text("{percent} % of the goal", "已完成 {percent}%").format(percent=percent)
    return _part("thread", label=label, share=f"{shown:.2f}", done=goal > 0 and value >= goal)


@register.simple_tag
def drawing(name: str, en: str = "", zh: str = "") -> SafeString:
    """One of our line drawings. Without a description it is decoration, and screen readers pass over it."""
    return drawings.draw(name, _label(None, en, zh))


@register.simple_tag
def photo(
    digest: str, en: str = "", zh: str = "", *, text: Text | None = None, wide: bool = False, **values: Any
) -> SafeString:
    """A public picture, small in a list or `wide` by itself.

    What it shows is said by `en` and `zh` with their values, or by `text`; without either it is decoration.
    """
    whole = f"/files/{digest}"
    small, large = (f"{whole}/{width}" for width in WIDTHS)
    once, twice = (large, whole) if wide else (small, large)
    shows = text or (Text(en, zh).format(**values) if en or zh else None)
    tag = '<img src="{}" srcset="{} 1x, {} 2x" alt="{}" loading="lazy">'
    return format_html(tag, once, once, twice, shows.say(current()) if shows else "")


@register.simple_tag
def bars(rows: Iterable[tuple[Text | str, int]], *, en: str, zh: str, asset: Asset | str | None = None) -> SafeString:
    """Bars for some named amounts, with the table behind them. `en` and `zh` are the caption."""
    return charts.bars(list(rows), Text(en, zh), _asset(asset) if asset else None)


@register.simple_tag
def line_chart(points: Iterable[tuple[date, int]], *, en: str, zh: str, asset: Asset | str | None = None) -> SafeString:
    """A line through days and amounts, with the table behind it."""
    return charts.line(list(points), Text(en, zh), _asset(asset) if asset else None)


@register.simple_tag
def steps(items: Iterable[Any]) -> SafeString:
    """The way of something. Each step has `title` and `done`, and may have `text`, `at` and `proof` (an address)."""
    return _part("steps", steps=list(items))


@register.simple_tag
def empty(
    en: str, zh: str, *, url: str = "", action_en: str = "", action_zh: str = "", picture: str = "lantern"
) -> SafeString:
    """What stands where a list has nothing in it: what it would show, and what to do."""
    return _part("empty", text=Text(en, zh), url=url, action=_label(None, action_en, action_zh), picture=picture)


@register.simple_tag(takes_context=True)
def pagination(context: Context, page: Any) -> SafeString:
    """Ways to the other pages of a list (a `django.core.paginator.Page`), the rest of the query kept."""
    if page.paginator.num_pages < 2:
        return SafeString()
    query = context["request"].GET.copy()

    def address(number: int) -> str:
        query["page"] = str(number)
        return f"?{query.urlencode()}"

    return _part(
        "pagination",
        page=page,
        before=address(page.previous_page_number()) if page.has_previous() else "",
        after=address(page.next_page_number()) if page.has_next() else "",
    )


@register.filter
def share_of(part: int, whole: int) -> Decimal:
    """Percent with one place, rounded down; 0 of nothing."""
    return Decimal(part * 1000 // whole) / 10 if whole else Decimal(0)
