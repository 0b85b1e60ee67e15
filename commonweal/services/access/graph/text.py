"""A route in words, Chinese and English, exact enough to be walked by words alone.

Every line says after how many metres something happens. Where ways part and the route does not take the one that is
clearly straightest, a line gives the clock direction, and, if two ways share it, which of them, counted clockwise.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from commonweal.kernel.text import Text
from commonweal.services.access.graph import search
from commonweal.services.access.graph.router import Piece, Router, Way
from commonweal.services.access.graph.store import Row
from commonweal.services.access.rules import ATTRIBUTES, Fact, Profile

CLEAR_DEGREES = 20.0
"""By how much the straightest way must be straighter than any other to be taken without a word."""

_KINDS = {
    "footway": Text("footpath", "步行道"),
    "sidewalk": Text("pavement", "人行道"),
    "crossing": Text("crossing", "人行横道"),
    "path": Text("path", "小路"),
    "pedestrian": Text("pedestrian street", "步行街"),
    "steps": Text("steps", "台阶"),
    "corridor": Text("corridor", "走廊"),
    "elevator": Text("lift", "电梯"),
    "platform": Text("platform", "站台"),
    "residential": Text("street", "街道"),
    "living_street": Text("shared street", "共享街道"),
    "service": Text("service road", "内部道路"),
    "track": Text("track", "土路"),
    "cycleway": Text("cycle track", "自行车道"),
    "road": Text("road", "道路"),
    "traffic_island": Text("traffic island", "安全岛"),
}
_SURFACES = {
    "asphalt": Text("asphalt", "沥青"),
    "concrete": Text("concrete", "混凝土"),
    "paving_stones": Text("paving stones", "铺砖"),
    "paved": Text("paved", "硬化路面"),
    "sett": Text("setts", "方石"),
    "cobblestone": Text("cobbles", "鹅卵石"),
    "compacted": Text("compacted gravel", "压实碎石"),
    "fine_gravel": Text("fine gravel", "细碎石"),
    "gravel": Text("gravel", "碎石"),
    "unpaved": Text("unpaved", "未硬化路面"),
    "ground": Text("earth", "土路面"),
    "dirt": Text("earth", "土路面"),
    "grass": Text("grass", "草地"),
    "wood": Text("wood", "木板"),
    "metal": Text("metal", "金属"),
    "sand": Text("sand", "沙地"),
    "bricks": Text("bricks", "砖面"),
}
_CROSSINGS = {
    "sound": Text("crossing with a signal that sounds or vibrates", "有提示音或振动信号的人行横道"),
    "signals": Text("crossing with signals", "有信号灯的人行横道"),
    "marked": Text("marked crossing without signals", "有标线、无信号灯的人行横道"),
    "unmarked": Text("unmarked crossing", "无标线的过街处"),
    "": Text("crossing of unknown kind", "情况不明的过街处"),
}
_POINTS = (
    Text("north", "北"), Text("north-east", "东北"), Text("east", "东"), Text("south-east", "东南"),
    Text("south", "南"), Text("south-west", "西南"), Text("west", "西"), Text("north-west", "西北"),
)  # fmt: skip
_DOUBTS = {
    "gap": Text("gap not measured", "间隙未测量"),
    "unit": Text("unit not stated", "未写单位"),
    "unreadable": Text("record unreadable", "记录无法识读"),
    "kind": Text("height not known", "高度不明"),
    "report": Text("reported, not yet confirmed", "有人上报，尚未证实"),
    "narrow": Text("said to be narrow", "标注为狭窄"),
    "estimate": Text("estimated", "估计值"),
}
_VALUES = {
    ("lift", "out"): Text("out of service", "停运"),
    ("lift", "lift"): Text("yes", "有"),
    ("obstruction", "blocked"): Text("blocked", "受阻"),
    ("access", "closed"): Text("closed", "封闭"),
    ("access", "private"): Text("private", "内部通行"),
    ("access", "no"): Text("not on foot", "禁止步行"),
    ("access", "yes"): Text("open", "开放"),
    ("wheelchair", "yes"): Text("yes", "可通行"),
    ("wheelchair", "limited"): Text("limited", "部分可通行"),
    ("wheelchair", "no"): Text("no", "不可通行"),
    ("door", "none"): Text("none", "无门"),
    ("door", "automatic"): Text("automatic", "自动门"),
    ("door", "manual"): Text("by hand", "手动门"),
    ("door", "revolving"): Text("revolving", "旋转门"),
}
"""Words of the record that have words of ours."""
_UNITS = {"incline": "%", "cross_slope": "%", "width": " cm", "kerb": " cm", "barrier": " cm"}


def say_fact(fact: Fact) -> Text:
    """A fact in words: `kerb 15 cm`, `barrier: bollard (gap not measured)`."""
    title = ATTRIBUTES[fact.attribute]
    doubt = _DOUBTS.get(fact.doubt)
    if isinstance(fact.value, str):
        plain = fact.value.replace("_", " ")
        word = _SURFACES.get(fact.value) or _VALUES.get((fact.attribute, fact.value)) or Text(plain, plain)
        said = Text(f"{title.en}: {word.en}", f"{title.zh}：{word.zh}")
    elif fact.value is not None and fact.attribute in _UNITS:
        size = f"{fact.value:g}{_UNITS[fact.attribute]}"
        said = Text(f"{title.en} {size}", f"{title.zh} {size.replace(' cm', ' 厘米')}")
    elif fact.value is not None and fact.attribute == "steps":
        said = Text(f"{fact.value:g} steps", f"{fact.value:g} 级台阶")
    elif fact.attribute == "steps":
        said = title
    else:
        note = fact.note.replace("_", " ")
        said = Text(f"{title.en}: {note or 'not on record'}", f"{title.zh}：{note or '没有记录'}")
    return Text(f"{said.en} ({doubt.en})", f"{said.zh}（{doubt.zh}）") if doubt else said


def _turns(router: Router, pieces: list[Piece]) -> list[Text | None]:
    """What to say at every joint; None where one goes on without a word."""
    a = router.arrays
    arcs = np.array([piece.arc for piece in pieces], np.int32)
    found = search.turns(arcs, CLEAR_DEGREES, a.a_first, a.a_arc, a.e_u, a.e_v, a.e_shape, a.s_lat, a.s_lon)
    return [_turn(*joint) if joint[0] else None for joint in found.tolist()]


@lru_cache(maxsize=1000)
def _turn(hour: int, number: int, rivals: int) -> Text:
    if rivals == 1:
        return Text(f"turn to {hour} o'clock", f"转向{hour}点钟方向")
    return Text(
        f"turn to {hour} o'clock, way {number} of {rivals} there, clockwise",
        f"转向{hour}点钟方向，该方向共{rivals}条路，按顺时针走第{number}条",
    )


def _street(router: Router, arc: int) -> Text:
    """The street of an arc: name, kind, side as one walks, surface."""
    a, edge = router.arrays, arc >> 1
    return called(
        router.graph.rows[a.e_row[edge]], router.graph.names[a.e_name[edge]], int(a.e_side[edge]), bool(arc & 1)
    )


@lru_cache(maxsize=50_000)
def called(row: Row, name: str, side: int, against: bool) -> Text:
    """A street in words, as one walks it: what it is, its ground, its slope."""
    about = dict(row.about)
    kind = _KINDS.get(about.get("footway", ""), _KINDS.get(about.get("highway", ""), _KINDS["road"]))
    if side:
        left = (side == 1) != against
        kind = Text(f"{'left' if left else 'right'} pavement", f"{'左' if left else '右'}侧人行道")
    surface = next((f.value for f in row.facts if f.attribute == "surface"), None)
    ground = Text("surface not known", "路面不明")
    if surface not in (None, "usable"):
        word = str(surface).replace("_", " ")
        ground = _SURFACES.get(str(surface), Text(word, word))
    en, zh = f"{kind.en}, {ground.en}", f"{kind.zh}，{ground.zh}"
    slope = next((f.value for f in row.facts if f.attribute == "incline"), None)
    if isinstance(slope, float) and slope:
        slope = -slope if against else slope
        en += f", {'up' if slope > 0 else 'down'} {abs(slope):g} %"
        zh += f"，{'上坡' if slope > 0 else '下坡'} {abs(slope):g}%"
    if about.get("tactile_paving") == "yes":
        en, zh = f"{en}, tactile paving", f"{zh}，有盲道"
    return Text(f"{name} ({en})", f"{name}（{zh}）") if name else Text(en, zh)


def _passing(router: Router, arc: int, following: int) -> tuple[Text, ...]:
    """What one meets on the vertex between two arcs, and on beginning a crossing or a lift."""
    a, rows = router.arrays, router.graph.rows
    edge = following >> 1
    row = int(a.v_row[a.e_v[edge] if following & 1 else a.e_u[edge]])
    return _met(rows[row] if row >= 0 else None, int(a.a_gate[following]), rows[a.e_row[arc >> 1]], rows[a.e_row[edge]])


@lru_cache(maxsize=50_000)
def _met(at: Row | None, gate: int, before: Row, after: Row) -> tuple[Text, ...]:
    said: list[Text] = []
    for fact in at.facts if at else ():
        if fact.attribute == "lift":
            said.append(Text("take the lift", "乘电梯"))
        elif fact.attribute in ("kerb", "barrier", "door", "steps"):
            words = say_fact(fact)
            sense = (
                {-1: Text(" down", "（下）"), 1: Text(" up", "（上）")}.get(gate) if fact.attribute == "kerb" else None
            )
            said.append(Text(words.en + sense.en, words.zh + sense.zh) if sense else words)
    if at and dict(at.about).get("tactile_paving") == "yes":
        said.append(Text("tactile paving", "有盲道提示"))
    crossing = [
        next((f for f in row.facts if f.attribute == "crossing"), None) if row else None for row in (before, after, at)
    ]
    if crossing[1] and not crossing[0]:
        kind = crossing[1].value or (crossing[2].value if crossing[2] else None)
        said.append(_CROSSINGS[str(kind or "")])
    elif crossing[1] and crossing[2] and crossing[1].value is None:  # only the node says of what kind it is
        said.append(_CROSSINGS[str(crossing[2].value or "")])
    return tuple(said)


def steps(router: Router, way: Way, profile: Profile) -> list[Text]:
    """The lines of a route: setting off, every turn and everything met on the way, arriving."""
    pieces: list[Piece] = [piece for piece in way.pieces if piece.length > 0 or len(way.pieces) == 1]
    first = pieces[0]
    compass = _heading(router, way, first)
    point = _POINTS[round(compass / 45) % 8]
    street = _street(router, first.arc)
    lines = [
        Text(
            f"Set off {point.en} (bearing {compass:.0f}°) along {street.en}",
            f"从{street.zh}出发，向{point.zh}（方位 {compass:.0f}°）走",
        )
    ]
    walked = 0.0
    for piece, following, turn in zip(pieces, pieces[1:], _turns(router, pieces), strict=False):
        walked += piece.length
        said = _passing(router, piece.arc, following.arc)
        onto = _street(router, following.arc)
        if turn is None and not said and onto == street:
            continue
        street = onto
        distance = f"{walked:.1f}" if piece.length < 3 or following.length < 3 else f"{walked:.0f}"
        en = [turn.en if turn else "straight on", *(t.en for t in said), f"along {onto.en}"]
        zh = [turn.zh if turn else "直行", *(t.zh for t in said), f"走{onto.zh}"]
        lines.append(Text(f"After {distance} m: {'; '.join(en)}", f"{distance}米后：{'；'.join(zh)}"))
        walked = 0.0
    walked += pieces[-1].length
    off = way.goal.off
    end = Text(f", the place is {off:.0f} m beside the street", f"，目的地在路旁{off:.0f}米") if off >= 2 else None
    lines.append(
        Text(
            f"After {walked:.1f} m: you have arrived{end.en if end else ''}",
            f"{walked:.1f}米后：到达{end.zh if end else ''}",
        )
    )
    return lines


def _heading(router: Router, way: Way, piece: Piece) -> float:
    """The bearing of the first steps."""
    a = router.arrays
    if piece.begin <= 0:
        return float(search.leaving(piece.arc, a.e_shape, a.s_lat, a.s_lon))
    return router.heading(way.start, bool(piece.arc & 1))
