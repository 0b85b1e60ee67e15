"""Telling people that a clearing was seen."""

from __future__ import annotations

import uuid

from commonweal.kernel.jobs import task
from commonweal.kernel.notices.inbox import notify
from commonweal.kernel.text import Text
from commonweal.services.forest.queries import canopy, plots, surveys


@task("forest.tell_clearing")
def tell_clearing(clearing: str) -> None:
    """Tell stewards, planter and owners. Everybody else reads it on the plot's page and in the log."""
    found = canopy.clearing(uuid.UUID(clearing))
    plot = plots.plot_of(found.plot)
    title = Text("A clearing was seen in plot {plot}", "地块 {plot} 发现林地消失").format(plot=plot.code)
    text = Text(
        "Satellites see {share} % of the plot without its canopy. Until a survey has looked, that much counts no more.",
        "卫星影像显示该地块约 {share}% 失去树冠。重新调查之前，这部分不再计入。",
    ).format(share=found.share / 10)
    for party in {*surveys.stewards(), *surveys.officers(plot.site.partner), *surveys.owners(plot.id)}:
        notify(party, "forest.clearing", title, text, f"/forest/plots/{plot.code}/")
