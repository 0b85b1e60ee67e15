"""What real providers state of a day: their bills, read through their SDKs from doors of this machine, against the
books."""

from __future__ import annotations

import hashlib
import json
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from commonweal.kernel import clock
from commonweal.kernel.errors import Busy
from commonweal.services.giving import jobs, pages
from commonweal.services.giving.actions import gifts, returns
from commonweal.services.giving.actions.reconciliation import reconcile
from commonweal.services.giving.payment import Entry, Kind, Settlement, alipay, stripe, wechat
from commonweal.services.giving.queries import reconciliation as queries
from commonweal.services.giving.queries import returns as return_queries
from commonweal.services.giving.rules.gifts import Give, Outcome
from commonweal.services.giving.tests.bills import Account
from commonweal.services.giving.tests.conftest import DAY, NOW, World
from commonweal.services.giving.tests.test_fees import hosted, of_book
from commonweal.services.giving.tests.test_payouts import pay_out
from commonweal.services.giving.tests.test_providers import (
    BOOK,
    CARD,
    GIFT,
    REFUND,
    ali_pay,
    alipay_event,
    ours,
    rsa_sign,
    theirs,
    wechat_event,
    wechat_pay,
)

__all__ = ["ali_pay", "ours", "theirs", "wechat_pay"]
assert pages.urlpatterns, "loaded before a fixture puts other providers in place"
TODAY = date(2026, 11, 25)
Bills = dict[tuple[str, str], bytes]
"""By kind and day."""


class Door(BaseHTTPRequestHandler):
    """A provider's door: answers GET with what is laid out for the path."""

    answer: ClassVar[Callable[[str, dict[str, list[str]]], tuple[int, dict[str, str], bytes]]]

    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        status, headers, body = type(self).answer(asked.path, parse_qs(asked.query))
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


@pytest.fixture
def door() -> Iterator[tuple[str, type[Door]]]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", Door
    server.shutdown()
    server.server_close()


# Stripe


def listed(*data: dict[str, Any], more: bool = False) -> bytes:
    return json.dumps({"object": "list", "data": data, "has_more": more, "url": "/v1/x"}).encode()


def transaction(number: str, kind: str, amount: int, fee: int, /, **source: Any) -> dict[str, Any]:
    """As docs.stripe.com/api/balance_transactions/object has it."""
    said = {"id": number, "object": "balance_transaction", "type": kind, "currency": "cny", "status": "available"}
    return said | {"amount": amount, "fee": fee, "net": amount - fee, "source": source or None}


