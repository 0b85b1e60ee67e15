"""Callbacks of real providers, signed here with generated keys in the providers' own ways; the SDKs check them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from commonweal.kernel.errors import Busy, Conflict, Unauthenticated
from commonweal.kernel.text import Text
from commonweal.services.giving.payment import Agreeing, Back, Kind, Order, alipay, stripe, wechat
from commonweal.services.giving.payment.port import Ignored
from commonweal.services.giving.rules.recurring import Charge, Every

pytest.importorskip("stripe", reason="the extra `payments` is not installed")
pytest.importorskip("wechatpayv3", reason="the extra `payments` is not installed")
pytest.importorskip("alipay", reason="the extra `payments` is not installed")

NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)
BOOK, GIFT, REFUND = uuid.UUID(int=1), uuid.UUID(int=2), uuid.UUID(int=3)
Signed = tuple[bytes, dict[str, str]]


@pytest.fixture(scope="module")
def theirs() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture(scope="module")
def ours() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def private(key: rsa.RSAPrivateKey, form: serialization.PrivateFormat) -> str:
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


def public(key: rsa.RSAPrivateKey) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()


def rsa_sign(key: rsa.RSAPrivateKey, message: bytes) -> str:
    return base64.b64encode(key.sign(message, padding.PKCS1v15(), hashes.SHA256())).decode()


# Stripe

CARD = stripe.Stripe("sk_test", "whsec_test", "https://example.org")


def stripe_event(type: str, about: dict[str, Any], at: datetime = NOW) -> Signed:
    body = json.dumps({"id": "evt_1", "object": "event", "type": type, "data": {"object": about}}).encode()
    time = int(at.timestamp())
    signature = hmac.new(b"whsec_test", f"{time}.".encode() + body, hashlib.sha256).hexdigest()
    return body, {"Stripe-Signature": f"t={time},v1={signature}"}


METADATA = {"book": str(BOOK), "gift": str(GIFT)}
PAID = {"id": "pi_1", "amount_received": 500, "currency": "cny", "metadata": METADATA}


def test_stripe_payment_refund_and_dispute() -> None:
    paid = CARD.read_callback(*stripe_event("payment_intent.succeeded", PAID), NOW)
    assert (paid.nonce, paid.book, paid.gift, paid.amount, paid.asset) == ("evt_1", BOOK, GIFT, 500, "CNY")
    about = {"id": "re_1", "amount": 200, "currency": "cny", "payment_intent": "pi_1",
             "metadata": METADATA | {"refund": str(REFUND)}}  # fmt: skip
    for status, succeeded in {"succeeded": True, "failed": False}.items():
        back = CARD.read_callback(*stripe_event("refund.updated", about | {"status": status}), NOW)
        assert (back.kind, back.refund, back.succeeded, back.amount) == (Kind.REFUND, REFUND, succeeded, 200)
    with pytest.raises(Ignored):
        CARD.read_callback(*stripe_event("refund.updated", about | {"status": "pending"}), NOW)
    dispute = {"id": "du_1", "amount": 500, "currency": "cny", "payment_intent": "pi_1", "metadata": {}}
    taken = CARD.read_callback(*stripe_event("charge.dispute.funds_withdrawn", dispute), NOW)
    assert (taken.kind, taken.payment, taken.amount) == (Kind.CHARGEBACK, "pi_1", 500)


CHARGE = {
    "id": "ch_1", "object": "charge", "amount": 500, "amount_captured": 500, "currency": "cny", "metadata": METADATA,
    "payment_intent": "pi_1", "payment_method": "pm_1",
    "payment_method_details": {"type": "card", "card": {"brand": "visa", "fingerprint": "Xt5EWLLDS7FJjR1c"}},
}  # fmt: skip
"""As docs.stripe.com/api/charges/object has it."""


def test_stripe_tells_the_card_by_the_event_of_its_charge() -> None:
    """`payment_intent.succeeded` names the charge alone; `charge.succeeded` is the same payment with the card."""
    paid = CARD.read_callback(*stripe_event("payment_intent.succeeded", PAID | {"latest_charge": "ch_1"}), NOW)
    told = CARD.read_callback(*stripe_event("charge.succeeded", CHARGE), NOW)
    expanded = CARD.read_callback(*stripe_event("payment_intent.succeeded", PAID | {"latest_charge": CHARGE}), NOW)
    assert (paid.payer, told.payer, expanded.payer) == ("", "Xt5EWLLDS7FJjR1c", "Xt5EWLLDS7FJjR1c")
    assert (told.reference, told.amount, told.gift, told.kind) == ("pi_1", 500, GIFT, Kind.PAYMENT)
    wallet = CHARGE | {"payment_method_details": {"type": "alipay", "alipay": {"fingerprint": "vWcfL"}}}
    assert CARD.read_callback(*stripe_event("charge.succeeded", wallet), NOW).payer == "vWcfL"
    for name in ("payment_intent", "metadata"):
        with pytest.raises(Ignored):
            CARD.read_callback(*stripe_event("charge.succeeded", CHARGE | {name: None}), NOW)
    for details in (None, {}, {"type": "card"}, {"type": "card", "card": {}}, {"type": "customer_balance"}):
        assert stripe.payer({"payment_method_details": details}) == ""


def test_stripe_keeps_a_card_and_charges_it() -> None:
    about = {"id": "seti_1", "customer": "cus_1", "payment_method": "pm_1",
             "metadata": {"book": str(BOOK), "recurring": str(GIFT)}}  # fmt: skip
    kept = CARD.read_callback(*stripe_event("setup_intent.succeeded", about), NOW)
    assert (kept.kind, kept.book, kept.gift, kept.reference) == (Kind.AGREEMENT, BOOK, GIFT, "cus_1 pm_1")
    for type, other in (("setup_intent.setup_failed", about), ("setup_intent.succeeded", about | {"metadata": {}})):
        with pytest.raises(Ignored):
            CARD.read_callback(*stripe_event(type, other), NOW)
    assert stripe.declined("card_declined", "insufficient_funds") is Charge.INSUFFICIENT
    assert stripe.declined("card_declined", "do_not_honor") is Charge.INSUFFICIENT
    assert stripe.declined("expired_card", None) is stripe.declined("card_declined", "lost_card") is Charge.GONE


class Gate(BaseHTTPRequestHandler):
    """Stripe's door as it answers a charge, and what it was asked."""

    asked: ClassVar[list[tuple[str, str, dict[str, str]]]] = []
    answers: ClassVar[list[tuple[int, dict[str, Any]]]] = []

    def do_POST(self) -> None:
        form = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        self.asked.append((self.path, self.headers.get("Idempotency-Key", ""), form))
        status, body = self.answers.pop(0)
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Gate]]:
    """A door of this machine that the SDK itself speaks to."""
    from stripe import StripeClient

    server = ThreadingHTTPServer(("127.0.0.1", 0), Gate)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    client = StripeClient("sk_test", base_addresses={"api": address}, max_network_retries=0)
    monkeypatch.setattr(stripe.Stripe, "_client", client)
    Gate.asked, Gate.answers = [], []
    yield Gate
    server.shutdown()
    server.server_close()


