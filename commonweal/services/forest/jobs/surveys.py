"""Telling people what a survey came to, and that a duty to replant is overdue."""

from __future__ import annotations

import uuid
from datetime import timedelta

from commonweal.kernel.jobs import every, task
from commonweal.kernel.notices.inbox import notify
from commonweal.kernel.text import Text
from commonweal.services.forest.actions import surveys as actions
from commonweal.services.forest.queries import plots, surveys


@task("forest.tell_outcome")
def tell_outcome(survey: str) -> None:
    """Tell the planter what is owed, and the owners of certificates if they count in part now."""
    found = surveys.survey(uuid.UUID(survey))
    if found.outcome is None or not found.outcome.replant:
        return
    link = f"/forest/surveys/{survey}/"
    owed = Text("{n} trees are to be replanted in plot {plot}", "地块 {plot} 须补植 {n} 株").format(
        n=f"{found.outcome.replant:,}", plot=found.code
    )
    why = Text(
        "A survey found fewer alive than was promised. Until they stand, {n} of 1,000 certificates count.",
        "调查发现成活少于承诺。补植完成之前，每 1000 张证书只计 {n} 张。",
    ).format(n=found.outcome.counted)
    for officer in surveys.officers(plots.plot_of(found.plot).site.partner):
        notify(officer, "forest.replanting", owed, why, link)
    for owner in surveys.owners(found.plot):
        notify(owner, "forest.discounted", owed, why, link)


@task("forest.note_overdue")
def note_overdue() -> None:
    """Note duties that are past their day; tell the planter and the stewards."""
    for each in actions.note_overdue():
        title = Text("Replanting is overdue in plot {plot}", "地块 {plot} 补植逾期").format(plot=each.plot)
        text = Text("{n} trees were to stand by {due}.", "{n} 株本应在 {due} 前栽好。").format(
            n=f"{each.owed:,}", due=each.due.isoformat()
        )
        for party in {*surveys.officers(each.partner), *surveys.stewards()}:
            notify(party, "forest.overdue", title, text, f"/forest/plots/{each.plot}/")


every(timedelta(days=1), note_overdue)
