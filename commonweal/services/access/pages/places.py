"""Places and how one gets in: toilets, entrances, lifts, and whatever has a name."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from commonweal.kernel.text import Text
from commonweal.services.access import queries
from commonweal.services.access.gazetteer import Feature, kind, summary
from commonweal.services.access.pages.maps import drawn
from commonweal.services.access.rules import PROFILES, Fact, Verdict, judge

MOST_HITS = 60
NEAR_M = 40.0
"""Within this a live barrier belongs to a place, metres."""
_OTHER: dict[str, Text] = {
    "toilets:wheelchair": Text("accessible toilet", "无障碍厕所"),
    "changing_table": Text("changing table", "婴儿护理台"),
    "opening_hours": Text("opening hours", "开放时间"),
    "level": Text("level", "楼层"),
    "ramp": Text("ramp", "坡道"),
    "ramp:wheelchair": Text("wheelchair ramp", "轮椅坡道"),
    "tactile_paving": Text("tactile paving", "盲道"),
    "handrail": Text("handrail", "扶手"),
    "wheelchair:description": Text("about access", "无障碍说明"),
    "fee": Text("fee", "收费"),
}
"""Tags that are shown as they are, beside what is judged."""
_SAID = {"yes": Text("yes", "有"), "no": Text("no", "无"), "limited": Text("limited", "部分")}


def _shown(region: queries.Region, place: Feature) -> dict[str, Any]:
    info = place["properties"]
    lon, lat = place["geometry"]["coordinates"]
    element, _, number = str(info.get("originalId", "")).partition("/")
    name = str(info.get("name", ""))
    return {
        "name": Text(name, name) if name else kind(place),
        "kind": kind(place),
        "region": region.name,
        "at": f"{lat:.6f},{lon:.6f}",
        "access": summary(place),
        "url": reverse("access:place", args=[region.name, element, int(number)]) if number.isdigit() else "",
    }


@require_safe
def places(request: HttpRequest) -> HttpResponse:
    """Found by name or kind, in Chinese, English or pinyin."""
    words = request.GET.get("q", "").replace("\0", "").strip()[:100]
    regions = queries.regions()
    hits = [_shown(region, place) for region in regions for place in queries.gazetteer(region).search(words, MOST_HITS)]
    context = {"words": words, "hits": hits[:MOST_HITS], "many": len(regions) > 1}
    return render(request, "access/places.html", context)


@require_safe
def place(request: HttpRequest, region: str, kind: str, number: int) -> HttpResponse:
    """One place: what is on record, from where and when; what stands in the way now; who passes."""
    from commonweal.services.access.graph import text
    from commonweal.services.access.graph.tags import node_facts

    found = queries.region(region)
    one = queries.place(found, f"{kind}/{number}")
    info = one["properties"]
    tags: dict[str, str] = info.get("tags", {})
    facts = [fact for fact in node_facts(tags) if fact.attribute != "crossing"]
    lon, lat = one["geometry"]["coordinates"]
    shown = _shown(found, one)
    title = Text(f"Map: {shown['name'].en}", f"地图：{shown['name'].zh}")
    context = {
        "place": shown,
        "facts": [text.say_fact(fact) for fact in facts],
        "others": [
            (title, _SAID.get(tags[key], Text(tags[key], tags[key]))) for key, title in _OTHER.items() if key in tags
        ],
        "element": info.get("originalId", ""),
        "dated": info.get("edited") or str(found.meta["dated"])[:10],
        "source": found.meta["licence"],
        "passing": _passing(facts),
        "live": queries.standing_near(found.name, (lat, lon), NEAR_M),
        "lift": info["category"] == "elevator",
        "map": drawn(found, title, marks=[(lat, lon, "goal")]),
        "region": found,
    }
    return render(request, "access/place.html", context)


def _passing(facts: list[Fact]) -> list[tuple[Text, list[Text]]]:
    """The profiles to start from, by what the facts on record mean for them."""
    groups: dict[str, list[Text]] = {"pass": [], "unknown": [], "fail": []}
    for profile, title in PROFILES.values():
        worst = min((judge(profile, fact) for fact in facts if fact.attribute != "hours"), default=Verdict.UNKNOWN)
        groups[worst.name.lower()].append(title)
    titles = {
        "pass": Text("By what is on record this is passable with", "按现有记录可通过"),
        "unknown": Text("Not known for", "情况不明"),
        "fail": Text("Not passable with", "无法通过"),
    }
    return [(titles[name], group) for name, group in groups.items() if group]
