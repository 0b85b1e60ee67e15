"""Charities and their campaigns: founding, filing, telling."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date

from django.db import connection, transaction

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict
from commonweal.kernel.files import store
from commonweal.kernel.ids import uuid7
from commonweal.kernel.jobs import enqueue
from commonweal.kernel.ledger import open_accounts, open_assets
from commonweal.kernel.parties import people
from commonweal.kernel.parties.models import Credential, Party
from commonweal.kernel.proof import Fact, append
from commonweal.kernel.proof.log import Cursor
from commonweal.kernel.quantity import CNY, Asset
from commonweal.kernel.text import Text
from commonweal.services.giving.actions import books
from commonweal.services.giving.models import Campaign, Filing, Need, Organisation, Update
from commonweal.services.giving.payment import providers
from commonweal.services.giving.queries.campaigns import QUALIFICATION, unknown
from commonweal.services.giving.rules import plans, texts
from commonweal.services.giving.rules.campaigns import Kind
from commonweal.services.giving.rules.gifts import COLLECTED
from commonweal.services.giving.rules.plans import Plan, Telling
from commonweal.services.giving.rules.terms import sort_key, terms


@dataclass(frozen=True, slots=True)
class Charity:
    """A charity that signs up."""

    name: Text
    registration: str
    about: Text
    contact: str


@dataclass(frozen=True, slots=True)
class Qualification:
    """A charity's qualification for public fundraising; `evidence` is the certificate."""

    number: str
    issuer: str
    valid_from: date
    valid_until: date | None
    evidence: bytes


@transaction.atomic
def found(officer: Party, charity: Charity) -> Party:
    """A charity signs up; whoever does it acts for it. Raises `Conflict` for a registration code in use."""
    code = people.check_registration(charity.registration)
    party = people.register_organisation(charity.name, code)
    people.grant_role(officer, people.OFFICER, party)
    Organisation.objects.create(
        party=party,
        identifier=code,
        about_en=texts.check(charity.about.en, "about_en", 4000, lines=True),
        about_zh=texts.check(charity.about.zh, "about_zh", 4000, lines=True),
        contact=texts.check(charity.contact, "contact", 200),
        sort_key=sort_key(charity.name.zh)[:400],
    )
    return party


@transaction.atomic
def claim(officer: Party, charity: Party, qualification: Qualification) -> Credential:
    """File a charity's qualification; it counts once two stewards have attested it (`people.attest`)."""
    people.require_role(officer, people.OFFICER, charity)
    return Credential.objects.create(
        holder=charity,
        kind=QUALIFICATION,
        number=texts.check(qualification.number, "number", 100),
        issuer=texts.check(qualification.issuer, "issuer", 200),
        evidence=store.take_document(qualification.evidence, field="evidence").digest,
        valid_from=qualification.valid_from,
        valid_until=qualification.valid_until,
        filed_at=clock.now(),
    )


