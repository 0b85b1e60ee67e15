"""A campaign that a company makes its own, together with a qualified charity, which alone raises and answers for it."""

from __future__ import annotations

from enum import StrEnum

from commonweal.kernel.errors import Conflict, NotAllowed
from commonweal.kernel.text import Text

TERMS = Text(
    "The charity raises in its own name, holds or mirrors the money and answers for all of it; the company has no say "
    "in where it goes, and none of it passes through the company. The company is named on the campaign's page.",
    "由慈善组织以自己的名义募捐、管理善款并承担全部责任；企业无权支配善款，善款不经企业之手。企业名称在项目页公示。",
)
SOURCE = Text(
    "Measures for public fundraising (MCA order 74, in force 2024-09-05), art. 3: only charities with the "
    "qualification raise from the public",
    "《慈善组织公开募捐管理办法》（民政部令第 74 号，2024 年 9 月 5 日施行）第三条："
    "只有取得公开募捐资格的慈善组织可以面向公众募捐",
)


class State(StrEnum):
    """How far it has come."""

    PROPOSED = "proposed"
    ACCEPTED = "accepted"
    DECLINED = "declined"


TITLES = {
    State.PROPOSED: Text("Proposed, the charity has not answered", "已提出，待机构答复"),
    State.ACCEPTED: Text("Together", "已共同开展"),
    State.DECLINED: Text("Declined", "机构未接受"),
}


def state(accepts: bool | None) -> State:
    """How far it has come, by the charity's word."""
    if accepts is None:
        return State.PROPOSED
    return State.ACCEPTED if accepts else State.DECLINED


def check_word(now: State, *, acts_for_both: bool) -> None:
    """Whether the charity can answer. Raises `NotAllowed` (`partner.own`) and `Conflict` (`partner.answered`)."""
    if acts_for_both:
        raise NotAllowed(
            "partner.own",
            Text("Somebody who does not act for the company has to answer.", "须由不代表该企业的人答复。"),
        )
    if now is not State.PROPOSED:
        raise Conflict("partner.answered", Text("This is answered already.", "已经答复过。"))