def test_stripe_charges_under_a_key_and_says_how_it_ended(gate: type[Gate]) -> None:
    order = Order(BOOK, GIFT, 500, "CNY", Text("A piano", "琴"))
    error = {"error": {"type": "card_error", "code": "card_declined", "decline_code": "insufficient_funds"}}
    gate.answers[:] = [
        (200, {"id": "pi_1", "object": "payment_intent", "status": "succeeded"}),
        (402, error),
        (402, {"error": {"type": "card_error", "code": "expired_card"}}),
        (200, {"id": "pi_2", "object": "payment_intent", "status": "processing"}),
    ]
    assert CARD.charge("cus_1 pm_1", order, 1) is Charge.PAID
    assert CARD.charge("cus_1 pm_1", order, 2) is Charge.INSUFFICIENT
    assert CARD.charge("cus_1 pm_1", order, 3) is Charge.GONE
    with pytest.raises(Busy, match=r"provider\.unavailable"):
        CARD.charge("cus_1 pm_1", order, 4)
    path, key, form = gate.asked[0]
    assert (path, key) == ("/v1/payment_intents", f"{GIFT}:1")
    assert (form["amount"], form["currency"], form["off_session"], form["customer"]) == ("500", "cny", "true", "cus_1")
    assert form["metadata[gift]"] == str(GIFT)
    gate.answers[:] = [
        (200, {"id": "cs_1", "object": "checkout.session", "url": "https://checkout.example/1"}),
        (200, {"id": "pm_1", "object": "payment_method"}),
    ]
    agreeing = Agreeing(BOOK, GIFT, 500, "CNY", Every.MONTH, Text("A piano", "琴"))
    assert CARD.agree(agreeing) == "https://checkout.example/1"
    CARD.cancel("cus_1 pm_1")
    assert gate.asked[4][2]["setup_intent_data[metadata][recurring]"] == str(GIFT)
    assert gate.asked[5][0] == "/v1/payment_methods/pm_1/detach"


