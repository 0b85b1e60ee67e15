"""A giver and a charity write to each other about a campaign. The giver stays unnamed unless they want it otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from commonweal.kernel.errors import Conflict, Invalid, NotAllowed, TooMany
from commonweal.kernel.text import Text
from commonweal.services.giving.rules import texts

LONGEST = 2_000
"""Characters of a message."""
LONGEST_NAME = 40
"""Characters of the name by which a giver wants to be called."""
IN_A_ROW = 5
"""Messages that one side may write before the other has answered."""
A_DAY = 20
"""Messages that a giver may write in a day, to all charities together."""
DAY = timedelta(days=1)
MOST = 1_000
"""Messages of a thread."""

UNNAMED = Text("A giver of this campaign", "本项目的一位捐助人")


class Side(StrEnum):
    """Who writes."""

    GIVER = "giver"
    CHARITY = "charity"


@dataclass(frozen=True, slots=True)
class Thread:
    """What a decision about a thread needs: `run` is how many messages its last side has written in a row."""

    messages: int
    last: Side
    run: int
    called: bool
    """A steward has been called, and has not decided yet."""
    closed: bool


def check_message(text: str) -> str:
    """A message as it is kept: plain text, whatever it looks like. Raises `Invalid` (`text.*`)."""
    return texts.check(text, "text", LONGEST, lines=True)


def check_name(name: str) -> str | None:
    """The name by which a giver wants to be called; None for whoever wants none. Raises `Invalid` (`text.*`)."""
    return texts.check(name, "name", LONGEST_NAME) if name.strip() else None


def check_giver(*, has_given: bool) -> None:
    """Whoever has given to the campaign may write. Raises `NotAllowed` (`thread.givers`)."""
    if not has_given:
        raise NotAllowed(
            "thread.givers",
            Text(
                "Whoever has given to this campaign can write here. The charity's public address is on its page.",
                "捐助过本项目的人可以在此留言。机构的公开联系方式见机构页面。",
            ),
        )


def check_rate(written: int) -> None:
    """Whether a giver who has written so many within a day may write one more. Raises `TooMany` (`thread.often`)."""
    if written >= A_DAY:
        raise TooMany(
            "thread.often",
            Text("That is enough for one day: at most {most}.", "一天最多 {most} 条留言，请明天再来。").format(
                most=A_DAY
            ),
            retry_after=int(DAY.total_seconds()),
        )


def check_write(thread: Thread, side: Side) -> None:
    """Whether a side may write. Raises `Conflict` with `thread.closed`, `thread.wait` or `thread.full`."""
    if thread.closed:
        raise Conflict("thread.closed", Text("A steward has closed this thread.", "审核员已关闭此留言。"))
    if thread.messages >= MOST:
        raise Conflict("thread.full", Text("This thread is full. Begin another.", "此留言已满，请另写一条。"))
    if thread.last is side and thread.run >= IN_A_ROW:
        raise Conflict(
            "thread.wait",
            Text("{most} in a row: wait for the answer.", "已连续写了 {most} 条，请等对方答复。").format(most=IN_A_ROW),
            field="text",
        )


def check_call(thread: Thread) -> None:
    """Whether a steward can be called. Raises `Conflict` with `thread.closed` or `thread.called`."""
    if thread.closed:
        raise Conflict("thread.closed", Text("A steward has closed this thread.", "审核员已关闭此留言。"))
    if thread.called:
        raise Conflict("thread.called", Text("A steward has been called already.", "已经请审核员查看。"))


def check_unconcerned(*, concerned: bool) -> None:
    """A steward who looks or decides is neither the giver nor of the charity. Raises `NotAllowed` (`thread.own`)."""
    if concerned:
        raise NotAllowed("thread.own", Text("Another steward has to look at this.", "须由其他审核员查看。"))


def check_judge(thread: Thread, *, closes: bool, note: str) -> str:
    """Whether a steward may decide; returns the note.

    Raises `Conflict` (`thread.not-called`) and `Invalid` (`thread.note`, `text.*`).
    """
    if not thread.called:
        raise Conflict("thread.not-called", Text("Nobody has called a steward.", "没有人请审核员查看。"))
    if closes and not note.strip():
        raise Invalid("thread.note", Text("Say why: both sides read it.", "请说明原因，双方都会看到。"), field="note")
    return texts.check(note, "note", 1_000, lines=True) if note.strip() else ""
