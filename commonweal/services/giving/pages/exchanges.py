"""A member's account in a time bank, and one exchange as its two sides and a steward see it."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from commonweal.kernel.doors import form_key, see_other
from commonweal.kernel.errors import Conflict, Invalid, NotAllowed, Refusal
from commonweal.kernel.parties import people, session
from commonweal.kernel.parties.models import Party
from commonweal.kernel.quantity import parse_amount
from commonweal.kernel.text import Text
from commonweal.services.giving.actions import exchanges as actions
from commonweal.services.giving.actions import members
from commonweal.services.giving.queries import banks
from commonweal.services.giving.queries import exchanges as queries
from commonweal.services.giving.rules import banks as rules
from commonweal.services.giving.rules.deeds import MINUTES

SIDES = [
    (rules.Side.GIVES.value, Text("I was helped: I give minutes", "我得到了帮助：付出时间")),
    (rules.Side.ASKS.value, Text("I helped: I ask for minutes", "我帮助了别人：请对方付时间")),
]


@require_http_methods(["GET", "POST"])
def account(request: HttpRequest, bank: uuid.UUID) -> HttpResponse:
    """What a member has, has to answer and has exchanged; asking for an exchange, and leaving."""
    party, there, refusal = session.signed_in(request), banks.bank(bank), None
    member = banks.member_of(bank, party.id)
    if member is None:
        return see_other("giving:timebank", bank)
    if request.method == "POST":
        try:
            if request.POST.get("word") == "leave":
                members.leave(party, bank)
                return see_other("giving:timebank", bank)
            actions.ask(party, bank, _asking(request.POST), form_key(request))
            return see_other("giving:bank_account", bank)
        except (Invalid, Conflict) as error:
            refusal = error
    balance, free = banks.member_balances(there, [member]).get(member.id, (0, 0))
    listed = _rows(member, queries.of_member(member.id))
    allies = [each for each in banks.alliances(bank) if each.open]
    context = {
        "bank": there,
        "member": member,
        "balance": balance,
        "free": free,
        "floor": -there.may_owe,
        "listed": [row for row in listed if not row.answers],
        "to_answer": [row for row in listed if row.answers],
        "sides": SIDES,
        "banks": [(bank, there.name), *((each.other, each.other_name) for each in allies)],
        "categories": list(rules.CATEGORIES.items()),
        "refusal": refusal,
        "form": request.POST if refusal else None,
    }
    return render(request, "giving/bank_account.html", context, status=refusal.status if refusal else 200)


@dataclass(frozen=True, slots=True)
class Row:
    """An exchange as one of its sides sees it: with whom, whether that member gives the minutes, and has to answer."""

    exchange: queries.Exchange
    other: queries.Party
    name: str | None
    gives: bool
    answers: bool


def _rows(member: banks.Member, listed: list[queries.Exchange]) -> list[Row]:
    named = banks.listed({side.member for each in listed for side in (each.payer, each.payee)})
    found = []
    for each in listed:
        gives = each.payer.member == member.id
        other = each.payee if gives else each.payer
        answers = each.standing is rules.Standing.ASKED and each.other.member == member.id
        found.append(Row(each, other, named[other.member].name, gives, answers))
    return found


@require_http_methods(["GET", "POST"])
def exchange(request: HttpRequest, book: uuid.UUID, id: uuid.UUID) -> HttpResponse:
    """One exchange. Raises `NotFound` for whoever is neither side nor a steward of what is in dispute."""
    party, found, refusal = session.signed_in(request), queries.exchange(book, id), None
    sides = {found.payer.person, found.payee.person}
    steward = people.STEWARD in people.roles(party) and party.id not in sides and found.claimed is not None
    if party.id not in sides and not steward:
        raise queries.unknown()
    if request.method == "POST":
        try:
            _carry_out(party, found, request.POST)
            return see_other("giving:exchange", book, id)
        except (Invalid, Conflict, NotAllowed) as error:
            refusal = error
    return _exchange(request, found, party, refusal, steward=steward)


def _exchange(
    request: HttpRequest, found: queries.Exchange, party: Party, refusal: Refusal | None, *, steward: bool
) -> HttpResponse:
    mine = found.payer if party.id == found.payer.person else found.payee
    named = {} if steward else banks.listed({found.payer.member, found.payee.member})
    context = {
        "exchange": found,
        "mine": mine,
        "payer_name": named[found.payer.member].name if named else None,
        "payee_name": named[found.payee.member].name if named else None,
        "asked_me": not steward and found.other == mine,
        "payee": not steward and mine == found.payee,
        "steward": steward,
        "refusal": refusal,
        "form": request.POST if refusal else None,
    }
    return render(request, "giving/exchange.html", context, status=refusal.status if refusal else 200)


def _carry_out(party: Party, found: queries.Exchange, form: QueryDict) -> None:
    match form.get("word", ""):
        case "confirm":
            actions.confirm(party, found.book, found.id)
        case "decline":
            actions.turn_down(party, found.book, found.id, rules.Outcome.DECLINED)
        case "withdraw":
            actions.turn_down(party, found.book, found.id, rules.Outcome.WITHDRAWN)
        case "give-back":
            actions.give_back(party, found.book, found.id)
        case "dispute":
            actions.dispute(party, found.book, found.id, _minutes(form, 0))
        case "decide":
            actions.decide(party, found.book, found.id, _minutes(form, 0))
        case _:
            raise Invalid("choice.none", Text("Choose one of these.", "请选择一项。"))


def _asking(form: QueryDict) -> rules.Asking:
    try:
        side, bank = rules.Side(form.get("side", "")), uuid.UUID(form.get("bank", ""))
    except ValueError as error:
        raise Invalid("choice.none", Text("Choose one of these.", "请选择一项。"), field="side") from error
    minutes = _minutes(form, 1)
    parts = tuple(rules.Part(bank, number, minutes) for number in _numbers(form.get("numbers", "")))
    return rules.Asking(side, form.get("category", ""), parts)


def _numbers(written: str) -> list[int]:
    """Members' numbers as people write them: `12, 15` or `12、15`. Raises `Invalid` (`numbers.form`)."""
    found = [each for each in re.split(r"[\s,，、;；]+", written) if each]
    if not all(re.fullmatch(r"[0-9]{1,7}", each) for each in found):
        raise Invalid(
            "numbers.form",
            Text("Write members' numbers with commas between them.", "请填写成员编号，用逗号隔开。"),
            field="numbers",
        )
    return [int(each) for each in found]


def _minutes(form: QueryDict, least: int) -> int:
    return parse_amount(form.get("minutes", "").strip(), MINUTES, field="minutes", minimum=least)
