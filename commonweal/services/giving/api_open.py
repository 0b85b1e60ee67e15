"""Giving for programs, second part: what is told, what was paid, one's own account, and webhooks."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest
from ninja import Path, Router, Schema, Status
from pydantic import Field

from commonweal.kernel.doors import Amount, Body, IdempotencyKey
from commonweal.kernel.parties import session
from commonweal.kernel.quantity import CNY
from commonweal.kernel.text import Text
from commonweal.services.giving.actions import deeds as deed_actions
from commonweal.services.giving.actions import givers as giver_actions
from commonweal.services.giving.actions import webhooks as actions
from commonweal.services.giving.queries import appeals, campaigns, deeds, givers, payouts
from commonweal.services.giving.queries import webhooks as queries
from commonweal.services.giving.rules import appeals as appeal_rules
from commonweal.services.giving.rules import deeds as deed_rules

router = Router()


class Said(Schema):
    """A text in both languages."""

    en: str
    zh: str

    @classmethod
    def of(cls, text: Text) -> Said:
        return cls(en=text.en, zh=text.zh)


class Update(Schema):
    """What a charity has told; `fact` is its leaf in the public log."""

    id: uuid.UUID
    report: bool
    title: Said
    body: Said
    fact: uuid.UUID
    at: datetime


class Payout(Schema):
    """A payout; `fact` is its leaf in the public log once it is paid."""

    id: uuid.UUID
    amount: Amount
    what: Said
    state: str
    asked_at: datetime
    paid_at: datetime | None
    fact: uuid.UUID | None


class StatementRow(Schema):
    """A gift of one's own, and how much of it is spent."""

    campaign: uuid.UUID
    gift: uuid.UUID
    at: datetime
    title: Said
    organisation: Said
    amount: Amount
    spent: Amount


class Got(Schema):
    """What a campaign has been given of one asset beside money, and by how many."""

    asset: str
    amount: int
    people: int


class NewAct(Amount):
    """Steps, flowers or books. `device` is a signal of the door's own; only its hash is kept."""

    device: Annotated[str, Field(max_length=64)] = ""


class Act(Schema):
    """A gift of action."""

    id: uuid.UUID


class Shift(Schema):
    """When help is wanted, by how many, and how many have signed up."""

    id: uuid.UUID
    what: Said
    starts_at: datetime
    ends_at: datetime
    seats: int
    taken: int


class Appeal(Schema):
    """A person's appeal: no fundraising by a charity, see `warning`. `campaign` is the one that has adopted it."""

    id: uuid.UUID
    title: Said
    state: str
    amount: Amount
    campaign: uuid.UUID | None
    warning: Said


class NewWebhook(Body):
    """Where to call: an https address of the open internet."""

    campaign: uuid.UUID
    address: Annotated[str, Field(max_length=500)]


class Webhook(Schema):
    """A webhook. `waiting` deliveries have not arrived, or never will."""

    id: uuid.UUID
    campaign: uuid.UUID
    address: str
    at: datetime
    delivered: int
    waiting: int


class MadeWebhook(Schema):
    """A new webhook with its secret, shown this once."""

    id: uuid.UUID
    secret: str


@router.get("/campaigns/{uuid:campaign}/updates", response=list[Update], auth=None, summary="What a charity tells")
def updates(request: HttpRequest, campaign: uuid.UUID) -> list[Update]:
    """The updates and reports of a campaign, newest first."""
    return [
        Update(
            id=each.id,
            report=each.report,
            title=Said.of(each.title),
            body=Said.of(each.body),
            fact=each.fact,
            at=each.at,
        )
        for each in campaigns.page(campaign).updates
    ]


@router.get("/campaigns/{uuid:campaign}/payouts", response=list[Payout], auth=None, summary="Where the money went")
def paid(request: HttpRequest, campaign: uuid.UUID) -> list[Payout]:
    """The payouts of a campaign, oldest first."""
    campaigns.card(campaign)
    return [
        Payout(
            id=each.id,
            amount=Amount.of(each.amount, each.asset),
            what=Said.of(each.what),
            state=each.state.value,
            asked_at=each.asked_at,
            paid_at=each.paid_at,
            fact=each.paid_fact,
        )
        for each in payouts.payouts_of(campaign)
    ]


@router.get("/campaigns/{uuid:campaign}/deeds", response=list[Got], auth=None, summary="Actions and time given")
def got(request: HttpRequest, campaign: uuid.UUID) -> list[Got]:
    """What a campaign has in every asset beside money."""
    campaigns.card(campaign)
    return [Got(asset=each.asset.code, amount=each.amount, people=each.people) for each in deeds.got(campaign)]


