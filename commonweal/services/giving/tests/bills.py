"""Bills as WeChat Pay and Alipay write them, from what happened in a merchant's account: written by hand after the
providers' published headings and samples, with nothing of the code that reads them."""

from __future__ import annotations

import gzip
import io
import zipfile
from dataclasses import dataclass, field
from decimal import Decimal

TRADE = (
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,"
    "应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,"
    "手续费,费率,订单金额,申请退款金额,费率备注"
)
FUNDS = (
    "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),资金变更提交申请人,"
    "备注,业务凭证号"
)
ALI_TRADE = (
    "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,"
    "订单金额（元）,商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,"
    "商家红包消费金额（元）,卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注"
)
ALI_FUNDS = (
    "账务流水号,业务流水号,商户订单号,商品名称,发生时间,对方账号,收入金额（+元）,支出金额（-元）,账户余额（元）,"
    "交易渠道,业务类型,备注"
)


def yuan(fen: int) -> str:
    return str(Decimal(fen).scaleb(-2))


@dataclass
class Account:
    """A merchant's account: what happens in it is written down in both of its bills."""

    balance: int = 0
    trades: list[str] = field(default_factory=list)
    funds: list[str] = field(default_factory=list)
    ali_trades: list[str] = field(default_factory=list)
    ali_funds: list[str] = field(default_factory=list)
    number: int = 0

    def new_day(self) -> None:
        """The bills of a day begin; what is in the account stays."""
        for lines in (self.trades, self.funds, self.ali_trades, self.ali_funds):
            lines.clear()

    def _move(self, ours: str, theirs: str, kind: tuple[str, str], fen: int, remark: str = "") -> None:
        self.number += 1
        self.balance += fen
        way = "收入" if fen > 0 else "支出"
        cells = ["2026-11-25 10:00:00", theirs, f"F{self.number:06}", *kind, way, yuan(abs(fen)), yuan(self.balance),
                 "1900000001API", remark, ours]  # fmt: skip
        self.funds.append(",".join(f"`{cell}" for cell in cells))

    def _ali_move(self, ours: str, theirs: str, kind: str, fen: int) -> None:
        cells = [f"A{self.number:06}\t", f"{theirs}\t", f"{ours}\t", "善款", "2026-11-25 10:00:00", "giver\t",
                 yuan(max(0, fen)), yuan(min(0, fen)), yuan(self.balance), "支付宝", kind, ""]  # fmt: skip
        self.ali_funds.append(",".join(cells))

    def pay(self, ours: str, theirs: str, fen: int, fee: int = 0) -> None:
        """A payment and, when there is one, its fee."""
        trade = ["2026-11-25 10:00:00", "wx1", "1900000001", "0", "", theirs, ours, "openid", "NATIVE", "SUCCESS",
                 "OTHERS", "CNY", yuan(fen), "0.00", "0", "0", "0.00", "0.00", "", "", "音乐课", "", f"{yuan(fee)}000",
                 "0.60%", yuan(fen), "0.00", ""]  # fmt: skip
        self.trades.append(",".join(f"`{cell}" for cell in trade))
        self._move(ours, theirs, ("交易", "交易"), fen)
        self._ali_trade(ours, theirs, "交易", fen, "")
        self._ali_move(ours, theirs, "在线支付", fen)
        if fee:
            self._move(ours, theirs, ("交易", "扣除交易手续费"), -fee)
            self._ali_move(ours, theirs, "收费", -fee)

    def refund(self, ours: str, theirs: str, refund: str, request: str, fen: int, fee: int = 0) -> None:
        """A refund, `fee` of it from what the provider gives back; `request` is our number for it."""
        trade = ["2026-11-25 11:00:00", "wx1", "1900000001", "0", "", theirs, ours, "openid", "NATIVE", "REFUND",
                 "OTHERS", "CNY", "0.00", "0.00", refund, request, yuan(fen), "0.00", "ORIGINAL", "SUCCESS", "音乐课",
                 "", f"-{yuan(fee)}000", "0.60%", "0.00", yuan(fen), ""]  # fmt: skip
        self.trades.append(",".join(f"`{cell}" for cell in trade))
        self._move(request, refund, ("退款", "退款"), fee - fen, f"退款总金额{yuan(fen)}元;含手续费{yuan(fee)}元")
        self._ali_trade(ours, theirs, "退款", -fen, request[32:])
        self.balance -= fee  # in two lines there
        self._ali_move(ours, theirs, "交易退款", -fen)
        self.balance += fee
        if fee:
            self.number += 1
            self._ali_move(ours, theirs, "退费", fee)

    def withdraw(self, fen: int) -> None:
        self._move("", "", ("提现", "提现"), -fen)
        self._ali_move("", "", "提现", -fen)

    def top_up(self, fen: int) -> None:
        self._move("", "", ("充值", "充值"), fen)
        self._ali_move("", "", "其它", fen)

    def _ali_trade(self, ours: str, theirs: str, kind: str, fen: int, request: str) -> None:
        cells = [
            *(f"{theirs}\t", f"{ours}\t", kind, "善款", "2026-11-25 10:00:00", "2026-11-25 10:00:00"),
            *("", "", "", "", "giver\t", yuan(fen), yuan(fen)),
            *("0.00", "0.00", "0.00", "0.00", "0.00", "", "0.00", "0.00", f"{request}\t", "0.00", "0.00", ""),
        ]
        self.ali_trades.append(",".join(cells))

    def trade_bill(self) -> bytes:
        head = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额"
        sums = "`1,`0.00,`0.00,`0.00,`0.00,`0.00,`0.00"
        return gzip.compress("\ufeff".encode() + "\r\n".join([TRADE, *self.trades, head, sums]).encode())

    def funds_bill(self) -> bytes:
        sums = "资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额\n`1,`1,`0.00,`0,`0.00"
        return gzip.compress("\r\n".join([FUNDS, *self.funds, *sums.splitlines()]).encode())

    def ali_zip(self, kind: str) -> bytes:
        head, lines, name = (
            (ALI_TRADE, self.ali_trades, "业务明细") if kind == "trade" else (ALI_FUNDS, self.ali_funds, "账务明细")
        )
        before = (f"#支付宝{name}查询", "#账号：[20880000000000000156]", f"#-----{name}列表-----")
        detail = [*before, head, *lines, f"#-----{name}列表结束-----", "#导出时间：[2026年11月26日 10:00:00]"]
        summary = [f"#支付宝{name.replace('明细', '汇总')}查询", "门店编号,订单金额（元）,净额（元）", "合计,0.00,0.00"]
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as packed:
            packed.writestr(f"2088_{name}(汇总).csv", "\r\n".join(summary).encode("gbk"))
            packed.writestr(f"2088_{name}.csv", "\r\n".join(detail).encode("gbk"))
        return out.getvalue()
