from __future__ import annotations

import hashlib
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from commonweal.kernel import clock
from commonweal.kernel.errors import Refusal
from commonweal.kernel.ledger.books import KeyReused
from commonweal.kernel.parties import erasure, people
from commonweal.kernel.parties.models import Guardianship
from commonweal.services.forest import energy
from commonweal.services.forest.actions import friends, gardens, groves
from commonweal.services.forest.queries import friends as friend_queries
from commonweal.services.forest.queries import gardens as queries
from commonweal.services.forest.queries import groves as grove_queries
from commonweal.services.forest.queries.holdings import held
from commonweal.services.forest.rules import bubbles as rules
from commonweal.services.forest.rules.bubbles import day_of
from commonweal.services.forest.rules.groves import divide, shares
from commonweal.services.forest.rules.people import code_of, digest_of, is_child
from commonweal.services.forest.tests.conftest import DAY, NOW, Forest, signed_in, somebody

RIPE = NOW + DAY


def settled() -> energy.Conserved:
    """The books after settling: they conserve, and each book holds what its people hold."""
    with connection.cursor() as cursor:
        energy.settle(cursor, clock.now())
        found = energy.reconcile(cursor)
        cursor.execute("SELECT forest_shard_of(owner), sum(grams) FROM forest_holding GROUP BY 1 HAVING sum(grams) > 0")
        by_people = {int(shard): int(grams) for shard, grams in cursor.fetchall()}
        by_books = {}
        for shard in range(energy.SHARDS):
            cursor.execute(
                "SELECT -coalesce(sum(posted), 0) FROM ledger_balance WHERE account = %s",
                [energy.accounts(shard)["held"].id],
            )
            if grams := int(cursor.fetchone()[0]):
                by_books[shard] = grams
    assert found.holds, found
    assert by_people == by_books
    return found


@pytest.fixture
def befriended(forest_at_noon: Forest) -> Forest:
    """Li and Wang are friends; Li has ridden 12 km: 418 g that ripen at `RIPE`."""
    f = forest_at_noon
    friends.accept(f.wang, friends.invite(f.li))
    f.partner.send([f.ride("a", f.li)], NOW)
    return f


def only_bubble(f: Forest) -> tuple[Any, int]:
    with clock.stopped(RIPE):
        (shown,) = queries.bubbles(f.li.id, RIPE)
    return shown.bubble.day, shown.kind


def refused(code: str, do: Any, *arguments: Any, **more: Any) -> None:
    with pytest.raises(Refusal) as refusal:
        do(*arguments, **more)
    assert refusal.value.code == code


def test_friends_are_two_who_want_it(forest_at_noon: Forest) -> None:
    f = forest_at_noon
    code = friends.invite(f.li)
    assert not friend_queries.are_friends(f.li.id, f.wang.id)
    refused("code.own", friends.accept, f.li, code)
    id = friends.accept(f.wang, code.lower().replace("-", " "))
    assert friend_queries.are_friends(f.wang.id, f.li.id)
    refused("code.unknown", friends.accept, f.steward, code)
    refused("code.unknown", friends.accept, f.steward, "ABCD")
    late = friends.invite(f.li)
    with clock.stopped(NOW + 8 * DAY):
        refused("code.unknown", friends.accept, f.steward, late)
    assert friends.accept(f.wang, friends.invite(f.li)) == id
    refused("friend.unknown", friends.part, f.steward, id)
    friends.part(f.li, id)
    assert friend_queries.friends(f.wang.id, NOW) == []
    with connection.cursor() as cursor:
        letters = hashlib.sha256(code.replace("-", "").encode()).digest()
        cursor.execute("SELECT count(*) FROM forest_invitation WHERE digest = %s AND used_at = %s", [letters, NOW])
        assert cursor.fetchone()[0] == 1  # the hash is all that is kept


def test_codes_are_limited(forest_at_noon: Forest) -> None:
    for _ in range(20):
        friends.invite(forest_at_noon.li)
    refused("code.many", friends.invite, forest_at_noon.li)


