"""What everybody can ask of giving: a search over all campaigns, and the files of open data."""

from __future__ import annotations

import io
import json
import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.figure import Figure, figure
from bench.ground import server

if TYPE_CHECKING:
    from commonweal.services.giving.tests.conftest import World

CHUNK = 2_000
ASKED = 300
PLACES = [
    ("Dali, Yunnan", "云南 大理"), ("Shiba, Yunnan", "云南 石坝"), ("Liangshan, Sichuan", "四川 凉山"),
    ("Kashgar, Xinjiang", "新疆 喀什"), ("Bijie, Guizhou", "贵州 毕节"), ("Nujiang, Yunnan", "云南 怒江"),
    ("Garze, Sichuan", "四川 甘孜"), ("Yushu, Qinghai", "青海 玉树"), ("Longnan, Gansu", "甘肃 陇南"),
]  # fmt: skip
WHAT = [
    ("a music teacher", "音乐老师"), ("warm coats", "过冬棉衣"), ("a library", "图书角"), ("clean water", "饮水工程"),
    ("school lunches", "免费午餐"), ("hearing aids", "助听器"), ("a village doctor", "乡村医生"), ("trees", "梭梭树"),
    ("heart surgery", "先心病手术"), ("an old bridge", "旧桥修缮"), ("sign language lessons", "手语课"),
    ("rides for the blind", "视障者出行"), ("farm tools", "农具"), ("a playground", "操场"), ("glasses", "近视眼镜"),
]  # fmt: skip
WHOM = [
    ("children", "孩子"), ("old people", "老人"), ("deaf pupils", "听障学生"), ("herders", "牧民"), ("mothers", "母亲"),
    ("left-behind pupils", "留守儿童"), ("patients", "病友"), ("farmers", "农户"),
]  # fmt: skip
WORDS = [
    "音乐老师", "yinyue", "yyls", "music", "助听", "云南", "xianxinbing", "饮水", "left-behind", "视障者", "book",
    "没有这样的", "children", "3999", "凉山 午餐", "Liangshan lunch", "hearing aids", "teacher Yunnan", "no such thing",
    "手语课 甘孜",
]  # fmt: skip


