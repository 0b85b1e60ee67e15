"""The clockwork of access: reports fade."""

from __future__ import annotations

from datetime import timedelta

from django.db import connection

from commonweal.kernel.jobs import every, task
from commonweal.services.access import actions


@task("access.fade")
def fade() -> None:
    """Look again at every report that still stands."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT DISTINCT ON (report_id) report_id, standing FROM access_change ORDER BY report_id, sequence DESC
            """
        )
        open_reports = [report for report, standing in cursor.fetchall() if standing != "cleared"]
    for report in open_reports:
        actions.fade(report)


every(timedelta(minutes=15), fade)
