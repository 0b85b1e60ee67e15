"""What givers and charities write to each other. What was written with somebody who is forgotten is found no more."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from commonweal.kernel.errors import NotFound
from commonweal.kernel.parties import cipher
from commonweal.kernel.sql import row, rows
from commonweal.kernel.text import Text
from commonweal.services.giving.rules import threads as rules
from commonweal.services.giving.rules.threads import Side

THREAD = """
    SELECT t.book, t.id, t.giver, t.gift, t.sealed, t.at, c.title_en, c.title_zh, c.organisation_id, o.name_en,
           o.name_zh, s.messages, s.by_giver, s.by_charity, s.last_at,
           coalesce((SELECT nth FROM giving_thread_seen n WHERE n.book = t.book AND n.thread = t.id
                     AND n.side = 'giver'), 0) AS seen_by_giver,
           coalesce((SELECT nth FROM giving_thread_seen n WHERE n.book = t.book AND n.thread = t.id
                     AND n.side = 'charity'), 0) AS seen_by_charity,
           (SELECT max(k.nth) FROM giving_thread_call k WHERE k.book = t.book AND k.thread = t.id) AS calls,
           (SELECT max(w.nth) FROM giving_thread_word w WHERE w.book = t.book AND w.thread = t.id) AS words,
           EXISTS (SELECT FROM giving_thread_word w
                   WHERE w.book = t.book AND w.thread = t.id AND w.closes) AS closed
    FROM giving_thread t
    JOIN giving_campaign c ON c.id = t.book
    JOIN parties_party o ON o.id = c.organisation_id
    JOIN parties_partykey key ON key.party_id = t.giver
    CROSS JOIN LATERAL (
        SELECT count(*) AS messages, max(m.at) AS last_at,
               coalesce(max(m.nth) FILTER (WHERE m.side = 'giver'), 0) AS by_giver,
               coalesce(max(m.nth) FILTER (WHERE m.side = 'charity'), 0) AS by_charity
        FROM giving_message m WHERE m.book = t.book AND m.thread = t.id) s"""


@dataclass(frozen=True, slots=True)
class Thread:
    """A thread. `name` is what the giver wants to be called, if anything; `gift` what it is about, if not the whole."""

    campaign: uuid.UUID
    id: uuid.UUID
    giver: uuid.UUID
    gift: uuid.UUID | None
    name: str | None
    title: Text
    organisation: Text
    organisation_id: uuid.UUID
    at: datetime
    last_at: datetime
    calls: int
    """How often a steward has been called."""
    unread: frozenset[Side]
    """Who has not read all that the other has written."""
    rule: rules.Thread

    @property
    def who(self) -> Text:
        """The giver as the charity knows them."""
        return Text(self.name, self.name) if self.name else rules.UNNAMED

    @property
    def new_to_giver(self) -> bool:
        """Whether an answer waits to be read."""
        return Side.GIVER in self.unread

    @property
    def new_to_charity(self) -> bool:
        """Whether the charity has something to read."""
        return Side.CHARITY in self.unread

    @property
    def state_title(self) -> Text:
        """How far it has come."""
        if self.rule.closed:
            return Text("Closed", "已关闭")
        if self.rule.called:
            return Text("A steward looks at it", "审核员查看中")
        return Text("Answered", "已答复") if self.rule.last is Side.CHARITY else Text("Waits for an answer", "待答复")


@dataclass(frozen=True, slots=True)
class Message:
    """One message, as plain text."""

    nth: int
    side: Side
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Call:
    """Why a steward was called, and what one has decided: `closes` and `note` are None until then."""

    nth: int
    side: Side
    reason: str
    at: datetime
    closes: bool | None
    note: str | None


def unknown() -> NotFound:
    """There is no such thread, or it is not for this reader, or its giver has been forgotten."""
    return NotFound("thread.unknown", Text("There is no such thread.", "没有这条留言。"))


def _threads(found: list[dict[str, Any]]) -> list[Thread]:
    keys = cipher.keys_of({each["giver"] for each in found if each["sealed"]})
    return [_thread(each, keys) for each in found]


def _thread(found: dict[str, Any], keys: dict[uuid.UUID, bytes]) -> Thread:
    giver, calls = found["giver"], found["calls"] or 0
    by_giver, by_charity = found["by_giver"], found["by_charity"]
    unread = {Side.GIVER: by_charity > found["seen_by_giver"], Side.CHARITY: by_giver > found["seen_by_charity"]}
    sealed = found["sealed"]
    return Thread(
        campaign=found["book"],
        id=found["id"],
        giver=giver,
        gift=found["gift"],
        name=json.loads(cipher.decrypt(keys[giver], bytes(sealed), giver.bytes)) if sealed else None,
        title=Text(found["title_en"], found["title_zh"]),
        organisation=Text(found["name_en"], found["name_zh"]),
        organisation_id=found["organisation_id"],
        at=found["at"],
        last_at=found["last_at"],
        calls=calls,
        unread=frozenset(side for side, waits in unread.items() if waits),
        rule=rules.Thread(
            messages=found["messages"],
            last=Side.GIVER if by_giver > by_charity else Side.CHARITY,
            run=abs(by_giver - by_charity),
            called=calls > (found["words"] or 0),
            closed=found["closed"],
        ),
    )


def thread(campaign: uuid.UUID, id: uuid.UUID) -> Thread:
    """One thread. Raises `NotFound` (`thread.unknown`)."""
    found = _threads(rows(f"{THREAD} WHERE t.book = %(book)s AND t.id = %(id)s", {"book": campaign, "id": id}))
    if not found:
        raise unknown()
    return found[0]


def of_giver(giver: uuid.UUID, limit: int = 100) -> list[Thread]:
    """Somebody's own, the liveliest first."""
    query = f"{THREAD} WHERE t.giver = %(giver)s ORDER BY s.last_at DESC LIMIT %(limit)s"
    return _threads(rows(query, {"giver": giver, "limit": limit}))