def test_stripe_states_a_day_and_what_it_has_paid_out(
    door: tuple[str, type[Door]], monkeypatch: pytest.MonkeyPatch
) -> None:
    from stripe import StripeClient

    address, handler = door
    client = StripeClient("sk_test", base_addresses={"api": address}, max_network_retries=0)
    monkeypatch.setattr(stripe.Stripe, "_client", client)
    named = {"book": str(BOOK), "gift": str(GIFT)}
    pages_of = [
        [transaction("txn_1", "charge", 500, 20, id="ch_1", object="charge", payment_intent="pi_1", metadata=named,
                     payment_method_details={"type": "card", "card": {"fingerprint": "Xt5EWLLDS7FJjR1c"}}),
         transaction("txn_2", "refund", -200, 0, id="re_1", object="refund", metadata=named)],
        [transaction("txn_3", "adjustment", -300, 1_500, id="du_1", object="dispute", metadata={}),
         transaction("txn_4", "adjustment", 300, 0, id="du_1", object="dispute", metadata={}),
         transaction("txn_5", "payout", -280, 0, id="po_1", object="payout")],
    ]  # fmt: skip
    asked: list[dict[str, list[str]]] = []

    def answer(path: str, query: dict[str, list[str]]) -> tuple[int, dict[str, str], bytes]:
        asked.append(query)
        if path == "/v1/payouts":
            payout = {"id": "po_1", "object": "payout", "amount": -1_220, "currency": "cny", "arrival_date": 0}
            return 200, {}, listed(payout)
        page = 1 if "starting_after" in query else 0
        return 200, {}, listed(*pages_of[page], more=page == 0)

    handler.answer = staticmethod(answer)
    lines = (
        Entry(Kind.PAYMENT, GIFT, 500, "CNY", "pi_1", 20, "Xt5EWLLDS7FJjR1c"),
        Entry(Kind.REFUND, GIFT, -200, "CNY", "re_1", 0),
        Entry(Kind.CHARGEBACK, None, -300, "CNY", "du_1", 1_500),
        Entry(Kind.CHARGEBACK, None, 300, "CNY", "du_1-won", 0),
    )
    assert CARD.fetch_statement(TODAY) == list(lines), "the payout itself is no line"
    begin = int(datetime(2026, 11, 25, tzinfo=UTC).timestamp())
    assert (asked[0]["created[gte]"], asked[0]["created[lt]"]) == ([str(begin)], [str(begin + 86_400)])
    assert asked[1]["starting_after"] == ["txn_2"]
    asked.clear()
    assert CARD.fetch_settlements(TODAY) == [Settlement("po_1", -1_220, "CNY", lines)]
    assert sum(line.amount - line.fee for line in lines) == -1_220
    assert asked[0]["arrival_date[gte]"] == [str(begin)] and asked[1]["payout"] == ["po_1"]
    handler.answer = staticmethod(lambda path, query: (500, {}, b'{"error": {"type": "api_error"}}'))
    for ask in (CARD.fetch_statement, CARD.fetch_settlements):
        with pytest.raises(Busy, match=r"provider\.unavailable"):
            ask(TODAY)


# WeChat Pay and Alipay: the same day in both forms


@pytest.fixture
def wallet(
    door: tuple[str, type[Door]], wechat_pay: wechat.WeChat, theirs: rsa.RSAPrivateKey, monkeypatch: pytest.MonkeyPatch
) -> tuple[wechat.WeChat, Bills]:
    """WeChat Pay's door, with the bills that are laid out; its answers are signed, its files are not."""
    address, handler = door
    bills: Bills = {}
    monkeypatch.setattr(wechat_pay._sdk._core, "_gate_way", address)

    def answer(path: str, query: dict[str, list[str]]) -> tuple[int, dict[str, str], bytes]:
        if path == "/v3/billdownload/file":
            kind, day = query["token"][0].split("~")
            return 200, {}, bills[kind, day]
        kind, day = path.rpartition("/")[2], query["bill_date"][0]
        found = bills.get((kind, day))
        said: dict[str, str] = {"code": "NO_STATEMENT_EXIST", "message": "账单文件不存在"}
        if found is not None:
            said = {"hash_type": "SHA1", "hash_value": hashlib.sha1(found).hexdigest(),
                    "download_url": f"{address}/v3/billdownload/file?token={kind}~{day}"}  # fmt: skip
        body, time = json.dumps(said).encode(), str(int(datetime.now(UTC).timestamp()))
        headers = {
            "Content-Type": "application/json", "Wechatpay-Timestamp": time, "Wechatpay-Nonce": "n",
            "Wechatpay-Serial": "PUB_KEY_ID_1", "Wechatpay-Signature-Type": "WECHATPAY2-SHA256-RSA2048",
            "Wechatpay-Signature": rsa_sign(theirs, f"{time}\nn\n".encode() + body + b"\n"),
        }  # fmt: skip
        return (200 if found is not None else 400), headers, body

    handler.answer = staticmethod(answer)
    return wechat_pay, bills


def lay_out(bills: Bills, account: Account, day: date) -> None:
    bills["tradebill", day.isoformat()] = account.trade_bill()
    bills["fundflowbill", day.isoformat()] = account.funds_bill()
    for kind in ("trade", "signcustomer"):
        bills[kind, day.isoformat()] = account.ali_zip(kind)
    account.new_day()