@router.post("/campaigns/{uuid:campaign}/deeds", response={201: Act}, summary="Give steps, flowers or books")
def act(request: HttpRequest, campaign: uuid.UUID, deed: NewAct, key: IdempotencyKey) -> Status[Act]:
    """Within the day's limits for each person and device."""
    party, asset = session.signed_in(request), deed_rules.action(deed.asset)
    return Status(201, Act(id=deed_actions.act(party, campaign, asset.code, deed.read(asset), key, deed.device)))


@router.get("/campaigns/{uuid:campaign}/shifts", response=list[Shift], auth=None, summary="When help is wanted")
def shifts(request: HttpRequest, campaign: uuid.UUID) -> list[Shift]:
    """The shifts of a campaign, next first."""
    campaigns.card(campaign)
    return [
        Shift(
            id=each.id,
            what=Said.of(each.what),
            starts_at=each.starts_at,
            ends_at=each.ends_at,
            seats=each.seats,
            taken=each.taken,
        )
        for each in deeds.shifts(campaign)
    ]


@router.post("/shifts/{uuid:shift}/signup", response={204: None}, summary="Sign up for a shift")
def sign_up(request: HttpRequest, shift: uuid.UUID) -> Status[None]:
    """Take a place; doing it twice is doing it once."""
    deed_actions.sign_up(session.signed_in(request), shift)
    return Status(204, None)


@router.get("/appeals", response=list[Appeal], auth=None, summary="Persons who ask for help")
def public_appeals(request: HttpRequest) -> list[Appeal]:
    """What is public, newest first. None of them takes money."""
    return [
        Appeal(
            id=each.id,
            title=Said.of(each.title),
            state=each.state.value,
            amount=Amount.of(each.amount, CNY),
            campaign=each.campaign,
            warning=Said.of(appeal_rules.WARNING),
        )
        for each in appeals.public()
    ]


@router.put("/campaigns/{uuid:campaign}/follow", response={204: None}, summary="Follow a campaign")
def follow(request: HttpRequest, campaign: uuid.UUID, reminds: bool = False) -> Status[None]:
    """Be told what it tells; with `reminds` have a word a month."""
    giver_actions.follow(session.signed_in(request), campaign, reminds=reminds)
    return Status(204, None)


@router.delete("/campaigns/{uuid:campaign}/follow", response={204: None}, summary="Follow no longer")
def unfollow(request: HttpRequest, campaign: uuid.UUID) -> Status[None]:
    """Hear no more of it."""
    giver_actions.unfollow(session.signed_in(request), campaign)
    return Status(204, None)


@router.get("/statement/{year}", response=list[StatementRow], summary="One's own gifts of a year")
def statement(request: HttpRequest, year: Annotated[int, Path(ge=2000, le=2200)]) -> list[StatementRow]:
    """The gifts that arrived in a year of the local calendar, oldest first."""
    party, zone = session.signed_in(request), ZoneInfo(settings.LOCAL_ZONE)
    made = givers.statement(party.id, datetime(year, 1, 1, tzinfo=zone), datetime(year + 1, 1, 1, tzinfo=zone))
    return [
        StatementRow(
            campaign=each.campaign,
            gift=each.gift,
            at=each.at,
            title=Said.of(each.title),
            organisation=Said.of(each.organisation),
            amount=Amount.of(each.amount, each.asset),
            spent=Amount.of(each.spent, each.asset),
        )
        for each in made.rows
    ]


@router.get("/webhooks", response=list[Webhook], summary="One's own webhooks")
def own_webhooks(request: HttpRequest) -> list[Webhook]:
    """The webhooks that are called, oldest first."""
    return [
        Webhook(
            id=each.id,
            campaign=each.campaign,
            address=each.address,
            at=each.at,
            delivered=each.delivered,
            waiting=each.waiting,
        )
        for each in queries.of(session.signed_in(request).id)
    ]


@router.post("/webhooks", response={201: MadeWebhook}, summary="Be called")
def add_webhook(request: HttpRequest, webhook: NewWebhook) -> Status[MadeWebhook]:
    """From now on, gifts, updates and payouts of a campaign are posted to the address.

    Each call has the header `Commonweal-Signature: t=<Unix time>,v1=<hex>`: HMAC-SHA256 under the secret over the
    time, a full stop and the body. Answer 2xx within ten seconds; anything else is tried again, eight times.
    """
    id, secret = actions.add(session.signed_in(request), webhook.campaign, webhook.address)
    return Status(201, MadeWebhook(id=id, secret=secret))


@router.delete("/webhooks/{uuid:webhook}", response={204: None}, summary="Be called no longer")
def end_webhook(request: HttpRequest, webhook: uuid.UUID) -> Status[None]:
    """The webhook is called no longer."""
    actions.end(session.signed_in(request), webhook)
    return Status(204, None)
