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
from collections.abc import Callable, Iterator, Mapping
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
from commonweal.services.giving.payment.wallets import Movement, What, settled_on, with_fees

CHINA = timezone(timedelta(hours=8))
GATE = "https://openapi.alipay.com/gateway.do?"


@dataclass(frozen=True)
class Alipay:
    """The provider. Keys are PEM; `public_key` is Alipay's own."""

    app: str
    private_key: str
    public_key: str
    notify: str
    returns_fee: bool = False
    """Whether the contract has it give its fee back with a refund: no source of ours says so."""
    name: ClassVar[str] = "alipay"
    title: ClassVar[Text] = Text("Alipay", "支付宝")
    zone: ClassVar[tzinfo] = CHINA

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
        """See `Provider`: the trade bill of a day (China time), with the fees of its bill of funds."""
        return with_fees(entries(self._bill("trade", "支付宝交易号", day)), self._movements(day))

    def fetch_settlements(self, day: date) -> list[Settlement]:
        """See `Provider`: what was withdrawn, for all that had moved since the account was empty."""
        return settled_on(day, self._movements)

    def _movements(self, day: date) -> list[Movement]:
        return movements(self._bill("signcustomer", "账务流水号", day))

    def _bill(self, kind: str, heading: str, day: date) -> str:
        """A bill as text, empty if nothing happened: of the packed files, that whose table has this heading."""
        asked = {"bill_type": kind, "bill_date": day.isoformat()}
        found = self._ask(self._sdk.server_api, "alipay.data.dataservice.bill.downloadurl.query", asked)
        if found.get("sub_code") == "isp.bill_not_exist":
            return ""
        address = str(found.get("bill_download_url", ""))
        if not address.startswith("https://"):
            raise unavailable()
        try:
            with zipfile.ZipFile(io.BytesIO(_download(address))) as packed:
                files = [packed.read(name).decode("gbk") for name in packed.namelist()]
        except (zipfile.BadZipFile, UnicodeDecodeError) as error:
            raise unavailable() from error
        return next((text for text in files if f"\n{heading}" in f"\n{text}"), "")

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
        payer = said.get("buyer_open_id") or said.get("buyer_id", "")
        return Callback(self.name, said["notify_id"], book, gift, amount, CNY.code, said["trade_no"], payer=payer)


def entries(bill: str) -> list[Entry]:
    """The lines of a trade bill (业务明细): CSV with Chinese headings, values before a tab, remarks behind `#`.

    A refund is named by our own id of it. Format: opendocs.alipay.com/support/01rfs0 and the files' own headings.
    """
    found = []
    for row in _rows(bill):
        refund = row["业务类型"] == "退款"
        amount = parse_amount(row["订单金额(元)"].lstrip("-"), CNY)
        reference = _refund(row["退款批次号/请求号"]) if refund else row["支付宝交易号"]
        kind = Kind.REFUND if refund else Kind.PAYMENT
        found.append(Entry(kind, _gift(row["商户订单号"]), -amount if refund else amount, CNY.code, reference))
    return found


def movements(bill: str) -> list[Movement]:
    """The lines of a bill of funds (账务明细, `signcustomer`), oldest first.

    Income and outlay stand in columns of their own; what a line is, its kind says (业务类型). The order's number holds
    a payment, its fee (收费) and its refunds with their fee (退费) together.
    """
    found: list[Movement] = []
    for row in _rows(bill):
        number, kind = row["商户订单号"], row["业务类型"]
        amount = _signed(row["收入金额(+元)"]) - abs(_signed(row["支出金额(-元)"]))
        what = What.OTHER
        if "费" in kind:
            what = What.FEE
        elif "提现" in kind:
            what = What.WITHDRAWAL
        elif "退款" in kind:
            what = What.REFUND
        elif amount > 0 and _gift(number):
            what = What.PAYMENT
        found.append(Movement(row["账务流水号"], what, _gift(number), number, amount, _signed(row["账户余额(元)"])))
    return found


def _rows(bill: str) -> Iterator[dict[str, str]]:
    """The rows of a table, by its headings; what is said before and behind it begins with `#`."""
    lines = [line for line in bill.splitlines() if line.strip() and not line.startswith("#")]
    for line in csv.DictReader(lines, skipinitialspace=True):
        named = {(name or "").strip().replace("（", "(").replace("）", ")"): value for name, value in line.items()}
        yield {name: value.strip() for name, value in named.items() if isinstance(value, str)}


def _signed(written: str) -> int:
    amount = parse_amount(written.lstrip("+-") or "0", CNY, minimum=0)
    return -amount if written.startswith("-") else amount


def _gift(number: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(number[32:]) if len(number) == 64 else None
    except ValueError:
        return None


def _refund(number: str) -> str:
    try:
        return str(uuid.UUID(number))
    except ValueError:
        return number


def _download(address: str) -> bytes:
    try:
        with urlopen(address, timeout=30) as answer:  # noqa: S310 (https only)
            return bytes(answer.read())
    except OSError as error:
        raise unavailable() from error