@pytest.fixture
def pocket(ali_pay: alipay.Alipay, monkeypatch: pytest.MonkeyPatch) -> tuple[alipay.Alipay, Bills]:
    """Alipay, whose files are fetched from the bills that are laid out."""
    bills: Bills = {}

    def server_api(name: str, asked: dict[str, str]) -> dict[str, str]:
        assert name == "alipay.data.dataservice.bill.downloadurl.query"
        if (asked["bill_type"], asked["bill_date"]) not in bills:
            return {"code": "40004", "sub_code": "isp.bill_not_exist"}
        return {"code": "10000", "bill_download_url": f"https://bills/{asked['bill_type']}~{asked['bill_date']}"}

    def download(address: str) -> bytes:
        kind, day = address.rpartition("/")[2].split("~")
        return bills[kind, day]

    monkeypatch.setattr(ali_pay._sdk, "server_api", server_api)
    monkeypatch.setattr(alipay, "_download", download)
    return ali_pay, bills


@pytest.fixture(params=["wechat", "alipay"])
def source(request: pytest.FixtureRequest) -> tuple[Any, Bills, Callable[[uuid.UUID, uuid.UUID], str]]:
    """A provider, its bills, and how it numbers a gift of a book."""
    if request.param == "wechat":
        return *request.getfixturevalue("wallet"), lambda book, gift: gift.hex
    return *request.getfixturevalue("pocket"), lambda book, gift: book.hex + gift.hex


def test_a_day_is_stated_with_its_fees_and_what_was_withdrawn_for_it(source: Any) -> None:
    provider, bills, number = source
    account, first, second = Account(), uuid.UUID(int=7), uuid.UUID(int=8)
    account.pay(number(BOOK, first), "4200001", 10_000, fee=60)
    lay_out(bills, account, TODAY - DAY)
    account.pay(number(BOOK, second), "4200002", 500)
    account.refund(number(BOOK, first), "4200001", "5030001", BOOK.hex + REFUND.hex, 5_000, fee=30)
    account.withdraw(10_000 - 60 + 500 - 4_970)
    account.pay(number(BOOK, GIFT), "4200003", 300, fee=2)
    lay_out(bills, account, TODAY)

    assert [(each.kind, each.gift, each.amount, each.fee) for each in provider.fetch_statement(TODAY)] == [
        (Kind.PAYMENT, second, 500, 0), (Kind.REFUND, first, -5_000, -30), (Kind.PAYMENT, GIFT, 300, 2),
    ]  # fmt: skip
    assert [each.reference for each in provider.fetch_statement(TODAY)] == ["4200002", str(REFUND), "4200003"]
    assert [each.fee for each in provider.fetch_statement(TODAY - DAY)] == [60]
    (settled,) = provider.fetch_settlements(TODAY)
    assert (settled.amount, settled.asset) == (5_470, "CNY")
    assert [(each.kind, each.amount, each.fee) for each in settled.lines] == [
        (Kind.PAYMENT, 10_000, 60), (Kind.PAYMENT, 500, 0), (Kind.REFUND, -5_000, -30),
    ]  # fmt: skip
    assert sum(each.amount - each.fee for each in settled.lines) == 5_470
    assert provider.fetch_settlements(TODAY - DAY) == provider.fetch_settlements(TODAY + DAY) == []
    assert provider.fetch_statement(TODAY + DAY) == [], "nothing happened"


@pytest.mark.parametrize("what", ["left over", "topped up", "never empty"])
def test_a_withdrawal_that_is_not_for_all_that_moved_differs(source: Any, what: str) -> None:
    provider, bills, number = source
    account = Account(balance=90_000 if what == "never empty" else 0)
    account.pay(number(BOOK, GIFT), "4200001", 10_000, fee=60)
    if what == "topped up":
        account.top_up(700)
    account.withdraw(account.balance - (1 if what == "left over" else 0))
    lay_out(bills, account, TODAY)
    (settled,) = provider.fetch_settlements(TODAY)
    assert sum(each.amount - each.fee for each in settled.lines) == 9_940 != settled.amount


