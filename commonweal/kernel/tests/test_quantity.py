import re
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonweal.kernel.errors import Invalid
from commonweal.kernel.quantity import CNY, MAX_AMOUNT, Asset, check_amount, format_amount, parse_amount, share_out
from commonweal.kernel.text import Text

MINUTES = Asset("MINUTE", 0, "time", Text("minutes", "分钟"))
GOLD = Asset("GOLD", 9, "thing", Text("gold", "金"))

assets = st.integers(0, 9).map(lambda exponent: Asset("ANY", exponent, "thing", Text("any", "任意")))
amounts = st.integers(1, MAX_AMOUNT)


@pytest.mark.parametrize("code", ["", "C", "cny", "CNY ", "1CNY", "_CNY", "CNY-X", "元", "A" * 17, "CNY\n"])
def test_an_asset_code_has_one_form(code: str) -> None:
    with pytest.raises(ValueError, match="an asset code is 2 to 16"):
        Asset(code, 2, "money", Text("x", "x"))


@pytest.mark.parametrize("code", ["CN", "A_9", "A" * 16])
def test_codes_that_are_taken(code: str) -> None:
    assert Asset(code, 0, "thing", Text("x", "x")).symbol == ""


@pytest.mark.parametrize("exponent", [-1, 10])
def test_an_exponent_lies_between_0_and_9(exponent: int) -> None:
    with pytest.raises(ValueError, match="between 0 and 9"):
        Asset("CNY", exponent, "money", Text("x", "x"))


@pytest.mark.parametrize(
    ("text", "asset", "amount"),
    [
        ("8.80", CNY, 880),
        ("5", CNY, 500),
        ("0.01", CNY, 1),
        ("0.1", CNY, 10),
        ("12", MINUTES, 12),
        ("0.000000001", GOLD, 1),
        ("10000000000000", CNY, MAX_AMOUNT),
        ("9999999999999.99", CNY, MAX_AMOUNT - 1),
    ],
)
def test_amounts_that_are_understood(text: str, asset: Asset, amount: int) -> None:
    assert parse_amount(text, asset) == amount


NOT_AMOUNTS: list[object] = [
    *[
        "",
        " ",
        "1e3",
        "1E3",
        "+1",
        "-1",
        "1,000",
        "1 000",
        " 1",
        "1 ",
        "1\n",
        "\n1",
        ".5",
        "5.",
        "1.2.3",
        "0x10",
        "NaN",
    ],
    *["NaN", "Infinity", "inf", "１", "٣", "1٫5", "5．00", "¥5", "一", "00", "01", "1_000", "1\x00", "½", "9" * 17],
    *[5, 5.0, Decimal(5), None, True, b"5", ["5"], {"amount": "5"}],
]


@pytest.mark.parametrize("text", NOT_AMOUNTS)
def test_amounts_that_are_not_understood(text: object) -> None:
    with pytest.raises(Invalid) as refused:
        parse_amount(text, CNY, field="gift")
    assert (refused.value.code, refused.value.field) == ("amount.form", "gift")
    assert refused.value.text == Text(
        "Write the amount in plain digits, for example 5 or 8.80.", "请用普通数字填写金额，例如 5 或 8.80。"
    )


@pytest.mark.parametrize(("text", "asset", "places"), [("1.234", CNY, 2), ("1.0", MINUTES, 0), ("1.000", CNY, 2)])
def test_more_places_than_the_asset_has(text: str, asset: Asset, places: int) -> None:
    with pytest.raises(Invalid) as refused:
        parse_amount(text, asset, field="gift")
    assert (refused.value.code, refused.value.field) == ("amount.precision", "gift")
    assert refused.value.text.en == f"This amount has too many decimal places; {places} are possible."
    assert refused.value.text.zh == f"金额的小数位太多，最多 {places} 位。"


