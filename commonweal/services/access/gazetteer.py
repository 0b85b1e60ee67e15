"""The places of a map by name or kind: Chinese, English, or pinyin in full or by initials. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Any

from pypinyin import Style, lazy_pinyin

from commonweal.kernel.text import Text

Feature = dict[str, Any]
"""A place as A11yJSON writes it (`graph/places.py`)."""

KINDS: dict[str, Text] = {
    "elevator": Text("lift", "电梯"),
    "entrance": Text("entrance", "出入口"),
    "toilets": Text("toilets", "厕所"),
    "bank": Text("bank", "银行"),
    "bus_stop": Text("bus stop", "公交站"),
    "cafe": Text("café", "茶饮咖啡"),
    "clinic": Text("clinic", "诊所"),
    "doctors": Text("doctor", "医生诊室"),
    "fast_food": Text("fast food", "快餐"),
    "hospital": Text("hospital", "医院"),
    "hotel": Text("hotel", "酒店"),
    "kindergarten": Text("kindergarten", "幼儿园"),
    "library": Text("library", "图书馆"),
    "museum": Text("museum", "博物馆"),
    "park": Text("park", "公园"),
    "pharmacy": Text("pharmacy", "药店"),
    "platform": Text("platform", "站台"),
    "post_office": Text("post office", "邮局"),
    "restaurant": Text("restaurant", "餐馆"),
    "school": Text("school", "学校"),
    "station": Text("station", "车站"),
    "supermarket": Text("supermarket", "超市"),
    "townhall": Text("town hall", "政务大厅"),
}
"""What a category is called; any other keeps the word of the map."""


def kind(place: Feature) -> Text:
    """What a place is."""
    category = str(place["properties"]["category"])
    word = category.replace("_", " ")
    return KINDS.get(category, Text(word, word))


def summary(place: Feature) -> Text:
    """How one gets in, in a few words."""
    access = place["properties"].get("accessibility", {})
    said = access.get("accessibleWith", {}).get("wheelchair")
    if said is True:
        text = Text("step-free", "无障碍可达")
    elif said is False:
        text = Text("not for wheelchairs", "轮椅不可达")
    elif "partiallyAccessibleWith" in access:
        text = Text("partly step-free", "部分无障碍")
    else:
        text = Text("access not known", "无障碍情况不明")
    if any(room.get("isAccessibleWithWheelchair") for room in access.get("restrooms", ())):
        return Text(f"{text.en}, accessible toilet", f"{text.zh}，有无障碍厕所")
    return text


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


class Gazetteer:
    """The places of one build of a map."""

    def __init__(self, features: Iterable[Feature]) -> None:
        self._lines: list[tuple[str, str, str, Feature]] = []
        self._by_id: dict[str, Feature] = {}
        for place in features:
            info = place["properties"]
            self._by_id[str(info.get("originalId", ""))] = place
            names = " ".join(dict.fromkeys((str(info.get("name", "")), *info.get("names", ()))))
            chinese = "".join(c for c in names if "\u3400" <= c <= "\u9fff")
            called = kind(place)
            self._lines.append(
                (
                    _folded(f"{names} {called.en} {called.zh} {info['category']}"),
                    "".join(lazy_pinyin(chinese)),
                    "".join(lazy_pinyin(chinese, style=Style.FIRST_LETTER)),
                    place,
                )
            )

    def search(self, words: str, limit: int = 20) -> list[Feature]:
        """The places in which every word occurs: as written, in pinyin (`tushuguan`), or by its initials (`tsg`)."""
        wanted = _folded(words).replace("'", " ").split()
        found: list[Feature] = []
        for text, pinyin, initials, place in self._lines:
            if all(word in text or (len(word) > 1 and (word in pinyin or word in initials)) for word in wanted):
                found.append(place)
                if len(found) == limit:
                    break
        return found

    def get(self, element: str) -> Feature | None:
        """The place of an element (`node/61`)."""
        return self._by_id.get(element)
