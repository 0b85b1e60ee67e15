"""Pools that settle, and the cases that delay them."""

from __future__ import annotations

import uuid
from datetime import timedelta

from commonweal.kernel import clock
from commonweal.kernel.jobs import every, task
from commonweal.kernel.notices.inbox import Letter, notify_each
from commonweal.kernel.text import Text
from commonweal.services.giving.actions import cases as case_actions
from commonweal.services.giving.actions import marks as mark_actions
from commonweal.services.giving.actions import settlements as settlement_actions
from commonweal.services.giving.queries import (
    cases,
    pools,
)


@task("giving.watch", lease=timedelta(minutes=10))
def watch() -> None:
    """Look for signals of fraud among the gifts of the windows that are over, and forget old marks."""
    case_actions.watch()
    mark_actions.drop(clock.now())


@task("giving.lapse")
def lapse() -> None:
    """End the cases that nobody has decided in time, for the givers."""
    case_actions.lapse()


@task("giving.tell_delayed")
def tell_delayed(case: str, gifts: list[str]) -> None:
    """Tell the givers of gifts that a case has taken in that the gift is there and its match waits."""
    found, new = cases.one(uuid.UUID(case)), set(gifts)
    title = Text("Your gift arrived in full; its match waits for a check", "您的捐款已全额到账，配捐待核查")
    body = Text(
        "For “{title}”. You can read why, and object. It is decided by {day}.",
        "项目“{title}”。您可以查看原因并提出异议，最晚 {day} 前作出决定。",
    ).format(title=found.title, day=found.due_at.date().isoformat())
    _tell(title, body, [each for each in cases.givers(found.id) if str(each[2]) in new])


@task("giving.call_stewards")
def call_stewards(case: str, objection: bool = False) -> None:
    """Call the stewards who can decide a case: it was opened, or a giver of it objects."""
    found = cases.one(uuid.UUID(case))
    objects = objection or found.objects_to is not None
    title = (
        Text("A giver objects: a match is to be decided", "捐款人提出异议，请裁定配捐")
        if objects
        else Text("Gifts to check before they are matched", "有捐款待核查，核查后配捐")
    )
    _call(found, title)


@task("giving.remind_stewards")
def remind_stewards() -> None:
    """Remind the stewards of cases that lapse soon, once."""
    for id in case_actions.remind():
        _call(cases.one(id), Text("A case lapses soon", "核查即将到期"))


def _call(case: cases.Case, title: Text) -> None:
    body = Text(
        "“{title}”: {kind}. Undecided by {day}, the gifts are matched as any other.",
        "项目“{title}”：{kind}。{day} 前未作决定，将照常配捐。",
    ).format(title=case.title, kind=case.kind, day=case.due_at.date().isoformat())
    if case.is_open:
        link = f"/giving/cases/{case.id}/"
        notify_each("giving.call", [Letter(steward, title, body, link) for steward in cases.callees(case)])


@task("giving.tell_case")
def tell_case(case: str) -> None:
    """Tell the givers how a case of their gifts has ended."""
    found = cases.one(uuid.UUID(case))
    title = Text("The check of your gift's match: {how}", "配捐核查结果：{how}").format(how=found.state_title)
    body = Text("Your gift for “{title}” stays as it is.", "您对“{title}”的捐款不受影响。").format(title=found.title)
    _tell(title, body, cases.givers(found.id))


def _tell(title: Text, body: Text, concerned: list[tuple[uuid.UUID, uuid.UUID, uuid.UUID]]) -> None:
    notify_each(
        "giving.case",
        [Letter(giver, title, body, f"/giving/{campaign}/gifts/{gift}/#check") for giver, campaign, gift in concerned],
    )


@task("giving.settle_pools")
def settle_pools() -> None:
    """Compute the pools whose review is over; two stewards then look at what came out."""
    for pool in pools.closed():
        if pools.due(pool):
            settlement_actions.propose(pool.campaign, pool.id)


@task("giving.pay_pool")
def pay_pool(campaign: str, pool: str) -> None:
    """Pay a settlement that two stewards have agreed to."""
    settlement_actions.pay(uuid.UUID(campaign), uuid.UUID(pool))


every(timedelta(minutes=1), settle_pools)
every(timedelta(hours=1), watch)
every(timedelta(minutes=1), lapse)
every(timedelta(minutes=10), remind_stewards)
