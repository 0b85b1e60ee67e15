"""What a steward should look at before saying yes to a payout. Notes never decide: two people do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from commonweal.kernel.text import Text

LARGE = 50
"""Per cent of what is there."""
CONCENTRATED = 80
"""Per cent of what came in that one giver has given."""
SOON = timedelta(days=60)
EARLY = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Signs:
    """What is known of a request for a payout. Amounts in smallest units."""

    amount: int
    available: int
    reused_evidence: int
    """Files that another request has shown before."""
    raised: int
    largest_giver: int
    """What the one who gave most has given."""
    paid_before: int
    """Payouts of the charity so far."""
    declined_before: int
    qualified_for: timedelta | None
    """How long the charity's qualification is still valid; None without end."""
    open_for: timedelta
    """Since when the campaign takes gifts."""


def notes(signs: Signs) -> list[Text]:
    """The reasons to look twice, most serious first."""
    found = (
        (
            signs.reused_evidence > 0,
            Text("{n} of its files {n:was|were} evidence for another payout.", "有 {n} 份凭证曾用于其他拨款。").format(
                n=signs.reused_evidence
            ),
        ),
        (
            signs.raised > 0 and signs.largest_giver * 100 >= CONCENTRATED * signs.raised,
            Text("One giver gave {n} % of everything.", "有一位捐助人的捐款占全部的 {n}%。").format(
                n=signs.largest_giver * 100 // signs.raised if signs.raised else 0
            ),
        ),
        (
            signs.amount * 100 > LARGE * signs.available,
            Text("It asks for {n} % of what is there.", "申请金额占可用资金的 {n}%。").format(
                n=signs.amount * 100 // signs.available if signs.available > 0 else 100
            ),
        ),
        (
            signs.declined_before > 0,
            Text(
                "{n} {n:request|requests} of this charity {n:was|were} declined before.",
                "该机构曾有 {n} 次申请被否决。",
            ).format(n=signs.declined_before),
        ),
        (signs.paid_before == 0, Text("The first payout of this charity.", "这是该机构的首次拨款。")),
        (
            signs.qualified_for is not None and signs.qualified_for <= SOON,
            Text("Its qualification ends within 60 days.", "其公开募捐资格将在 60 天内到期。"),
        ),
        (signs.open_for < EARLY, Text("The campaign is less than a week old.", "项目开始不足一周。")),
    )
    return [text for holds, text in found if holds]
