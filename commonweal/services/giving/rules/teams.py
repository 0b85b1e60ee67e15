"""People who give together to one campaign: a class, colleagues, the guests of a birthday.

A team's number of people and its sum are told in steps. A step is the gifts and refunds of at least `TOLD_FROM` people
since the step before, so no step is one gift; whoever knows what the others of a step gave can still work out the last.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from commonweal.kernel.errors import Conflict, Invalid
from commonweal.kernel.text import Text
from commonweal.services.giving.rules import texts

LONGEST = 40
"""Characters of a team's name, and of its organiser's."""
LONGEST_STORY = 2_000
LONGEST_GREETING = 200
TOLD_FROM = 3
"""People whose gifts make a step; also kept by the trigger `check_team_sums`."""


@dataclass(frozen=True, slots=True)
class Page:
    """What a team's founder tells of it. `goal` is in smallest units; `organiser` is shown only if `named`."""

    story: str = ""
    goal: int | None = None
    ends_at: datetime | None = None
    organiser: str = ""
    named: bool = False

    @property
    def organised_by(self) -> str:
        """Who is named as its organiser, "" for nobody."""
        return self.organiser if self.named else ""


NOTHING = Page()
"""A team of which nothing is told but its name."""


def check_name(name: str) -> str:
    """The name as it is kept. Raises `Invalid` (`text.*`)."""
    return texts.check(name, "name", LONGEST)


def check_page(page: Page, closes_at: datetime, now: datetime) -> Page:
    """What is told as it is kept, of a team whose campaign closes at `closes_at`.

    Raises `Invalid` with `text.*`, `team.goal`, `team.end` outside the time of the campaign, and `team.organiser` for a
    name that is to be shown and is not given.
    """
    if page.goal is not None and page.goal < 1:
        raise Invalid("team.goal", Text("A goal is above zero.", "目标金额须大于零。"), field="goal")
    if page.ends_at is not None and not now < page.ends_at <= closes_at:
        raise Invalid(
            "team.end",
            Text("A team ends in the future, with its campaign at the latest.", "小队须在将来结束，且不晚于项目结束。"),
            field="ends",
        )
    if page.named and not page.organiser.strip():
        raise Invalid(
            "team.organiser", Text("Write the name that is to be shown.", "请填写要显示的姓名。"), field="organiser"
        )
    return replace(
        page,
        story=texts.check(page.story, "story", LONGEST_STORY, lines=True) if page.story.strip() else "",
        organiser=texts.check(page.organiser, "organiser", LONGEST) if page.organiser.strip() else "",
    )


def check_greeting(words: str) -> str:
    """A greeting as it is kept. Raises `Invalid` (`text.*`)."""
    return texts.check(words, "greeting", LONGEST_GREETING)


def closed() -> Conflict:
    """The team has ended: no gift goes through it any more, and nothing of it is changed."""
    return Conflict(
        "team.closed",
        Text(
            "This team has closed. Give without it: the campaign goes on.",
            "这支小队已经结束。您可以不随小队，直接捐给项目。",
        ),
        field="team",
    )
