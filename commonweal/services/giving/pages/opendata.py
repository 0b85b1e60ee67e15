"""Open data: files of the field's formats, and feeds of what charities tell."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import reverse
from django.utils.feedgenerator import Atom1Feed
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from commonweal.kernel import clock
from commonweal.services.giving import iati as standard
from commonweal.services.giving.queries import campaigns, opendata
from commonweal.services.giving.threesixty import write


@require_safe
def iati(request: HttpRequest) -> StreamingHttpResponse:
    """All campaigns as activities of IATI 2.03."""
    headers = {"Content-Disposition": 'attachment; filename="commonweal-iati.xml"'}
    pieces = standard.write(opendata.activities(), clock.now())
    return StreamingHttpResponse(pieces, content_type="application/xml; charset=utf-8", headers=headers)


@require_safe
def threesixty(request: HttpRequest) -> StreamingHttpResponse:
    """All payouts as grants of 360Giving."""
    headers = {"Content-Disposition": 'attachment; filename="commonweal-360giving.json"'}
    pieces = write(opendata.disbursements())
    return StreamingHttpResponse(pieces, content_type="application/json; charset=utf-8", headers=headers)


@require_safe
def feed(request: HttpRequest, campaign: uuid.UUID) -> HttpResponse:
    """What a charity tells of its campaign, as an Atom feed (RFC 4287) in the language of its address."""
    page, language = campaigns.page(campaign), get_language()
    address = settings.ADDRESS + reverse("giving:campaign", args=[campaign])
    atom = Atom1Feed(
        title=page.card.title.say(language),
        link=address,
        description="",
        language=language,
        feed_url=settings.ADDRESS + request.get_full_path(),
        feed_guid=f"urn:uuid:{campaign}",
        author_name=page.card.organisation.say(language),
    )
    for update in page.updates:
        atom.add_item(
            title=update.title.say(language),
            link=f"{address}#updates",
            description=update.body.say(language),
            unique_id=f"urn:uuid:{update.id}",
            pubdate=update.at,
            updateddate=update.at,
        )
    return HttpResponse(atom.writeString("utf-8"), content_type="application/atom+xml; charset=utf-8")
