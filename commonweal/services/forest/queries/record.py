"""What stands in the log of a plot, in order of time: its contract, payments, plantings, surveys, clearings, duties."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime

from django.urls import reverse

from commonweal.kernel.sql import rows
from commonweal.kernel.text import Text
from commonweal.services.forest.queries.certificates import Certificate


@dataclass(frozen=True, slots=True)
class Entry:
    """One fact of a plot: how many trees it speaks of, if it does."""

    kind: str
    trees: int | None
    at: datetime
    fact: uuid.UUID

    @property
    def what(self) -> Text:
        """In words."""
        return TITLES[self.kind]


TITLES = {
    "promised": Text("Energy became a place in the ground", "能量换成一个位置"),
    "captured": Text("This very place was photographed", "这个位置拍了照"),
    "contracted": Text("The ground was contracted", "土地签约"),
    "funded": Text("Places were paid for", "位置付款"),
    "planted": Text("Trees were set in the ground", "树苗栽下"),
    "replanted": Text("Trees were replanted", "补植"),
    "committed": Text("A survey's seed was committed to", "调查种子的承诺已公布"),
    "drawn": Text("Its sub-plots were drawn", "抽出调查样地"),
    "surveyed": Text("The living were counted; at least so many", "清点成活，至少如此"),
    "owed": Text("Replanting became a duty", "产生补植义务"),
    "overdue": Text("The duty to replant is overdue", "补植逾期"),
    "clearing": Text("A clearing was seen by satellite", "卫星发现林地消失"),
}

RECORD = """
    SELECT 'contracted' AS kind, p.capacity AS trees, g.at, g.fact FROM forest_ground g
        JOIN forest_plot p ON p.id = g.plot WHERE g.plot = %(plot)s
    UNION ALL SELECT 'funded', positions, at, id FROM forest_funding WHERE plot = %(plot)s
    UNION ALL SELECT CASE WHEN duty IS NULL THEN 'planted' ELSE 'replanted' END, upper(span) - lower(span), at, id
        FROM forest_planting WHERE plot = %(plot)s AND (%(seq)s::int IS NULL OR span @> %(seq)s::int)
    UNION ALL SELECT 'committed', NULL, at, id FROM forest_survey WHERE plot = %(plot)s
    UNION ALL SELECT 'drawn', d.planted, d.at, d.fact FROM forest_draw d
        JOIN forest_survey s ON s.id = d.survey WHERE s.plot = %(plot)s
    UNION ALL SELECT 'surveyed', (planted::bigint * low / 1000000)::int, at, fact FROM forest_outcome
        WHERE plot = %(plot)s
    UNION ALL SELECT 'owed', replant, at, duty FROM forest_outcome WHERE plot = %(plot)s AND duty IS NOT NULL
    UNION ALL SELECT 'overdue', NULL, v.at, v.fact FROM forest_overdue v
        JOIN forest_outcome o ON o.survey = v.survey WHERE o.plot = %(plot)s
    UNION ALL SELECT 'clearing', NULL, at, id FROM forest_clearing WHERE plot = %(plot)s
    ORDER BY at, fact"""


def record(plot: int, seq: int | None = None) -> list[Entry]:
    """Of a plot; with `seq`, only those plantings in which this position was planted."""
    return [Entry(**found) for found in rows(RECORD, {"plot": plot, "seq": seq})]


@dataclass(frozen=True, slots=True)
class Step:
    """A link of a tree's chain, for the template tag `steps`; `proof` is the address of its fact."""

    title: Text
    at: datetime | None
    done: bool
    proof: str = ""
    text: Text | None = None


NEXT = {
    "planted": Text("The sapling is set in the ground", "树苗栽下"),
    "captured": Text("This very place is photographed", "这个位置拍照"),
    "surveyed": Text("The living of its plot are counted", "清点地块成活"),
}


def chain(tree: Certificate, plot: int) -> list[Step]:
    """Every step of a tree in order of time, each with its fact, and then what is still to come."""
    facts = record(plot, tree.seq)
    spent = Entry("promised", 1, tree.at, tree.fact)
    entries = sorted([*facts, spent, *_captures(plot, tree.seq)], key=lambda each: each.at)
    steps = [
        Step(TITLES[each.kind], each.at, True, reverse("fact", args=[each.fact]), _said(each, tree)) for each in entries
    ]
    there = {each.kind for each in entries}
    return steps + [Step(title, None, False) for kind, title in NEXT.items() if kind not in there]


def _said(entry: Entry, tree: Certificate) -> Text | None:
    if entry.kind == "promised":
        return Text("{grams} g of energy became place {seq}", "{grams} 克能量换成第 {seq} 号位置").format(
            grams=f"{tree.grams:,}", seq=tree.seq
        )
    if entry.trees is None or entry.kind == "captured":
        return None
    return Text("{n} trees of the plot", "本地块 {n} 株").format(n=f"{entry.trees:,}")


def _captures(plot: int, seq: int) -> list[Entry]:
    query = """
        SELECT 'captured' AS kind, 1 AS trees, at, id AS fact FROM forest_capture
        WHERE plot = %(plot)s AND seq = %(seq)s ORDER BY at"""
    return [Entry(**found) for found in rows(query, {"plot": plot, "seq": seq})]


@dataclass(frozen=True, slots=True)
class Earned:
    """A closed day on which an owner earned energy: the source, and the fact that seals the day."""

    source: str
    title: Text
    day: date
    fact: uuid.UUID


def earned_before(owner: uuid.UUID, at: datetime, limit: int = 60) -> list[Earned]:
    """The closed days on which somebody's deeds were recorded before a moment, newest first: for themselves alone."""
    query = """
        SELECT s.key AS source, s.title_en, s.title_zh, c.day, c.fact
        FROM forest_closed_leaf l JOIN forest_closed c ON c.source = l.source AND c.day = l.day
        JOIN forest_source s ON s.id = l.source
        WHERE l.owner = %(owner)s AND c.day <= (%(at)s AT TIME ZONE 'Asia/Shanghai')::date
        ORDER BY c.day DESC, s.key LIMIT %(limit)s"""
    return [
        Earned(title=Text(found.pop("title_en"), found.pop("title_zh")), **found)
        for found in rows(query, {"owner": owner, "at": at, "limit": limit})
    ]