@transaction.atomic
def publish(officer: Party, plan: Plan) -> Campaign:
    """Publish a campaign whose plan is filed; its book is opened and the filing becomes a fact.

    Raises `NotAllowed`, what `plans.check` raises, and `Conflict` with code `filing.used` for a number in use.
    """
    now = clock.now()
    charity = Party(id=plan.organisation)
    people.require_role(officer, people.OFFICER, charity)
    plans.check(plan, now)
    if Filing.objects.filter(number=plan.filing_number).exists():
        raise Conflict(
            "filing.used",
            Text("This filing number belongs to another campaign.", "该备案编号已用于其他项目。"),
            field="filing_number",
        )
    picture = store.take_picture(plan.picture).digest if plan.picture else ""
    shows = plan.picture_shows or plan.title
    campaign = Campaign.objects.create(
        organisation=charity,
        kind=Kind.CAMPAIGN,
        custody=plan.custody,
        fee_bearer=plan.fee_bearer,
        host_fee_numerator=plan.host_fee.numerator,
        host_fee_denominator=plan.host_fee.denominator,
        asset=CNY.code,
        cap=plan.cap,
        topic=plan.topic,
        title_en=texts.check(plan.title.en, "title_en", 200),
        title_zh=texts.check(plan.title.zh, "title_zh", 200),
        summary_en=texts.check(plan.summary.en, "summary_en", 400),
        summary_zh=texts.check(plan.summary.zh, "summary_zh", 400),
        story_en=texts.check(plan.story.en, "story_en", 20_000, lines=True),
        story_zh=texts.check(plan.story.zh, "story_zh", 20_000, lines=True),
        place_en=texts.check(plan.place.en, "place_en", 100),
        place_zh=texts.check(plan.place.zh, "place_zh", 100),
        picture=picture,
        drawing=plan.drawing,
        picture_en=shows.en,
        picture_zh=shows.zh,
        opens_at=plan.opens_at,
        closes_at=plan.closes_at,
        created_at=now,
    )
    Need.objects.bulk_create(
        Need(
            campaign=campaign,
            place=place,
            what_en=texts.check(need.what.en, "needs", 200),
            what_zh=texts.check(need.what.zh, "needs", 200),
            unit_en=texts.check(need.unit.en, "needs", 40),
            unit_zh=texts.check(need.unit.zh, "needs", 40),
            price=need.price,
            quantity=need.quantity,
        )
        for place, need in enumerate(plan.needs)
    )
    number = texts.check(plan.filing_number, "filing_number", 60)
    fields = {"campaign": str(campaign.id), "charity": str(charity.id), "filing": number}
    fact = Fact("giving.campaign", now, fields | {"goal": sum(need.cost for need in plan.needs), "asset": CNY.code})
    Filing.objects.create(campaign=campaign, number=number, filed_at=plan.filed_at, fact=fact.id)
    with connection.cursor() as cursor:
        open_book(cursor, campaign.id, CNY)
        index(cursor, campaign)
        append(cursor, fact)
    return campaign


def open_book(cursor: Cursor, book: uuid.UUID, asset: Asset) -> None:
    """The accounts that a campaign needs from its first gift to its last payout."""
    open_assets(cursor, [asset])
    channels = [COLLECTED, *providers()]
    open_accounts(
        cursor,
        [
            *(books.provider(book, asset.code, channel) for channel in channels),
            books.received(book, asset.code),
            books.fund(book, asset.code),
            books.bank(book, asset.code),
        ],
    )


def index(cursor: Cursor, campaign: Campaign) -> None:
    """Make a campaign findable: by its own words, its place and its organisation."""
    charity = Party.objects.get(pk=campaign.organisation_id)
    said = terms(
        campaign.title_en, campaign.title_zh, campaign.summary_en, campaign.summary_zh, campaign.place_en,
        campaign.place_zh, charity.name_en, charity.name_zh,
    )  # fmt: skip
    cursor.execute("UPDATE giving_campaign SET search = array_to_tsvector(%s) WHERE id = %s", [said, campaign.id])


@transaction.atomic
def tell(officer: Party, campaign_id: uuid.UUID, telling: Telling) -> Update:
    """Publish an update; everybody who has given is told. Raises `NotFound` (`campaign.unknown`), `NotAllowed`."""
    now = clock.now()
    campaign = Campaign.objects.filter(pk=campaign_id, kind=Kind.CAMPAIGN).first()
    if campaign is None:
        raise unknown()
    people.require_role(officer, people.OFFICER, Party(id=campaign.organisation_id))
    fields = {"campaign": str(campaign.id), "report": telling.report}
    fact = Fact("giving.update", now, fields, id=uuid7())
    update = Update.objects.create(
        campaign=campaign,
        report=telling.report,
        title_en=texts.check(telling.title.en, "title_en", 200),
        title_zh=texts.check(telling.title.zh, "title_zh", 200),
        body_en=texts.check(telling.body.en, "body_en", 20_000, lines=True),
        body_zh=texts.check(telling.body.zh, "body_zh", 20_000, lines=True),
        picture=store.take_picture(telling.picture).digest if telling.picture else "",
        picture_en=(telling.picture_shows or telling.title).en,
        picture_zh=(telling.picture_shows or telling.title).zh,
        by=officer,
        fact=fact.id,
        at=now,
    )
    with connection.cursor() as cursor:
        append(cursor, fact)
    enqueue("giving.tell", update=str(update.id))
    return update
