"""The board of a time bank: what is put up, searched, written about, answered with an exchange, and taken off."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from commonweal.kernel.parties.erasure import forget
from commonweal.kernel.text import Text
from commonweal.services.giving.actions import board, exchanges, members
from commonweal.services.giving.queries import banks
from commonweal.services.giving.queries import board as queries
from commonweal.services.giving.rules.board import Kind, Wish
from commonweal.services.giving.tests.conftest import DAY, NOW, somebody
from commonweal.services.giving.tests.test_banks import (
    There,
    ally,
    ask,
    asking,
    balances,
    check_books,
    north,
    refused,
    south,
    today,
)

__all__ = ["north", "south", "today"]

WORDS = "lessons", Text("Singing for beginners", "唱歌入门"), "五华区", 30
SINGING = Wish(Kind.OFFER, *WORDS)


def put_up(there: There, n: int = 1, wish: Wish = SINGING, key: str = "k") -> uuid.UUID:
    """By the n-th member."""
    return board.put_up(there.people[n - 1], there.id, wish, key)


def test_what_is_put_up_is_found_by_its_words_kind_and_category_and_tells_nobodys_name(north: There) -> None:
    offered = put_up(north)
    assert put_up(north) == offered  # the same key
    for other in (Wish(Kind.ASK, *WORDS), Wish(Kind.OFFER, *WORDS[:-1], 7)):
        with refused("key.reused", Conflict):
            put_up(north, wish=other)
    asked = put_up(north, 2, Wish(Kind.ASK, "garden", Text("请人浇花", "请人浇花"), "官渡区", 7))
    assert [each.id for each in queries.listings([north.id], words="singing 五华")] == [offered]
    assert [each.id for each in queries.listings([north.id], kind=Kind.ASK)] == [asked]
    assert [each.id for each in queries.listings([north.id], category="garden", words="singing")] == []
    page = Client().get(f"/zh/giving/banks/{north.id}/board/?q=浇花").content.decode()
    assert "请人浇花" in page
    assert "唱歌入门" not in page
    assert "north neighbour" not in page


def test_allies_see_it_and_strangers_do_not(north: There, south: There) -> None:
    offered = put_up(north)
    with refused("listing.unknown", NotFound):
        queries.one(south.id, offered)
    ally(north, south)
    assert [each.id for each in queries.listings(queries.around(south.id))] == [offered]
    asked = board.exchange(south.people[0], south.id, offered, 30, "e")
    exchanges.confirm(north.people[0], asked.book, asked.id)
    assert (balances(north)[0], balances(south)[0]) == (30, -30)
    check_books()


@pytest.mark.parametrize(
    ("what", "district", "code"),
    [
        ("Call 138 0013 8000", "五华区", "listing.contact"),
        ("a@b.example", "五华区", "listing.contact"),
        ("加微信聊", "五华区", "listing.contact"),
        ("Singing", "翠湖北路 3 号", "listing.place"),
    ],
)
def test_what_would_lead_past_the_bank_is_refused(north: There, what: str, district: str, code: str) -> None:
    with refused(code, Invalid):
        put_up(north, 1, Wish(Kind.OFFER, "lessons", Text(what, what), district, 30))


def test_it_ends_by_itself_by_its_member_and_by_an_officer_with_a_reason(north: There) -> None:
    expired, own, judged = (put_up(north, key=key) for key in "abc")
    with clock.stopped(NOW + 31 * DAY):
        assert queries.listings([north.id]) == []
        with refused("listing.over", Conflict):
            board.write(north.people[1], north.id, expired, "Still?")
    board.take_off(north.people[0], north.id, own)
    with refused("listing.not-yours", NotAllowed):
        board.take_off(north.people[1], north.id, judged, "mine now")
    with refused("text", Invalid):
        board.take_off(north.officer, north.id, judged)
    board.take_off(north.officer, north.id, judged, "an advertisement")
    assert [each.id for each in queries.listings([north.id])] == [expired]


def test_two_write_to_one_another_and_nobody_else_reads_it(north: There) -> None:
    offered = put_up(north)
    one, other, third = (banks.member_of(north.id, person.id) or pytest.fail() for person in north.people)
    with refused("listing.own", Conflict):
        board.write(north.people[0], north.id, offered, "hello me")
    board.write(north.people[1], north.id, offered, "On Sunday?")
    board.answer(north.people[0], north.id, offered, other.id, "With pleasure.")
    assert [each.text for each in queries.words(offered, other.id)] == ["On Sunday?", "With pleasure."]
    assert queries.words(offered, third.id) == []
    with refused("listing.not-yours", NotAllowed):
        board.answer(north.people[2], north.id, offered, other.id, "Let me in.")
    assert one.id != other.id


def test_who_is_forgotten_has_nothing_on_the_board(north: There) -> None:
    put_up(north)
    forget(north.people[0].id)
    assert queries.listings([north.id]) == []


WORD = "INSERT INTO giving_listing_word (id, listing, member, by_author, sealed, at) VALUES (%s, %s, %s, %s, '', %s)"
ANSWER = "INSERT INTO giving_listing_exchange (book, id, listing) VALUES (%s, %s, %s)"


def refused_by_database(statement: str, values: Sequence[uuid.UUID | bool | datetime], why: str) -> None:
    with pytest.raises(IntegrityError, match=why), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)


def test_the_database_takes_words_of_another_member_alone(north: There, south: There) -> None:
    listing, moment = put_up(north), NOW + timedelta(minutes=1)
    author, other, third = (banks.member_of(north.id, person.id) or pytest.fail() for person in north.people)
    waiting = members.join(somebody("waiting@test.example"), north.id, "not let in")
    for writer in (author.id, waiting, uuid.uuid4()):
        refused_by_database(WORD, [uuid.uuid4(), listing, writer, False, moment], "not of another member")
    board.write(north.people[1], north.id, listing, "On Sunday?")
    refused_by_database(WORD, [uuid.uuid4(), listing, third.id, True, moment], "answers nobody")
    refused_by_database(WORD, [uuid.uuid4(), listing, third.id, False, NOW + 31 * DAY], "is over")
    board.take_off(north.people[0], north.id, listing)
    refused_by_database(WORD, [uuid.uuid4(), listing, other.id, False, moment], "is over")
    board.answer(north.people[0], north.id, listing, other.id, "I have found somebody.")  # what was begun is finished
    assert [each.by_author for each in queries.words(listing)] == [False, True]


def test_the_database_takes_exchanges_that_answer_alone(north: There) -> None:
    offer = put_up(north)
    need = put_up(north, 1, Wish(Kind.ASK, *WORDS), "need")
    (fits,) = ask(north, 2, asking(north, 1, minutes=10, category="lessons"), "fits")
    (elsewhere,) = ask(north, 2, asking(north, 3, minutes=10, category="lessons"), "elsewhere")
    (other,) = ask(north, 2, asking(north, 1, minutes=10, category="garden"), "other")
    for exchange, listing in ((elsewhere, offer), (other, offer), (fits, need)):
        refused_by_database(ANSWER, [exchange.book, exchange.id, listing], "does not answer")
    with clock.stopped(NOW + 31 * DAY):
        (late,) = ask(north, 2, asking(north, 1, minutes=10, category="lessons"), "late")
    refused_by_database(ANSWER, [late.book, late.id, offer], "does not answer")
    with connection.cursor() as cursor:
        cursor.execute(ANSWER, [fits.book, fits.id, offer])
    for change in ("UPDATE giving_listing_exchange SET listing = listing", "DELETE FROM giving_listing_exchange"):
        refused_by_database(change, [], "append-only")


@pytest.mark.parametrize("of", ["stranger", "another bank"])
def test_the_database_takes_nothing_of_who_is_no_member(north: There, south: There, of: str) -> None:
    member = banks.member_of(south.id, south.people[0].id) or pytest.fail()
    writer = member.id if of == "another bank" else uuid.uuid4()
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO giving_listing (id, bank, member, kind, category, district, sealed, at, expires_at)
            VALUES (%s, %s, %s, 'offer', 'care', '五华区', '', %s, %s)
            """,
            [uuid.uuid4(), north.id, writer, NOW, NOW + timedelta(days=7)],
        )


@pytest.mark.parametrize(("language", "sent"), [("zh", "待对方确认"), ("en", "Waits")])
def test_from_an_offer_to_an_exchange_over_http(client: Client, north: There, language: str, sent: str) -> None:
    address = f"/{language}/giving/banks/{north.id}/board/"
    client.force_login(north.people[0].login)
    form = {"kind": "offer", "category": "lessons", "what_zh": "唱歌", "district": "五华区", "days": "30", "key": "f"}
    assert client.post(address, form | {"district": "1 号"}).status_code == 422
    found = client.post(address, form).headers["Location"]
    client.force_login(north.people[1].login)
    assert client.post(found, {"word": "write", "text": "周日？"}).status_code == 303
    assert "周日？" in client.get(found).content.decode()
    asked = client.post(found, {"word": "exchange", "minutes": "45", "key": "g"})
    assert asked.status_code == 303
    assert sent in client.get(asked.headers["Location"]).content.decode()
