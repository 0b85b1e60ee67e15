"""Pools of matching: for everybody what was promised and what became of it, for the charity the form to enter one, for
stewards the word on its settlement."""

from __future__ import annotations

import uuid
from fractions import Fraction

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from commonweal.kernel import clock
from commonweal.kernel.doors import form_key, see_other
from commonweal.kernel.errors import Conflict, Invalid, NotAllowed
from commonweal.kernel.parties import people, session
from commonweal.kernel.quantity import Asset
from commonweal.services.giving import matching
from commonweal.services.giving.actions import matches as actions
from commonweal.services.giving.actions import settlements
from commonweal.services.giving.matching import examples
from commonweal.services.giving.matching.pool import Scheme
from commonweal.services.giving.pages.charity import officer_of
from commonweal.services.giving.pages.forms import amount, moment, optional_amount, several, whole
from commonweal.services.giving.queries import campaigns, cases, companies, teams
from commonweal.services.giving.queries import pools as queries
from commonweal.services.giving.rules import matches as rules
from commonweal.services.giving.rules.matches import Promise

TEAMS = 5
"""Teams of a campaign that the page of a pool names."""
SCHEMES = [(scheme.name, scheme.title) for scheme in matching.SCHEMES]


@require_http_methods(["GET", "POST"])
def pools(request: HttpRequest, campaign: uuid.UUID) -> HttpResponse:
    """The pools of a campaign; its charity enters one whose money it has received."""
    party, card, refusal = session.visitor(request), campaigns.card(campaign), None
    if request.method == "POST":
        party, card = officer_of(request, campaign)
        try:
            id = actions.fund(party, _promise(request.POST, card), form_key(request))
            return see_other("giving:pool", campaign, id)
        except (Invalid, Conflict) as error:
            refusal = error
    officer = party is not None and campaigns.acts_for(party.id, campaign)
    others = campaigns.of_organisations([card.organisation_id]) if officer else []
    context = {
        "card": card,
        "pools": queries.of(campaign),
        "officer": officer,
        "schemes": SCHEMES,
        "others": [other for other in others if other.id != campaign and other.is_open],
        "refusal": refusal,
        "form": request.POST if refusal else None,
    }
    return render(request, "giving/pools.html", context, status=refusal.status if refusal else 200)


def _promise(form: QueryDict, card: campaigns.Card) -> Promise:
    asset, opens, closes = card.asset, moment(form, "opens_at"), moment(form, "closes_at")
    named = {"gift": "gift_cap", "donor_day": "day_cap", "project": "project_cap"}
    scheme = _scheme(form, asset)
    caps = {name: optional_amount(form, field, asset) for name, field in named.items()}
    others = sorted({*several(form, "campaigns")} - {card.id})
    return Promise(
        company=companies.by_registration(form.get("registration", "")),
        campaigns=(card.id, *others),
        scheme=scheme,
        slices=rules.even_slices(opens, closes, amount(form, "amount", asset), whole(form, "slices", 1)),
        caps=matching.Caps(**caps),
        review_days=whole(form, "review_days", 7),
    )


def _scheme(form: QueryDict, asset: Asset) -> Scheme:
    """The scheme that the form names, with its own fields. Without a name it is the plain proportion."""
    name = form.get("scheme", "") or matching.Proportional.name
    if name == matching.ProRata.name:
        return matching.ProRata(optional_amount(form, "donor_most", asset))
    if name == matching.Quadratic.name:
        return matching.Quadratic()
    if name in (matching.PairwiseButerin.name, matching.PairwiseGitcoin.name):
        bound = optional_amount(form, "bound", asset) or 25 * 10**asset.exponent
        pairwise = matching.PairwiseButerin if name == matching.PairwiseButerin.name else matching.PairwiseGitcoin
        return pairwise(bound)
    rate = rules.parse_rate(form.get("rate", "").strip())
    if name == matching.RandomBoost.name:
        return matching.RandomBoost(Fraction(1), rate, matching.SOURCED_TIERS)
    if name == matching.OnePlusX.name:
        people_of, more = whole(form, "team_of", 3), rules.parse_rate(form.get("team_rate", "").strip() or "0.5")
        return matching.OnePlusX(rate, (matching.Extra(more, team_of=people_of),))
    return matching.Proportional(rate)