def test_who_keeps_agreements() -> None:
    offered = {adapter for adapter in (stripe.Stripe, wechat.WeChat, alipay.Alipay) if hasattr(adapter, "charge")}
    assert offered == {stripe.Stripe}


# WeChat Pay

SECRET = "0123456789abcdef0123456789abcdef"


@pytest.fixture(scope="module")
def wechat_pay(ours: rsa.RSAPrivateKey, theirs: rsa.RSAPrivateKey) -> wechat.WeChat:
    return wechat.WeChat(
        merchant="1900000001", app="wx1", serial="5F", private_key=private(ours, serialization.PrivateFormat.PKCS8),
        secret=SECRET, public_key=public(theirs), public_key_id="PUB_KEY_ID_1", notify="https://example.org/n",
    )  # fmt: skip


def wechat_event(key: rsa.RSAPrivateKey, type: str, about: dict[str, Any], at: datetime = NOW) -> Signed:
    nonce = "0123456789ab"
    box = AESGCM(SECRET.encode()).encrypt(nonce.encode(), json.dumps(about).encode(), b"transaction")
    body = json.dumps(
        {"id": "n1", "event_type": type, "resource_type": "encrypt-resource",
         "resource": {"algorithm": "AEAD_AES_256_GCM", "nonce": nonce, "associated_data": "transaction",
                      "ciphertext": base64.b64encode(box).decode()}}
    ).encode()  # fmt: skip
    time = str(int(at.timestamp()))
    return body, {
        "Wechatpay-Timestamp": time, "Wechatpay-Nonce": "n-1", "Wechatpay-Serial": "PUB_KEY_ID_1",
        "Wechatpay-Signature": rsa_sign(key, f"{time}\nn-1\n".encode() + body + b"\n"),
        "Wechatpay-Signature-Type": "WECHATPAY2-SHA256-RSA2048",
    }  # fmt: skip


WECHAT_PAID = {"out_trade_no": GIFT.hex, "attach": BOOK.hex, "transaction_id": "42",
               "amount": {"total": 500, "currency": "CNY"}}  # fmt: skip


