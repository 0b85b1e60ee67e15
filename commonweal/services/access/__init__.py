"""Step-free routes: from door to door without one barrier that is on record, and an honest word on what is not."""

from commonweal.kernel.registry import FactKind, Service
from commonweal.kernel.text import Text

SERVICE = Service(
    name="access",
    title=Text("Step-free map", "无障碍地图"),
    promise=Text(
        "A way that fits your chair, your stick or your pram, and the reason whenever there is none.",
        "一条适合您的轮椅、手杖或婴儿车的路；没有路时，说明原因。",
    ),
    drawing="path",
    fact_kinds=(
        FactKind("access.report", Text("A barrier reported, confirmed or cleared", "障碍的上报、确认或解除")),
        FactKind("access.build", Text("A map graph put into use", "路网图投入使用")),
    ),
    order=40,
)
