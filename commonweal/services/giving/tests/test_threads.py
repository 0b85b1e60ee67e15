"""Givers and charities write to each other; a steward who is called reads it, on record; everyone is thanked once."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict, Invalid, NotAllowed, NotFound, TooMany
from commonweal.kernel.notices.inbox import inbox
from commonweal.kernel.parties import people
from commonweal.kernel.parties.erasure import forget
from commonweal.kernel.parties.models import Party
from commonweal.kernel.text import Text
from commonweal.services.giving import jobs
from commonweal.services.giving.actions import gifts, returns, thanks, threads
from commonweal.services.giving.actions.threads import Opening
from commonweal.services.giving.queries import thanks as thanks_queries
from commonweal.services.giving.queries import threads as queries
from commonweal.services.giving.rules import threads as rules
from commonweal.services.giving.rules.gifts import COLLECTED, Give
from commonweal.services.giving.rules.threads import Side
from commonweal.services.giving.tests.conftest import DAY, NOW, World, somebody


@pytest.fixture(autouse=True)
def today() -> Iterator[None]:
    with clock.stopped(NOW):
        yield


def given(world: World, giver: Party | None = None, amount: int = 500, key: str = "k") -> uuid.UUID:
    return gifts.give(Give(world.campaign.id, (giver or world.giver).id, amount, "CNY", COLLECTED, key)).id


@pytest.fixture
def thread(world: World) -> uuid.UUID:
    gift = given(world)
    return threads.begin(world.giver, world.campaign.id, Opening("Is the piano in tune?", gift=gift), "first")


def texts_of(world: World, thread: uuid.UUID) -> list[tuple[Side, str]]:
    found = queries.thread(world.campaign.id, thread)
    return [(each.side, each.text) for each in queries.messages(found)]


def test_asked_and_answered_and_each_is_told(world: World, thread: uuid.UUID) -> None:
    campaign = world.campaign.id
    assert queries.unread([world.charity.id]) == {world.charity.id: 1}
    jobs.tell_message(campaign=str(campaign), thread=str(thread), nth=1)
    told = inbox(world.officer)[0]
    assert (told.kind, told.link) == ("giving.message", f"/giving/{campaign}/messages/{thread}/")
    assert "piano" not in told.body.en, "what was written stands in the thread alone"
    threads.write(world.officer, campaign, thread, "Twice a year.", "a")
    threads.write(world.officer, campaign, thread, "Twice a year.", "a")  # the button was pressed twice
    assert texts_of(world, thread) == [(Side.GIVER, "Is the piano in tune?"), (Side.CHARITY, "Twice a year.")]
    assert queries.unread([world.charity.id]) == {}, "whoever answers has read"
    jobs.tell_message(campaign=str(campaign), thread=str(thread), nth=2)
    assert inbox(world.giver)[0].title.en == "Dali Mountains Foundation has answered you"
    (mine,) = queries.of_giver(world.giver.id)
    assert (mine.new_to_giver, mine.state_title.en) == (True, "Answered")
    threads.see(mine, Side.GIVER, 2)
    assert not queries.thread(campaign, thread).new_to_giver
    assert threads.begin(world.giver, campaign, Opening("Is the piano in tune?"), "first") == thread


def test_nobody_else_reads_or_writes_and_only_givers_begin(world: World, thread: uuid.UUID) -> None:
    stranger, campaign = somebody("stranger@test.example"), world.campaign.id
    for party in (stranger, world.stewards[0]):
        with pytest.raises(NotFound, match=r"thread\.unknown"):
            threads.write(party, campaign, thread, "me too", "x")
    with pytest.raises(NotFound, match=r"thread\.unknown"):
        threads.look(world.stewards[0], campaign, thread)  # nobody has called one
    with pytest.raises(NotAllowed, match=r"thread\.givers"):
        threads.begin(stranger, campaign, Opening("hello"), "x")
    given(world, stranger)
    with pytest.raises(NotFound, match=r"gift\.unknown"):
        threads.begin(stranger, campaign, Opening("hello", gift=given(world, key="other")), "x")
    with pytest.raises(NotFound, match=r"campaign\.unknown"):
        threads.begin(world.giver, uuid.uuid4(), Opening("hello"), "x")


@pytest.mark.parametrize(
    ("text", "code"), [("", "text.empty"), ("x" * 2_001, "text.too-long"), ("a\u202eb", "text.characters")]
)
def test_what_cannot_be_written(world: World, thread: uuid.UUID, text: str, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        threads.write(world.giver, world.campaign.id, thread, text, "x")
    assert refused.value.code == code
    with pytest.raises(Invalid, match=r"text\.too-long"):
        threads.begin(world.giver, world.campaign.id, Opening("hello", name="n" * 41), "y")


def test_nobody_floods(world: World, thread: uuid.UUID) -> None:
    for number in range(rules.IN_A_ROW - 1):
        threads.write(world.giver, world.campaign.id, thread, "And?", f"m{number}")
    with pytest.raises(Conflict, match=r"thread\.wait"):
        threads.write(world.giver, world.campaign.id, thread, "And?", "more")
    for number in range(rules.A_DAY - rules.IN_A_ROW):
        threads.begin(world.giver, world.campaign.id, Opening("And?"), f"t{number}")
    with pytest.raises(TooMany, match=r"thread\.often"):
        threads.begin(world.giver, world.campaign.id, Opening("And?"), "more")
    threads.write(world.officer, world.campaign.id, thread, "Wait, please.", "a")
    with clock.stopped(NOW + DAY + DAY / 24):
        threads.write(world.giver, world.campaign.id, thread, "Gladly.", "z")


def test_whoever_is_forgotten_takes_the_words_along(world: World, thread: uuid.UUID) -> None:
    threads.begin(world.giver, world.campaign.id, Opening("hello", name="Xiaoman"), "named")
    threads.write(world.officer, world.campaign.id, thread, "Dear giver", "a")
    assert {each.who.en for each in queries.of_charity(world.charity.id)} == {"A giver of this campaign", "Xiaoman"}
    forget(world.giver.id)
    assert queries.of_charity(world.charity.id) == []
    assert queries.unread([world.charity.id]) == {}
    with pytest.raises(NotFound):
        queries.thread(world.campaign.id, thread)
    jobs.tell_message(campaign=str(world.campaign.id), thread=str(thread), nth=2)  # and nothing fails
    with connection.cursor() as cursor:
        cursor.execute("SELECT sealed FROM giving_message UNION ALL SELECT sealed FROM giving_thread")
        assert not any(b"Dear" in bytes(sealed) or b"piano" in bytes(sealed) for (sealed,) in cursor if sealed)


def test_a_steward_who_is_called_reads_on_record_and_closes(world: World, thread: uuid.UUID) -> None:
    campaign, steward = world.campaign.id, world.stewards[0]
    assert queries.called() == []
    threads.call(world.giver, campaign, thread, "They ask for my address.")
    with pytest.raises(Conflict, match=r"thread\.called"):
        threads.call(world.officer, campaign, thread, "They are rude.")
    assert [each.id for each in queries.called()] == [thread]
    found = threads.look(steward, campaign, thread)
    assert [each.reason for each in queries.calls(found)] == ["They ask for my address."]
    with connection.cursor() as cursor:
        cursor.execute("SELECT entry FROM proof_staged")
        leaves = [json.loads(bytes(entry)) for (entry,) in cursor.fetchall()]
    (leaf,) = (each for each in leaves if each["kind"] == "parties.read")
    assert (leaf["reader"], leaf["subject"], leaf["purpose"]) == (str(steward.id), str(world.giver.id), "thread")
    with pytest.raises(NotAllowed):
        threads.judge(world.officer, campaign, thread, closes=True, note="x")
    with pytest.raises(Invalid, match=r"thread\.note"):
        threads.judge(steward, campaign, thread, closes=True)
    threads.judge(steward, campaign, thread, closes=False)
    with pytest.raises(Conflict, match=r"thread\.not-called"):
        threads.judge(steward, campaign, thread, closes=True, note="x")
    threads.call(world.giver, campaign, thread, "Again.")
    people.grant_role(world.officer, people.STEWARD)
    with pytest.raises(NotAllowed, match=r"thread\.own"):
        threads.judge(world.officer, campaign, thread, closes=True, note="x")
    threads.judge(steward, campaign, thread, closes=True, note="No addresses, please.")
    jobs.tell_judged(campaign=str(campaign), thread=str(thread))
    assert inbox(world.giver)[0].title.en == "A steward has closed your thread"
    with pytest.raises(Conflict, match=r"thread\.closed"):
        threads.write(world.giver, campaign, thread, "But", "b")
    with pytest.raises(Conflict, match=r"thread\.closed"):
        threads.call(world.giver, campaign, thread, "But")


def test_the_promises_hold_against_sql(world: World, thread: uuid.UUID) -> None:
    threads.call(world.giver, world.campaign.id, thread, "x")
    threads.judge(world.stewards[0], world.campaign.id, thread, closes=True, note="x")
    insert = (
        "INSERT INTO giving_message (book, thread, nth, side, author, sealed, key, at)"
        " VALUES (%(book)s, %(thread)s, {nth}, '{side}', %(stranger)s, '', 'x', now())"
    )
    for statement, why in (
        ("INSERT INTO giving_thread VALUES (%(book)s, %(stranger)s, %(stranger)s, NULL, NULL, now())", "by a giver"),
        (insert.format(nth=2, side="giver"), "is not by its giver"),
        (insert.format(nth=9, side="charity"), "has a gap"),
        (insert.format(nth=2, side="charity"), "is closed"),
        ("UPDATE giving_message SET sealed = ''", "append-only"),
        ("DELETE FROM giving_thread_word", "append-only"),
    ):
        with pytest.raises(IntegrityError, match=why), transaction.atomic(), connection.cursor() as cursor:
            values = {"book": world.campaign.id, "thread": thread, "stranger": uuid.uuid4()}
            cursor.execute(statement, values)


def test_everyone_who_gave_is_thanked_once(world: World) -> None:
    said, campaign = Text("Thank you.", "谢谢。"), world.campaign.id
    with pytest.raises(Conflict, match=r"thanks\.nobody"):
        thanks.thank(world.officer, campaign, said, "t")
    kept, back, partly = (somebody(f"{name}@test.example") for name in ("kept", "back", "partly"))
    given(world, kept)
    given(world, kept, key="again")
    returns.refund(world.officer, campaign, given(world, back), 500, "asked for", "r1")
    returns.refund(world.officer, campaign, given(world, partly), 200, "asked for", "r2")
    with pytest.raises(NotAllowed):
        thanks.thank(world.giver, campaign, said, "t")
    id = thanks.thank(world.officer, campaign, said, "t")
    assert thanks.thank(world.officer, campaign, said, "t") == id
    with pytest.raises(Conflict, match=r"key\.reused"):
        thanks.thank(world.officer, campaign, Text("Other", "别的"), "t")
    with pytest.raises(Conflict, match=r"thanks\.recent"):
        thanks.thank(world.officer, campaign, said, "t2")
    assert {*thanks.take(campaign, id, limit=1), *thanks.take(campaign, id)} == {kept.id, partly.id}
    jobs.thank_all(campaign=str(campaign), thanks=str(id))
    assert inbox(kept) == [] == inbox(back), "who was taken is not taken again"
    late = somebody("late@test.example")
    given(world, late)
    jobs.thank_all(campaign=str(campaign), thanks=str(id))
    jobs.thank_all(campaign=str(campaign), thanks=str(id))
    (message,) = inbox(late)
    assert (message.kind, message.body) == ("giving.thanks", said)
    assert [each.people for each in thanks_queries.of_campaign(campaign)] == [3]
    with clock.stopped(NOW + 30 * DAY):
        thanks.thank(world.officer, campaign, said, "t2")


@pytest.mark.parametrize(("language", "word"), [("zh", "给机构留言"), ("en", "Write to the charity")])
def test_the_pages(client: Client, world: World, language: str, word: str) -> None:
    home, gift = f"/{language}/giving", given(world)
    campaign = f"{home}/{world.campaign.id}"
    client.force_login(world.giver.login)
    assert word in client.get(f"{campaign}/gifts/{gift}/").content.decode()
    assert client.get(f"{campaign}/write/?gift=nonsense").status_code == 404
    assert client.get(f"{campaign}/write/?gift={gift}").status_code == 200
    assert client.post(f"{campaign}/write/", {"text": "", "key": "1"}).status_code == 422
    hello = {"text": "<script>alert(1)</script>", "gift": str(gift), "key": "1"}
    assert client.post(f"{campaign}/write/", hello).status_code == 303
    (found,) = queries.of_giver(world.giver.id)
    page = f"{campaign}/messages/{found.id}/"
    client.force_login(world.officer.login)
    console = client.get(f"{home}/charity/").content.decode()
    assert {"zh": "1 条未读", "en": "1 unread"}[language] in console
    inbox_page = client.get(f"{home}/charity/{world.charity.id}/inbox/").content.decode()
    assert rules.UNNAMED.say(language) in inbox_page and str(world.giver.id) not in inbox_page
    shown = client.get(page).content.decode()
    assert "&lt;script&gt;" in shown and "<script>alert" not in shown and str(world.giver.id) not in shown
    assert "giver@test.example" not in shown and "Message(" not in shown
    assert queries.unread([world.charity.id]) == {}
    assert client.post(page, {"text": "Welcome", "key": "2"}).status_code == 303
    client.force_login(world.giver.login)
    assert {"zh": "1 条新回复", "en": "1 new answer<"}[language] in client.get(f"{home}/mine/").content.decode()
    assert "Welcome" in client.get(page).content.decode()
    assert client.post(f"{page}call/", {"reason": ""}).status_code == 422
    assert client.post(f"{page}call/", {"reason": "Spam"}).status_code == 303
    client.force_login(world.officer.login)
    assert "Spam" not in client.get(page).content.decode(), "the other side is not told why"
    client.force_login(world.stewards[0].login)
    assert str(found.id) in client.get(f"{home}/calls/").content.decode()
    assert "Spam" in client.get(page).content.decode()
    assert client.post(f"{page}judge/", {"word": "close", "note": ""}).status_code == 422
    assert client.post(f"{page}judge/", {"word": "close", "note": "Enough"}).status_code == 303
    client.force_login(world.giver.login)
    assert client.post(page, {"text": "But", "key": "3"}).status_code == 409
    client.logout()
    assert client.get(page).status_code == 303
    client.force_login(somebody("stranger@test.example").login)
    assert client.get(page).status_code == 404
    client.force_login(world.officer.login)
    assert client.post(f"{campaign}/thank/", {"said_zh": "", "key": "4"}).status_code == 422
    assert client.post(f"{campaign}/thank/", {"said_zh": "谢谢大家", "key": "4"}).status_code == 303
    assert "谢谢大家" in client.get(f"{campaign}/thank/").content.decode()
    client.force_login(world.giver.login)
    assert client.get(f"{campaign}/thank/").status_code == 404


def test_the_api(client: Client, world: World) -> None:
    given(world)
    giver = {"Authorization": f"Bearer {people.make_token(world.giver, 't')}"}
    officer = {"Authorization": f"Bearer {people.make_token(world.officer, 't')}"}
    threads_of = f"/api/v1/giving/campaigns/{world.campaign.id}/threads"

    def post(address: str, body: dict[str, str], key: str, who: dict[str, str]) -> int:
        return client.post(address, body, "application/json", headers=who | {"Idempotency-Key": key}).status_code

    assert post(threads_of, {"text": "Hello", "name": "Xiaoman"}, "1", giver) == 201
    assert post(threads_of, {"text": "Hello", "colour": "red"}, "1", giver) == 422
    (found,) = client.get("/api/v1/giving/threads", headers=giver).json()
    assert post(f"{threads_of}/{found['id']}/messages", {"text": "Welcome"}, "2", officer) == 204
    (waiting,) = client.get(f"/api/v1/giving/charities/{world.charity.id}/threads", headers=officer).json()
    assert (waiting["name"], waiting["unread"]) == ("Xiaoman", False)
    assert client.get(f"/api/v1/giving/charities/{world.charity.id}/threads", headers=giver).status_code == 403
    whole = client.get(f"{threads_of}/{found['id']}", headers=giver).json()
    assert [(each["side"], each["text"]) for each in whole["messages"]] == [("giver", "Hello"), ("charity", "Welcome")]
    assert whole["unread"] is True
    thank = f"/api/v1/giving/campaigns/{world.campaign.id}/thanks"
    assert post(thank, {"zh": "谢谢"}, "3", officer) == 201
    assert post(thank, {"zh": "谢谢"}, "3", giver) == 403
