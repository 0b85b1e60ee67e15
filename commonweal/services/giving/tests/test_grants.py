"""The real grants: in through the action, seen in pages, books and log, out again, all with equal totals."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client

from commonweal.kernel.errors import Invalid
from commonweal.kernel.ledger import Account, audit, balance
from commonweal.kernel.parties.models import Party
from commonweal.kernel.quantity import format_amount
from commonweal.services.giving.actions.grants import Imported, take_over
from commonweal.services.giving.models import Campaign, Organisation
from commonweal.services.giving.queries import grants as queries
from commonweal.services.giving.queries import totals
from commonweal.services.giving.tests.test_threesixty import FILES, GRANT, SOURCE, check_schema, file_of
from commonweal.services.giving.threesixty import write
from tests.published import published

__all__ = ["check_schema"]
TOTAL = sum(Decimal(total) for _, total in FILES.values())
ROWS = sum(rows for rows, _ in FILES.values())


def take_all() -> list[Imported]:
    return [take_over(published(f"giving/360giving/{name}", SOURCE).read_bytes()) for name in FILES]


def sum_of_books() -> int:
    total = 0
    with connection.cursor() as cursor:
        for programme in Campaign.objects.filter(kind="programme"):
            total += balance(cursor, Account(programme.id, "funder", "GBP", -1))
        assert audit(cursor) == []
    return total


def sum_of_log() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT entry FROM proof_staged UNION ALL SELECT entry FROM proof_leaf")
        leaves = [json.loads(bytes(entry)) for (entry,) in cursor.fetchall()]
    return sum(leaf["amount"] for leaf in leaves if leaf["kind"] == "giving.grant")


def test_the_real_grants_have_the_same_total_everywhere(
    db: None, client: Client, check_schema: Callable[[bytes], None]
) -> None:
    before = sum_of_log()
    imported = take_all()
    assert sum(each.rows for each in imported) == sum(each.added for each in imported) == ROWS
    assert not [row for each in imported for row in each.refused]
    assert Decimal(sum(each.totals["GBP"] for each in imported)) / 100 == TOTAL
    assert Decimal(sum_of_books()) / 100 == TOTAL
    assert Decimal(sum_of_log() - before) / 100 == TOTAL
    ((asset, total),) = totals.grants()
    assert (asset.code, Decimal(total) / 100) == ("GBP", TOTAL)

    page = client.get("/en/giving/grants/").content.decode()
    assert format_amount(total, asset) in page
    out = "".join(write(queries.exported())).encode()
    check_schema(out)
    rows = json.loads(out, parse_float=Decimal)["grants"]
    assert (len(rows), sum(Decimal(row["amountAwarded"]) for row in rows)) == (ROWS, TOTAL)

    again = take_over(out)
    assert (again.added, again.known, again.refused) == (0, ROWS, [])
    assert [each.added for each in take_all()] == [0] * len(FILES)
    assert Decimal(sum_of_books()) / 100 == TOTAL


def test_organisations_are_told_apart_as_well_as_the_files_allow(db: None) -> None:
    """`DUMMY01` stands for many organisations there; each of them is one by its name."""
    data = published("giving/360giving/indigo.json", SOURCE).read_bytes()
    named = [row["recipientOrganization"][0] for row in json.loads(data)["grants"]]
    dummies = {each["name"] for each in named if each["id"] == "DUMMY01"}
    assert len(dummies) > 60
    take_over(data)
    assert not Party.objects.filter(registration="DUMMY01").exists()
    for name in dummies:
        (identifier,) = Organisation.objects.filter(party__name_en=name, identifier__endswith=f"/{name}")
        assert queries.Grants(recipient=identifier.party_id)
    funder = Organisation.objects.get(identifier="360G-indigotrust")
    assert len(queries.Grants(funder=funder.party_id)) == 269


def test_grants_are_found_and_traced_on_their_pages(db: None, client: Client) -> None:
    take_over(file_of(GRANT | {"title": "Piano <script>", "grantProgramme": [{"title": "Arts"}]}))
    (grant,) = queries.Grants(words="pia")[:5]
    for language in ("zh", "en"):
        page = client.get(f"/{language}/giving/grants/{grant.programme}/{grant.id}/").content.decode()
        assert "The School" in page and "The Funder" in page and "1,250.50" in page
        assert "Piano &lt;script&gt;" in page and "<script>" not in page
        for organisation in (grant.funder, grant.recipient):
            assert client.get(f"/{language}/giving/organisations/{organisation}/").status_code == 200
    assert grant.programme_title.en == "Arts"


def test_a_grant_that_has_been_changed_since_is_named_and_left(db: None) -> None:
    assert take_over(file_of(GRANT)).added == 1
    changed = take_over(file_of(GRANT | {"amountAwarded": 1}))
    assert (changed.added, changed.known) == (0, 0)
    assert [(row.row, row.reason.code) for row in changed.refused] == [(1, "grant.changed")]
    assert queries.Grants()[0].amount == 125_050


def test_of_a_bad_file_nothing_is_taken(db: None) -> None:
    data, before = published("giving/360giving/ocf1.json", SOURCE).read_bytes(), Campaign.objects.count()
    with pytest.raises(Invalid, match=r"file\.truncated"):
        take_over(data[: len(data) // 2])
    assert len(queries.Grants()) == 0
    assert Campaign.objects.count() == before


def test_bad_rows_do_not_hinder_good_ones(db: None) -> None:
    rows = [GRANT, GRANT | {"id": "360G-x-2", "amountAwarded": "much"}, GRANT | {"id": "360G-x-3", "amountAwarded": 0}]
    imported = take_over(file_of(*rows))
    assert (imported.rows, imported.added) == (3, 2)
    assert [(row.row, row.id, row.reason.code) for row in imported.refused] == [(2, "360G-x-2", "amount.form")]
    assert imported.totals == {"GBP": 125_050}


def test_a_charity_that_is_here_already_is_the_same_organisation(db: None) -> None:
    first = take_over(file_of(GRANT))
    assert first.added == 1
    party = Party.objects.get(registration="GB-CHC-2")
    for number, code in enumerate(("GB-CHC-2", "GB-CHC-2 "), 8):
        other = {"id": code, "name": "School, The"}
        take_over(file_of(GRANT | {"id": f"360G-x-{number}", "recipientOrganization": [other]}))
    assert {grant.recipient for grant in queries.Grants()[:5]} == {party.id}
