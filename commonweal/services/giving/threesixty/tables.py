"""The standard's spreadsheets: CSV whose headings are the titles of the properties (`Recipient Org:Name`)."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import Any

from commonweal.kernel.errors import Invalid
from commonweal.kernel.text import Text

HEADINGS = {
    "Identifier": "id", "Title": "title", "Description": "description", "Currency": "currency",
    "Amount Applied For": "amountAppliedFor", "Amount Awarded": "amountAwarded", "Amount Disbursed": "amountDisbursed",
    "Award Date": "awardDate", "URL": "url", "Web Address": "url", "Planned Dates": "plannedDates",
    "Actual Dates": "actualDates", "Recipient Org": "recipientOrganization", "Recipient Ind": "recipientIndividual",
    "Beneficiary Location": "beneficiaryLocation", "Funding Org": "fundingOrganization",
    "Grant Programme": "grantProgramme", "From An Open Call?": "fromOpenCall", "Funding Type": "fundingType",
    "Classifications": "classifications", "Related Document": "relatedDocument", "Related Activity": "relatedActivity",
    "Last Modified": "dateModified", "Data Source": "dataSource", "For Regrant Type": "regrantType",
    "Location Scope": "locationScope", "Name": "name", "Department": "department", "Contact Name": "contactName",
    "Charity Number": "charityNumber", "Company Number": "companyNumber", "Street Address": "streetAddress",
    "City": "addressLocality", "County": "addressRegion", "Country": "addressCountry", "Postal Code": "postalCode",
    "Phone Number": "telephone", "Alternate Name": "alternateName", "Email": "email",
    "Organisation Type": "organisationType", "Start Date": "startDate", "End Date": "endDate",
    "Duration (months)": "duration", "Code": "code", "Country Code": "countryCode", "Latitude": "latitude",
    "Longitude": "longitude", "Geographic Code": "geoCode", "Geographic Code Type": "geoCodeType",
    "Vocabulary": "vocabulary", "Document Type": "documentType",
}  # fmt: skip
"""Title of a property in the standard's schema -> its name."""

_BY_TITLE = {title.casefold(): name for title, name in HEADINGS.items()}
LISTED = {
    "plannedDates", "actualDates", "recipientOrganization", "beneficiaryLocation", "fundingOrganization",
    "grantProgramme", "fundingType", "classifications", "relatedDocument",
}  # fmt: skip


def rows(text: str) -> Iterator[dict[str, Any] | None]:
    """Each row as the JSON of the standard would have it; None for one that has not as many values as headings.

    Raises `Invalid` with `file.form` if there is no heading row or a quotation is never closed, and `file.truncated`
    if the last row breaks off.
    """
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        table = [row for row in reader if any(value.strip() for value in row)]
    except csv.Error as error:
        raise Invalid(
            "file.truncated",
            Text("The file breaks off or is not CSV: {why}.", "文件不完整或不是 CSV：{why}。").format(why=str(error)),
        ) from error
    paths = [_path(heading) for heading in table[0]] if table else []
    if ["amountAwarded"] not in paths:
        raise Invalid(
            "file.form",
            Text(
                "The first row must hold the headings of the 360Giving standard.",
                "第一行须为 360Giving 标准的列标题。",
            ),
        )
    if len(table[-1]) < len(paths) and not text.endswith(("\n", "\r")):
        raise Invalid("file.truncated", Text("The file breaks off in its last row.", "文件在最后一行中断。"))
    for row in table[1:]:
        yield _nested(paths, row) if len(row) == len(paths) else None


def _path(heading: str) -> list[str]:
    parts = [part.strip() for part in re.split(r"[:/]", heading)]
    named = [_BY_TITLE.get(part.casefold(), part) for part in parts]
    return named if named[0] in HEADINGS.values() else [heading.strip()]


def _nested(paths: list[list[str]], row: list[str]) -> dict[str, Any]:
    grant: dict[str, Any] = {}
    for path, value in zip(paths, row, strict=True):
        if not value.strip():
            continue
        if len(path) == 1:
            grant[path[0]] = value
            continue
        name, *rest = path
        place = int(rest.pop(0)) if rest[0].isdecimal() and len(rest) > 1 else 0
        things = grant.setdefault(name, [])
        if isinstance(things, list) and name in LISTED and place < 20:
            things.extend({} for _ in range(place + 1 - len(things)))
            things[place]["/".join(rest)] = value
        else:
            grant["/".join(path)] = value
    return {name: value for name, value in grant.items() if value != []}
