import pytest

from commonweal.kernel.text import LANGUAGES, Text, fill


@pytest.mark.parametrize(("en", "zh"), [("", "元"), ("yuan", ""), ("  ", "元"), ("yuan", "\n")])
def test_a_text_in_one_language_alone_cannot_be_written(en: str, zh: str) -> None:
    with pytest.raises(ValueError, match="needs both languages"):
        Text(en, zh)


@pytest.mark.parametrize(
    ("language", "said"),
    [("zh", "元"), ("zh-hans", "元"), ("ZH-Hant-TW", "元"), ("en", "yuan"), ("en-gb", "yuan"), ("fr", "yuan")],
)
def test_it_is_said_in_the_language_asked_for(language: str, said: str) -> None:
    assert Text("yuan", "元").say(language) == said


def test_both_languages_are_filled_and_a_text_inside_is_said_in_each() -> None:
    filled = Text("{n} of {what}", "{n} 份{what}").format(n=3, what=Text("books", "书"))
    assert filled == Text("3 of books", "3 份书")


@pytest.mark.parametrize(
    ("n", "en"), [(0, "0 gifts"), (1, "1 gift"), (2, "2 gifts"), (11, "11 gifts"), (-1, "-1 gifts"), ("1", "1 gift"),
                  ("1,001", "1,001 gifts")]
)  # fmt: skip
def test_english_has_another_word_for_one(n: object, en: str) -> None:
    assert Text("{n} {n:gift|gifts}", "{n} 笔捐款").format(n=n) == Text(en, f"{n} 笔捐款")


def test_a_word_of_one_language_alone_and_any_other_format_go_through() -> None:
    assert fill("{n:person has|people have} {share:.1f} {price:>6}", n=1, share=0.25, price="8.80") == (
        "person has 0.2   8.80"
    )


def test_a_placeholder_without_value_is_an_error() -> None:
    with pytest.raises(KeyError, match="n"):
        Text("{n}", "数").format()


def test_written_out_it_shows_both_unless_they_are_one() -> None:
    assert str(Text("yuan", "元")) == "yuan / 元"
    assert str(Text("¥", "¥")) == "¥"


def test_the_languages_are_chinese_and_english() -> None:
    assert LANGUAGES == ("zh", "en")