def of_charity(organisation: uuid.UUID, limit: int = 100) -> list[Thread]:
    """The inbox of a charity: what is unread first, then the liveliest."""
    query = f"""{THREAD} WHERE c.organisation_id = %(organisation)s
        ORDER BY s.by_giver <= coalesce((SELECT nth FROM giving_thread_seen n WHERE n.book = t.book
                                         AND n.thread = t.id AND n.side = 'charity'), 0), s.last_at DESC
        LIMIT %(limit)s"""
    return _threads(rows(query, {"organisation": organisation, "limit": limit}))


def unread(organisations: list[uuid.UUID]) -> dict[uuid.UUID, int]:
    """How many threads wait to be read, by charity."""
    query = """
        SELECT c.organisation_id, count(*) AS number FROM giving_thread t
        JOIN giving_campaign c ON c.id = t.book
        JOIN parties_partykey key ON key.party_id = t.giver
        WHERE c.organisation_id = ANY(%(organisations)s) AND EXISTS (
            SELECT FROM giving_message m WHERE m.book = t.book AND m.thread = t.id AND m.side = 'giver'
              AND m.nth > coalesce((SELECT n.nth FROM giving_thread_seen n
                                    WHERE n.book = t.book AND n.thread = t.id AND n.side = 'charity'), 0))
        GROUP BY c.organisation_id"""
    return {found["organisation_id"]: found["number"] for found in rows(query, {"organisations": organisations})}


def called(limit: int = 100) -> list[Thread]:
    """The threads to which a steward was called who has not decided yet, oldest first. Not what stands in them."""
    query = f"""{THREAD}
        WHERE EXISTS (SELECT FROM giving_thread_call k WHERE k.book = t.book AND k.thread = t.id AND NOT EXISTS (
            SELECT FROM giving_thread_word w WHERE w.book = k.book AND w.thread = k.thread AND w.nth = k.nth))
        ORDER BY t.at LIMIT %(limit)s"""
    return _threads(rows(query, {"limit": limit}))


def messages(found: Thread) -> list[Message]:
    """What was written, in its order. Raises `cipher.Forgotten`."""
    key = cipher.key_of(found.giver)
    query = """
        SELECT nth, side, sealed, at FROM giving_message
        WHERE book = %(book)s AND thread = %(thread)s ORDER BY nth"""
    return [
        Message(each["nth"], Side(each["side"]), _open(key, found.giver, each["sealed"]), each["at"])
        for each in rows(query, {"book": found.campaign, "thread": found.id})
    ]


def calls(found: Thread) -> list[Call]:
    """Who called a steward and why, and what was decided. Raises `cipher.Forgotten`."""
    key = cipher.key_of(found.giver)
    query = """
        SELECT k.nth, k.side, k.sealed, k.at, w.closes, w.sealed AS note FROM giving_thread_call k
        LEFT JOIN giving_thread_word w ON w.book = k.book AND w.thread = k.thread AND w.nth = k.nth
        WHERE k.book = %(book)s AND k.thread = %(thread)s ORDER BY k.nth"""
    return [
        Call(
            each["nth"],
            Side(each["side"]),
            _open(key, found.giver, each["sealed"]),
            each["at"],
            each["closes"],
            _open(key, found.giver, each["note"]) if each["note"] else None,
        )
        for each in rows(query, {"book": found.campaign, "thread": found.id})
    ]


def _open(key: bytes, giver: uuid.UUID, sealed: bytes) -> str:
    return str(json.loads(cipher.decrypt(key, bytes(sealed), giver.bytes)))


def written_since(giver: uuid.UUID, since: datetime) -> int:
    """How many messages somebody has written."""
    query = "SELECT count(*) AS number FROM giving_message WHERE author = %(giver)s AND at > %(since)s"
    found = row(query, {"giver": giver, "since": since})
    return int(found["number"]) if found else 0
