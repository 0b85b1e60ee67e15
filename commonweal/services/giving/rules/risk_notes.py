"""Stewards' notes on a charity or one of its campaigns: with a reason, for ever, and never for the charity."""

from __future__ import annotations

from commonweal.kernel.errors import NotAllowed
from commonweal.kernel.text import Text
from commonweal.services.giving.rules import texts

LONGEST = 2_000


def check_steward(*, acts_for_charity: bool) -> None:
    """Whether a steward may read and write the notes on a charity. Raises `NotAllowed` (`risk.own`)."""
    if acts_for_charity:
        raise NotAllowed(
            "risk.own", Text("You act for this charity: other stewards watch it.", "您代表该机构，须由其他审核员负责。")
        )


def check(note: str, reason: str) -> tuple[str, str]:
    """A note and why it is written, as they are kept. Raises `Invalid` (`text.*`)."""
    return texts.check(note, "note", LONGEST, lines=True), texts.check(reason, "reason", 400)