def test_bubbles_grow_ripen_and_go_by_the_clock_alone(befriended: Forest) -> None:
    f = befriended
    moments = {NOW: "growing", RIPE: "ripe", RIPE + 3 * DAY - timedelta(seconds=1): "ripe", RIPE + 3 * DAY: "gone"}
    for at, state in moments.items():
        assert [shown.state for shown in queries.bubbles(f.li.id, at)] == [state]
    assert gardens.harvest(f.li) == 0
    with clock.stopped(RIPE):
        assert gardens.harvest(f.li, only_bubble(f)) == 418
        assert gardens.harvest(f.li) == 0
        assert held(f.li.id) == 418
        settled()
    with clock.stopped(RIPE + 3 * DAY):
        assert gardens.harvest(f.li) == 0


def test_a_friend_gathers_a_tenth_and_never_the_owners_part(befriended: Forest) -> None:
    f = befriended
    bubble = only_bubble(f)
    refused("bubble.growing", gardens.collect, f.wang, f.li.id, *bubble)
    with clock.stopped(RIPE + timedelta(seconds=1)):
        refused("collect.not-friends", gardens.collect, f.steward, f.li.id, *bubble)
        assert gardens.collect(f.wang, f.li.id, *bubble).grams == 41
        refused("collect.again", gardens.collect, f.wang, f.li.id, *bubble)
        crowd = [somebody(f"friend{n}@forest.example") for n in range(4)]
        for friend in crowd:
            friends.accept(friend, friends.invite(f.li))
        assert [gardens.collect(friend, f.li.id, *bubble).grams for friend in crowd[:3]] == [41, 41, 41]
        assert gardens.collect(crowd[3], f.li.id, *bubble).grams == 418 - 251 - 4 * 41
        assert gardens.harvest(f.li) == 251 == -(-418 * 60 // 100)
        settled()
    with clock.stopped(RIPE + 4 * DAY):
        refused("bubble.gone", gardens.collect, f.wang, f.li.id, *bubble)


def test_a_closed_garden_a_shield_and_children(befriended: Forest) -> None:
    f = befriended
    bubble = only_bubble(f)
    with clock.stopped(RIPE + timedelta(seconds=5)):
        gardens.wish(f.li, open_to_friends=False, notices=False, name="")
        refused("collect.closed", gardens.collect, f.wang, f.li.id, *bubble)
        gardens.wish(f.li, open_to_friends=True, notices=True, name=" 小李 ")
        assert friend_queries.friends(f.wang.id, clock.now())[0].name == "小李"
        until = gardens.shield(f.li)
        assert until == RIPE + timedelta(seconds=5) + DAY
        refused("collect.closed", gardens.collect, f.wang, f.li.id, *bubble)
        people.write_personal(f.wang, {"birth_year": "2010"})
        refused("collect.child", gardens.collect, f.wang, f.li.id, *bubble)
    with clock.stopped(until):
        people.write_personal(f.wang, {"birth_year": "1990"})
        ward = Guardianship.objects.create(guardian=f.steward, ward=f.li, evidence="")
        refused("collect.closed", gardens.collect, f.wang, f.li.id, *bubble)
        ward.ended_at = clock.now()
        ward.save()
        assert gardens.collect(f.wang, f.li.id, *bubble).grams == 41
    refused("name.too-long", gardens.wish, f.li, open_to_friends=True, notices=False, name="长" * 21)


@pytest.mark.parametrize(("year", "child"), [(None, False), (2007, False), (2008, True), (2020, True)])
def test_who_is_a_child(year: int | None, child: bool) -> None:
    assert is_child(year, False, NOW) is child
    assert is_child(year, True, NOW)


def test_within_the_first_second_nobody_is_first(befriended: Forest) -> None:
    f = befriended
    bubble = only_bubble(f)
    crowd = [f.wang, *(somebody(f"friend{n}@forest.example") for n in range(8))]
    for friend in crowd[1:]:
        friends.accept(friend, friends.invite(f.li))
    with connection.cursor() as cursor:
        gardens.commit_seed(cursor, bubble[0])
        gardens.commit_seed(cursor, bubble[0])
    seed = queries.seed_of(bubble[0])
    assert seed is not None
    for n, friend in enumerate(crowd):
        with clock.stopped(RIPE + timedelta(milliseconds=100 * n)):
            waiting = gardens.collect(friend, f.li.id, *bubble)
            assert (waiting.grams, waiting.drawn_at) == (0, RIPE + rules.DRAW)
            assert gardens.collect(friend, f.li.id, *bubble).grams == 0  # asking twice is asking once
    with clock.stopped(RIPE + rules.DRAW):
        assert gardens.draw(f.li.id, *bubble) == len(crowd)
        assert gardens.draw(f.li.id, *bubble) == 0
        order = rules.draw(f"{bubble[0]} {f.li.id} {bubble[1]}", [str(each.id) for each in crowd], seed)
        shares_in_turn = [held(uuid.UUID(who)) for who in order]
        assert shares_in_turn == [41, 41, 41, 41, 3, 0, 0, 0, 0]
        settled()
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM jobs_job WHERE task = 'forest.draw' AND due = %s", [RIPE + rules.DRAW])
            assert cursor.fetchone()[0] >= 1


def test_who_comes_after_the_second_waits_for_the_draw(befriended: Forest) -> None:
    f = befriended
    bubble = only_bubble(f)
    other = somebody("other@forest.example")
    friends.accept(other, friends.invite(f.li))
    with clock.stopped(RIPE):
        gardens.collect(f.wang, f.li.id, *bubble)
    with clock.stopped(RIPE + rules.DRAW):
        assert gardens.collect(other, f.li.id, *bubble).grams == 41
        assert held(f.wang.id) == 41


def test_watering(befriended: Forest) -> None:
    f = befriended
    with clock.stopped(RIPE):
        refused("energy.short", gardens.water, f.li, f.wang.id, 66)
        gardens.harvest(f.li)
        for grams in (66, 33, 5):
            gardens.water(f.li, f.wang.id, grams)
        refused("water.enough", gardens.water, f.li, f.wang.id, 5)
        refused("water.amount", gardens.water, f.wang, f.li.id, 7)
        refused("collect.not-friends", gardens.water, f.li, f.steward.id, 5)
        gardens.water(f.wang, f.li.id, 10)
        assert (held(f.li.id), held(f.wang.id)) == (418 - 104 + 10, 94)
        assert settled().grams.held == 418
    with clock.stopped(RIPE + DAY):
        gardens.water(f.li, f.wang.id, 5)
    with connection.cursor() as cursor, pytest.raises(IntegrityError), transaction.atomic():
        cursor.execute("INSERT INTO forest_watering VALUES (%s, %s, %s, 4, 5)", [f.li.id, f.wang.id, day_of(RIPE)])


def test_energy_that_was_given_can_be_spent_by_who_got_it(befriended: Forest) -> None:
    """In the book of whoever got it, it is held: spending it overdraws nobody's book."""
    f = befriended
    with clock.stopped(RIPE + timedelta(seconds=2)):
        gardens.collect(f.wang, f.li.id, *only_bubble(f))
        settled()
        with connection.cursor() as cursor:
            shard = energy.shard_of(f.wang.id)
            cursor.execute("UPDATE forest_holding SET grams = grams - 41 WHERE owner = %s", [f.wang.id])
            cursor.execute("INSERT INTO forest_moved VALUES (%s, 'planted', 41)", [shard])
            energy.settle(cursor, clock.now())
            assert energy.reconcile(cursor).books.spent == 41


COUNTS = st.dictionaries(st.uuids(), st.integers(0, 10**9), min_size=1, max_size=12)


@given(COUNTS, st.integers(0, 1000))
def test_a_division_gives_back_every_gram_and_nobody_more_than_they_put_in(
    put_in: dict[uuid.UUID, int], per_mille: int
) -> None:
    total = sum(put_in.values())
    left = total * per_mille // 1000
    parts = divide(left, put_in)
    assert sum(parts.values()) == left
    assert all(0 <= parts[who] <= put_in[who] for who in put_in)
    assert all(abs(parts[who] * total - left * put_in[who]) < max(total, 1) for who in put_in)
    assert sum(shares(put_in).values()) <= 1000


@given(st.binary(min_size=10, max_size=10))
def test_a_code_is_read_however_it_is_written(random: bytes) -> None:
    code = code_of(random)
    assert len(code) == 19
    assert digest_of(code) == digest_of(f" {code.lower()} ".replace("-", ""))


def test_a_grove_from_founding_to_its_end(befriended: Forest) -> None:
    f = befriended
    f.partner.send([f.ride("b", f.wang, metres=30_000)], NOW)
    with clock.stopped(RIPE):
        gardens.harvest(f.li)
        gardens.harvest(f.wang)
        grove = groves.found(f.li, "我们的林子")
        code = groves.invite(f.li, grove)
        refused("code.unknown", friends.accept, f.wang, code)  # a grove's code makes no friends
        assert groves.join(f.wang, code) == grove
        refused("grove.unknown", groves.put_in, f.steward, grove, 5, "k")
        groves.put_in(f.li, grove, 300, "k1")
        groves.put_in(f.li, grove, 300, "k1")
        with pytest.raises(KeyReused):
            groves.put_in(f.li, grove, 301, "k1")
        groves.put_in(f.wang, grove, 600, "k2")
        for grams, code_ in ((0, "grove.grams"), (-5, "grove.grams"), (10**6, "energy.short")):
            refused(code_, groves.put_in, f.li, grove, grams, f"x{grams}")
        found = grove_queries.grove_of(f.wang.id, grove)
        shared = {member.person: member.share for member in found.members}
        assert (found.held, shared, found.name) == (900, {f.li.id: 333, f.wang.id: 666}, "我们的林子")
        refused("grove.founder", groves.end, f.wang, grove)
        settled()
        parts = groves.end(f.li, grove)
        assert sorted(parts.values()) == [300, 600]
        assert (held(f.li.id), held(grove)) == (418, 0)
        refused("grove.ended", groves.put_in, f.li, grove, 5, "k3")
        refused("grove.ended", groves.invite, f.li, grove)
        settled()


def test_a_grove_goes_on_when_its_founder_is_forgotten(befriended: Forest) -> None:
    f = befriended
    grove = groves.found(f.li, "林")
    groves.join(f.wang, groves.invite(f.li, grove))
    erasure.forget(f.li.id)
    assert grove_queries.grove_of(f.wang.id, grove).founder == f.wang.id
    assert friend_queries.friends(f.wang.id, NOW) == []
    groves.end(f.wang, grove)


def test_who_wants_a_notice_gets_one_a_day_and_nobody_else(befriended: Forest) -> None:
    from commonweal.kernel.notices.inbox import inbox
    from commonweal.services.forest.jobs.energy import remind

    f = befriended
    late = RIPE + 2 * DAY + timedelta(hours=3)
    with clock.stopped(late):
        remind()
        assert inbox(f.li) == []
        gardens.wish(f.li, open_to_friends=True, notices=True, name="")
        remind()
        remind()
        assert [message.kind for message in inbox(f.li)] == ["forest.ripe"]
        assert inbox(f.wang) == []


def test_the_pages_of_energy(befriended: Forest) -> None:
    f = befriended
    li, wang = signed_in(f.li), signed_in(f.wang)
    day, kind = only_bubble(f)
    (friendship,) = friend_queries.friends(f.wang.id, NOW)
    their = f"/en/forest/friends/{friendship.id}/"
    assert "418" in li.get("/en/forest/energy/").content.decode()
    with clock.stopped(RIPE + timedelta(milliseconds=500)):
        answer = wang.post(f"{their}visit/", {"bubble": f"{day}.{kind}"})
        assert (answer.status_code, answer["Location"]) == (303, f"{their}?draw=1")
        assert "the order is drawn" in wang.get(answer["Location"]).content.decode()
    with clock.stopped(RIPE + timedelta(seconds=2)):
        gardens.draw(f.li.id, day, kind)
        assert 'name="bubble"' not in wang.get(their).content.decode()
        page = li.get("/zh/forest/energy/").content.decode()
        assert "收下全部成熟能量" in page and f'value="{day}.{kind}"' in page
        assert li.post("/en/forest/energy/gather/", {"bubble": f"{day}.{kind}"}).status_code == 303
        assert held(f.li.id) == 377
        for wrong in ("x", "2026-11-25", "2026-11-25.0", "2026-13-01.1", f"{day}.99999"):
            assert li.post("/en/forest/energy/gather/", {"bubble": wrong}).status_code == 404
        assert wang.post(f"{their}visit/", {"bubble": f"{day}.{kind}"}).status_code == 409
        assert wang.post(f"{their}visit/", {"word": "water", "grams": "x"}).status_code == 422
        assert wang.post(f"{their}visit/", {"word": "water", "grams": "10"}).status_code == 303
        assert signed_in(f.steward).get(their).status_code == 404
        code = li.post("/en/forest/friends/", {"word": "invite"}).content.decode()
        assert "Give this code to one friend" in code
        assert li.post("/en/forest/friends/", {"code": "nonsense"}).status_code == 404
        assert li.post("/en/forest/energy/wishes/", {"word": "shield"}).status_code == 303
        assert li.post("/en/forest/energy/wishes/", {"name": "x" * 30}).status_code == 422
        assert "Gathering is closed here now" in wang.get(their).content.decode()
        grove = li.post("/en/forest/groves/", {"name": "Ours"})["Location"]
        assert li.post(grove, {"grams": "100", "key": "g1"}).status_code == 303
        assert li.post(grove, {"grams": "lots", "key": "g2"}).status_code == 422
        assert "1000 ‰" in li.get(grove).content.decode()
        assert wang.get(grove).status_code == 404
        assert wang.post(f"{their}visit/", {"word": "part"}).status_code == 303
        assert wang.get(their).status_code == 404


def test_a_stranger_sees_what_it_would_be(db: None) -> None:
    from django.test import Client

    assert "Sign in" in Client().get("/en/forest/energy/").content.decode()
    assert Client().get("/en/forest/friends/").status_code == 303


def test_programs_gather_too(befriended: Forest) -> None:
    f = befriended
    day, kind = only_bubble(f)
    li, wang = (signed_in(who) for who in (f.li, f.wang))

    def post(browser: Any, path: str, body: Any = None, key: str = "") -> Any:
        headers = {"Idempotency-Key": key} if key else {}
        return browser.post(f"/api/v1/forest/{path}", body, "application/json", headers=headers)

    (friend,) = wang.get("/api/v1/forest/friends").json()
    which = {"day": str(day), "kind": kind}
    with clock.stopped(RIPE + timedelta(seconds=2)):
        assert wang.get(f"/api/v1/forest/friends/{friend['id']}/bubbles").json()[0]["left"] == 418
        assert post(wang, f"friends/{friend['id']}/gather", which).json() == {"grams": 41, "drawn_at": None}
        again = post(wang, f"friends/{friend['id']}/gather", which)
        assert (again.status_code, again.json()["code"]) == (409, "collect.again")
        assert post(li, "energy/gather", {"bubble": which}).json()["grams"] == 377
        assert post(li, "energy/gather", {}).json()["grams"] == 0
        assert li.get("/api/v1/forest/energy").json() == {"held": 377, "bubbles": []}
        assert post(wang, f"friends/{friend['id']}/water", {"grams": 10}).json()["held"] == 31
        assert post(wang, f"friends/{friend['id']}/water", {"grams": 7}).status_code == 422
        assert signed_in(f.steward).get(f"/api/v1/forest/friends/{friend['id']}/bubbles").status_code == 404
        code = post(li, "friends/codes").json()["code"]
        assert post(signed_in(f.steward), "friends", {"code": code}).status_code == 201
        grove = groves.found(f.li, "林")
        put = [post(li, f"groves/{grove}/gifts", {"grams": 100}, "k") for _ in range(2)]
        assert [answer.json()["put_in"] for answer in put] == [100, 100]
        assert post(li, f"groves/{grove}/gifts", {"grams": 100}).status_code == 422
        assert post(wang, f"groves/{grove}/gifts", {"grams": 1}, "k").status_code == 404
        assert li.get("/api/v1/forest/groves").json()[0]["held"] == 100
