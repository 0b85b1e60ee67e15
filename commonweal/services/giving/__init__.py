"""Giving: a charity tells what is needed, people give, and every fen is followed to what it became."""

from commonweal.kernel.registry import FactKind, Link, Service
from commonweal.kernel.text import Text
from commonweal.services.giving.rules.deeds import BOOKS, FLOWERS, MINUTES, STEPS

SERVICE = Service(
    name="giving",
    title=Text("Giving", "捐助"),
    promise=Text("Give five yuan and see what it became.", "给五元，也能看到它变成了什么。"),
    drawing="hands",
    order=10,
    links=(
        Link("campaigns", Text("Campaigns", "募捐项目")),
        Link("grants", Text("Published grants", "资助记录")),
        Link("appeals", Text("People asking for help", "个人求助")),
        Link("mine", Text("My gifts", "我的捐助")),
    ),
    console=(
        Link("payouts", Text("Payouts to check", "待审核拨款")),
        Link("returns", Text("Refunds and chargebacks", "退款与拒付")),
        Link("settlements", Text("Matching to settle", "待结算配捐")),
        Link("disputes", Text("Hours in dispute", "时长申诉")),
        Link("appeals", Text("Appeals to check", "待核对的求助")),
        Link("uses", Text("Is it in use?", "使用情况核查")),
        Link("vendors", Text("Vendors", "供应商")),
        Link("control", Text("Control room", "控制室")),
        Link("mismatches", Text("Payments that do not match", "不符的付款")),
    ),
    account_kinds={
        "provider": Text("in the payment provider's hands", "在支付机构"),
        "received": Text("gifts not yet laid on the fund's line", "已收到、待编入资金序列的捐款"),
        "fund": Text("gifts not yet spent", "尚未使用的捐款"),
        "receivable": Text("owed by a charity: charged back after it was spent", "机构应还：已使用后被拒付"),
        "owed": Text(
            "refunds that came back, and double payments, owed to givers", "被退回的退款与重复付款，应付捐款人"
        ),
        "bank": Text("in the bank", "在银行账户"),
        "payable": Text("paid out, leaving the bank when the provider settles", "已拨付，待支付机构结算后付出"),
        "cards": Text("held by gift cards until they are used", "礼品卡未使用的款项"),
        "host": Text("kept by the foundation that holds the money, tips included", "托管基金会的托管费与打赏"),
        "borne": Text("owed by that foundation: fees that it bears", "基金会应付：由其承担的手续费"),
        "pool": Text("put in by a company for matching", "企业配捐资金"),
        "done": Text("what people have done: steps, flowers, books, minutes", "大家完成的步数、小红花、图书与时长"),
        "got": Text("actions and time that a campaign has got", "项目收到的行动与时间"),
        "funder": Text("what a funder has granted", "资助方已拨付"),
        "recipient": Text("what an organisation has been granted", "机构已获资助"),
    },
    assets=(STEPS, FLOWERS, BOOKS, MINUTES),
    fact_kinds=(
        FactKind("giving.campaign", Text("A campaign was filed", "募捐项目已备案")),
        FactKind("giving.gift", Text("A gift arrived", "收到一笔捐款")),
        FactKind("giving.update", Text("A charity reported", "机构发布进展")),
        FactKind("giving.request", Text("A charity asked for money to be paid out", "机构申请拨款")),
        FactKind("giving.word", Text("A steward approved or declined a payout", "审核员批准或否决拨款")),
        FactKind("giving.payout", Text("Money was paid out", "善款已拨付")),
        FactKind("giving.vendor", Text("A vendor was admitted", "供应商入库")),
        FactKind("giving.order", Text("Things were ordered, or the order cancelled", "下单或取消订单")),
        FactKind("giving.arrival", Text("The receiving side confirmed what has come", "接收方确认到货")),
        FactKind("giving.invoice", Text("A vendor's invoice was entered", "登记供应商发票")),
        FactKind("giving.refund", Text("A refund was begun", "开始退款")),
        FactKind("giving.card", Text("A gift card was paid", "礼品卡已付款")),
        FactKind("giving.account", Text("A charity named its bank account", "机构公布收款账户")),
        FactKind("giving.pledge", Text("A company promised a gift by invoice", "企业承诺捐款并领取缴款通知单")),
        FactKind("giving.pledge-end", Text("An invoice was paid or cancelled", "缴款通知单已付款或作废")),
        FactKind("giving.fees", Text("What a host or a payment provider has kept of gifts", "托管费与支付手续费")),
        FactKind("giving.chargeback", Text("A bank took a payment back", "付款被银行拒付")),
        FactKind("giving.return-end", Text("A refund was done, failed or came back", "退款完成、失败或被退回")),
        FactKind("giving.twice", Text("What was paid twice is owed, or has gone back", "重复付款应退还或已退还")),
        FactKind("giving.repayment", Text("A charity repaid what it owed", "机构偿还应还款项")),
        FactKind("giving.pool", Text("A company funds matching", "企业出资配捐")),
        FactKind("giving.settlement", Text("What a pool of matching comes to was computed", "配捐结算已计算")),
        FactKind(
            "giving.settlement-word", Text("A steward agreed to a settlement or did not", "审核员确认或否决配捐结算")
        ),
        FactKind("giving.match", Text("A gift was matched", "捐款获得配捐")),
        FactKind("giving.claw-back", Text("A match went back to its pool", "配捐退回资金池")),
        FactKind("giving.recurring", Text("A recurring gift was agreed, changed or ended", "定期捐赠签约、变更或结束")),
        FactKind("giving.stop", Text("A steward stopped a campaign", "审核员停止项目")),
        FactKind(
            "giving.appeal", Text("A person's appeal was asked, checked or adopted", "个人求助的提出、核对或接手")
        ),
        FactKind("giving.sponsorship", Text("A sponsor's contract was made or settled", "赞助约定的订立或结算")),
        FactKind("giving.hours", Text("Volunteered time was confirmed", "志愿时长已确认")),
        FactKind("giving.late", Text("A report was overdue and giving stopped", "报告逾期，募捐已停止")),
        FactKind("giving.idle", Text("A steward found something idle, or passed it on", "审核员标记或转出闲置物资")),
        FactKind("giving.year", Text("A charity stated the figures of a year", "机构填报年度数据")),
        FactKind("giving.use", Text("A charity told how something is used", "机构说明物资使用情况")),
        FactKind("giving.grant", Text("A funder's grant was taken over from its publication", "导入资助方公布的资助")),
    ),
)
