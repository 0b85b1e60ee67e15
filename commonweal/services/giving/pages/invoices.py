"""Company gifts by bank transfer: the form, the sheet to print, and the charity's side of it."""

from __future__ import annotations

import uuid
from datetime import date
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from commonweal.kernel.doors import form_key, see_other
from commonweal.kernel.errors import Conflict, Invalid, NotAllowed, Refusal
from commonweal.kernel.parties import people, session
from commonweal.kernel.parties.models import Party
from commonweal.kernel.quantity import CNY, parse_amount
from commonweal.kernel.text import Text
from commonweal.services.giving.actions import invoices as actions
from commonweal.services.giving.queries import campaigns
from commonweal.services.giving.queries import invoices as queries
from commonweal.services.giving.rules import receipts
from commonweal.services.giving.rules.invoices import OUTCOMES, Account, State, too_long


@require_http_methods(["GET", "POST"])
def ask(request: HttpRequest, campaign: uuid.UUID) -> HttpResponse:
    """A company promises a gift and gets an invoice for it."""
    party, card = session.signed_in(request), campaigns.card(campaign)
    companies = list(people.organisations_of(party))
    refusal: Refusal | None = None
    if request.method == "POST":
        form = request.POST
        try:
            amount = parse_amount(form.get("amount", "").strip(), card.asset, maximum=card.cap)
            made = actions.ask(party, _company(form, companies), campaign, amount, form_key(request), _day(form))
            return see_other("giving:invoice", made.charity.id, made.year, made.number)
        except (Invalid, Conflict) as error:
            refusal = error
    context = {
        "card": card,
        "companies": [(each.id, each.name) for each in companies],
        "refusal": refusal,
        "form": request.POST if refusal else None,
    }
    return render(request, "giving/invoice_ask.html", context, status=refusal.status if refusal else 200)


def _company(form: QueryDict, companies: list[Party]) -> Party:
    found = next((each for each in companies if str(each.id) == form.get("company")), None)
    if found is None:
        raise Invalid("company.missing", Text("Choose a company.", "请选择企业。"), field="company")
    return found


def _day(form: QueryDict) -> date | None:
    written = form.get("due", "").strip()
    try:
        return date.fromisoformat(written) if written else None
    except ValueError as error:
        raise Invalid("moment.form", Text("Give a day.", "请填写日期。"), field="due") from error


@never_cache
@require_http_methods(["GET", "POST"])
def invoice(request: HttpRequest, charity: uuid.UUID, year: int, number: int) -> HttpResponse:
    """The sheet, for both sides: what is to be paid where, and once it is, the receipt."""
    party = session.signed_in(request)
    found = queries.one(party.id, charity, year, number)
    refusal: Refusal | None = None
    if request.method == "POST":
        try:
            actions.cancel(party, charity, year, number)
            return see_other("giving:invoice", charity, year, number)
        except Conflict as error:
            refusal = error
    context = {
        "invoice": found,
        "capitals": receipts.capitals(found.amount) if found.asset == CNY else "",
        "gives": found.company.id in queries.acts_for(party.id),
        "year": found.ended_at.astimezone(ZoneInfo(settings.LOCAL_ZONE)).year if found.ended_at else None,
        "waits": found.state in (State.OPEN, State.OVERDUE),
        "refusal": refusal,
    }
    return render(request, "giving/invoice.html", context, status=refusal.status if refusal else 200)


@never_cache
@require_http_methods(["GET", "POST"])
def bank(request: HttpRequest, charity: uuid.UUID) -> HttpResponse:
    """The charity's side: its account, its statement, its invoices, and the lines that moved nothing."""
    party, organisation = session.signed_in(request), people.named(charity)
    try:
        if organisation is None:
            raise campaigns.unknown()
        people.require_role(party, people.OFFICER, organisation)
    except NotAllowed as error:
        raise campaigns.unknown() from error  # whoever does not act for it need not know of its console
    refusal: Refusal | None = None
    outcomes: list[tuple[Text, int]] | None = None
    if request.method == "POST":
        form, file = request.POST, request.FILES.get("statement")
        try:
            if "holder" in form:
                account = Account(form.get("holder", ""), form.get("bank", ""), form.get("number", ""))
                actions.name_account(party, organisation, account)
                return see_other("giving:bank", charity)
            said = actions.take_in(party, organisation, _text(file.read() if file else b""))
            outcomes = [(OUTCOMES[outcome], number) for outcome, number in sorted(said.items())]
        except (Invalid, Conflict) as error:
            refusal = error
    known = queries.account(charity)
    kept = {"holder": known[1].holder, "bank": known[1].bank, "number": known[1].number} if known else None
    context = {
        "charity": organisation,
        "invoices": queries.of_charity(charity),
        "frozen": queries.frozen(charity),
        "outcomes": outcomes,
        "refusal": refusal,
        "form": request.POST if refusal and "holder" in request.POST else kept,
    }
    return render(request, "giving/bank.html", context, status=refusal.status if refusal else 200)


def _text(data: bytes) -> str:
    """A file as banks write it: UTF-8, or GB 18030."""
    if len(data) > 8_000_000:
        raise too_long()
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("gb18030", "replace")
