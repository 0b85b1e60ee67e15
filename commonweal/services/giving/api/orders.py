"""Vendors, their lists, and orders from them."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import Base64Bytes, Field

from commonweal.kernel.doors import Amount, Body, IdempotencyKey
from commonweal.kernel.parties import session
from commonweal.kernel.quantity import CNY, parse_amount
from commonweal.services.giving.actions import orders as actions
from commonweal.services.giving.actions import vendors as vendor_actions
from commonweal.services.giving.api.shapes import Both, Documents, Made, Words
from commonweal.services.giving.queries import campaigns, orders, vendors
from commonweal.services.giving.rules.orders import Billed, Wanted

router = Router()
Number = Annotated[int, Field(gt=0, le=1_000_000)]


class Vendor(Schema):
    """A vendor, known by its organisation; `fact` is its admission."""

    id: uuid.UUID
    name: Both
    about: Both
    fact: uuid.UUID


class Item(Schema):
    """A thing at its list price."""

    id: uuid.UUID
    what: Both
    unit: Both
    price: Amount


class Line(Schema):
    """A line of an order: for which need, at what agreed price, how many ordered, arrived and paid."""

    line: int
    need: Both
    what: Both
    price: Amount
    ordered: int
    arrived: int
    paid: Amount


class Order(Schema):
    """An order; `id` is also that of its payout. `saved` is known once it is invoiced."""

    id: uuid.UUID
    vendor: uuid.UUID
    state: str
    what: Both
    approved: Amount
    saved: Amount | None
    asked_at: datetime
    lines: list[Line]


class Admission(Body):
    """An organisation that becomes a vendor."""

    organisation: uuid.UUID
    about: Words
    contact: Annotated[str, Field(max_length=200)]


class NewItem(Body):
    """A thing at a price in yuan."""

    what: Words
    unit: Words
    price: str


class Want(Body):
    """So many of an item, for a need, by the need's place in the campaign's budget (from 1)."""

    item: uuid.UUID
    need: Number
    quantity: Number


class NewOrder(Body):
    """What is ordered of a vendor; `quotation` in base64."""

    vendor: uuid.UUID
    what: Words
    lines: Annotated[list[Want], Field(max_length=30)]
    quotation: Base64Bytes


class Came(Body):
    """How many of a line have come."""

    line: Number
    quantity: Number


class NewArrival(Body):
    """What the receiving side has got; `link` is the signed word from the charity's link."""

    link: Annotated[str, Field(max_length=500)]
    lines: Annotated[list[Came], Field(max_length=30)]
    evidence: Documents


class Bill(Body):
    """A line of an invoice, `price` in yuan."""

    line: Number
    price: str
    quantity: Number


class VendorInvoice(Body):
    """A vendor's invoice; `document` in base64."""

    lines: Annotated[list[Bill], Field(max_length=30)]
    document: Base64Bytes


class Reason(Body):
    """Why."""

    reason: Annotated[str, Field(max_length=400)]


@router.get("/vendors", response=list[Vendor], auth=None, summary="Vendors")
def admitted(request: HttpRequest) -> list[Vendor]:
    """All that are admitted."""
    return [
        Vendor(id=each.id, name=Both.of(each.name), about=Both.of(each.about), fact=each.fact)
        for each in vendors.vendors()
    ]


@router.post("/vendors", response={204: None}, summary="Admit a vendor")
def admit(request: HttpRequest, vendor: Admission) -> Status[None]:
    """For stewards."""
    vendor_actions.admit(session.signed_in(request), vendor.organisation, vendor.about.text, vendor.contact)
    return Status(204, None)


@router.get("/vendors/{uuid:vendor}/items", response=list[Item], auth=None, summary="A vendor's list")
def items(request: HttpRequest, vendor: uuid.UUID) -> list[Item]:
    """What is on offer now."""
    vendors.vendor(vendor)
    return [
        Item(id=each.id, what=Both.of(each.what), unit=Both.of(each.unit), price=Amount.of(each.price, CNY))
        for each in vendors.items(vendor)
    ]