@pytest.mark.parametrize(
    ("text", "code", "en", "zh"),
    [
        ("0", "amount.too-small", "The smallest possible amount is 0.01.", "金额最少为 0.01。"),
        ("0.00", "amount.too-small", "The smallest possible amount is 0.01.", "金额最少为 0.01。"),
        (
            "10000000000000.01",
            "amount.too-large",
            "The largest possible amount is 10,000,000,000,000.00.",
            "金额最多为 10,000,000,000,000.00。",
        ),
        (
            "9999999999999999.99",
            "amount.too-large",
            "The largest possible amount is 10,000,000,000,000.00.",
            "金额最多为 10,000,000,000,000.00。",
        ),
    ],
)
def test_amounts_out_of_bounds(text: str, code: str, en: str, zh: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse_amount(text, CNY)
    assert (refused.value.code, refused.value.field, refused.value.text) == (code, "amount", Text(en, zh))


def test_bounds_can_be_given_and_belong_to_what_is_possible() -> None:
    assert check_amount(100, CNY, minimum=100, maximum=100) == 100
    assert parse_amount("1", CNY, minimum=100, maximum=100) == 100
    for amount, code in ((99, "amount.too-small"), (101, "amount.too-large")):
        with pytest.raises(Invalid) as checked:
            check_amount(amount, CNY, field="gift", minimum=100, maximum=100)
        with pytest.raises(Invalid) as parsed:
            parse_amount(format_amount(amount, CNY), CNY, field="gift", minimum=100, maximum=100)
        for refused in (checked.value, parsed.value):
            assert (refused.code, refused.field) == (code, "gift")


def test_without_bounds_an_amount_is_positive_and_at_most_the_limit() -> None:
    assert check_amount(1, CNY) == 1
    assert check_amount(MAX_AMOUNT, CNY) == MAX_AMOUNT == 10**15
    for amount in (0, -1, MAX_AMOUNT + 1):
        with pytest.raises(Invalid) as refused:
            check_amount(amount, CNY)
        assert refused.value.field == "amount"


@pytest.mark.parametrize(
    ("amount", "asset", "grouped", "plain"),
    [
        (880, CNY, "8.80", "8.80"),
        (-5, CNY, "-0.05", "-0.05"),
        (0, CNY, "0.00", "0.00"),
        (123456789, CNY, "1,234,567.89", "1234567.89"),
        (1234, MINUTES, "1,234", "1234"),
        (-1, MINUTES, "-1", "-1"),
        (1, GOLD, "0.000000001", "0.000000001"),
    ],
)
def test_amounts_written(amount: int, asset: Asset, grouped: str, plain: str) -> None:
    assert format_amount(amount, asset) == grouped
    assert format_amount(amount, asset, grouped=False) == plain


@given(amounts, assets)
def test_what_is_written_is_read_again(amount: int, asset: Asset) -> None:
    assert parse_amount(format_amount(amount, asset, grouped=False), asset) == amount


@given(st.integers(-(10**18), 10**18), assets)
def test_what_is_written_is_the_exact_decimal(amount: int, asset: Asset) -> None:
    written = format_amount(amount, asset)
    assert Fraction(written.replace(",", "")) == Fraction(amount, 10**asset.exponent)
    assert re.fullmatch(r"-?[0-9]{1,3}(,[0-9]{3})*(\.[0-9]+)?", written)


@given(st.text(alphabet="0123456789.-+eE,_ １", max_size=20))
def test_whatever_is_understood_is_exact(text: str) -> None:
    try:
        amount = parse_amount(text, CNY)
    except Invalid as refused:
        assert refused.code in {"amount.form", "amount.precision", "amount.too-small", "amount.too-large"}
    else:
        assert Fraction(amount, 100) == Fraction(text)


@given(st.integers(0, MAX_AMOUNT), st.lists(st.integers(0, MAX_AMOUNT), min_size=1, max_size=20).filter(any))
def test_shares_sum_to_the_total_and_are_nearly_proportional(total: int, weights: list[int]) -> None:
    parts = share_out(total, weights)
    assert sum(parts) == total
    exact = [Fraction(total * weight, sum(weights)) for weight in weights]
    assert all(abs(part - share) < 1 for part, share in zip(parts, exact, strict=True))
    up = [i for i, share in enumerate(exact) if parts[i] > share]
    down = [i for i, share in enumerate(exact) if parts[i] <= share and share.denominator > 1 and parts[i] < share]
    for i in up:  # nobody is rounded up before somebody with a larger remainder, or an equal one that is earlier
        assert all((exact[i] % 1, -i) > (exact[j] % 1, -j) for j in down)


@pytest.mark.parametrize(
    ("total", "weights", "parts"),
    [
        (100, [1, 1, 1], [34, 33, 33]),
        (2, [1, 1, 1], [1, 1, 0]),
        (10, [3, 0, 7], [3, 0, 7]),
        (0, [0, 0], [0, 0]),
        (0, [], []),
        (0, [5, 1], [0, 0]),
        (1, [1, 2], [0, 1]),
        (7, [1], [7]),
    ],
)
def test_shares_worked_by_hand(total: int, weights: list[int], parts: list[int]) -> None:
    assert share_out(total, weights) == parts


@pytest.mark.parametrize("weights", [[], [0], [0, 0]])
def test_something_cannot_be_divided_by_nothing(weights: list[int]) -> None:
    with pytest.raises(ValueError, match="nothing to divide by: every weight is zero"):
        share_out(1, weights)


@pytest.mark.parametrize(("total", "weights"), [(-1, [1]), (1, [1, -1]), (0, [-1])])
def test_nothing_negative_is_divided(total: int, weights: list[int]) -> None:
    with pytest.raises(ValueError, match="neither the total nor a weight can be negative"):
        share_out(total, weights)
