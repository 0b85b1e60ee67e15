"""Reading and writing 360Giving: planted faults, both forms of file, and files that funders have really published."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonweal.kernel.errors import Invalid
from commonweal.services.giving.threesixty import Award, Reading, read, values, write
from commonweal.services.giving.threesixty.currencies import PLACES, currency
from commonweal.services.giving.threesixty.writing import grant
from tests.published import published

TODAY = date(2026, 11, 25)
GRANT: dict[str, Any] = {
    "id": "360G-example-1",
    "title": "Music lessons",
    "description": "Two lessons a week.",
    "currency": "GBP",
    "amountAwarded": 1250.5,
    "awardDate": "2014-03-17",
    "fundingOrganization": [{"id": "GB-CHC-1", "name": "The Funder"}],
    "recipientOrganization": [{"id": "GB-CHC-2", "name": "The School"}],
}
FILES = {
    "baring.json": (53, "2086937.00"),
    "indigo.json": (269, "8053545.40"),
    "ocf1.json": (156, "169821.67"),
    "power-to-change.json": (870, "51625696.54"),
    "wolfson.json": (379, "31178456.00"),
}
"""Rows, and the sum of their amounts as the published text has it."""
SOURCE = "ThreeSixtyGiving/grantnav, sample_data/ and dataload/test_data/"


def file_of(*grants: dict[str, Any]) -> bytes:
    return json.dumps({"grants": grants}).encode()


def one(**changes: Any) -> Award:
    reading = read(file_of(GRANT | changes), TODAY)
    assert not reading.refused, reading.refused[0].reason
    return reading.awards[0]


def refused(**changes: Any) -> Invalid:
    reading = read(file_of(GRANT | changes), TODAY)
    assert not reading.awards
    (row,) = reading.refused
    assert row.row == 1
    assert isinstance(row.reason, Invalid)
    return row.reason


def written(reading: Reading) -> bytes:
    return "".join(
        write(
            grant(
                id=award.id,
                title=award.title,
                description=award.description,
                amount=award.amount,
                asset=award.asset,
                awarded=award.awarded,
                record=award.record,
            )
            for award in reading.awards
        )
    ).encode()


@pytest.fixture(scope="session")
def check_schema() -> Callable[[bytes], None]:
    """Whether every grant of a file is valid; the first ones also to a validator that does not look at formats."""
    schema = json.loads(published("stewardship/360-giving-schema.json", "ThreeSixtyGiving/standard").read_bytes())
    plain = jsonschema.Draft202012Validator(schema)
    strict = jsonschema.Draft202012Validator(schema, format_checker=plain.FORMAT_CHECKER)

    def check(data: bytes) -> None:
        for number, row in enumerate(json.loads(data)["grants"]):
            strict.validate(row)
            if number < 20:
                plain.validate(row)

    return check


@pytest.mark.parametrize("name", FILES)
def test_published_files_go_in_and_out_with_equal_totals(name: str, check_schema: Callable[[bytes], None]) -> None:
    data = published(f"giving/360giving/{name}", SOURCE).read_bytes()
    rows, total = FILES[name]
    raw = json.loads(data, parse_float=Decimal)["grants"]
    assert (len(raw), sum(Decimal(row["amountAwarded"]) for row in raw)) == (rows, Decimal(total))

    reading = read(data, TODAY)
    assert not reading.refused
    assert len(reading.awards) == rows
    assert Decimal(sum(award.amount for award in reading.awards)) / 100 == Decimal(total)

    out = written(reading)
    check_schema(out)
    again = read(out, TODAY)
    assert [(a.id, a.amount, a.awarded, a.funder, a.recipient, a.programme, a.record) for a in again.awards] == [
        (a.id, a.amount, a.awarded, a.funder, a.recipient, a.programme, a.record) for a in reading.awards
    ]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("share", [0.1, 0.5, 0.999])
def test_a_truncated_file_is_refused_whole(name: str, share: float) -> None:
    data = published(f"giving/360giving/{name}", SOURCE).read_bytes().rstrip()
    with pytest.raises(Invalid, match=r"file\.truncated"):
        read(data[: int(len(data) * share)], TODAY)


@pytest.mark.parametrize(
    ("value", "units"),
    [
        (1250.5, 125050),
        (1250, 125000),
        (0, 0),
        ("1250.50", 125050),
        ("1,250.5", 125050),
        ("£1,250", 125000),
        ("GBP 7", 700),
        ("1250.", 125000),
        (486.36, 48636),
        (1e3, 100000),
    ],
)
def test_amounts_that_are_understood(value: Any, units: int) -> None:
    assert one(amountAwarded=value).amount == units


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (None, "missing"),
        ("", "missing"),
        ("n/a", "form"),
        ("1.250,50", "form"),
        ("1,25", "form"),
        ("12,50.00", "form"),
        ("1e3", "form"),
        ("$5", "form"),
        ("５", "form"),
        ("NaN", "form"),
        (True, "form"),
        ([5], "form"),
        (-1, "negative"),
        ("-1", "negative"),
        (0.001, "precision"),
        ("0.005", "precision"),
        (10**14, "too-large"),
        ("9" * 400, "too-large"),
    ],
)
def test_amounts_that_are_not(value: Any, code: str) -> None:
    assert refused(amountAwarded=value).code == f"amount.{code}"


def test_numbers_that_json_does_not_have_are_no_amounts() -> None:
    for number in ("NaN", "Infinity", "1e999999", "-1e-999999"):
        data = file_of(GRANT | {"amountAwarded": 7777}).replace(b"7777", number.encode())
        assert read(data, TODAY).refused[0].reason.field == "amountAwarded"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2014-03-17", date(2014, 3, 17)),
        ("2014-03-17T23:30:00+00:00", date(2014, 3, 17)),
        ("2014-03-17T00:00:00Z", date(2014, 3, 17)),
        ("2014-03-17 08:00", date(2014, 3, 17)),
        ("17/03/2014", date(2014, 3, 17)),
        ("17/03/2014 00:00", date(2014, 3, 17)),
        ("03/17/2014", date(2014, 3, 17)),
        ("5/6/2014", date(2014, 6, 5)),
        ("29/02/2012", date(2012, 2, 29)),
    ],
)
def test_days_that_are_understood(value: str, expected: date) -> None:
    assert one(awardDate=value).awarded == expected


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (None, "missing"),
        ("", "missing"),
        ("2014", "form"),
        ("17/03/14", "form"),
        ("17.03.2014", "form"),
        ("41715", "form"),
        (41715, "form"),
        ("31/02/2014", "form"),
        ("13/13/2014", "form"),
        ("２０１４-03-17", "form"),
        ("2126-03-17", "range"),
        ("1026-03-17", "range"),
    ],
)
def test_days_that_are_not(value: Any, code: str) -> None:
    assert refused(awardDate=value).code == f"date.{code}"


def test_the_unmistakable_days_of_a_file_decide_the_order_of_the_others() -> None:
    def file(*days: str) -> Reading:
        return read(file_of(*(GRANT | {"id": f"360G-x-{n}", "awardDate": day} for n, day in enumerate(days))), TODAY)

    assert [a.awarded.month for a in file("05/06/2014", "13/06/2014").awards] == [6, 6]
    assert [a.awarded.month for a in file("05/06/2014", "06/13/2014").awards] == [5, 6]
    mixed = file("05/06/2014", "13/06/2014", "06/13/2014", "07/07/2014")
    assert [a.awarded for a in mixed.awards] == [date(2014, 6, 13), date(2014, 6, 13), date(2014, 7, 7)]
    assert [(row.row, row.reason.code) for row in mixed.refused] == [(1, "date.ambiguous")]
    assert "5 June" in file("05/06/2014").remarks[-1].text.en


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"id": None}, "text.missing", "id"),
        ({"title": "  "}, "text.missing", "title"),
        ({"title": "x" * 501}, "text.too-long", "title"),
        ({"title": "a\u202eb"}, "text.characters", "title"),
        ({"description": None}, "text.missing", "description"),
        ({"description": "x" * 10_001}, "text.too-long", "description"),
        ({"description": "a\x00b"}, "text.characters", None),
        ({"own": {"key": ["\x00"]}}, "text.characters", None),
        ({"own": "\ud800"}, "row.form", None),
        ({"currency": None}, "text.missing", "currency"),
        ({"currency": "£"}, "currency.unknown", "currency"),
        ({"recipientOrganization": []}, "organisation.missing", "recipientOrganization"),
        ({"recipientOrganization": "The School"}, "organisation.missing", "recipientOrganization"),
        ({"recipientOrganization": [{"name": "x"}]}, "text.missing", "recipientOrganization/id"),
        ({"fundingOrganization": [{"id": "GB-CHC-1"}]}, "text.missing", "fundingOrganization/name"),
        (
            {"recipientOrganization": GRANT["recipientOrganization"] * 2},
            "organisation.several",
            "recipientOrganization",
        ),
        ({"recipientIndividual": {"id": "p", "name": "A. Person"}}, "recipient.individual", "recipientIndividual"),
    ],
)
def test_rows_that_are_refused_are_named_with_the_reason(changes: dict[str, Any], code: str, field: str | None) -> None:
    reason = refused(**changes)
    assert (reason.code, reason.field) == (code, field)


def test_a_row_that_is_no_grant_and_one_that_comes_twice() -> None:
    reading = read(file_of(GRANT, "nothing", GRANT | {"amountAwarded": 1}), TODAY)  # type: ignore[arg-type]
    assert len(reading.awards) == 1
    assert [(row.row, row.id, row.reason.code) for row in reading.refused] == [
        (2, "", "row.form"),
        (3, "360G-example-1", "grant.twice"),
    ]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "file.empty"),
        (b" \n", "file.empty"),
        (b"\xff\xfe{}", "file.encoding"),
        (b'{"rows": []}', "file.form"),
        (b'{"grants": {}}', "file.form"),
        (b"[" * 100_000, "file.truncated"),
        (b"Name,Age\nA,1\n", "file.form"),
        (b'Identifier,Amount Awarded\n"never closed,5', "file.truncated"),
        (b"Identifier,Title,Amount Awarded\n1,A,5\n2,B", "file.truncated"),
    ],
)
def test_files_that_are_refused(data: bytes, code: str) -> None:
    with pytest.raises(Invalid) as reason:
        read(data, TODAY)
    assert reason.value.code == code


CSV = """\ufeffIdentifier,Title,Description,Currency,Amount Awarded,Award Date,Recipient Org:Identifier,\
Recipient Org:Name,Funding Org:0:Identifier,fundingOrganization/0/name,Grant Programme:Title,\
Planned Dates:Duration (months),Our code
360G-a-1,Music,"Two lessons
a week",GBP,"£1,250.50",17/03/2014,GB-CHC-2,School,GB-CHC-1,Funder,Arts,12,X7
360G-a-2,Books,Thirty,GBP,,17/03/2014,GB-CHC-2,School,GB-CHC-1,Funder,,,
360G-a-3,short row
"""


def test_spreadsheets_are_read_by_their_headings(check_schema: Callable[[bytes], None]) -> None:
    reading = read(CSV.encode(), TODAY)
    (award,) = reading.awards
    assert (award.amount, award.awarded, award.programme) == (125050, date(2014, 3, 17), "Arts")
    assert award.description == "Two lessons\na week"
    assert award.funder == values.Organisation("GB-CHC-1", "Funder")
    assert award.record["plannedDates"] == [{"duration": 12}]
    assert award.record["Our code"] == "X7"
    assert [(row.row, row.reason.code) for row in reading.refused] == [(2, "amount.missing"), (3, "row.form")]
    check_schema(written(reading))


def test_what_is_not_in_form_is_kept_beside_and_what_is_personal_is_left_out(
    check_schema: Callable[[bytes], None],
) -> None:
    row = GRANT | {
        "recipientOrganization": [
            GRANT["recipientOrganization"][0] | {"email": "a@b.example", "contactName": "A. Person", "url": "none yet"}
        ],
        "plannedDates": [{"startDate": "30/09/2013", "duration": "12 months"}, {"duration": "Undefined"}],
        "beneficiaryLocation": [{"countryCode": "uk", "latitude": "51.5", "longitude": 999}],
        "grantProgramme": "Arts",
        "url": "www.school.example/music",
        "fromOpenCall": "YES",
        "amountDisbursed": "unknown",
        "amountAppliedFor": "2,000",
        "dateModified": "17/08/2015 00:00",
        "relatedActivity": ["a", "b"],
        "disbursementTransaction": [{"value": "odd"}],
        "Own": {"nested": [1, 2.5, None]},
    }
    reading = read(file_of(row), TODAY)
    record = reading.awards[0].record
    assert record["recipientOrganization"] == [
        {"id": "GB-CHC-2", "name": "The School", "url (as published)": "none yet"}
    ]
    assert record["plannedDates"] == [
        {"startDate": "2013-09-30T00:00:00+00:00", "duration": 12},
        {"duration (as published)": "Undefined"},
    ]
    assert record["beneficiaryLocation"] == [{"countryCode": "GB", "latitude": 51.5, "longitude (as published)": 999}]
    assert record["grantProgramme (as published)"] == "Arts"
    assert record["url"] == "http://www.school.example/music"
    assert record["fromOpenCall"] == "Yes"
    assert record["amountDisbursed (as published)"] == "unknown"
    assert record["amountAppliedFor"] == 2000
    assert record["dateModified"] == "2015-08-17T00:00:00+00:00"
    assert record["relatedActivity"] == ["a", "b"]
    assert record["disbursementTransaction (as published)"] == [{"value": "odd"}]
    assert record["Own"] == {"nested": [1, 2.5, None]}
    said = " ".join(remark.text.en for remark in reading.remarks)
    for path in ("recipientOrganization/email", "recipientOrganization/contactName", "plannedDates/duration"):
        assert path in said
    check_schema(written(reading))


def test_identifiers_that_name_nobody() -> None:
    assert values.Organisation("GB-CHC-326568", "x").identified
    assert values.Organisation("360G-ocf-org:1117726", "x").identified
    assert not values.Organisation("DUMMY01", "x").identified


def test_every_currency_has_its_places() -> None:
    assert (PLACES["GBP"], PLACES["JPY"], PLACES["KWD"]) == (2, 0, 3)
    assert currency("XYZ") is None
    yen = currency("JPY")
    assert yen is not None
    assert one(currency="jpy", amountAwarded=1250).amount == 1250
    assert refused(currency="JPY", amountAwarded=1250.5).code == "amount.precision"


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    try:
        reading = read(data, TODAY)
    except Invalid:
        return
    assert all(row.reason.text.zh for row in reading.refused)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*GRANT, "url", "plannedDates", "beneficiaryLocation", "own"]), json_values))
def test_every_row_is_taken_or_named_and_what_is_taken_is_valid(changes: dict[str, Any]) -> None:
    reading = read(file_of(GRANT | changes), TODAY)
    assert len(reading.awards) + len(reading.refused) == 1
    if reading.awards:
        again = read(written(reading), TODAY)
        assert [(a.id, a.amount, a.record) for a in again.awards] == [
            (a.id, a.amount, a.record) for a in reading.awards
        ]
