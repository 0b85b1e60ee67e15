"""A person asks for help: never mixed with a charity's fundraising, never paid into directly, and capped."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from commonweal.kernel.errors import Conflict, Invalid, NotAllowed
from commonweal.kernel.quantity import CNY, check_amount
from commonweal.kernel.text import Text
from commonweal.services.giving.rules import topics

CAP = 300_000_00
"""The most that one person can ask for here, in fen: this platform's own limit."""
MOST_EVIDENCE = 10

WARNING = Text(
    "This is a person asking for help. It is not charity fundraising: no charity vouches for it, a gift is no donation "
    "in the sense of the Charity Law, and there is no receipt for taxes. Whoever asks answers for its truth. This "
    "platform takes no money for it; once a charity has adopted it, give there.",
    "这是个人求助，不是慈善募捐：没有慈善组织为其担保，赠与不属于《慈善法》所称的慈善捐赠，不能开具捐赠票据。"
    "信息的真实性由求助人负责。本平台不为个人求助收款；有慈善组织接手后，请捐给该组织的项目。",
)
SOURCE = Text(
    "Measures for the Administration of Online Service Platforms for Personal Appeals (in force 2024-09-05); "
    "MZ/T 088-2017: personal appeals carry a warning of risk and are not mixed with fundraising",
    "《个人求助网络服务平台管理办法》（2024 年 9 月 5 日施行）；MZ/T 088-2017：个人求助须作风险提示，不得与募捐混同",
)


class State(StrEnum):
    """How far an appeal has come; follows from the steward's word and the charity's."""

    ASKED = "asked"
    SHOWN = "shown"
    DECLINED = "declined"
    ADOPTED = "adopted"
    WITHDRAWN = "withdrawn"


TITLES: dict[State, Text] = {
    State.ASKED: Text("Papers being checked", "材料核对中"),
    State.SHOWN: Text("Looking for a charity", "等待慈善组织接手"),
    State.DECLINED: Text("Not shown", "未予公开"),
    State.ADOPTED: Text("Adopted by a charity", "已由慈善组织接手"),
    State.WITHDRAWN: Text("Withdrawn", "已撤回"),
}


@dataclass(frozen=True, slots=True)
class Appeal:
    """What a person writes. `evidence` are papers that only stewards and adopting charities see."""

    title: Text
    story: Text
    topic: str
    amount: int
    evidence: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """What a decision about an appeal needs to know."""

    asker: uuid.UUID
    shows: bool | None
    adopted: bool
    withdrawn_at: datetime | None


def state(appeal: Standing) -> State:
    """How far it has come."""
    if appeal.withdrawn_at is not None:
        return State.WITHDRAWN
    if appeal.adopted:
        return State.ADOPTED
    if appeal.shows is None:
        return State.ASKED
    return State.SHOWN if appeal.shows else State.DECLINED


def check(appeal: Appeal) -> None:
    """Whether an appeal can be made. Raises `Invalid` with `plan.topic`, `amount.*` or `evidence.number`."""
    if appeal.topic not in topics.TITLES:
        raise Invalid("plan.topic", Text("Choose what it is about.", "请选择项目领域。"), field="topic")
    check_amount(appeal.amount, CNY, maximum=CAP)
    if not 0 < len(appeal.evidence) <= MOST_EVIDENCE:
        raise Invalid(
            "evidence.number",
            Text("Add 1 to {most} files as evidence.", "请附 1 至 {most} 份凭证。").format(most=MOST_EVIDENCE),
            field="evidence",
        )


def check_judge(appeal: Standing, steward: uuid.UUID) -> None:
    """Whether a steward can judge it. Raises `NotAllowed` (`appeal.own`) and `Conflict` (`appeal.judged`)."""
    if appeal.asker == steward:
        raise NotAllowed("appeal.own", Text("Somebody else has to judge this.", "不能核对自己的求助。"))
    if state(appeal) is not State.ASKED:
        raise Conflict("appeal.judged", Text("This appeal has been judged already.", "该求助已经核对过。"))


def check_adopt(appeal: Standing, officer: uuid.UUID) -> None:
    """Whether a charity can adopt it. Raises `NotAllowed` (`appeal.own`) and `Conflict` (`appeal.not-shown`)."""
    if appeal.asker == officer:
        raise NotAllowed("appeal.own", Text("Another officer has to adopt this.", "请由机构其他人员接手自己的求助。"))
    if state(appeal) is not State.SHOWN:
        raise Conflict(
            "appeal.not-shown",
            Text("Only an appeal that waits for a charity can be adopted.", "只能接手正在等待慈善组织的求助。"),
        )