@require_safe
def pool(request: HttpRequest, campaign: uuid.UUID, pool: uuid.UUID) -> HttpResponse:
    """One pool: its rules, its matches, its file and its settlement. Gifts are known by their numbers."""
    return _show(request, campaign, pool)


def _show(
    request: HttpRequest, campaign: uuid.UUID, pool: uuid.UUID, refusal: Invalid | Conflict | NotAllowed | None = None
) -> HttpResponse:
    found, party = queries.one(campaign, pool), session.visitor(request)
    steward = party is not None and people.STEWARD in people.roles(party)
    context = {
        "pool": found,
        "matches": queries.matches(campaign, pool),
        "checks": cases.of_pool(found),
        "words": queries.words(found) if found.digest else [],
        "may_judge": steward and found.state is rules.State.JUDGED,
        "campaigns": [campaigns.card(each) for each in found.campaigns],
        "slices": rules.left_by_slice(found.rules, found.free, clock.now()),
        "at_once": rules.holds_at_once(found.rules.scheme),
        "lots": found.commitment and found.seed,
        "teams": [team for each in found.campaigns for team in teams.teams(each, TEAMS) if team.told_at],
        "refusal": refusal,
        "form": request.POST if refusal else None,
    }
    return render(request, "giving/pool.html", context, status=refusal.status if refusal else 200)


@require_POST
def judge(request: HttpRequest, campaign: uuid.UUID, pool: uuid.UUID) -> HttpResponse:
    """A steward agrees to a settlement, or does not."""
    steward, form = session.signed_in(request), request.POST
    try:
        settlements.judge(
            steward, campaign, pool, form.get("digest", ""), approves=form.get("word") == "approve",
            note=form.get("note", ""),
        )  # fmt: skip
    except (Invalid, Conflict, NotAllowed) as refusal:
        return _show(request, campaign, pool, refusal)
    return see_other("giving:pool", campaign, pool)


@require_safe
def draw(request: HttpRequest, campaign: uuid.UUID, pool: uuid.UUID, gift: uuid.UUID) -> HttpResponse:
    """The lot of one gift, step by step, so that whoever gave it can draw again."""
    found = queries.one(campaign, pool)
    asked, drawn = queries.draw(found, gift)
    context = {"pool": found, "gift": asked, "draw": drawn, "scheme": found.rules.scheme}
    if drawn:
        context |= {"u": f"{drawn.u:064x}", "v": "" if drawn.v is None else f"{drawn.v:064x}"}
    return render(request, "giving/draw.html", context)


@never_cache
@require_safe
def file(request: HttpRequest, campaign: uuid.UUID, pool: uuid.UUID) -> HttpResponse:
    """The pool's file: whoever has it computes the matches again, offline."""
    written = queries.published(queries.one(campaign, pool))
    headers = {"Content-Disposition": f'attachment; filename="pool-{pool}.json"'}
    return HttpResponse(written, content_type="application/json; charset=utf-8", headers=headers)


@require_safe
def settlements_due(request: HttpRequest) -> HttpResponse:
    """The pools that have closed: in review, or waiting for a word."""
    people.require_role(session.signed_in(request), people.STEWARD)
    return render(request, "giving/settlements.html", {"pools": queries.closed()})


@require_safe
def schemes(request: HttpRequest) -> HttpResponse:
    """Each way to match, explained."""
    # Their names, not the classes: a template would call what it can call.
    worked = examples.examples()
    shown = [(scheme.name, scheme.title, scheme.explanation, worked[scheme.name]) for scheme in matching.SCHEMES]
    return render(request, "giving/schemes.html", {"schemes": shown, "limits": matching.LIMITS.values()})
