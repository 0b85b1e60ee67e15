"""The gallery: every part of the pages in each of its states, for those who build pages and for the tests."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_safe

from commonweal.kernel.errors import Invalid
from commonweal.kernel.quantity import Asset
from commonweal.kernel.registry import HUES, Link
from commonweal.kernel.text import Text
from commonweal.web import drawings

links = (Link("design", Text("Design", "设计"), order=80),)

SHEETS = {
    "look": Text("Type, colours, drawings", "文字、颜色、线描"),
    "forms": Text("Buttons and forms", "按钮与表单"),
    "promises": Text("Amounts, threads, steps, proofs", "金额、进度线、步骤、凭据"),
    "lists": Text("Cards, tables, lists, notes", "卡片、表格、列表、提示"),
    "charts": Text("Charts", "图表"),
}
MINUTES = Asset("MINUTES", 0, "time", Text("minutes", "分钟"))
NOON = datetime(2026, 10, 12, 4, 30, tzinfo=UTC)
LONG = Text(
    "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft",
    "云南省大理白族自治州云龙县石坝镇中心完全小学乡村音乐教育支持计划暨留守儿童课后陪伴项目第三期",
)


def _samples() -> dict[str, Any]:
    """What the specimens show: made up, and the same every time."""
    first = date(2026, 9, 1)
    return {
        "refusal": Invalid(
            "amount.too-small", Text("The smallest amount is 0.01.", "金额最少为 0.01。"), field="amount"
        ),
        "form": {"amount": "0", "name": "林晓", "why": "因为需要。", "agree": "", "way": "bus", "size": "500"},
        "sizes": [("500", "5"), ("2000", "20"), ("5000", "50")],
        "ways": [
            ("bus", Text("By bus", "坐公交"), Text("Step-free on line 11 only.", "仅 11 路无台阶。")),
            ("foot", Text("On foot", "步行"), None),
            ("wheels", LONG, None),
        ],
        "minutes": MINUTES,
        "long": LONG,
        "noon": NOON,
        "amounts": [0, 1, 880, 162_600, 9_999_999_999],
        "shares": [(0, 100), (1, 1000), (1626, 2176), (999, 1000), (2176, 2176), (5000, 2176), (0, 0)],
        "steps": [
            {
                "title": Text("Received ¥ 1,626.00", "收到 1,626.00 元"),
                "at": NOON,
                "done": True,
                "proof": "/checkpoint",
            },
            {
                "title": Text("Paid ¥ 576.00", "支付 576.00 元"),
                "text": Text("32 sets of sheet music; invoice checked by two people.", "乐谱 32 套，发票经两人核对。"),
                "at": NOON + timedelta(days=16),
                "done": True,
            },
            {"title": LONG, "done": False},
        ],
        "rows": [
            (Text("Music lessons", "音乐课"), 105_000),
            (Text("Sheet music", "乐谱"), 57_600),
            (LONG, 9_999_999_999),
            (Text("Nothing yet", "尚无"), 0),
        ],
        "few": [(Text("Walked", "步行"), 8_460), (Text("Cycled", "骑行"), 5_120), (Text("Shared", "拼车"), 731)],
        "days": [(first + timedelta(days=n), 4_000 * n + 900 * (n * n % 7)) for n in range(30)],
        "page": Paginator(range(95), 10).page(4),
        "names": drawings.names(),
        "hues": HUES,
        "none": [],
        "unit": Text("yuan", "元"),
        "long_value": LONG.zh,
    }


@require_safe
def gallery(request: HttpRequest) -> HttpResponse:
    """What there is."""
    return render(request, "web/design.html", {"sheets": SHEETS.items()})


@require_safe
def sheet(request: HttpRequest, name: str) -> HttpResponse:
    """One sheet of specimens."""
    if name not in SHEETS:
        raise Http404
    here = SimpleNamespace(name=name, title=SHEETS[name], template=f"web/design/{name}.html")
    return render(request, "web/design_sheet.html", {"sheet": here, "sheets": SHEETS.items(), "sample": _samples()})


urlpatterns = [
    path("design/", gallery, name="design"),
    path("design/<slug:name>/", sheet, name="design-sheet"),
]
