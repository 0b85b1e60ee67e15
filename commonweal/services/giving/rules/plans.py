"""A campaign as its charity plans and files it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from commonweal.kernel.errors import Invalid
from commonweal.kernel.quantity import Asset
from commonweal.kernel.text import Text
from commonweal.services.giving.rules import fees, law, topics
from commonweal.services.giving.rules.campaigns import Custody
from commonweal.services.giving.rules.fees import Bearer
from commonweal.services.giving.rules.needs import Need

MOST_NEEDS = 30
THINGS = Asset("THINGS", 0, "thing", Text("things", "件"))
"""What a need counts: whole things, whatever their unit is called."""
CAP = 10_000_000_00
"""The largest single gift that a campaign may allow, in smallest units: ten million yuan."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a campaign is for, what it needs, when it runs, and its filing. The goal is the sum of its needs."""

    organisation: uuid.UUID
    title: Text
    summary: Text
    story: Text
    topic: str
    place: Text
    needs: tuple[Need, ...]
    opens_at: datetime
    closes_at: datetime
    filing_number: str
    filed_at: datetime
    custody: Custody = Custody.MIRROR
    host_fee: Fraction = Fraction(0)
    """The share of each gift that the host keeps."""
    fee_bearer: Bearer = Bearer.CAMPAIGN
    """Who bears the payment provider's fee."""
    cap: int = CAP
    drawing: str = ""
    picture: bytes | None = None
    picture_shows: Text | None = None


@dataclass(frozen=True, slots=True)
class Telling:
    """An update of a charity; a report answers the law's clock."""

    title: Text
    body: Text
    report: bool = False
    picture: bytes | None = None
    picture_shows: Text | None = None


@dataclass(frozen=True, slots=True)
class Asking:
    """A charity's request for a payout: what for, and the evidence (documents or pictures)."""

    amount: int
    what: Text
    evidence: tuple[bytes, ...]


def check(plan: Plan, now: datetime) -> None:
    """Whether a plan can be published.

    Raises `Invalid` with code `plan.topic`, `plan.needs`, `plan.cap`, `plan.period`, `filing.future`, or
    `filing.too-late`: a plan is filed ten days before its campaign starts; one for an emergency, before it starts.
    """
    if plan.topic not in topics.TITLES:
        raise Invalid("plan.topic", Text("Choose what it is about.", "请选择项目领域。"), field="topic")
    if not 0 < len(plan.needs) <= MOST_NEEDS or any(need.price <= 0 or need.quantity <= 0 for need in plan.needs):
        raise Invalid(
            "plan.needs",
            Text(
                "List 1 to {most} needs, each with a price and a number.",
                "请列出 1 至 {most} 项需要，并注明单价和数量。",
            ).format(most=MOST_NEEDS),
            field="needs",
        )
    if not 0 < plan.cap <= CAP:
        raise Invalid("plan.cap", Text("The largest gift is out of range.", "单笔捐款上限超出范围。"), field="cap")
    fees.check(plan.custody, plan.host_fee, plan.fee_bearer)
    if plan.closes_at <= plan.opens_at:
        raise Invalid(
            "plan.period", Text("It must close after it opens.", "结束时间须晚于开始时间。"), field="closes_at"
        )
    if plan.filed_at > now:
        raise Invalid(
            "filing.future", Text("The filing lies in the future.", "备案日期不能晚于今天。"), field="filed_at"
        )
    ahead = timedelta(0) if plan.topic == "disaster" else timedelta(days=law.FILING_DAYS)
    if plan.opens_at - plan.filed_at < ahead:
        raise Invalid(
            "filing.too-late",
            Text(
                "A plan is filed {days} days before its campaign starts.", "募捐方案须在活动开始 {days} 日前备案。"
            ).format(days=ahead.days),
            field="opens_at",
        )
