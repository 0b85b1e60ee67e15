"""What happens after the commit: telling people, paying out, and the clockwork of the books."""

from __future__ import annotations

from commonweal.kernel.parties.erasure import eraser
from commonweal.kernel.parties.openings import opener
from commonweal.services.giving.actions import agreements as agreement_actions
from commonweal.services.giving.actions import appeals as appeal_actions
from commonweal.services.giving.actions import cards as card_actions
from commonweal.services.giving.actions import givers as giver_actions
from commonweal.services.giving.actions import marks as mark_actions
from commonweal.services.giving.actions import members as member_actions
from commonweal.services.giving.actions import teams as team_actions
from commonweal.services.giving.actions import webhooks as webhook_actions
from commonweal.services.giving.actions.openings import opening
from commonweal.services.giving.jobs.banks import clear_banks, expire_exchanges, tell_exchange, tell_listing
from commonweal.services.giving.jobs.gifts import (
    announce,
    call_about_payments,
    count,
    deliver,
    expire,
    lay,
    remind,
    tell,
    thank,
)
from commonweal.services.giving.jobs.payouts import disclosure, pay, pay_income, tell_declined, tell_paid, tell_use
from commonweal.services.giving.jobs.people import (
    tell_appeal,
    tell_invoice,
    tell_judged,
    tell_message,
    tell_teams,
    thank_all,
)
from commonweal.services.giving.jobs.pools import (
    call_stewards,
    lapse,
    pay_pool,
    remind_stewards,
    settle_pools,
    tell_case,
    tell_delayed,
    watch,
)
from commonweal.services.giving.jobs.providers import reconcile, settle
from commonweal.services.giving.jobs.recurring import charge, foretell, give_back, renew, renew_one, tell_recurring
from commonweal.services.giving.jobs.returns import (
    card_refund,
    end_cards,
    give_twice_back,
    refund,
    tell_card_returned,
    tell_returned,
    tell_sent_back,
)

__all__ = [
    "announce",
    "call_about_payments",
    "call_stewards",
    "card_refund",
    "charge",
    "clear_banks",
    "count",
    "deliver",
    "disclosure",
    "end_cards",
    "expire",
    "expire_exchanges",
    "foretell",
    "give_back",
    "give_twice_back",
    "lapse",
    "lay",
    "pay",
    "pay_income",
    "pay_pool",
    "reconcile",
    "refund",
    "remind",
    "remind_stewards",
    "renew",
    "renew_one",
    "settle",
    "settle_pools",
    "tell",
    "tell_appeal",
    "tell_card_returned",
    "tell_case",
    "tell_declined",
    "tell_delayed",
    "tell_exchange",
    "tell_invoice",
    "tell_judged",
    "tell_listing",
    "tell_message",
    "tell_paid",
    "tell_recurring",
    "tell_returned",
    "tell_sent_back",
    "tell_teams",
    "tell_use",
    "thank",
    "thank_all",
    "watch",
]

opener("giving.gift")(opening)
opener("giving.hours")(opening)
opener("giving.exchange")(opening)
opener("giving.recurring")(opening)
opener("giving.pledge")(opening)
opener("giving.card")(opening)
eraser(appeal_actions.erase)
eraser(giver_actions.erase)
eraser(member_actions.erase)
eraser(card_actions.erase)
eraser(team_actions.erase)
eraser(mark_actions.erase)
eraser(agreement_actions.erase)
eraser(webhook_actions.erase)
