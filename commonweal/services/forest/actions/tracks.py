"""What people bring themselves: a track, or a day's step series. Grade C: small grams, and nothing twice."""

from __future__ import annotations

import csv
import hashlib
import io
import itertools
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, connection, transaction

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict, Invalid, TooLarge
from commonweal.kernel.ids import uuid7
from commonweal.kernel.parties.models import Party
from commonweal.kernel.proof.log import Cursor
from commonweal.kernel.text import Text
from commonweal.services.forest import tracks
from commonweal.services.forest.actions.deeds import STEPS, Report, take_own
from commonweal.services.forest.queries import sources
from commonweal.services.forest.rules.bubbles import day_of
from commonweal.services.forest.rules.evidence import Steps

LARGEST = 5_000_000
"""Bytes of a file of one's own."""
MOST_READINGS = 20_000


@dataclass(frozen=True, slots=True)
class Brought:
    """What was brought: how much of it was credited, in the method's unit, and its grams before the day's caps."""

    quantity: int
    grams: int


@transaction.atomic
def bring_track(person: Party, data: bytes, form: str, way: tracks.Way) -> Brought:
    """Credit a walk or a ride by its track (`form`: gpx, plt, csv). The track itself is not kept.

    Raises what `tracks` and `rules.evidence` refuse, `Invalid` (`track.form`, `track.fast`, `track.still`) and
    `Conflict` (`track.replay` for more than 80 % of its fixes in anybody's track, `track.overlap`, `deed.repeated`).
    """
    now = clock.now()
    track = tracks.check_track(_fixes(data, form), now)
    metres = tracks.check_way(tracks.travelled(track), way)
    source = sources.source("track")
    with connection.cursor() as cursor:
        # One at a time: two copies handed in at once would not see one another.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('forest_track'))")
        for timeless in (False, True):
            _refuse_replay(cursor, track, timeless=timeless)
        report = Report(hashlib.sha256(data).hexdigest(), None, way, metres, track.fixes[-1].at)
        answer = take_own(cursor, source, person, report)
        _remember(cursor, person, track, metres, now)
    return Brought(metres, answer.grams)


def _fixes(data: bytes, form: str) -> list[tracks.Fix]:
    if len(data) > LARGEST:
        raise TooLarge("track.bytes", Text("A track file has at most 5 MB.", "轨迹文件最大 5 MB。"), field="track")
    if form == "gpx":
        return tracks.read_gpx(data)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid("track.form", Text("This is no text file.", "这不是文本文件。"), field="track") from error
    if form not in ("plt", "csv"):
        raise Invalid(
            "track.form", Text("Bring a GPX, PLT or CSV file.", "请上传 GPX、PLT 或 CSV 文件。"), field="track"
        )
    return tracks.read_plt(text) if form == "plt" else tracks.read_csv(text)


def _cells(track: tracks.Track, *, timeless: bool) -> list[int]:
    return [int.from_bytes(cell, "big", signed=True) for cell in tracks.signature(track, timeless=timeless)]


def _refuse_replay(cursor: Cursor, track: tracks.Track, *, timeless: bool) -> None:
    cells = _cells(track, timeless=timeless)
    cursor.execute(
        """
        SELECT coalesce(max(common), 0) FROM (
            SELECT count(*) AS common FROM forest_track_cell
            WHERE cell = ANY(%s) AND timeless = %s GROUP BY track) known
        """,
        [cells, timeless],
    )
    if cursor.fetchone()[0] > tracks.SHARED * len(cells):
        raise Conflict(
            "track.replay",
            Text("This track has been handed in before, by you or by somebody.", "这条轨迹已有人上传过。"),
            field="track",
        )


def _remember(cursor: Cursor, person: Party, track: tracks.Track, metres: int, now: datetime) -> None:
    id = uuid7()
    try:
        with transaction.atomic():
            cursor.execute(
                "INSERT INTO forest_track VALUES (%s, %s, tstzrange(%s, %s, '[]'), %s, %s)",
                [id, person.id, track.fixes[0].at, track.fixes[-1].at, metres, now],
            )
    except IntegrityError as error:
        raise Conflict(
            "track.overlap",
            Text("You have brought another track of this time.", "这段时间您已上传过另一条轨迹。"),
            field="track",
        ) from error
    for timeless in (False, True):
        cursor.execute(
            "INSERT INTO forest_track_cell SELECT unnest(%s::bigint[]), %s, %s",
            [_cells(track, timeless=timeless), timeless, id],
        )


@transaction.atomic
def bring_steps(person: Party, data: bytes) -> Brought:
    """Credit a day that is over by its step counts: a CSV with `time` (ISO 8601 with zone) and `steps` (so far).

    One day of one person counts once. Raises `Invalid` (`steps.form`, `steps.day`, `steps.day-open`, `steps.*`) and
    `Conflict` (`deed.repeated`).
    """
    series = _readings(data)
    days = {day_of(at) for at, _ in series.readings}
    if len(days) != 1:
        raise Invalid("steps.day", Text("Bring one day at a time.", "请一次上传一天的数据。"), field="steps")
    (day,) = days
    if day >= day_of(clock.now()):
        raise Invalid("steps.day-open", Text("Bring a day when it is over.", "请等这一天结束后再上传。"), field="steps")
    last = series.readings[-1]
    with connection.cursor() as cursor:
        report = Report(f"{day}:{person.id}", None, STEPS, last[1], last[0], series)
        answer = take_own(cursor, sources.source("steps"), person, report)
    return Brought(last[1], answer.grams)


def _readings(data: bytes) -> Steps:
    def wrong(why: object) -> Invalid:
        return Invalid(
            "steps.form",
            Text("Columns time and steps are needed ({why}).", "需要 time 和 steps 两列（{why}）。").format(why=why),
            field="steps",
        )

    if len(data) > LARGEST:
        raise TooLarge("track.bytes", Text("A track file has at most 5 MB.", "轨迹文件最大 5 MB。"), field="steps")
    try:
        reader = csv.DictReader(io.StringIO(data.decode("utf-8-sig")))
        if not {"time", "steps"} <= set(reader.fieldnames or ()):
            raise wrong("CSV")
        readings = []
        for row in reader:
            at = datetime.fromisoformat((row["time"] or "").strip())
            readings.append((at, int(row["steps"] or "")))
            if at.tzinfo is None or len(readings) > MOST_READINGS:
                raise wrong(f"{reader.line_num}")
    except (ValueError, csv.Error) as error:
        raise wrong(type(error).__name__) from error
    if len(readings) < 2 or any(b[0] <= a[0] for a, b in itertools.pairwise(readings)):
        raise wrong(len(readings))
    if readings[-1][0] - readings[0][0] > timedelta(days=1):
        raise Invalid("steps.day", Text("Bring one day at a time.", "请一次上传一天的数据。"), field="steps")
    return Steps(tuple(readings))
