"""WeChat Pay v3 in public-key mode, on `wechatpayv3`: RSA-SHA256 over `time\\nnonce\\nbody\\n`, AES-256-GCM within.

A book and a gift are told apart by `attach` (the book) and `out_trade_no` (the gift); a refund by `out_refund_no` (the
book, then the refund). Chargebacks do not exist there: complaints are settled by refunds.

No recurring gifts: charging on an agreement (委托代扣, papay) is of the interface v2 (XML, HMAC-SHA256) and opened to a
merchant on application alone; the SDK does not have it, and nothing of it could be tried here.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
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
from commonweal.services.giving.payment.wallets import Movement, What, settled_on, with_fees

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
    returns_fee: bool = True
    """Whether the contract has it give its fee back with a refund; its bills say so (退款总金额…;含手续费…)."""
    name: ClassVar[str] = "wechat"
    title: ClassVar[Text] = Text("WeChat Pay", "微信支付")
    zone: ClassVar[tzinfo] = timezone(timedelta(hours=8))

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
        """See `Provider`: the trade bill of a day (China time), with the fees of its bill of funds."""
        return with_fees(entries(self._bill(self._sdk.trade_bill, day)), self._movements(day))

    def fetch_settlements(self, day: date) -> list[Settlement]:
        """See `Provider`: what was withdrawn, for all that had moved since the account was empty."""
        return settled_on(day, self._movements)

    def _movements(self, day: date) -> list[Movement]:
        return movements(self._bill(self._sdk.fundflow_bill, day))

    def _bill(self, call: Callable[..., tuple[int, Any]], day: date) -> str:
        """A bill as text, empty if nothing happened; its digest is that of the packed or of the unpacked file."""
        code, text = self._ask(call, bill_date=day.isoformat())
        if code == 400 and json.loads(text).get("code") == "NO_STATEMENT_EXIST":
            return ""
        found = self._said(code, text)
        code, data = self._ask(self._sdk.download_bill, found["download_url"])
        if code != 200:
            raise unavailable()
        try:
            unpacked = gzip.decompress(data)
        except (OSError, EOFError) as error:
            raise unavailable() from error
        if found["hash_value"].lower() not in {
            hashlib.sha1(each, usedforsecurity=False).hexdigest() for each in (data, unpacked)
        }:
            raise unavailable()
        return unpacked.decode("utf-8-sig")

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
            payer = str((about.get("payer") or {}).get("openid", ""))
            return Callback(self.name, nonce, book, gift, _whole(paid["total"]), paid["currency"],
                            about["transaction_id"], payer=payer)  # fmt: skip
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
    """The lines of a trade bill (交易账单, all kinds): CSV with Chinese headings, each value behind a backtick, sums at
    the end. A refund is named by our own number for it. Its column of fees (手续费) has five decimals: what is really
    taken stands in the bill of funds.

    Format: pay.weixin.qq.com/doc/v3/merchant/4013071246.
    """
    found = []
    for row in _rows(bill):
        state = row.get("交易状态", "")
        if state not in ("SUCCESS", "REFUND"):
            continue  # the summary below the lines
        refund = state == "REFUND"
        amount = parse_amount(row["申请退款金额"] if refund else row["订单金额"], CNY)
        found.append(
            Entry(
                Kind.REFUND if refund else Kind.PAYMENT,
                _uuid(row["商户订单号"]),
                -amount if refund else amount,
                row["货币种类"],
                _refund(row["商户退款单号"]) if refund else row["微信订单号"],
            )
        )
    return found


def movements(bill: str) -> list[Movement]:
    """The lines of a bill of funds (资金账单) of the basic account, oldest first.

    Of a refund it has what has left, and in its remark how much of that is a fee given back: they are two movements
    here. Format: pay.weixin.qq.com/doc/v3/merchant/4013071249.
    """
    found: list[Movement] = []
    for row in _rows(bill):
        if row.get("收支类型") not in ("收入", "支出"):
            continue  # the summary below the lines
        kind, number = row["业务类型"], row["业务凭证号"]
        amount = parse_amount(row["收支金额(元)"], CNY) * (1 if row["收支类型"] == "收入" else -1)
        balance = parse_amount(row["账户结余(元)"], CNY, minimum=0)
        reference, gift, what, back = row["微信支付业务单号"], None, What.OTHER, 0
        if kind == "退款":
            what, reference = What.REFUND, _refund(number)
            back = _fee_back(row["备注"], -amount)
        elif kind == "交易":
            what, gift = What.PAYMENT, _uuid(number)
        elif kind == "扣除交易手续费":
            what = What.FEE
        elif kind == "提现":
            what = What.WITHDRAWAL
        line = f"{row['资金流水单号']}-{kind}"
        found.append(Movement(line, what, gift, reference, amount - back, balance - back))
        if back:
            found.append(Movement(f"{line}-fee", What.FEE, None, reference, back, balance))
    return found


def _rows(bill: str) -> Iterator[dict[str, str]]:
    for line in csv.DictReader(bill.splitlines()):
        named = {name.replace("（", "(").replace("）", ")"): value for name, value in line.items() if name}
        yield {name: (value or "").removeprefix("`") for name, value in named.items()}


def _fee_back(remark: str, left: int) -> int:
    """The fee that was given back with a refund, if the remark says it and the sums agree."""
    said = re.search(r"退款总金额([0-9.]+)元;含手续费([0-9.]+)元", remark)
    if said is None:
        return 0
    whole, fee = (parse_amount(amount, CNY, minimum=0) for amount in said.groups())
    return fee if whole - fee == left else 0


def _refund(number: str) -> str:
    """Our id of a refund, out of the number under which it was asked for."""
    return str(_uuid(number[32:]) or number)


def _uuid(number: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(number)
    except ValueError:
        return None
