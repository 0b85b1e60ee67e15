"""WeChat Pay v3 in public-key mode, on `wechatpayv3`: RSA-SHA256 over `time\\nnonce\\nbody\\n`, AES-256-GCM within.

A book and a gift are told apart by `attach` (the book) and `out_trade_no` (the gift); a refund by `out_refund_no` (the
book, then the refund). Chargebacks do not exist there: complaints are settled by refunds.

No recurring gifts: charging on an agreement (委托代扣, papay) is of the interface v2 (XML, HMAC-SHA256) and opened to a
merchant on application alone; the SDK does not have it, and nothing of it could be tried here.
"""

from __future__ import annotations

import csv
import gzip
import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import cached_property
from typing import Any, ClassVar

from commonweal.kernel.quantity import CNY, parse_amount
from commonweal.kernel.text import Text
from commonweal.services.giving.payment.port import (
    NOBODY,
    Back,
    Callback,
    Entry,
    Ignored,
    Kind,
    Order,
    Settlement,
    bad_signature,
    check_time,
    refused,
    unavailable,
)

ENDED = {"SUCCESS": True, "CLOSED": False, "ABNORMAL": False}
"""How a refund of WeChat Pay can have ended."""
NAMES = ("Wechatpay-Signature", "Wechatpay-Timestamp", "Wechatpay-Nonce", "Wechatpay-Serial",
         "Wechatpay-Signature-Type")  # fmt: skip


