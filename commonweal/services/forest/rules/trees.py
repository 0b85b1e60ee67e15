"""What is true of a certificate's tree now. It follows from what happened; it is never set."""

from __future__ import annotations

from enum import Enum

from commonweal.kernel.text import Text


class State(Enum):
    """From the promise to the living tree. A certificate is never pointed to another place: what happens to the place
    happens to it."""

    PROMISED = "promised"
    PLANTED = "planted"
    VERIFIED = "verified"
    DISCOUNTED = "discounted"
    CLEARED = "cleared"


TITLES = {
    State.PROMISED: Text("promised, not yet planted", "已承诺，尚未栽植"),
    State.PLANTED: Text("planted, by the planter's word", "已栽植（种植方报告）"),
    State.VERIFIED: Text("planted and checked", "已栽植，且经核查"),
    State.DISCOUNTED: Text("counts in part until replanted", "补植之前只按部分计"),
    State.CLEARED: Text("a clearing was seen here by satellite", "卫星发现此处林地消失"),
}


def state(*, planted: bool, captured: bool, surveyed: bool, counted: int, cleared: int) -> State:
    """The state of a certificate's tree.

    `counted` and `cleared` are per mille, of its plot: how much of each certificate counts since the last survey, and
    how much of the plot was seen cleared since then. `captured` means that this very place was photographed.
    """
    if not planted:
        return State.PROMISED
    if cleared:
        return State.CLEARED
    if counted < 1000:
        return State.DISCOUNTED
    return State.VERIFIED if captured or surveyed else State.PLANTED
