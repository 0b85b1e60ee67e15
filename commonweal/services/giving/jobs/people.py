"""What one person or organisation tells another: appeals, invoices, messages, thanks, teams."""

from __future__ import annotations

import uuid
from datetime import timedelta

from commonweal.kernel.errors import NotFound
from commonweal.kernel.jobs import every, task
from commonweal.kernel.notices.inbox import Letter, notify, notify_each
from commonweal.kernel.text import Text
from commonweal.services.giving.actions import teams as team_actions
from commonweal.services.giving.actions import thanks as thanks_actions
from commonweal.services.giving.jobs.words import money
from commonweal.services.giving.queries import (
    appeals,
    campaigns,
    clocks,
    invoices,
    threads,
)
from commonweal.services.giving.queries import thanks as thanks_queries
from commonweal.services.giving.rules.threads import Side


@task("giving.tell_invoice")
def tell_invoice(charity: str, year: int, number: int) -> None:
    """Tell who asked for an invoice that it is paid or cancelled."""
    found = invoices.find(uuid.UUID(charity), year, number)
    if found is None:
        return
    notify(
        found.asked_by,
        "giving.invoice",
        Text("Invoice {year}-{number}: {state}", "缴款通知单 {year}-{number}：{state}").format(
            year=year, number=number, state=found.state_title
        ),
        Text("{amount} of {company} for “{title}”.", "{company} 对“{title}”的 {amount} 捐款。").format(
            amount=money(found.amount, found.asset), company=found.company.name, title=found.title
        ),
        f"/giving/invoices/{charity}/{year}/{number}/",
    )


@task("giving.tell_appeal")
def tell_appeal(appeal: str) -> None:
    """Tell who asked for help how far it has come."""
    found = appeals.appeal(uuid.UUID(appeal))
    notify(
        found.standing.asker,
        "giving.appeal",
        Text("Your appeal: {state}", "您的求助：{state}").format(state=found.state_title),
        Text(found.note, found.note) if found.note else found.title,
        f"/giving/appeals/{appeal}/",
    )


@task("giving.tell_message")
def tell_message(campaign: str, thread: str, nth: int) -> None:
    """Tell the other side that there is something to read; what it says stands in the thread alone."""
    try:
        found = threads.thread(uuid.UUID(campaign), uuid.UUID(thread))
    except NotFound:
        return  # the giver has been forgotten
    side = next(each.side for each in threads.messages(found) if each.nth == nth)
    about = Text("About “{title}”.", "关于“{title}”。").format(title=found.title)
    address = f"/giving/{campaign}/messages/{thread}/"
    if side is Side.CHARITY:
        title = Text("{organisation} has answered you", "{organisation}回复了您").format(
            organisation=found.organisation
        )
        notify(found.giver, "giving.message", title, about, address)
        return
    for officer in clocks.officers(found.campaign):
        notify(officer, "giving.message", Text("A giver has written to you", "有捐助人给您留言"), about, address)


@task("giving.tell_judged")
def tell_judged(campaign: str, thread: str) -> None:
    """Tell both sides what a steward has decided about their thread."""
    try:
        found = threads.thread(uuid.UUID(campaign), uuid.UUID(thread))
    except NotFound:
        return
    title = (
        Text("A steward has closed your thread", "审核员已关闭您的留言")
        if found.rule.closed
        else Text("A steward has looked at your thread: it stays open", "审核员已查看您的留言，可以继续交流")
    )
    about = Text("About “{title}”.", "关于“{title}”。").format(title=found.title)
    for party in (found.giver, *clocks.officers(found.campaign)):
        notify(party, "giving.message", title, about, f"/giving/{campaign}/messages/{thread}/")


@task("giving.thank_all")
def thank_all(campaign: str, thanks: str) -> None:
    """Thank those who gave to a campaign: some now, the others by the next job."""
    givers = thanks_actions.take(uuid.UUID(campaign), uuid.UUID(thanks))
    if not givers:
        return
    card = campaigns.card(uuid.UUID(campaign))
    title = Text("{organisation} thanks you", "{organisation}感谢您").format(organisation=card.organisation)
    said = thanks_queries.said(uuid.UUID(campaign), uuid.UUID(thanks))
    notify_each("giving.thanks", [Letter(giver, title, said, f"/giving/{campaign}/") for giver in givers])
    thank_all.enqueue(campaign=campaign, thanks=thanks)


@task("giving.tell_teams")
def tell_teams() -> None:
    """Tell what teams have come to, in steps of three people or more."""
    team_actions.tell()


every(timedelta(hours=1), tell_teams)
