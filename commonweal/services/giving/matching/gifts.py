"""The gifts of a pool as they come in, each one once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from commonweal.kernel.errors import Invalid
from commonweal.kernel.text import Text
from commonweal.services.giving.matching.pool import Gift, Match, Pool


class Gifts:
    """Gifts in commit order, with the slice of each and the people of each team."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self.all: list[Gift] = []
        self.slices: list[int | None] = []
        self.charity_of: dict[str, str] = {}
        self._ids: set[str] = set()
        self._teams: defaultdict[str, set[str]] = defaultdict(set)

    def add(self, gift: Gift) -> int | None:
        """Take one more; the number of its slice, None if it takes no part. A project belongs to one charity.

        Raises `Invalid` with `gift.twice` or `gift.charity`.
        """
        if gift.id in self._ids:
            raise Invalid("gift.twice", Text("The gift {id} is there twice.", "捐款 {id} 重复。").format(id=gift.id))
        if self.charity_of.setdefault(gift.project, gift.charity) != gift.charity:
            text = Text("The project {id} belongs to two charities.", "项目 {id} 属于两个机构。")
            raise Invalid("gift.charity", text.format(id=gift.project))
        number = self._pool.slice_at(gift.at) if gift.counts > 0 else None
        self._ids.add(gift.id)
        self.all.append(gift)
        self.slices.append(number)
        if gift.team and number is not None:
            self._teams[gift.team].add(gift.donor)
        return number

    def team_of(self, gift: Gift) -> int:
        """How many people of the gift's team have given, its own giver included; 0 without a team."""
        if not gift.team:
            return 0
        people = self._teams.get(gift.team, set())
        return len(people) + (gift.donor not in people)


@dataclass(frozen=True, slots=True)
class Team:
    """What people gave together."""

    name: str
    people: int
    gifts: int
    given: int
    matched: int


def teams(gifts: Iterable[Gift], matches: Mapping[str, Match]) -> list[Team]:
    """Every team's sums, without refunded and withheld gifts: the largest number of people first, then by name."""
    members: defaultdict[str, list[Gift]] = defaultdict(list)
    for gift in gifts:
        if gift.team and gift.counts > 0:
            members[gift.team].append(gift)
    found = [
        Team(
            name,
            len({gift.donor for gift in theirs}),
            len(theirs),
            sum(gift.counts for gift in theirs),
            sum(matches[gift.id].amount for gift in theirs if gift.id in matches),
        )
        for name, theirs in members.items()
    ]
    return sorted(found, key=lambda team: (-team.people, team.name))
