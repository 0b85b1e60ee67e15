"""What of a steward's looks is put on record: whatever is sealed, personal or a note about somebody, and why."""

from __future__ import annotations

from enum import StrEnum

from commonweal.kernel.text import Text


class What(StrEnum):
    """What was looked at; the word stands in the public log."""

    APPEAL = "appeal"
    PAPER = "appeal.paper"
    EVIDENCE = "payout.evidence"
    THREAD = "thread"
    SIGNS = "payout.signs"
    RISK = "risk.notes"
    OBJECTION = "objection"


TITLES: dict[What, Text] = {
    What.APPEAL: Text("An appeal that is not public", "未公开的个人求助"),
    What.PAPER: Text("A person's papers", "求助人的材料"),
    What.EVIDENCE: Text("Evidence of a payout or an arrival", "拨款或到货凭证"),
    What.THREAD: Text("A thread between giver and charity", "捐助人与机构的留言"),
    What.SIGNS: Text("Signs to look twice at a payout", "拨款风险提示"),
    What.RISK: Text("Stewards' notes on a charity", "审核员对机构的风险记录"),
    What.OBJECTION: Text("A giver's objection", "捐款人的异议"),
}
WHY: dict[What, Text] = {
    What.APPEAL: Text("to decide whether it is shown", "决定是否公开"),
    What.PAPER: Text("to check whether it is true", "核对真实性"),
    What.EVIDENCE: Text("to approve or check a payment", "审批或核查拨款"),
    What.THREAD: Text("called by the giver or the charity", "应捐助人或机构请求"),
    What.SIGNS: Text("to approve a payment", "审批拨款"),
    What.RISK: Text("to judge a charity's risk", "评估机构风险"),
    What.OBJECTION: Text("to decide about a match", "裁定配捐"),
}
