"""Alipay, on the SDK `python-alipay-sdk`: notifications are forms, signed RSA2 over their sorted fields.

`out_trade_no` is the book, then the gift; a refund's `out_request_no` is its id. Alipay answers a refund at once.

No recurring gifts: 周期扣款 (`alipay.user.agreement.page.sign`, then `alipay.trade.pay` with the agreement's number) is
a product that a merchant signs for apart; the SDK does not have it, and nothing of it could be tried here.
"""

from __future__ import annotations

import csv
import io
import uuid
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone, tzinfo
from functools import cached_property
from typing import Any, ClassVar
from urllib.parse import parse_qsl
from urllib.request import urlopen

from commonweal.kernel.quantity import CNY, format_amount, parse_amount
from commonweal.kernel.text import Text
from commonweal.services.giving.payment.port import (
    Back,
    Callback,
    Entry,
    Ignored,
    Kind,
    Order,
    Settlement,
    bad_signature,
    check_time,
    unavailable,
)

CHINA = timezone(timedelta(hours=8))
GATE = "https://openapi.alipay.com/gateway.do?"


@dataclass(frozen=True)
class Alipay:
    """The provider. Keys are PEM; `public_key` is Alipay's own."""

    app: str
    private_key: str
    public_key: str
    notify: str
    name: ClassVar[str] = "alipay"
    title: ClassVar[Text] = Text("Alipay", "支付宝")
    zone: ClassVar[tzinfo] = CHINA
    returns_fee: ClassVar[bool] = False

    def create(self, order: Order) -> str:
        """See `Provider`: a signed address, made here."""
        query = self._sdk.api_alipay_trade_page_pay(
            subject=order.title.zh[:100],
            out_trade_no=order.book.hex + order.gift.hex,
            total_amount=format_amount(order.amount, CNY, grouped=False),
            notify_url=self.notify,
        )
        return GATE + str(query)

    def read_callback(self, body: bytes, headers: Mapping[str, str], now: datetime) -> Callback:
        """See `Provider`. The app must be ours, too: another merchant's notification is signed by the same key."""
        try:
            pairs = parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=True)
            said = dict(pairs)
            if len(said) != len(pairs) or said.get("app_id") != self.app:
                raise bad_signature()
            signature = said["sign"]
            if not self._sdk.verify({name: said[name] for name in said if name != "sign"}, signature):
                raise bad_signature()
            sent = datetime.strptime(said["notify_time"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=CHINA)
            check_time(sent, now)
            return self._read(said)
        except (ValueError, KeyError, TypeError) as error:
            raise bad_signature() from error

    def refund(self, back: Back) -> bool | None:
        """See `Provider`."""
        made = self._ask(
            self._sdk.api_alipay_trade_refund,
            refund_amount=format_amount(back.amount, CNY, grouped=False),
            out_trade_no=back.book.hex + back.gift.hex,
            out_request_no=back.id.hex,
        )
        return None if made.get("code") in ("20000", None) else made["code"] == "10000"

    def query(self, order: Order) -> Callback | None:
        """See `Provider`."""
        found = self._ask(self._sdk.api_alipay_trade_query, out_trade_no=order.book.hex + order.gift.hex)
        if found.get("trade_status") not in ("TRADE_SUCCESS", "TRADE_FINISHED"):
            return None
        amount = parse_amount(found["total_amount"], CNY)
        return Callback(self.name, found["trade_no"], order.book, order.gift, amount, CNY.code, found["trade_no"])

    def fetch_statement(self, day: date) -> list[Entry]:
        """See `Provider`: the trade bill of a day (China time)."""
        asked = {"bill_type": "trade", "bill_date": day.isoformat()}
        found = self._ask(self._sdk.server_api, "alipay.data.dataservice.bill.downloadurl.query", asked)
        address = str(found.get("bill_download_url", ""))
        if not address.startswith("https://"):
            raise unavailable()
        with urlopen(address, timeout=30) as answer:  # noqa: S310 (https only)
            packed = zipfile.ZipFile(io.BytesIO(answer.read()))
        details = next(name for name in packed.namelist() if packed.read(name).decode("gbk").count("支付宝交易号"))
        return entries(packed.read(details).decode("gbk"))

    def fetch_settlements(self, day: date) -> list[Settlement]:
        """See `Provider`: none, its bill of funds (资金账单) is not read here; nor are the fees of its trade bill."""
        return []

    @cached_property
    def _sdk(self) -> Any:
        from alipay import AliPay

        return AliPay(
            appid=self.app,
            app_notify_url=self.notify,
            app_private_key_string=self.private_key,
            alipay_public_key_string=self.public_key,
            sign_type="RSA2",
        )

    @staticmethod
    def _ask(call: Callable[..., dict[str, Any]], *given: Any, **asked: Any) -> dict[str, Any]:
        from alipay.exceptions import AliPayException, AliPayValidationError

        try:
            return call(*given, **asked)
        except (AliPayException, AliPayValidationError, OSError, ValueError) as error:
            raise unavailable() from error

    def _read(self, said: Mapping[str, str]) -> Callback:
        number = said["out_trade_no"]
        book, gift = uuid.UUID(number[:32]), uuid.UUID(number[32:])
        if "refund_fee" in said and said.get("out_biz_no"):
            raise Ignored  # the answer to the refund has told it; the notification only has the sum of all refunds
        if said["trade_status"] not in ("TRADE_SUCCESS", "TRADE_FINISHED"):
            raise Ignored
        amount = parse_amount(said["total_amount"], CNY)
        return Callback(self.name, said["notify_id"], book, gift, amount, CNY.code, said["trade_no"])


def entries(bill: str) -> list[Entry]:
    """The lines of a trade bill: CSV with Chinese headings, remarks behind `#`."""
    lines = [line for line in bill.splitlines() if line.strip() and not line.startswith("#")]
    found = []
    for line in csv.DictReader(lines, skipinitialspace=True):
        row = {(name or "").strip(): (value or "").strip() for name, value in line.items() if isinstance(value, str)}
        refund = row["业务类型"] == "退款"
        amount = parse_amount(row["订单金额（元）"].lstrip("-"), CNY)
        number = row["商户订单号"]
        reference = row["退款批次号/请求号"] if refund else row["支付宝交易号"]
        gift = uuid.UUID(number[32:]) if len(number) == 64 else None
        kind = Kind.REFUND if refund else Kind.PAYMENT
        found.append(Entry(kind, gift, -amount if refund else amount, CNY.code, reference))
    return found
