"""Step-free routes: from door to door without one barrier that is on record, and an honest word on what is not."""

from commonweal.kernel.registry import FactKind, Link, Service
from commonweal.kernel.text import Text

SERVICE = Service(
    name="access",
    title=Text("Step-free map", "无障碍地图"),
    promise=Text(
        "A way that fits your chair, your stick or your pram, and the reason whenever there is none.",
        "一条适合您的轮椅、手杖或婴儿车的路；没有路时，说明原因。",
    ),
    drawing="kerb",
    needs=("numba", "numpy", "osmium"),
    links=(
        Link("route", Text("Find a way", "找路")),
        Link("reports", Text("Barriers", "障碍")),
        Link("places", Text("Places", "地点")),
        Link("cities", Text("What is known", "数据现状")),
        Link("profiles", Text("My limits", "我的出行方式")),
    ),
    fact_kinds=(FactKind("access.report", Text("Somebody reported a barrier", "有人上报障碍")),),
    order=40,
)
