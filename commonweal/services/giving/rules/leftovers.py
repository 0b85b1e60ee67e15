"""What is left over when a campaign has ended, and what it may lawfully be used for."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from commonweal.kernel.errors import Conflict, Invalid
from commonweal.kernel.text import Text
from commonweal.services.giving.rules.campaigns import State

ENDED = frozenset({State.CLOSED, State.STOPPED})

SOURCE = Text(
    "Charity Law of the People's Republic of China (2016), art. 57: property left over at the end of a project is used "
    "as the plan says, else for another project of the same or a similar purpose, and the public is told.",
    "《中华人民共和国慈善法》（2016）第五十七条：项目终止后捐赠财产有剩余的，按募捐方案处理；未规定的，用于目的相同或者"
    "相近的其他慈善项目，并向社会公开。",
)


@dataclass(frozen=True, slots=True)
class End:
    """A campaign as this decision sees it."""

    id: uuid.UUID
    state: State
    topic: str
    asset: str


def check(ended: End, target: End) -> None:
    """Whether what is left over of one campaign may go to another.

    Raises `Conflict` with `leftover.not-ended` while the campaign is not over; `Invalid` with `leftover.purpose` for
    another purpose or currency, `leftover.target` for a campaign that takes no gifts or is the same.
    """
    if ended.state not in ENDED:
        raise Conflict(
            "leftover.not-ended",
            Text("Only what is left when a campaign has ended can be passed on.", "项目结束后才能处理剩余财产。"),
        )
    if target.id == ended.id or target.state is not State.OPEN:
        raise Invalid(
            "leftover.target",
            Text("Choose another campaign that is open.", "请选择另一个正在进行的项目。"),
            field="target",
        )
    if (target.topic, target.asset) != (ended.topic, ended.asset):
        raise Invalid(
            "leftover.purpose",
            Text(
                "Left-over property goes to a campaign of the same purpose and currency.",
                "剩余财产须用于目的相同、币种相同的项目。",
            ),
            field="target",
        )