@router.post("/vendors/{uuid:vendor}/items", response={201: Made}, summary="Offer a thing")
def offer(request: HttpRequest, vendor: uuid.UUID, item: NewItem) -> Status[Made]:
    """For the vendor."""
    price = parse_amount(item.price, CNY, field="price")
    party = session.signed_in(request)
    return Status(201, Made(id=vendor_actions.offer(party, vendor, item.what.text, item.unit.text, price)))


@router.delete("/items/{uuid:item}", response={204: None}, summary="Offer a thing no longer")
def end(request: HttpRequest, item: uuid.UUID) -> Status[None]:
    """For the vendor; what is ordered stays."""
    vendor_actions.end(session.signed_in(request), item)
    return Status(204, None)


@router.get("/campaigns/{uuid:campaign}/orders", response=list[Order], auth=None, summary="What was bought")
def bought(request: HttpRequest, campaign: uuid.UUID) -> list[Order]:
    """The orders of a campaign, newest first."""
    asset = campaigns.card(campaign).asset
    return [
        Order(
            id=each.payout.id,
            vendor=each.vendor,
            state=each.state.value,
            what=Both.of(each.payout.what),
            approved=Amount.of(each.approved, asset),
            saved=None if each.saved is None else Amount.of(each.saved, asset),
            asked_at=each.payout.asked_at,
            lines=[
                Line(
                    line=line.place,
                    need=Both.of(line.need_what),
                    what=Both.of(line.what),
                    price=Amount.of(line.price, asset),
                    ordered=line.quantity,
                    arrived=line.arrived,
                    paid=Amount.of(line.paid, asset),
                )
                for line in each.lines
            ],
        )
        for each in orders.of_campaign(campaign)
    ]


@router.post("/campaigns/{uuid:campaign}/orders", response={201: Made}, summary="Order from a vendor")
def order(request: HttpRequest, campaign: uuid.UUID, order: NewOrder, key: IdempotencyKey) -> Status[Made]:
    """For the campaign's charity; two stewards then look at it, as at a payout."""
    party = session.signed_in(request)
    campaigns.card(campaign)
    needs = dict(enumerate((need.id for need in orders.needs(campaign)), 1))
    wanted = [Wanted(needs.get(each.need, 0), each.item, each.quantity) for each in order.lines]
    id = actions.order(party, campaign, order.vendor, wanted, order.what.text, order.quotation, key)
    return Status(201, Made(id=id))


@router.post("/arrivals", response={204: None}, summary="Confirm what has come")
def arrive(request: HttpRequest, arrival: NewArrival) -> Status[None]:
    """For the receiving side, never for whoever has ordered."""
    got = {each.line: each.quantity for each in arrival.lines}
    actions.arrive(session.signed_in(request), arrival.link, got, arrival.evidence)
    return Status(204, None)


@router.post("/campaigns/{uuid:campaign}/orders/{uuid:order}/invoice", response={204: None}, summary="Enter an invoice")
def invoice(request: HttpRequest, campaign: uuid.UUID, order: uuid.UUID, invoice: VendorInvoice) -> Status[None]:
    """For the charity: only what has arrived, at most at the agreed price. It is then paid."""
    billed = [Billed(each.line, parse_amount(each.price, CNY, field="price"), each.quantity) for each in invoice.lines]
    actions.invoice(session.signed_in(request), campaign, order, billed, invoice.document)
    return Status(204, None)


@router.post("/campaigns/{uuid:campaign}/orders/{uuid:order}/cancel", response={204: None}, summary="Cancel an order")
def cancel(request: HttpRequest, campaign: uuid.UUID, order: uuid.UUID, reason: Reason) -> Status[None]:
    """For the charity and stewards, while nothing has arrived."""
    actions.cancel(session.signed_in(request), campaign, order, reason.reason)
    return Status(204, None)
