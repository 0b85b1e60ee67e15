"""Time banks: what they are and state, their members, and the banks that they are allied with."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from commonweal.kernel.doors import see_other
from commonweal.kernel.errors import Conflict, Invalid, NotAllowed, Refusal
from commonweal.kernel.parties import people, session
from commonweal.kernel.parties.models import Party
from commonweal.services.giving.actions import alliances, members
from commonweal.services.giving.actions import banks as actions
from commonweal.services.giving.pages.forms import amount, one_of, whole
from commonweal.services.giving.queries import banks as queries
from commonweal.services.giving.rules import banks as rules
from commonweal.services.giving.rules import texts
from commonweal.services.giving.rules.deeds import MINUTES


@require_http_methods(["GET", "POST"])
def banks(request: HttpRequest) -> HttpResponse:
    """All banks; whoever acts for an organisation founds one."""
    party, refusal = session.visitor(request), None
    if request.method == "POST":
        party, form = session.signed_in(request), request.POST
        try:
            name = texts.both(form.get("name_en", ""), form.get("name_zh", ""), "name", rules.LONGEST_NAME)
            terms = rules.Terms(whole(form, "may_owe", 0), whole(form, "may_bear", 0))
            id = actions.found(party, Party(id=one_of(form, "organisation")), name, terms)
            return see_other("giving:timebank", id)
        except (Invalid, Conflict) as error:
            refusal = error
    every = queries.banks()
    having = {each.organisation for each in every}
    acting = list(people.organisations_of(party)) if party else []
    context = {
        "banks": every,
        "mine": {each.bank for each in queries.memberships(party.id)} if party else set(),
        "organisations": [(each.id, each.name) for each in acting if each.id not in having],
    }
    return shown(request, "giving/banks.html", context, refusal)


@require_http_methods(["GET", "POST"])
def bank(request: HttpRequest, bank: uuid.UUID) -> HttpResponse:
    """A bank: its terms, what its minutes were for, its allies; and asking to be a member."""
    party, there, refusal = session.visitor(request), queries.bank(bank), None
    if request.method == "POST":
        party = session.signed_in(request)
        try:
            members.join(party, bank, request.POST.get("name", ""))
            return see_other("giving:bank_account", bank)
        except Invalid as error:
            refusal = error
    report = queries.report(bank)
    context = {
        "bank": there,
        "common": queries.common(there),
        "report": report,
        "bars": [(line.title, line.minutes) for line in report if line.minutes is not None],
        "alliances": queries.alliances(bank),
        "member": queries.member_of(bank, party.id) if party else None,
        "officer": acts(party, there),
    }
    return shown(request, "giving/bank_page.html", context, refusal)


@require_http_methods(["GET", "POST"])
def bank_members(request: HttpRequest, bank: uuid.UUID) -> HttpResponse:
    """The members, for members; officers admit and release. Raises `NotFound` for everybody else."""
    party, there, refusal = session.signed_in(request), queries.bank(bank), None
    member, officer = queries.member_of(bank, party.id), acts(party, there)
    if not officer and not (member and member.active):
        raise queries.unknown_member()
    if request.method == "POST":
        try:
            change = members.admit if request.POST.get("word") == "admit" else members.release
            change(party, bank, one_of(request.POST, "member"))
            return see_other("giving:bank_members", bank)
        except (Invalid, Conflict, NotAllowed) as error:
            refusal = error
    listed = queries.members(bank)
    balances = queries.member_balances(there, listed) if officer else {}
    context = {
        "bank": there,
        "members": [(each, balances.get(each.id, (None,))[0]) for each in listed],
        "waiting": queries.members(bank, waiting=True) if officer else [],
        "officer": officer,
        "me": party.id,
    }
    return shown(request, "giving/bank_members.html", context, refusal)


@require_http_methods(["GET", "POST"])
def bank_allies(request: HttpRequest, bank: uuid.UUID) -> HttpResponse:
    """The allied banks, what is owed either way and the limits; officers propose, accept and end."""
    party, there, refusal = session.visitor(request), queries.bank(bank), None
    if request.method == "POST":
        party, form = session.signed_in(request), request.POST
        try:
            match form.get("word", ""):
                case "accept":
                    alliances.accept(party, bank, one_of(form, "alliance"))
                case "end":
                    alliances.end(party, bank, one_of(form, "alliance"))
                case _:
                    alliances.propose(party, bank, one_of(form, "other"), amount(form, "most", MINUTES))
            return see_other("giving:bank_allies", bank)
        except (Invalid, Conflict, NotAllowed) as error:
            refusal = error
    context = {
        "bank": there,
        "alliances": queries.alliances(bank),
        "others": [(each.id, each.name) for each in queries.banks() if each.id != bank],
        "officer": acts(party, there),
    }
    return shown(request, "giving/bank_allies.html", context, refusal)


def acts(party: Party | None, bank: queries.Bank) -> bool:
    """Whether somebody is an officer of a bank."""
    return party is not None and people.OFFICER in people.roles(party, Party(id=bank.organisation))


def shown(request: HttpRequest, template: str, context: Mapping[str, object], refusal: Refusal | None) -> HttpResponse:
    """A page with a form, again if what was sent was refused."""
    told = {**context, "refusal": refusal, "form": request.POST if refusal else None}
    return render(request, template, told, status=refusal.status if refusal else 200)
