"""People who give together to one campaign: a class, colleagues, the guests of a birthday.

A team's number of people and its sum are told in steps. A step is the gifts and refunds of at least `TOLD_FROM` people
since the step before, so no step is one gift; whoever knows what the others of a step gave can still work out the last.
"""

from __future__ import annotations

from commonweal.services.giving.rules import texts

LONGEST = 40
"""Characters of a team's name."""
TOLD_FROM = 3
"""People whose gifts make a step; also kept by the trigger `check_team_sums`."""


def check_name(name: str) -> str:
    """The name as it is kept. Raises `Invalid` (`text.*`)."""
    return texts.check(name, "name", LONGEST)
