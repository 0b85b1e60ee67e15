"""The partner's console, and the steward's page that admits partners."""

from __future__ import annotations

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from commonweal.kernel.doors import see_other
from commonweal.kernel.errors import Conflict, Invalid, NotAllowed, NotFound, Refusal
from commonweal.kernel.parties import people, session
from commonweal.kernel.parties.models import Party
from commonweal.kernel.text import Text
from commonweal.services.forest.actions import sources as actions
from commonweal.services.forest.queries import partners as queries
from commonweal.services.forest.queries import plots, sources
from commonweal.services.forest.rules.evidence import Grade
from commonweal.services.forest.rules.sources import PARTNER_GRADES


@never_cache
@require_http_methods(["GET", "POST"])
def partner(request: HttpRequest) -> HttpResponse:
    """The sources of the organisations for which one acts: keys, batches, refusals, totals."""
    officer = session.signed_in(request)
    mine = sources.of_party(organisation.id for organisation in people.organisations_of(officer))
    refusal: Refusal | None = None
    if request.method == "POST":
        try:
            source = next((each for each in mine if each.key == request.POST.get("source", "")), None)
            if source is None:
                raise sources.unknown()
            if request.POST.get("word") == "revoke":
                actions.revoke_key(officer, source, _id(request.POST.get("key", "")))
            else:
                actions.add_key(officer, source, request.POST.get("public", ""))
            return see_other("forest:partner")
        except (Invalid, Conflict, NotAllowed, NotFound) as error:
            refusal = error
    shown = [
        {
            "source": source,
            "totals": queries.totals(source.id),
            "keys": queries.keys(source.id),
            "batches": queries.batches(source.id),
            "refusals": queries.refusals(source.id),
            "days": queries.days(source.id),
        }
        for source in mine
    ]
    context = {"sources": shown, "refusal": refusal, "form": request.POST if refusal else None}
    return render(request, "forest/partner.html", context, status=refusal.status if refusal else 200)


def _id(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError as error:
        raise NotFound("key.unknown", Text("There is no such key.", "没有这把密钥。")) from error


@never_cache
@require_http_methods(["GET", "POST"])
def partners(request: HttpRequest) -> HttpResponse:
    """For stewards: which organisations report deeds, and letting in another."""
    steward = session.signed_in(request)
    people.require_role(steward, people.STEWARD)
    refusal: Refusal | None = None
    if request.method == "POST":
        form = request.POST
        try:
            title = Text(form.get("title_en", "") or form.get("title_zh", ""), form.get("title_zh", ""))
            actions.admit(steward, _organisation(form.get("organisation", "")), form.get("key", "").strip(),
                          _grade(form.get("grade", "")), title)  # fmt: skip
            return see_other("forest:partners")
        except ValueError:
            refusal = Invalid("source.title", Text("Give a name in Chinese.", "请填写中文名称。"), field="title_zh")
        except (Invalid, Conflict, NotFound) as error:
            refusal = error
    context = {
        "partners": [(source, queries.totals(source.id)) for source in sources.partners()],
        "organisations": [(str(each.id), each.name) for each in plots.organisations()],
        "grades": [
            ("A", Text("A: its own gate or till saw it", "A：由其闸机或收银台记录")),
            ("B", Text("B: a device attests it", "B：由设备证明")),
        ],
        "refusal": refusal,
        "form": request.POST if refusal else None,
    }
    return render(request, "forest/partners.html", context, status=refusal.status if refusal else 200)


def _grade(text: str) -> Grade:
    if text not in PARTNER_GRADES:
        raise Invalid(
            "source.grade",
            Text("A partner's evidence is of grade A or B.", "合作方的证据为 A 级或 B 级。"),
            field="grade",
        )
    return "A" if text == "A" else "B"


def _organisation(text: str) -> Party:
    try:
        found = Party.objects.filter(pk=uuid.UUID(text), kind=Party.Kind.ORGANISATION).first()
    except ValueError:
        found = None
    if found is None:
        raise Invalid("source.organisation", Text("Choose an organisation.", "请选择机构。"), field="organisation")
    return found


urlpatterns = [path("partner/", partner, name="partner"), path("partners/", partners, name="partners")]