@dataclass(frozen=True)
class WeChat:
    """The provider. Keys are PEM; `public_key` with its `public_key_id` (`PUB_KEY_ID_...`) is WeChat Pay's own."""

    merchant: str
    app: str
    serial: str
    private_key: str
    secret: str
    public_key: str
    public_key_id: str
    notify: str
    name: ClassVar[str] = "wechat"
    title: ClassVar[Text] = Text("WeChat Pay", "微信支付")
    zone: ClassVar[tzinfo] = timezone(timedelta(hours=8))
    returns_fee: ClassVar[bool] = False

    def create(self, order: Order) -> str:
        """See `Provider`: the address (`weixin://`) that opens WeChat."""
        asked = {"total": order.amount, "currency": order.asset}
        code, text = self._ask(
            self._sdk.pay,
            description=order.title.zh[:40], out_trade_no=order.gift.hex, amount=asked, attach=order.book.hex,
        )  # fmt: skip
        if 400 <= code < 500 and code != 429:
            raise refused()
        return str(self._said(code, text)["code_url"])

    def read_callback(self, body: bytes, headers: Mapping[str, str], now: datetime) -> Callback:
        """See `Provider`. The SDK checks the signature and opens the box; it does not look at the time: we do."""
        given = {name: headers.get(name, "") for name in NAMES}
        if given["Wechatpay-Serial"] != self.public_key_id:  # else the SDK would ask the network for certificates
            raise bad_signature()
        try:
            said = self._sdk.callback(given, body)
        except Exception as error:  # the SDK raises bare exceptions for what is out of form
            raise bad_signature() from error
        if not said:
            raise bad_signature()
        try:
            check_time(datetime.fromtimestamp(int(given["Wechatpay-Timestamp"]), UTC), now)
            return self._read(str(said["event_type"]), said["resource"], given["Wechatpay-Nonce"])
        except (ValueError, KeyError, TypeError, OverflowError) as error:
            raise bad_signature() from error

    def refund(self, back: Back) -> bool | None:
        """See `Provider`. WeChat Pay wants the whole amount of the payment beside that of the refund."""
        paid = self._answer(self._sdk.query, out_trade_no=back.gift.hex)
        asked = {"refund": back.amount, "total": paid["amount"]["total"], "currency": back.asset}
        number = back.book.hex + back.id.hex
        made = self._answer(self._sdk.refund, out_refund_no=number, out_trade_no=back.gift.hex, amount=asked)
        return ENDED.get(made["status"])

    def query(self, order: Order) -> Callback | None:
        """See `Provider`."""
        found = self._answer(self._sdk.query, out_trade_no=order.gift.hex)
        if found["trade_state"] != "SUCCESS":
            return None
        return self._read("TRANSACTION.SUCCESS", found, found["transaction_id"])

    def fetch_statement(self, day: date) -> list[Entry]:
        """See `Provider`: the trade bill of a day (China time)."""
        found = self._answer(self._sdk.trade_bill, bill_date=day.isoformat())
        code, data = self._ask(self._sdk.download_bill, found["download_url"])
        if code != 200:
            raise unavailable()
        return entries(gzip.decompress(data).decode("utf-8-sig"))

    def fetch_settlements(self, day: date) -> list[Settlement]:
        """See `Provider`: none, its bill of funds (资金账单) is not read here; nor are the fees of its trade bill."""
        return []

    @cached_property
    def _sdk(self) -> Any:
        from wechatpayv3 import WeChatPay, WeChatPayType

        return WeChatPay(
            wechatpay_type=WeChatPayType.NATIVE, mchid=self.merchant, private_key=self.private_key,
            cert_serial_no=self.serial, appid=self.app, apiv3_key=self.secret, notify_url=self.notify,
            public_key=self.public_key, public_key_id=self.public_key_id, timeout=(5, 20),
        )  # fmt: skip

    def _answer(self, call: Callable[..., tuple[int, Any]], **asked: Any) -> dict[str, Any]:
        return self._said(*self._ask(call, **asked))

    @staticmethod
    def _ask(call: Callable[..., tuple[int, Any]], *given: Any, **asked: Any) -> tuple[int, Any]:
        try:
            return call(*given, **asked)
        except Exception as error:  # the SDK raises bare exceptions for an answer whose signature does not hold
            raise unavailable() from error

    @staticmethod
    def _said(code: int, text: str) -> dict[str, Any]:
        if not 200 <= code < 300:
            raise unavailable()
        found: dict[str, Any] = json.loads(text)
        return found

    def _read(self, event: str, about: dict[str, Any], nonce: str) -> Callback:
        gift = uuid.UUID(about["out_trade_no"])
        if event == "TRANSACTION.SUCCESS":
            book = uuid.UUID(about["attach"]) if about.get("attach") else NOBODY
            paid = about["amount"]
            return Callback(self.name, nonce, book, gift, _whole(paid["total"]), paid["currency"],
                            about["transaction_id"])  # fmt: skip
        if event.startswith("REFUND."):
            number = about["out_refund_no"]
            book, refund = uuid.UUID(number[:32]), uuid.UUID(number[32:])
            return Callback(
                self.name, nonce, book, gift, _whole(about["amount"]["refund"]), CNY.code, about["refund_id"],
                Kind.REFUND, refund, ENDED[about["refund_status"]], about["transaction_id"],
            )  # fmt: skip
        raise Ignored


def _whole(value: Any) -> int:
    if type(value) is not int:
        raise ValueError("an amount is a whole number of fen")
    return value


def entries(bill: str) -> list[Entry]:
    """The lines of a trade bill: CSV with Chinese headings, each value behind a backtick, sums at the end."""
    found = []
    for line in csv.DictReader(bill.splitlines()):
        row = {name: (value or "").removeprefix("`") for name, value in line.items() if isinstance(name, str)}
        state = row.get("交易状态", "")
        if state not in ("SUCCESS", "REFUND"):
            continue  # the summary below the lines
        refund = state == "REFUND"
        amount = parse_amount(row["申请退款金额"] if refund else row["订单金额"], CNY)
        found.append(
            Entry(
                Kind.REFUND if refund else Kind.PAYMENT,
                _gift(row["商户订单号"]),
                -amount if refund else amount,
                row["货币种类"],
                row["微信退款单号"] if refund else row["微信订单号"],
            )
        )
    return found


def _gift(number: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(number)
    except ValueError:
        return None