def test_bills_that_are_broken_are_asked_for_again(wallet: Any, pocket: Any) -> None:
    (provider, bills), (other, packed) = wallet, pocket
    account = Account()
    account.pay(GIFT.hex, "4200001", 10_000)
    lay_out(bills, account, TODAY)
    bills["fundflowbill", TODAY.isoformat()] = b"not packed"
    with pytest.raises(Busy, match=r"provider\.unavailable"):
        provider.fetch_statement(TODAY)
    packed["trade", TODAY.isoformat()] = b"not packed"
    with pytest.raises(Busy, match=r"provider\.unavailable"):
        other.fetch_statement(TODAY)


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with clock.stopped(NOW):
        yield


def test_the_books_agree_with_the_bills_to_the_fen(
    source: Any, world: World, theirs: rsa.RSAPrivateKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given, charged a fee, refunded in part with its part of the fee, withdrawn: every account is as the bank says."""
    provider, bills, number = source
    provider = replace(provider, returns_fee=True)
    provider.__dict__["_sdk"] = source[0]._sdk
    for module in ("payment", "jobs.providers"):
        monkeypatch.setattr(f"commonweal.services.giving.{module}.providers", lambda: {provider.name: provider})
    world = hosted(world, Fraction(0))
    book, account = world.campaign.id, Account()
    gift = gifts.give(Give(book, world.giver.id, 10_000, "CNY", provider.name, "k")).id
    ours_of_it = number(book, gift)
    if provider.name == "wechat":
        paid = {"out_trade_no": ours_of_it, "attach": book.hex, "transaction_id": "4200001",
                "amount": {"total": 10_000, "currency": "CNY"}}  # fmt: skip
        event = wechat_event(theirs, "TRANSACTION.SUCCESS", paid)
    else:
        event = alipay_event(theirs, {"out_trade_no": ours_of_it, "trade_no": "4200001",
                                      "trade_status": "TRADE_SUCCESS", "total_amount": "100.00"})  # fmt: skip
    assert gifts.confirm(provider.name, *event) is Outcome.PAID
    jobs.lay()
    account.pay(ours_of_it, "4200001", 10_000, fee=60)
    lay_out(bills, account, TODAY)
    assert reconcile(provider, TODAY) == []
    assert of_book(world) == {f"provider:{provider.name}": 9_940, "fund": 9_940}

    with clock.stopped(NOW + DAY):
        id = returns.refund(world.officer, book, gift, 5_000, "Given twice", "r")
        monkeypatch.setattr(type(provider), "refund", lambda self, back: True)
        returns.send(book, id)
        assert return_queries.one(book, id).goes_back == 5_000
        pay_out(world, 1_000, "a")
        account.refund(ours_of_it, "4200001", "5030001", book.hex + id.hex, 5_000, fee=30)
        account.withdraw(4_970)
        lay_out(bills, account, TODAY + DAY)
        assert reconcile(provider, TODAY + DAY) == []
        assert reconcile(provider, TODAY + DAY) == []
    assert of_book(world) == {"bank": 3_970, "fund": 3_970}
    (settled,) = queries.settlements()
    assert (settled.amount, settled.lines) == (4_970, 2)

    account.top_up(2_000)
    account.refund(ours_of_it, "4200001", "5030002", book.hex + uuid.uuid4().hex, 1_000, fee=7)
    account.withdraw(1_007)
    lay_out(bills, account, TODAY + 2 * DAY)
    with clock.stopped(NOW + 2 * DAY):
        found = reconcile(provider, TODAY + 2 * DAY)
    assert [(each.kind, each.there) for each in found] == [("refund", -1_000), ("settlement", 1_007)]
    assert of_book(world) == {"bank": 3_970, "fund": 3_970}, "what another hand has done is listed, and moves nothing"
