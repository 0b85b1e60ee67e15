"""Whether what was bought is in use: asked 30, 90 and 365 days after its payout, answered by the receiving side."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from commonweal.kernel.errors import Conflict, Invalid
from commonweal.kernel.text import Text

ANSWER_WITHIN = timedelta(days=30)
"""After that, a question without an answer is shown as overdue to everybody: this platform's own rule."""
MOST_PICTURES = 10


class Standing(StrEnum):
    """How it is used."""

    IN_USE = "in-use"
    PARTLY = "partly"
    IDLE = "idle"


TITLES: dict[Standing, Text] = {
    Standing.IN_USE: Text("In use", "在用"),
    Standing.PARTLY: Text("Partly in use", "部分在用"),
    Standing.IDLE: Text("Stands idle", "闲置"),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the receiving side says and shows."""

    standing: Standing
    said: Text
    pictures: tuple[bytes, ...]


def check(answer: Answer) -> None:
    """Raises `Invalid` (`use.picture`) unless an answer that something is used shows it, with 1 to 10 pictures."""
    least = 0 if answer.standing is Standing.IDLE else 1
    if not least <= len(answer.pictures) <= MOST_PICTURES:
        raise Invalid(
            "use.picture",
            Text("Add 1 to {most} pictures of it in use.", "请附 1 至 {most} 张使用中的照片。").format(
                most=MOST_PICTURES
            ),
            field="pictures",
        )


def due(asked_at: datetime) -> datetime:
    """By when an answer is expected."""
    return asked_at + ANSWER_WITHIN


def overdue(asked_at: datetime, answered: bool, now: datetime) -> bool:
    """Whether a question has gone unanswered for too long."""
    return not answered and due(asked_at) <= now


def check_move(*, idle: bool, moved: bool) -> None:
    """Raises `Conflict` (`use.not-idle`, `use.moved`): only what a steward has found idle is moved, once."""
    if not idle:
        raise Conflict("use.not-idle", Text("Mark it as idle first.", "请先标记为闲置。"))
    if moved:
        raise Conflict("use.moved", Text("It has been passed on already.", "该物资已转出。"))
