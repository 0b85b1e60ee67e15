"""A charity states the figures of its years; everybody sees them beside the limits of the law."""

from __future__ import annotations

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from commonweal.kernel import clock
from commonweal.kernel.doors import see_other
from commonweal.kernel.errors import Invalid, TooLarge
from commonweal.kernel.parties import session
from commonweal.kernel.quantity import CNY, parse_amount
from commonweal.kernel.text import Text
from commonweal.services.giving.actions import years as actions
from commonweal.services.giving.pages.founding import acted_for
from commonweal.services.giving.queries import years as queries
from commonweal.services.giving.rules import plans
from commonweal.services.giving.rules import spending as rules


@require_http_methods(["GET", "POST"])
def years(request: HttpRequest, organisation: uuid.UUID) -> HttpResponse:
    """State a year."""
    party, form = session.signed_in(request), request.POST
    charity = acted_for(party, organisation)
    refusal = None
    if request.method == "POST":
        try:
            accounts = request.FILES.get("accounts")
            if accounts is None:
                raise Invalid("evidence.missing", Text("Add the accounts.", "请上传财务报告。"), field="accounts")
            year = parse_amount(form.get("year", "").strip(), plans.THINGS, field="year", maximum=2200)
            actions.state(party, organisation, year, _figures(request), accounts.read())
            return see_other("giving:years", organisation)
        except (Invalid, TooLarge) as error:
            refusal = error
    context = {
        "charity": charity,
        "years": queries.of(organisation),
        "source": rules.SOURCE,
        "forms": rules.TITLES.items(),
        "last": clock.now().year - 1,
        "refusal": refusal,
        "form": form if refusal else None,
    }
    return render(request, "giving/years.html", context, status=refusal.status if refusal else 200)


def _figures(request: HttpRequest) -> rules.Year:
    form = request.POST
    if form.get("form", "") not in set(rules.Form):
        raise Invalid("year.form", Text("Choose what kind of body it is.", "请选择组织形式。"), field="form")

    def amount(field: str) -> int:
        return parse_amount(form.get(field, "").strip(), CNY, field=field, minimum=0)

    return rules.Year(
        rules.Form(form["form"]), amount("income"), amount("spending"), amount("programme"), amount("management")
    )
