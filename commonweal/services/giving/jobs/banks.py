"""Time banks: exchanges and their clearing."""

from __future__ import annotations

import uuid
from datetime import timedelta

from commonweal.kernel.jobs import every, task
from commonweal.kernel.notices.inbox import notify
from commonweal.kernel.text import Text
from commonweal.services.giving.actions import clearings as clearing_actions
from commonweal.services.giving.actions import exchanges as exchange_actions
from commonweal.services.giving.queries import board, exchanges
from commonweal.services.giving.rules.banks import Standing as ExchangeStanding


@task("giving.tell_exchange")
def tell_exchange(book: str, id: str) -> None:
    """Tell the side that has to answer; and how it ended, the side that had asked; of a dispute or a return, both."""
    found = exchanges.exchange(uuid.UUID(book), uuid.UUID(id))
    asked = found.standing is ExchangeStanding.ASKED
    both = found.standing in {ExchangeStanding.DISPUTED, ExchangeStanding.SETTLED}
    for side in (found.payer, found.payee) if both else (found.other if asked else found.asker,):
        notify(
            side.person,
            "giving.exchange",
            Text("{n} {n:minute|minutes}, {what}: {how}", "{what}，{n} 分钟：{how}").format(
                n=found.minutes, what=found.category_title, how=found.standing_title
            ),
            Text("In the time bank “{bank}”.", "时间银行“{bank}”。").format(bank=side.bank_name),
            f"/giving/banks/{book}/exchanges/{id}/",
        )


@task("giving.tell_listing")
def tell_listing(word: str) -> None:
    """Tell a member that somebody has written about what stands on the board; what, is read there alone."""
    if found := board.told(uuid.UUID(word)):
        notify(
            found.receiver,
            "giving.listing",
            Text("{what}: a member has written to you", "{what}：有成员给您留言").format(what=found.category),
            Text("About an offer or a need in your time bank.", "关于时间银行互助信息。"),
            f"/giving/banks/{found.bank}/board/{found.listing}/",
        )


@task("giving.expire_exchanges")
def expire_exchanges() -> None:
    """End the exchanges that nobody has answered in time."""
    exchange_actions.expire()


@task("giving.clear_banks")
def clear_banks() -> None:
    """Strike out what circles between allied time banks, and publish the statement."""
    clearing_actions.clear()


every(timedelta(hours=1), expire_exchanges)
every(timedelta(days=7), clear_banks)
