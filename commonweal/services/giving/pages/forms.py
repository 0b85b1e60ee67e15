"""What forms say, read once: a day and time, a number of smallest units or none, the name of an organisation."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import QueryDict

from commonweal.kernel.errors import Invalid
from commonweal.kernel.quantity import Asset, parse_amount
from commonweal.kernel.text import Text


def moment(form: QueryDict, field: str) -> datetime:
    """A local day and time. Raises `Invalid` (`moment.form`)."""
    try:
        return datetime.fromisoformat(form.get(field, "")).replace(tzinfo=ZoneInfo(settings.LOCAL_ZONE))
    except ValueError as error:
        raise Invalid("moment.form", Text("Give a day and a time.", "请填写日期和时间。"), field=field) from error


def day(form: QueryDict, field: str) -> date:
    """A day. Raises `Invalid` (`day.form`)."""
    try:
        return date.fromisoformat(form.get(field, ""))
    except ValueError as error:
        raise Invalid("day.form", Text("Give a day.", "请填写日期。"), field=field) from error


def amount(form: QueryDict, field: str, asset: Asset) -> int:
    """An amount in smallest units. Raises `Invalid` (`amount.*`)."""
    return parse_amount(form.get(field, "").strip(), asset, field=field)


def optional_amount(form: QueryDict, field: str, asset: Asset) -> int | None:
    """An amount in smallest units, None if nothing was written. Raises `Invalid` (`amount.*`)."""
    return amount(form, field, asset) if form.get(field, "").strip() else None


def one_of(form: QueryDict, field: str) -> uuid.UUID:
    """Which one was chosen. Raises `Invalid` (`choice.none`)."""
    try:
        return uuid.UUID(form.get(field, ""))
    except ValueError as error:
        raise Invalid("choice.none", Text("Choose one of these.", "请选择一项。"), field=field) from error


def several(form: QueryDict, field: str) -> list[uuid.UUID]:
    """Which ones were chosen, if any. Raises `Invalid` (`choice.none`)."""
    try:
        return [uuid.UUID(chosen) for chosen in form.getlist(field)]
    except ValueError as error:
        raise Invalid("choice.none", Text("Choose one of these.", "请选择一项。"), field=field) from error


def whole(form: QueryDict, field: str, default: int) -> int:
    """A whole number, `default` if nothing was written. Raises `Invalid` (`number.form`)."""
    written = form.get(field, "").strip() or str(default)
    if not (written.isascii() and written.isdigit() and len(written) <= 9):
        raise Invalid("number.form", Text("Give a whole number.", "请填写整数。"), field=field)
    return int(written)