def test_wechat_payment_and_refund(wechat_pay: wechat.WeChat, theirs: rsa.RSAPrivateKey) -> None:
    paid = wechat_pay.read_callback(*wechat_event(theirs, "TRANSACTION.SUCCESS", WECHAT_PAID), NOW)
    assert (paid.nonce, paid.book, paid.gift, paid.amount, paid.reference) == ("n-1", BOOK, GIFT, 500, "42")
    about = {"out_trade_no": GIFT.hex, "out_refund_no": BOOK.hex + REFUND.hex, "refund_id": "50",
             "transaction_id": "42", "amount": {"refund": 200, "total": 500}}  # fmt: skip
    for status, succeeded in {"SUCCESS": True, "ABNORMAL": False}.items():
        event = wechat_event(theirs, f"REFUND.{status}", about | {"refund_status": status})
        back = wechat_pay.read_callback(*event, NOW)
        assert (back.kind, back.book, back.refund, back.succeeded, back.amount) == (
            Kind.REFUND, BOOK, REFUND, succeeded, 200
        )  # fmt: skip


# Alipay


@pytest.fixture(scope="module")
def ali_pay(ours: rsa.RSAPrivateKey, theirs: rsa.RSAPrivateKey) -> alipay.Alipay:
    form = serialization.PrivateFormat.TraditionalOpenSSL
    return alipay.Alipay("2021000001", private(ours, form), public(theirs), "https://example.org/n")


def alipay_event(key: rsa.RSAPrivateKey, said: dict[str, str], at: datetime = NOW) -> Signed:
    china = at.astimezone(alipay.CHINA).strftime("%Y-%m-%d %H:%M:%S")
    fields = {"app_id": "2021000001", "notify_id": "a1", "notify_time": china} | said
    signature = rsa_sign(key, "&".join(f"{name}={fields[name]}" for name in sorted(fields)).encode())
    return urlencode(fields | {"sign": signature, "sign_type": "RSA2"}).encode(), {}


ALI_PAID = {"out_trade_no": BOOK.hex + GIFT.hex, "trade_no": "77", "trade_status": "TRADE_SUCCESS",
            "total_amount": "5.00", "subject": "一节 音乐课 & more"}  # fmt: skip


def test_alipay_payment(ali_pay: alipay.Alipay, theirs: rsa.RSAPrivateKey) -> None:
    paid = ali_pay.read_callback(*alipay_event(theirs, ALI_PAID), NOW)
    assert (paid.nonce, paid.book, paid.gift, paid.amount, paid.reference) == ("a1", BOOK, GIFT, 500, "77")
    with pytest.raises(Ignored):
        ali_pay.read_callback(*alipay_event(theirs, ALI_PAID | {"trade_status": "WAIT_BUYER_PAY"}), NOW)
    with pytest.raises(Unauthenticated, match=r"callback\.signature"):
        ali_pay.read_callback(*alipay_event(theirs, ALI_PAID | {"app_id": "another"}), NOW)
    address = ali_pay.create(Order(BOOK, GIFT, 500, "CNY", Text("A lesson", "一节音乐课")))
    assert address.startswith("https://openapi.alipay.com/gateway.do?") and "sign=" in address


# All of them


@pytest.fixture(params=["stripe", "wechat", "alipay"])
def callback(request: Any, theirs: rsa.RSAPrivateKey) -> tuple[Any, Callable[[datetime], Signed]]:
    if request.param == "stripe":
        return CARD, lambda at: stripe_event("payment_intent.succeeded", PAID, at)
    if request.param == "wechat":
        return request.getfixturevalue("wechat_pay"), lambda at: wechat_event(
            theirs, "TRANSACTION.SUCCESS", WECHAT_PAID, at
        )
    return request.getfixturevalue("ali_pay"), lambda at: alipay_event(theirs, ALI_PAID, at)


@pytest.mark.parametrize("age", [301, 86_400, -301])
def test_yesterdays_callback_is_a_replay(callback: Any, age: int) -> None:
    provider, event = callback
    with pytest.raises(Unauthenticated, match=r"callback\.time"):
        provider.read_callback(*event(NOW - timedelta(seconds=age)), NOW)
    provider.read_callback(*event(NOW - timedelta(seconds=299)), NOW)


@pytest.mark.parametrize("at", range(0, 400, 23))
def test_a_changed_byte_is_found(callback: Any, at: int) -> None:
    provider, event = callback
    body, headers = event(NOW)
    at %= len(body)
    changed = body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
    with pytest.raises(Unauthenticated):
        provider.read_callback(changed, headers, NOW)


