"""Orders: made by the charity from a vendor's list, confirmed by the receiving side, invoiced, seen by everybody."""

from __future__ import annotations

import uuid

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from commonweal.kernel.doors import form_key, see_other
from commonweal.kernel.errors import Conflict, Invalid, NotAllowed, NotFound, Refusal, TooLarge
from commonweal.kernel.parties import people, session
from commonweal.kernel.quantity import parse_amount
from commonweal.kernel.text import Text
from commonweal.services.giving.actions import orders as actions
from commonweal.services.giving.pages.charity import officer_of
from commonweal.services.giving.pages.stewards import may_see, see, serve
from commonweal.services.giving.queries import campaigns, vendors
from commonweal.services.giving.queries import orders as queries
from commonweal.services.giving.rules import orders as rules
from commonweal.services.giving.rules import plans, texts
from commonweal.services.giving.rules.orders import Billed, Wanted


@require_safe
def orders(request: HttpRequest, campaign: uuid.UUID) -> HttpResponse:
    """The orders of a campaign, and for its charity the vendors to order from."""
    party, card = session.visitor(request), campaigns.card(campaign)
    officer = party is not None and campaigns.acts_for(party.id, campaign)
    context = {
        "card": card,
        "orders": queries.of_campaign(campaign),
        "overrun": rules.OVERRUN,
        "vendors": vendors.vendors() if officer else [],
    }
    return render(request, "giving/orders.html", context)


@require_http_methods(["GET", "POST"])
def new(request: HttpRequest, campaign: uuid.UUID, vendor: uuid.UUID) -> HttpResponse:
    """Order from a vendor's list."""
    party, card = officer_of(request, campaign)
    items, refusal, form = vendors.items(vendor), None, request.POST
    if request.method == "POST":
        try:
            quote = request.FILES.get("quote")
            if quote is None:
                raise Invalid("evidence.missing", Text("Add the quotation.", "请上传报价单。"), field="quote")
            what = texts.both(form.get("what_en", ""), form.get("what_zh", ""), "what", 400)
            wanted = [
                Wanted(_count(form, f"need-{n}"), item.id, _count(form, f"quantity-{n}"))
                for n, item in enumerate(items, 1)
                if form.get(f"quantity-{n}", "").strip()
            ]
            id = actions.order(party, campaign, vendor, wanted, what, quote.read(), form_key(request))
            return see_other("giving:order", campaign, id)
        except (Invalid, Conflict, TooLarge) as error:
            refusal = error
    context = {
        "card": card,
        "vendor": vendors.vendor(vendor),
        "items": [(item, f"need-{n}", f"quantity-{n}") for n, item in enumerate(items, 1)],
        "needs": [(need.id, need.what) for need in queries.needs(campaign) if need.left > 0],
        "overrun": rules.OVERRUN,
        "refusal": refusal,
        "form": form if refusal else None,
    }
    return render(request, "giving/order_new.html", context, status=refusal.status if refusal else 200)


def _count(form: QueryDict, field: str) -> int:
    return parse_amount(form.get(field, "").strip(), plans.THINGS, field=field, maximum=1_000_000_000)


@require_safe
def order(request: HttpRequest, campaign: uuid.UUID, id: uuid.UUID) -> HttpResponse:
    """One order: its lines, what has arrived, what was saved."""
    return _show(request, campaign, id)


def _show(request: HttpRequest, campaign: uuid.UUID, id: uuid.UUID, refusal: Refusal | None = None) -> HttpResponse:
    found, party = queries.order(campaign, id), session.visitor(request)
    officer = party is not None and campaigns.acts_for(party.id, campaign)
    steward = party is not None and people.STEWARD in people.roles(party)
    arrivals = queries.arrivals(campaign, id)
    under_way = found.state in (rules.State.ORDERED, rules.State.ARRIVING)
    context = {
        "order": found,
        "card": campaigns.card(campaign),
        "arrivals": arrivals,
        "pictures": list(range(len(_files(arrivals)))) if may_see(party, found.payout) else [],
        "lines": [(line, f"price-{line.place}", f"quantity-{line.place}") for line in found.lines],
        "link": actions.receiver_link(party, campaign, id) if officer and under_way and party else "",
        "may_invoice": officer and found.state in (rules.State.ARRIVING, rules.State.ARRIVED),
        "may_cancel": (officer or steward) and found.state in (rules.State.ASKED, rules.State.ORDERED),
        "overrun": rules.OVERRUN,
        "refusal": refusal,
        "form": request.POST if refusal else None,
    }
    return render(request, "giving/order.html", context, status=refusal.status if refusal else 200)


def _files(arrivals: list[queries.Arrival]) -> list[str]:
    return list(dict.fromkeys(digest for each in arrivals for digest in each.evidence))


@require_POST
def invoice(request: HttpRequest, campaign: uuid.UUID, id: uuid.UUID) -> HttpResponse:
    """Enter the vendor's invoice."""
    party, card = officer_of(request, campaign)
    form, document = request.POST, request.FILES.get("document")
    try:
        if document is None:
            raise Invalid("evidence.missing", Text("Add the invoice.", "请上传发票。"), field="document")
        billed = [
            Billed(
                line.place,
                parse_amount(form.get(f"price-{line.place}", "").strip(), card.asset, field=f"price-{line.place}"),
                _count(form, f"quantity-{line.place}"),
            )
            for line in queries.order(campaign, id).lines
            if form.get(f"quantity-{line.place}", "").strip() not in ("", "0")
        ]
        actions.invoice(party, campaign, id, billed, document.read())
    except (Invalid, Conflict, TooLarge) as refusal:
        return _show(request, campaign, id, refusal)
    return see_other("giving:order", campaign, id)


@require_POST
def cancel(request: HttpRequest, campaign: uuid.UUID, id: uuid.UUID) -> HttpResponse:
    """Cancel an order of which nothing has come."""
    party = session.signed_in(request)
    try:
        actions.cancel(party, campaign, id, request.POST.get("reason", ""))
    except (Invalid, Conflict) as refusal:
        return _show(request, campaign, id, refusal)
    return see_other("giving:order", campaign, id)


@never_cache
@require_http_methods(["GET", "POST"])
def arrival(request: HttpRequest, link: str) -> HttpResponse:
    """The receiving side says what has come, with pictures."""
    party, found, refusal = session.signed_in(request), actions.order_of(link), None
    if request.method == "POST":
        try:
            got = {
                line.place: _count(request.POST, f"quantity-{line.place}")
                for line in found.lines
                if request.POST.get(f"quantity-{line.place}", "").strip() not in ("", "0")
            }
            actions.arrive(party, link, got, [file.read() for file in request.FILES.getlist("evidence")])
            return see_other("giving:order", found.payout.campaign, found.payout.id)
        except (Invalid, Conflict, NotAllowed, TooLarge) as error:
            refusal = error
    context = {
        "order": found,
        "lines": [(line, f"quantity-{line.place}") for line in found.lines if line.missing],
        "refusal": refusal,
        "form": request.POST if refusal else None,
    }
    return render(request, "giving/arrival.html", context, status=refusal.status if refusal else 200)


@require_safe
def evidence(request: HttpRequest, campaign: uuid.UUID, id: uuid.UUID, number: int) -> HttpResponse:
    """A picture of what has come: for stewards, the charity, and those who have given to the campaign."""
    found, files = queries.order(campaign, id), _files(queries.arrivals(campaign, id))
    if not (number < len(files) and see(request, found.payout)):
        raise NotFound("evidence.unknown", Text("There is no such file.", "没有这个文件。"))
    return serve(files[number], f"arrival-{number + 1}.pdf")
