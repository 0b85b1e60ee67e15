"""What state a campaign is in. It is never stored: it follows from what is known of the campaign at the moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from commonweal.kernel.errors import Conflict
from commonweal.kernel.text import Text


class Kind(StrEnum):
    """What is raising money, or has given it."""

    CAMPAIGN = "campaign"
    """A charity asks the public."""
    PROGRAMME = "programme"
    """A funder's own money, given as grants: published history, not open to gifts."""


class Custody(StrEnum):
    """In whose hands the money is. A campaign never changes it."""

    MIRROR = "mirror"
    """In the charity's own merchant account; these books mirror it. In China the only lawful way for a platform."""
    CUSTODIAN = "custodian"
    """In the hands of the foundation that runs this platform for its own campaigns."""


class State(StrEnum):
    """Where a campaign stands; only `OPEN` takes gifts."""

    OPEN = "open"
    UPCOMING = "upcoming"
    CLOSED = "closed"
    STOPPED = "stopped"
    UNQUALIFIED = "unqualified"
    UNFILED = "unfiled"
    REPORT_LATE = "report-late"
    HISTORY = "history"


TITLES: dict[State, Text] = {
    State.OPEN: Text("Open", "进行中"),
    State.UPCOMING: Text("Not yet open", "即将开始"),
    State.CLOSED: Text("Closed", "已结束"),
    State.STOPPED: Text("Stopped", "已停止"),
    State.UNQUALIFIED: Text("Qualification missing", "缺少公开募捐资格"),
    State.UNFILED: Text("Not filed", "尚未备案"),
    State.REPORT_LATE: Text("Report overdue", "报告逾期"),
    State.HISTORY: Text("Published grants", "历史资助"),
}

REASONS: dict[State, Text] = {
    State.UPCOMING: Text(
        "This campaign has not opened yet. Come back on its first day.", "本项目尚未开始募捐，请在开始之日再来。"
    ),
    State.CLOSED: Text(
        "This campaign has closed. See what its gifts became, or choose another.",
        "本项目募捐已结束。您可以查看善款去向，或选择其他项目。",
    ),
    State.STOPPED: Text("This campaign was stopped. Choose another one.", "本项目已被停止，请选择其他项目。"),
    State.UNQUALIFIED: Text(
        "Its charity has no valid qualification for public fundraising, so it cannot take gifts.",
        "该机构目前没有有效的公开募捐资格，不能接受捐赠。",
    ),
    State.UNFILED: Text(
        "This campaign's plan is not filed with the authority, so it cannot take gifts.",
        "本项目的募捐方案尚未备案，不能接受捐赠。",
    ),
    State.REPORT_LATE: Text(
        "Its charity owes the public a report. Gifts are possible again once it is published.",
        "该机构尚未按期公布进展报告，公布后才能继续接受捐赠。",
    ),
    State.HISTORY: Text(
        "These are grants that a funder has published. They take no gifts.", "这是资助方公布的历史资助，不接受捐赠。"
    ),
}


@dataclass(frozen=True, slots=True)
class Campaign:
    """What a decision about a campaign needs to know."""

    kind: Kind
    qualified: bool
    filed: bool
    opens_at: datetime
    closes_at: datetime
    stopped_at: datetime | None
    report_due: datetime | None
    """When the next report must be public, see `law.next_report`; None if none is owed."""


def state(campaign: Campaign, now: datetime) -> State:
    """Where the campaign stands at `now`: the first thing that is in the way, or open."""
    if campaign.kind is Kind.PROGRAMME:
        return State.HISTORY
    if campaign.stopped_at is not None and campaign.stopped_at <= now:
        return State.STOPPED
    if campaign.closes_at <= now:
        return State.CLOSED
    if not campaign.filed:
        return State.UNFILED
    if not campaign.qualified:
        return State.UNQUALIFIED
    if now < campaign.opens_at:
        return State.UPCOMING
    if campaign.report_due is not None and campaign.report_due <= now:
        return State.REPORT_LATE
    return State.OPEN


def check_open(campaign: Campaign, now: datetime) -> None:
    """Raises `Conflict` with code `campaign.<state>` and the reason unless the campaign takes gifts."""
    found = state(campaign, now)
    if found is not State.OPEN:
        raise Conflict(f"campaign.{found}", REASONS[found])
