"""A charity signs up, shows its qualification, and publishes a campaign whose plan is filed."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, time

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from commonweal.kernel.doors import see_other
from commonweal.kernel.errors import Conflict, Invalid, NotAllowed, TooLarge
from commonweal.kernel.parties import people, session
from commonweal.kernel.parties.models import Party
from commonweal.kernel.quantity import CNY, parse_amount
from commonweal.kernel.text import Text
from commonweal.services.giving.actions import campaigns as actions
from commonweal.services.giving.actions.campaigns import Charity, Qualification
from commonweal.services.giving.pages.forms import amount, day, moment, optional_amount
from commonweal.services.giving.queries import grants
from commonweal.services.giving.rules import law, plans, texts, topics
from commonweal.services.giving.rules.campaigns import Custody
from commonweal.services.giving.rules.needs import Need
from commonweal.services.giving.rules.plans import Plan

NEEDS = 6
"""Lines of a budget that the form offers; programs may send more."""
NEED = ("what_zh", "what_en", "unit_zh", "unit_en", "price", "quantity")
BOOKS = {
    Custody.MIRROR.value: Text("The charity's own account", "机构自己的账户"),
    Custody.CUSTODIAN.value: Text("Held in trust by this foundation", "由本基金会专户托管"),
}


@require_http_methods(["GET", "POST"])
def found(request: HttpRequest) -> HttpResponse:
    """Sign a charity up."""
    party, form = session.signed_in(request), request.POST
    refusal = None
    if request.method == "POST":
        try:
            charity = Charity(
                name=texts.both(form.get("name_en", ""), form.get("name_zh", ""), "name", 200),
                registration=form.get("registration", ""),
                about=texts.both(form.get("about_en", ""), form.get("about_zh", ""), "about", 4_000, lines=True),
                contact=form.get("contact", ""),
            )
            return see_other("giving:qualification", actions.found(party, charity).id)
        except (Invalid, Conflict) as error:
            refusal = error
    context = {"refusal": refusal, "form": form if refusal else None}
    return render(request, "giving/found.html", context, status=refusal.status if refusal else 200)


@require_http_methods(["GET", "POST"])
def qualification(request: HttpRequest, organisation: uuid.UUID) -> HttpResponse:
    """File the certificate of public fundraising; two stewards then look at it."""
    party, form = session.signed_in(request), request.POST
    charity = acted_for(party, organisation)
    refusal = None
    if request.method == "POST":
        try:
            evidence = request.FILES.get("evidence")
            if evidence is None:
                raise Invalid("evidence.missing", Text("Add the certificate.", "请上传证书。"), field="evidence")
            shown = Qualification(
                number=form.get("number", ""),
                issuer=form.get("issuer", ""),
                valid_from=day(form, "valid_from"),
                valid_until=day(form, "valid_until") if form.get("valid_until") else None,
                evidence=evidence.read(),
            )
            actions.claim(party, Party(id=organisation), shown)
            return see_other("giving:charity")
        except (Invalid, Conflict, TooLarge) as error:
            refusal = error
    context = {"charity": charity, "rules": law.RULES, "refusal": refusal, "form": form if refusal else None}
    return render(request, "giving/qualification.html", context, status=refusal.status if refusal else 200)


@require_http_methods(["GET", "POST"])
def plan(request: HttpRequest, organisation: uuid.UUID) -> HttpResponse:
    """Publish a campaign."""
    party, form = session.signed_in(request), request.POST
    charity = acted_for(party, organisation)
    refusal = None
    if request.method == "POST":
        try:
            return see_other("giving:campaign", actions.publish(party, _plan(request, organisation)).id)
        except (Invalid, Conflict, TooLarge) as error:
            refusal = error
    context = {
        "charity": charity,
        "topics": topics.TITLES.items(),
        "books": BOOKS.items(),
        "lines": [{field: f"{field}-{number}" for field in NEED} for number in range(1, NEEDS + 1)],
        "refusal": refusal,
        "form": form if refusal else None,
    }
    return render(request, "giving/plan.html", context, status=refusal.status if refusal else 200)


def _plan(request: HttpRequest, organisation: uuid.UUID) -> Plan:
    form, picture = request.POST, request.FILES.get("picture")
    shows = form.get("shows_en", "") + form.get("shows_zh", "")
    custody = form.get("custody", Custody.MIRROR.value)
    return Plan(
        organisation=organisation,
        title=_both(form, "title", 200),
        summary=_both(form, "summary", 400),
        story=_both(form, "story", 20_000, lines=True),
        topic=form.get("topic", ""),
        place=_both(form, "place", 100),
        needs=tuple(_need(form, number) for number in range(1, NEEDS + 1) if form.get(f"what_zh-{number}", "").strip()),
        opens_at=moment(form, "opens_at"),
        closes_at=moment(form, "closes_at"),
        filing_number=form.get("filing_number", ""),
        filed_at=datetime.combine(day(form, "filed_at"), time.min, UTC),
        custody=Custody(custody) if custody in BOOKS else Custody.MIRROR,
        cap=optional_amount(form, "cap", CNY) or plans.CAP,
        picture=picture.read() if picture else None,
        picture_shows=_both(form, "shows", 200) if shows else None,
    )


def _both(form: QueryDict, field: str, longest: int, *, lines: bool = False) -> Text:
    return texts.both(form.get(f"{field}_en", ""), form.get(f"{field}_zh", ""), field, longest, lines=lines)


def _need(form: QueryDict, number: int) -> Need:
    def said(field: str, longest: int) -> Text:
        chinese = texts.check(form.get(f"{field}_zh-{number}", ""), f"{field}_zh-{number}", longest)
        english = form.get(f"{field}_en-{number}", "")
        return Text(
            texts.check(english, f"{field}_en-{number}", longest) if english.strip() else chinese,
            chinese,
        )

    quantity = parse_amount(
        form.get(f"quantity-{number}", "").strip(), plans.THINGS, field=f"quantity-{number}", maximum=1_000_000
    )
    return Need(said("what", 200), amount(form, f"price-{number}", CNY), quantity, said("unit", 40))


def acted_for(party: Party, organisation: uuid.UUID) -> grants.Organisation:
    """The charity, if one acts for it. Raises `NotFound` (`organisation.unknown`) for everybody else."""
    charity = grants.organisation(organisation)
    try:
        people.require_role(party, people.OFFICER, Party(id=organisation))
    except NotAllowed as error:
        raise grants.unknown_organisation() from error
    return charity
