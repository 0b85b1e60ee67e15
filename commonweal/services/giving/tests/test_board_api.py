"""The board of a time bank for programs: what it takes, what it refuses in both languages, and what a key does."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from commonweal.kernel.parties.models import Party
from commonweal.services.giving.tests.test_banks import There, ally, balances, found, north, south, today
from commonweal.services.giving.tests.test_doors import JSON, token

__all__ = ["north", "south", "today"]

SINGING = {"kind": "offer", "category": "lessons", "what": {"zh": "唱歌入门"}, "district": "五华区", "days": 30}


def send(client: Client, by: Party | None, path: str, body: dict[str, Any], key: str | None = None) -> Any:
    """POST as a program of somebody."""
    headers = (token(by) if by else {}) | ({"Idempotency-Key": key} if key is not None else {})
    return client.post(f"/api/v1/giving/banks/{path}", json.dumps(body), content_type=JSON, headers=headers)


def read(client: Client, path: str, by: Party | None = None) -> Any:
    return client.get(f"/api/v1/giving/banks/{path}", headers=token(by) if by else {})


def counts() -> list[int]:
    """How many rows each table of the board has."""
    with connection.cursor() as cursor:
        cursor.execute("""
            SELECT (SELECT count(*) FROM giving_listing), (SELECT count(*) FROM giving_listing_word),
                   (SELECT count(*) FROM giving_listing_end), (SELECT count(*) FROM giving_listing_exchange)""")
        return list(cursor.fetchone())


def test_from_an_offer_to_an_exchange_and_off_the_board(client: Client, north: There, south: There) -> None:
    author, other = north.people[0], south.people[0]
    at = f"{north.id}/board"
    made = send(client, author, at, SINGING, "k")
    assert made.status_code == 201
    listing = made.json()["id"]
    assert send(client, author, at, SINGING, "k").json() == made.json()
    again = send(client, author, at, SINGING | {"days": 7}, "k")
    assert (again.status_code, again.json()["code"]) == (409, "key.reused")
    (shown,) = read(client, at).json()  # anybody
    assert (shown["id"], shown["what"], shown["district"]) == (listing, {"en": "唱歌入门", "zh": "唱歌入门"}, "五华区")
    assert set(shown) == {"id", "bank", "kind", "category", "what", "district", "at", "expires_at"}
    for query, there in (("kind=ask", 0), ("kind=offer&category=lessons", 1), ("words=跳舞", 0)):
        assert len(read(client, f"{at}?{query}").json()) == there

    words = f"{south.id}/board/{listing}/words"
    assert send(client, other, words, {"text": "周日？"}).status_code == 404  # not allied yet
    ally(north, south)
    assert send(client, other, words, {"text": "周日？"}).status_code == 204
    (word,) = read(client, f"{at}/{listing}/words", author).json()
    answer = {"text": "好的。", "other": word["other"]}
    assert send(client, author, f"{at}/{listing}/words", answer).status_code == 204
    assert [each["by_author"] for each in read(client, words, other).json()] == [False, True]
    assert read(client, words, south.people[1]).json() == []
    assert read(client, words).status_code == 401

    asks = f"{south.id}/board/{listing}/exchanges"
    asked = send(client, other, asks, {"minutes": 45}, "e")
    assert (asked.status_code, asked.json()["minutes"], asked.json()["category"]) == (201, 45, "lessons")
    assert send(client, other, asks, {"minutes": 45}, "e").json() == asked.json()
    assert send(client, other, asks, {"minutes": 46}, "e").json()["code"] == "key.reused"
    exchange = f"{asked.json()['bank']}/exchanges/{asked.json()['id']}"
    assert send(client, author, f"{exchange}/answer", {"word": "confirm"}).status_code == 204
    assert (balances(north)[0], balances(south)[0]) == (45, -45)

    for _ in range(2):  # twice is once
        assert send(client, author, f"{at}/{listing}/end", {}).status_code == 204
    assert read(client, at).json() == []
    assert counts() == [1, 2, 1, 1]


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"kind": "steal"}, 422, None),
        ({"category": "everything"}, 422, "listing.category"),
        ({"what": {"zh": " "}}, 422, "text.empty"),
        ({"what": {"zh": "字" * 301}}, 422, "text.too-long"),
        ({"what": {"zh": "唱\u202e歌"}}, 422, "text.characters"),
        ({"what": {"zh": "电话 138-0013-8000"}}, 422, "listing.contact"),
        ({"what": {"en": "write to a@b.example", "zh": "唱歌"}}, 422, "listing.contact"),
        ({"district": "翠湖北路 3 号"}, 422, "listing.place"),
        ({"district": ""}, 422, "text.empty"),
        ({"days": 8}, 422, None),
        ({"days": 2**63}, 422, None),
        ({"name": "阿秀"}, 422, None),
    ],
)
def test_what_is_wrong_is_refused_in_both_languages(
    client: Client, north: There, changes: dict[str, Any], status: int, code: str | None
) -> None:
    answer = send(client, north.people[0], f"{north.id}/board", SINGING | changes, "k")
    problem = answer.json()
    assert answer.status_code == problem["status"] == status
    assert code is None or problem["code"] == code
    assert problem["en"] != problem["zh"]
    assert problem["en"].isascii()
    assert counts() == [0, 0, 0, 0]


def test_who_may_not_is_told_why(client: Client, north: There, south: There) -> None:
    at, author, other = f"{north.id}/board", north.people[0], north.people[1]
    listing = send(client, author, at, SINGING, "k").json()["id"]
    stranger = found("west").people[0]
    before = counts()
    told = [
        (send(client, None, at, SINGING, "k"), 401, None),
        (send(client, author, at, SINGING), 422, None),  # no key
        (send(client, stranger, at, SINGING, "k"), 409, "exchange.not-member"),
        (send(client, stranger, f"{at}/{listing}/words", {"text": "hello"}), 409, "exchange.not-member"),
        (send(client, author, f"{at}/{listing}/words", {"text": "hello"}), 409, "listing.own"),
        (send(client, author, f"{at}/{listing}/exchanges", {"minutes": 5}, "e"), 409, "listing.own"),
        (send(client, other, f"{at}/{listing}/exchanges", {"minutes": 0}, "e"), 422, None),
        (send(client, other, f"{at}/{listing}/exchanges", {"minutes": 2**63}, "e"), 422, "amount.too-large"),
        (send(client, other, f"{at}/{listing}/words", {"text": "x", "other": str(uuid.uuid4())}), 403, None),
        (send(client, author, f"{at}/{listing}/words", {"text": "x", "other": str(uuid.uuid4())}), 404, None),
        (send(client, other, f"{at}/{listing}/end", {}), 403, "listing.not-yours"),
        (send(client, north.officer, f"{at}/{listing}/end", {}), 422, "text.empty"),
        (send(client, south.officer, f"{at}/{listing}/end", {"note": "not mine"}), 403, "listing.not-yours"),
        (send(client, other, f"{at}/{uuid.uuid4()}/words", {"text": "x"}), 404, "listing.unknown"),
        (send(client, author, f"{uuid.uuid4()}/board", SINGING, "k"), 404, "bank.unknown"),
        (read(client, f"{uuid.uuid4()}/board"), 404, "bank.unknown"),
    ]
    for answer, status, code in told:
        problem = answer.json()
        assert (answer.status_code, code or problem["code"]) == (status, problem["code"]), problem
        assert problem["en"] != problem["zh"]
    assert counts() == before