def search(number: int) -> list[Figure]:
    """The first page of a search and how much there is, as the page of campaigns asks for it: all words, in turn."""
    with server():
        from commonweal.kernel import clock
        from commonweal.services.giving.queries.campaigns import Search
        from commonweal.services.giving.tests.conftest import NOW, make_world

        with clock.stopped(NOW):
            begin = time.perf_counter()
            _many_campaigns(make_world(), number)
            print(f"{number:,} campaigns in {time.perf_counter() - begin:.0f} s", file=sys.stderr)
            chance, times, found = random.Random(1), [], 0
            for _ in range(ASKED):
                begin = time.perf_counter()
                asked = Search(chance.choice(WORDS), only_open=chance.random() < 0.5)
                cards, whole = asked[:20], len(asked)
                times.append((time.perf_counter() - begin) * 1_000)
                assert len(cards) == min(20, whole)
                found += whole
            assert found > ASKED
            assert len(Search("助听")) == sum(n % len(WHAT) == 5 for n in range(number))
    times.sort()
    return [
        figure(f"search over {number:,} campaigns, {which}", value, "ms", anchor="goal", anchor_value=50, n=ASKED,
               most=most)
        for which, value, most in (
            ("median", times[ASKED // 2], 50.0), ("p95", times[ASKED * 95 // 100], 50.0), ("longest", times[-1], 0.0)
        )
    ]  # fmt: skip


def _many_campaigns(world: World, number: int) -> None:
    """Campaigns with the words and the index of real ones."""
    from django.db import connection

    from commonweal.kernel.ids import uuid7
    from commonweal.services.giving.models import Campaign, Filing
    from commonweal.services.giving.rules.terms import terms
    from commonweal.services.giving.tests.conftest import NOW

    for first in range(0, number, CHUNK):
        made, said = [], []
        for n in range(first, min(number, first + CHUNK)):
            what, whom, place = WHAT[n % len(WHAT)], WHOM[n % len(WHOM)], PLACES[n % len(PLACES)]
            title = f"{what[0]} for {whom[0]}, no. {n}".capitalize(), f"给{whom[1]}的{what[1]}（第{n}号）"
            campaign = Campaign(
                organisation=world.charity, kind="campaign", custody="mirror", asset="CNY", cap=100_000,
                topic="education", title_en=title[0], title_zh=title[1], summary_en=f"They ask for {what[0]}.",
                summary_zh=f"他们需要{what[1]}。", place_en=place[0], place_zh=place[1],
                opens_at=NOW - timedelta(minutes=n % 100_000),
                closes_at=NOW + timedelta(days=30 if n % 3 else 0, minutes=1) - timedelta(days=n % 3 == 0),
                created_at=NOW,
            )  # fmt: skip
            if campaign.closes_at <= campaign.opens_at:
                campaign.opens_at = campaign.closes_at - timedelta(days=1)
            made.append(campaign)
            words = terms(*title, campaign.summary_en, campaign.summary_zh, *place, world.charity.name_en,
                          world.charity.name_zh)  # fmt: skip
            said.append((words, campaign.id))
        Campaign.objects.bulk_create(made)
        Filing.objects.bulk_create(
            Filing(campaign=each, number=f"B{first + n}", filed_at=each.opens_at, fact=uuid7())
            for n, each in enumerate(made)
        )
        with connection.cursor() as cursor:
            cursor.executemany("UPDATE giving_campaign SET search = array_to_tsvector(%s) WHERE id = %s", said)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE giving_campaign")
        cursor.execute("ANALYZE")


def export(number: int) -> list[Figure]:
    """So many gifts leave as IATI 2.03, so many grants come in and leave as 360Giving. The clock runs while a file is
    written; then the official schema judges all of it, and the sums are compared to the fen."""
    with server():
        from commonweal.kernel import clock
        from commonweal.services.giving import iati
        from commonweal.services.giving.queries import grants, opendata
        from commonweal.services.giving.tests.conftest import NOW, make_world
        from commonweal.services.giving.threesixty import write

        with clock.stopped(NOW):
            given = _many_gifts(make_world(), number)
            granted = _many_grants(number)
            gifts_took, gifts = _timed(lambda: iati.write(opendata.activities(), NOW))
            grants_took, grants_file = _timed(lambda: write(grants.exported()))
    assert _sum_of_gifts(gifts) == (number, given)
    rows = json.loads(grants_file, parse_float=Decimal)["grants"]
    assert (len(rows), sum(Decimal(row["amountAwarded"]) for row in rows) * 100) == (number, granted)
    aim = {"anchor": "goal", "anchor_value": 60.0, "n": number, "most": 60.0}
    none = {"anchor": "goal", "anchor_value": 0.0, "n": number}
    return [
        figure(f"{number:,} gifts as IATI", gifts_took, "s", **aim),  # type: ignore[arg-type]
        figure("errors of the IATI schema", _wrong_by_iati(gifts), "", most=0.5, **none),  # type: ignore[arg-type]
        figure(f"{number:,} grants as 360Giving", grants_took, "s", **aim),  # type: ignore[arg-type]
        figure("errors of the 360Giving schema", _wrong_by_360(grants_file), "", most=0.5, **none),  # type: ignore[arg-type]
    ]


def _timed(pieces: Callable[[], Iterator[str]]) -> tuple[float, bytes]:
    begin, out = time.perf_counter(), io.BytesIO()
    for piece in pieces():
        out.write(piece.encode())
    return time.perf_counter() - begin, out.getvalue()


def _many_gifts(world: World, number: int) -> int:
    from django.db import connection, transaction

    from commonweal.services.giving.actions import gifts, payouts
    from commonweal.services.giving.rules.gifts import COLLECTED, Give
    from commonweal.services.giving.tests.conftest import NOW

    for first in range(0, number, 1_000):
        batch = [
            Give(world.campaign.id, None, 100 + n % 977, "CNY", COLLECTED, str(n)) for n in range(first, first + 1_000)
        ]
        with transaction.atomic(), connection.cursor() as cursor:
            gifts.take(cursor, batch, NOW)
        if first % 20_000 == 0:
            payouts.lay(world.campaign.id)
    payouts.lay(world.campaign.id)
    return sum(100 + n % 977 for n in range(number))


def _many_grants(number: int) -> int:
    """Grants of one funder, taken over from files of 2,000 rows."""
    from commonweal.services.giving.actions.grants import take_over

    for first in range(0, number, CHUNK):
        rows = [
            {
                "id": f"360G-bench-{n}", "title": f"Grant {n}", "description": "For a year of work", "currency": "GBP",
                "amountAwarded": (10_000 + n % 9_973) / 100, "awardDate": f"{date(2025, 1, 1) + timedelta(n % 300)}",
                "fundingOrganization": [{"id": "GB-CHC-1", "name": "The Funder"}],
                "recipientOrganization": [{"id": f"GB-CHC-{100 + n % 500}", "name": f"Charity {n % 500}"}],
            }
            for n in range(first, min(number, first + CHUNK))
        ]  # fmt: skip
        imported = take_over(json.dumps({"grants": rows}).encode())
        assert imported.added == len(rows), imported.refused[:3]
    return sum(10_000 + n % 9_973 for n in range(number))


def _sum_of_gifts(file: bytes) -> tuple[int, int]:
    """How many gifts an IATI file has, and their sum in fen."""
    from lxml import etree

    number, total = 0, 0
    for _, each in etree.iterparse(io.BytesIO(file), tag="transaction"):
        if each.find("transaction-type").get("code") == "1":
            number, total = number + 1, total + int(Decimal(each.findtext("value")) * 100)
        each.clear()
    return number, total


def _official(name: str) -> Path:
    found = Path(os.environ.get("COMMONWEAL_DATA", "../shared/data")) / "stewardship" / name
    if not found.exists():
        raise FileNotFoundError(f"{found}: the official schemas are looked for in COMMONWEAL_DATA")
    return found


def _wrong_by_iati(file: bytes) -> int:
    from lxml import etree

    judge = etree.XMLSchema(etree.parse(_official("iati203/iati-activities-schema.xsd")))
    judge.validate(etree.parse(io.BytesIO(file), etree.XMLParser(huge_tree=True)))
    return len(judge.error_log)


def _wrong_by_360(file: bytes) -> int:
    import jsonschema_rs

    schema: dict[str, Any] = json.loads(_official("360-giving-schema.json").read_bytes())
    judge = jsonschema_rs.validator_for(schema, validate_formats=True)
    return sum(not judge.is_valid(row) for row in json.loads(file)["grants"])
