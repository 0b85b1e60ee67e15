"""The parts of pages: escaped, in the right language, with their states."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.http import QueryDict
from django.template import Context, Template, TemplateSyntaxError
from django.test import RequestFactory
from django.utils import translation

from commonweal.kernel.errors import Conflict, Invalid
from commonweal.kernel.quantity import Asset
from commonweal.kernel.text import Text
from commonweal.web import charts, drawings


def drawn(source: str, language: str = "en", **context: Any) -> str:
    with translation.override({"zh": "zh-hans", "en": "en"}[language]):
        return Template(source).render(Context(context))


def words(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", html)).strip()


def test_say_speaks_the_language_and_escapes() -> None:
    source = '{% say "Hello {who} & you" "{who}，您好" who=who %}'
    assert drawn(source, who="<b>") == "Hello &lt;b&gt; & you"
    assert drawn(source, "zh", who=Text("Lin", "林")) == "林，您好"
    assert drawn('{% say "a {b}" "甲 {b}" as x %}[{{ x }}]', b="") == "[a {b}]"


def test_say_and_money_have_another_word_for_one_in_english() -> None:
    source = '{% say "{n} {n:gift|gifts}" "{n} 笔捐款" n=n %}'
    assert [drawn(source, n=n) for n in (1, 2)] == ["1 gift", "2 gifts"]
    assert drawn(source, "zh", n=1) == "1 笔捐款"
    hours = Asset("HOURS", 0, "time", Text("hours", "小时"), one="hour")
    source = "{% money amount asset %}"
    assert [words(drawn(source, amount=n, asset=hours)) for n in (1, 0, 5)] == ["1 hour", "0 hours", "5 hours"]
    assert words(drawn(source, "zh", amount=1, asset=hours)) == "1 小时"


def test_a_picture_is_said_by_words_or_is_decoration() -> None:
    source = '{% photo "00" "{what}, in use" "{what}的使用情况" what=what %}'
    assert 'alt="琴的使用情况"' in drawn(source, "zh", what=Text("A piano", "琴"))
    assert 'alt="A piano"' in drawn('{% photo "00" text=what %}', what=Text("A piano", "琴"))
    assert 'alt=""' in drawn('{% photo "00" %}')


def test_say_needs_both_languages() -> None:
    with pytest.raises(ValueError, match="both languages"):
        drawn('{% say "only English" "" %}')


def test_both_chooses_markup() -> None:
    source = "{% both %}<b>{{ n }}</b>{% in_chinese %}<i>{{ n }}</i>{% endboth %}"
    assert drawn(source, n="<") == "<b>&lt;</b>"
    assert drawn(source, "zh", n=1) == "<i>1</i>"


@pytest.mark.parametrize(
    ("amount", "en", "zh"),
    [
        (0, "¥ 0.00", "0.00 元"),
        (128450, "¥ 1,284.50", "1,284.50 元"),
        (-5, "¥ -0.05", "-0.05 元"),
        (10**12, "¥ 10,000,000,000.00", "10,000,000,000.00 元"),
    ],
)
def test_money_is_written_as_its_readers_write_it(amount: int, en: str, zh: str) -> None:
    assert words(drawn("{% money amount %}", amount=amount)) == en
    assert words(drawn('{% money amount "CNY" %}', "zh", amount=amount)) == zh


def test_other_assets_are_named() -> None:
    minutes = Asset("MINUTES", 0, "time", Text("minutes", "分钟"))
    assert words(drawn("{% money 960 asset %}", asset=minutes)) == "960 minutes"
    assert words(drawn("{% money 1280 asset %}", "zh", asset=minutes)) == "1,280 分钟"


def test_moments_are_local_and_machines_read_them() -> None:
    late = datetime(2026, 10, 12, 17, 30, tzinfo=UTC)  # past midnight in Shanghai
    assert words(drawn("{% when at %}", at=late)) == "13 October 2026, 01:30"
    assert words(drawn("{% when at %}", "zh", at=late)) == "2026年10月13日 01:30"
    assert 'datetime="2026-10-13T01:30:00+08:00"' in drawn("{% when at %}", at=late)
    assert words(drawn('{% when at "day" %}', at=late)) == "13 October 2026"
    assert words(drawn("{% when at %}", "zh", at=date(2026, 1, 2))) == "2026年1月2日"


def test_proof_mark_leads_to_the_proof_and_says_so() -> None:
    html = drawn("{% proof_mark url %}{{ n }}{% endproof_mark %}", url='/x?a="', n="<7>")
    assert 'href="/x?a=&quot;"' in html
    assert words(html) == "&lt;7&gt; (see the proof)"
    with pytest.raises(TemplateSyntaxError):
        Template("{% proof_mark %}7{% endproof_mark %}")


def test_field_ties_label_hint_and_error_together() -> None:
    refusal = Invalid("amount.form", Text("Plain digits, please.", "请用普通数字。"), field="amount")
    form = QueryDict("amount=<5>&other=x")
    source = '{% field "amount" en="Amount" zh="金额" hint_en="Like 5" hint_zh="例如 5" inputmode="decimal" %}'
    html = drawn(source, refusal=refusal, form=form)
    assert '<label for="amount">Amount' in html
    assert 'aria-describedby="amount-hint amount-error"' in html
    assert 'aria-invalid="true"' in html
    assert 'value="&lt;5&gt;"' in html
    assert 'inputmode="decimal"' in html
    assert "Error: Plain digits, please." in words(html)
    fresh = drawn(source, "zh")
    assert "aria-invalid" not in fresh
    assert 'aria-describedby="amount-hint"' in fresh
    assert "金额" in fresh


def test_error_of_another_field_stays_there() -> None:
    refusal = Invalid("x", Text("No.", "不。"), field="other")
    assert "No." not in drawn('{% field "amount" en="Amount" zh="金额" %}', refusal=refusal)


def test_field_never_gives_a_password_back() -> None:
    html = drawn('{% field "word" en="Password" zh="密码" type="password" %}', form=QueryDict("word=secret"))
    assert "secret" not in html


def test_field_without_a_label_is_a_mistake() -> None:
    with pytest.raises(TemplateSyntaxError, match="label"):
        drawn('{% field "amount" %}')
    with pytest.raises(TemplateSyntaxError, match="label"):
        drawn('{% choices "amount" options %}', options=[])


def test_optional_checked_and_disabled() -> None:
    html = drawn('{% field "a" en="A" zh="甲" type="checkbox" required=False %}', form=QueryDict("a=yes"))
    assert " checked" in html
    assert " required" not in html
    html = drawn('{% field "a" en="A" zh="甲" required=False disabled=True readonly=False %}')
    assert " disabled" in html
    assert "readonly" not in html
    assert "(optional)" in html
    assert "</textarea>" in drawn('{% field "a" en="A" zh="甲" type="textarea" value="<x>" %}')


@pytest.mark.parametrize("kind", ["radio", "tiles", "select"])
def test_choices_keep_what_was_chosen(kind: str) -> None:
    options = [("5", Text("five", "五")), ("20", "20", Text("hint", "提示"))]
    source = '{% choices "size" options en="How much" zh="多少" type=kind %}'
    html = drawn(source, options=options, kind=kind, form={"size": 20})
    assert len(re.findall(r" (?:checked|selected)", html)) == 1
    assert re.search(r'value="20" (?:checked|selected)', html)
    refusal = Invalid("x", Text("Choose one.", "请选择。"), field="size")
    wrong = drawn(source, options=options, kind=kind, refusal=refusal)
    assert 'aria-describedby="size-error"' in wrong
    assert 'id="size"' in wrong  # the summary leads here


def test_error_summary_leads_to_the_field() -> None:
    refusal = Invalid("x", Text("Too <small>.", "太小。"), field="amount")
    html = drawn("{% error_summary %}", refusal=refusal)
    assert '<a href="#amount">Too &lt;small&gt;.</a>' in html
    assert "autofocus" in html
    assert "<a" not in drawn("{% error_summary %}", refusal=Conflict("x", Text("Closed.", "已结束。")))
    assert drawn("{% error_summary %}") == ""


def test_form_key_is_kept_when_the_form_is_shown_again() -> None:
    first, second = drawn("{% form_key %}"), drawn("{% form_key %}")
    assert first != second
    assert 'value="abc"' in drawn("{% form_key %}", form=QueryDict("key=abc"))


@pytest.mark.parametrize(
    ("value", "goal", "label", "share", "done"),
    [
        (0, 100, "0 %", "0.00", False),
        (999_999, 1_000_000, "99.9 %", "100.00", False),
        (1626, 2176, "74.7 %", "74.72", False),
        (100, 100, "100 %", "100.00", True),
        (500, 100, "500 %", "100.00", True),
        (0, 0, "0 %", "0.00", False),
        (-5, 100, "-5 %", "0.00", False),
    ],
)
def test_thread_is_never_called_complete_before_it_is(
    value: int, goal: int, label: str, share: str, done: bool
) -> None:
    html = drawn("{% thread value goal %}", value=value, goal=goal)
    assert f'aria-label="{label} of the goal"' in html
    assert f'width="{share}%"' in html
    assert ("thread done" in html) is done


def test_drawings_are_decoration_unless_they_are_described() -> None:
    assert 'aria-hidden="true"' in drawn('{% drawing "tree" %}')
    assert 'role="img" aria-label="一棵树"' in drawn('{% drawing "tree" "a tree" "一棵树" %}', "zh")
    with pytest.raises(LookupError, match="no drawing"):
        drawn('{% drawing "../../settings" %}')


@pytest.mark.parametrize("name", drawings.names())
def test_drawing_joins_the_next_one_and_stays_small(name: str) -> None:
    source = (drawings.FOLDER / f"{name}.svg").read_text()
    assert len(source) < 1500
    assert 'viewBox="0 0 160 100"' in source
    assert 'class="t" d="M0 84' in source, "the thread enters at the left at 84"
    assert "<script" not in source
    assert "style=" not in source


@pytest.mark.parametrize(
    ("amount", "top"), [(0, 2), (2, 2), (3, 4), (5, 10), (11, 20), (21, 40), (41, 100), (10**9 + 1, 2 * 10**9)]
)
def test_axis_ends_at_a_round_number(amount: int, top: int) -> None:
    assert charts.ceiling(amount) == top


def test_charts_say_their_numbers_in_words() -> None:
    html = drawn('{% bars rows en="Uses" zh="用途" asset="CNY" %}', rows=[(Text("Music", "音乐"), 57_600), ("<x>", 0)])
    assert "576.00 yuan" in words(html)
    assert "&lt;x&gt;" in html
    html = drawn('{% line_chart points en="Given" zh="收到" %}', points=[(date(2026, 9, 1), 5), (date(2026, 9, 3), 20)])
    assert 'd="M0 165 L640 0"' in html
    assert "3 September 2026" in words(html)
    for source in ('{% bars none en="A" zh="甲" %}', '{% line_chart none en="A" zh="甲" %}'):
        assert "Nothing has been counted yet." in words(drawn(source, none=[]))


def test_one_day_alone_is_drawn() -> None:
    assert 'd="M0 0"' in drawn('{% line_chart points en="A" zh="甲" %}', points=[(date(2026, 9, 1), 2)])


def test_pagination_keeps_the_rest_of_the_query() -> None:
    from django.core.paginator import Paginator

    request = RequestFactory().get("/?q=a&page=2")
    html = drawn("{% pagination page %}", page=Paginator(range(30), 10).page(2), request=request)
    assert 'href="?q=a&amp;page=1"' in html
    assert 'href="?q=a&amp;page=3"' in html
    assert drawn("{% pagination page %}", page=Paginator([], 10).page(1), request=request) == ""


def test_empty_tells_what_to_do() -> None:
    html = drawn('{% empty "Nothing." "没有。" url="/go" action_en="Go" action_zh="去" %}', "zh")
    assert "没有。" in html
    assert '<a class="btn ghost" href="/go">去</a>' in html


def test_counts_and_shares() -> None:
    assert words(drawn("{{ 48112|grouped }}")) == "48,112"
    assert drawn("{{ 999|share_of:1000 }} {{ 0|share_of:0 }}") == "99.9 0"