@pytest.mark.parametrize("body", [b"", b"{}", b"\xff\xfe", b"a=b", b"[]"])
def test_what_is_no_callback_is_refused(callback: Any, body: bytes) -> None:
    provider, event = callback
    none: dict[str, str] = {}
    for headers in (none, event(NOW)[1]):
        with pytest.raises(Unauthenticated):
            provider.read_callback(body, headers, NOW)


# A provider that says no, or nothing


def test_stripe_says_no_or_nothing(gate: type[Gate]) -> None:
    """A country, a currency or an amount that it does not take is no fault of ours, nor is it silent."""
    order = Order(BOOK, GIFT, 500, "CNY", Text("A piano", "琴"))
    back = Back(REFUND, BOOK, GIFT, 200, "CNY", "pi_1")
    no = (400, {"error": {"type": "invalid_request_error", "message": "not in this country"}})
    gone = (400, {"error": {"type": "invalid_request_error", "code": "charge_already_refunded", "message": "gone"}})
    broken = (500, {"error": {"type": "api_error", "message": "?"}})
    often = (429, {"error": {"type": "invalid_request_error", "code": "rate_limit", "message": "slow down"}})
    gate.answers[:] = [no, broken, often, no, no, gone, broken, no]
    with pytest.raises(Conflict, match=r"provider\.refused"):
        CARD.create(order)
    for _ in range(2):
        with pytest.raises(Busy, match=r"provider\.unavailable"):
            CARD.create(order)
    assert CARD.charge("cus_1 pm_1", order, 1) is Charge.GONE, "only another way to pay helps: pause and say so"
    assert CARD.refund(back) is False, "the money is free again"
    assert CARD.refund(back) is None, "it has gone by other hands: it stays held until people have looked"
    with pytest.raises(Busy, match=r"provider\.unavailable"):
        CARD.refund(back)
    CARD.cancel("cus_1 pm_1")  # it is kept no longer already


def test_wechat_says_no_or_nothing(wechat_pay: wechat.WeChat, monkeypatch: pytest.MonkeyPatch) -> None:
    order = Order(BOOK, GIFT, 500, "CNY", Text("A piano", "琴"))

    def sdk(code: int | None) -> Any:
        def answer(**asked: Any) -> tuple[int, str]:
            if code is None:
                raise Exception("failed to verify the signature")
            return code, '{"code": "PARAM_ERROR", "code_url": "weixin://wxpay/x"}'

        return type("Sdk", (), {"pay": staticmethod(answer), "query": staticmethod(answer)})()

    for code, refusal in ((400, Conflict), (403, Conflict), (429, Busy), (500, Busy), (None, Busy)):
        monkeypatch.setitem(wechat_pay.__dict__, "_sdk", sdk(code))
        with pytest.raises(refusal, match=r"provider\."):
            wechat_pay.create(order)
    with pytest.raises(Busy):
        wechat_pay.query(order)
    monkeypatch.setitem(wechat_pay.__dict__, "_sdk", sdk(200))
    assert wechat_pay.create(order) == "weixin://wxpay/x"


def test_alipay_says_nothing(ali_pay: alipay.Alipay, monkeypatch: pytest.MonkeyPatch) -> None:
    from alipay.exceptions import AliPayException, AliPayValidationError

    for error in (AliPayException("40004", "?"), AliPayValidationError(), TimeoutError(), ValueError()):

        def fail(raised: Exception = error, **asked: Any) -> None:
            raise raised

        monkeypatch.setitem(ali_pay.__dict__, "_sdk", type("Sdk", (), {"api_alipay_trade_refund": staticmethod(fail)}))
        with pytest.raises(Busy, match=r"provider\.unavailable"):
            ali_pay.refund(Back(REFUND, BOOK, GIFT, 200, "CNY", "77"))
