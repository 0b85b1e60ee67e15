"""The forms and pages of allauth in our parts and words."""

from __future__ import annotations

from typing import Any

from django import template
from django.core.exceptions import ValidationError
from django.forms import BaseForm, BoundField
from django.template.context import Context
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from commonweal.kernel.errors import Invalid
from commonweal.kernel.text import Text
from commonweal.web.languages import said
from commonweal.web.signin import wechat
from commonweal.web.signin.words import CODES, FIELDS, PAGES
from commonweal.web.templatetags.commonweal import error_summary
from commonweal.web.templatetags.commonweal import field as field_tag

register = template.Library()


@register.simple_tag(takes_context=True)
def page_says(context: Context, part: str) -> str:
    """The `title`, `submit` or `intro` of the page that is being shown, in its language."""
    page = PAGES[context["request"].resolver_match.url_name]
    text: Text | None = getattr(page, part)
    if text is None:
        return ""
    return said(text.format(to=context.get("email") or context.get("phone") or ""))


@register.simple_tag
def wechat_is_on() -> bool:
    """Whether one can sign in with WeChat here."""
    return wechat.is_on()


def _message(name: str, error: ValidationError) -> Text:
    """What an error of an input says, in our words if we have any for its code."""
    if error.code == "required" and name in FIELDS:
        return FIELDS[name].missing
    if error.code in CODES:
        return CODES[error.code]
    written = " ".join(error.messages)
    return Text(written, written)


def _first_error(form: BaseForm) -> Invalid | None:
    for name, errors in form.errors.as_data().items():
        if errors:
            at = None if name == "__all__" or form.fields[name].widget.is_hidden else name
            return Invalid(f"form.{errors[0].code or 'invalid'}", _message(name, errors[0]), field=at)
    return None


@register.simple_tag(takes_context=True)
def form_summary(context: Context, form: object) -> SafeString:
    """What has to be put right in a Django form; nothing where the page has none."""
    if not isinstance(form, BaseForm) or not form.is_bound or (refusal := _first_error(form)) is None:
        return SafeString()
    with context.push(refusal=refusal):
        return error_summary(context)


@register.simple_tag(takes_context=True)
def form_fields(context: Context, form: BaseForm) -> SafeString:
    """The inputs of a Django form with our labels, hints and errors."""
    hidden = format_html_join("", "{}", ((bound.as_widget(),) for bound in form.hidden_fields()))
    return hidden + format_html_join("", "{}", ((_field(context, bound),) for bound in form.visible_fields()))


def _field(context: Context, bound: BoundField) -> SafeString:
    words = FIELDS[bound.name]
    errors = bound.errors.as_data()
    refusal = Invalid("form.invalid", _message(bound.name, errors[0]), field=bound.name) if errors else None
    attributes: dict[str, Any] = {**words.attributes}
    value: object = bound.value()
    with context.push(refusal=refusal, form=None):
        return field_tag(
            context,
            bound.name,
            label=words.label,
            hint=words.hint,
            type=attributes.pop("type", "text"),
            value="" if value is None else value,
            required=bound.field.required,
            **attributes,
        )
