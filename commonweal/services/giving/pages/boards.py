"""The board of a time bank: what members offer and need, and one of these with what is written about it."""

from __future__ import annotations

import uuid
from itertools import groupby

from django.http import HttpRequest, HttpResponse, QueryDict
from django.views.decorators.http import require_http_methods

from commonweal.kernel.doors import form_key, see_other
from commonweal.kernel.errors import Conflict, Invalid, NotAllowed
from commonweal.kernel.parties import session
from commonweal.kernel.parties.models import Party
from commonweal.kernel.text import Text
from commonweal.services.giving.actions import board as actions
from commonweal.services.giving.pages.banks import acts, shown
from commonweal.services.giving.pages.forms import amount, one_of, whole
from commonweal.services.giving.queries import banks
from commonweal.services.giving.queries import board as queries
from commonweal.services.giving.rules import board as rules
from commonweal.services.giving.rules import texts
from commonweal.services.giving.rules.banks import CATEGORIES
from commonweal.services.giving.rules.deeds import MINUTES

KINDS = [(kind.value, title) for kind, title in rules.TITLES.items()]
DAYS = [(str(days), Text(f"{days} days", f"{days} 天")) for days in rules.LASTS]
ANY = ("", Text("All", "全部"))


@require_http_methods(["GET", "POST"])
def board(request: HttpRequest, bank: uuid.UUID) -> HttpResponse:
    """What stands on the board of a bank and of its allies, searched; a member puts something up."""
    party, there, refusal = session.visitor(request), banks.bank(bank), None
    if request.method == "POST":
        party = session.signed_in(request)
        try:
            return see_other(
                "giving:listing", bank, actions.put_up(party, bank, _wish(request.POST), form_key(request))
            )
        except (Invalid, Conflict) as error:
            refusal = error
    search = {name: request.GET.get(name, "")[:100] for name in ("q", "kinds", "about")}
    kind = rules.Kind(search["kinds"]) if search["kinds"] in set(rules.Kind) else None
    member = banks.member_of(bank, party.id) if party else None
    context = {
        "bank": there,
        "listings": queries.listings(queries.around(bank), kind=kind, category=search["about"], words=search["q"]),
        "member": member,
        "mine": {each.id for each in queries.of_member(member.id)} if member else set(),
        "kinds": KINDS,
        "kinds_or_any": [ANY, *KINDS],
        "categories": list(CATEGORIES.items()),
        "categories_or_any": [ANY, *CATEGORIES.items()],
        "days": DAYS,
        "search": search,
    }
    return shown(request, "giving/board.html", context, refusal)


def _wish(form: QueryDict) -> rules.Wish:
    try:
        kind = rules.Kind(form.get("kind", ""))
    except ValueError as error:
        raise Invalid("choice.none", Text("Choose one of these.", "请选择一项。"), field="kind") from error
    what = texts.both(form.get("what_en", ""), form.get("what_zh", ""), "what", rules.LONGEST)
    return rules.Wish(kind, form.get("category", ""), what, form.get("district", ""), whole(form, "days", 0))


@require_http_methods(["GET", "POST"])
def listing(request: HttpRequest, bank: uuid.UUID, id: uuid.UUID) -> HttpResponse:
    """One offer or need: writing to its member, asking for an exchange, answering, and taking it off."""
    party, there, found, refusal = session.visitor(request), banks.bank(bank), queries.one(bank, id), None
    if request.method == "POST":
        party = session.signed_in(request)
        try:
            return _carry_out(request, party, bank, found)
        except (Invalid, Conflict, NotAllowed) as error:
            refusal = error
    member = banks.member_of(bank, party.id) if party else None
    own = party is not None and party.id == found.person
    written = queries.read_by(party.id, bank, found) if party else []
    context = {
        "bank": there,
        "listing": found,
        "own": own,
        "member": member if member and member.active else None,
        "officer": acts(party, banks.bank(found.bank)),
        "talks": [list(each) for _, each in groupby(written, lambda word: word.other)],
        "others": [(each.other, each.other_title) for each in {word.other: word for word in written}.values()],
    }
    return shown(request, "giving/listing.html", context, refusal)


def _carry_out(request: HttpRequest, party: Party, bank: uuid.UUID, found: queries.Listing) -> HttpResponse:
    form = request.POST
    match form.get("word", ""):
        case "write":
            actions.write(party, bank, found.id, form.get("text", ""))
        case "answer":
            actions.answer(party, bank, found.id, one_of(form, "other"), form.get("text", ""))
        case "exchange":
            asked = actions.exchange(party, bank, found.id, amount(form, "minutes", MINUTES), form_key(request))
            return see_other("giving:exchange", asked.book, asked.id)
        case "take-off":
            actions.take_off(party, bank, found.id, form.get("note", ""))
            return see_other("giving:board", bank)
        case _:
            raise Invalid("choice.none", Text("Choose one of these.", "请选择一项。"))
    return see_other("giving:listing", bank, found.id)
