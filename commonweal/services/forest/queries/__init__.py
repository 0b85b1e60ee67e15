"""What can be read in the forest; nothing here writes. One module a noun.

The functions here are what the first page, the search and the site map ask every service.
"""

from __future__ import annotations

from django.urls import reverse

from commonweal.kernel import clock
from commonweal.kernel.errors import Refusal
from commonweal.kernel.registry import Card, Figure, Hit
from commonweal.kernel.text import Text
from commonweal.services.forest.queries import balances, certificates, numbers, plots, seasons


def headline() -> list[Figure]:
    """Trees alive at least (the last and least of the five numbers), and the energy earned as of the newest balance."""
    alive, newest = numbers.of_all().alive, balances.newest()
    found = [Figure(Text("Trees alive, at least", "存活的树（至少）"), alive, reverse("forest:plots"))] if alive else []
    if newest is not None:
        minted = newest.document["total"]["minted"]
        grams = Text("Grams of green energy earned", "已产生绿色能量（克）")
        found.append(Figure(grams, minted, reverse("forest:balance")))
    return found


def needed_now() -> list[Card]:
    """Seasons in which places wait for somebody."""
    return [
        Card(
            title=Text("Plant a {species}", "种一棵{species}").format(species=season.species.name),
            text=Text("A place in the ground for {grams} g of green energy.", "{grams} 克绿色能量换一个位置。").format(
                grams=f"{season.species.grams:,}"
            ),
            tag=Text("Season {half}", "{half} 季").format(half=season.half),
            url=reverse("forest:trees"),
            value=season.issued,
            goal=season.funded,
            status=Text("{n} of {all} places taken", "{all} 个位置已认领 {n} 个").format(
                n=f"{season.issued:,}", all=f"{season.funded:,}"
            ),
        )
        for season in seasons.open_seasons(clock.now())
        if season.free
    ][:3]


def search(text: str, limit: int) -> list[Hit]:
    """A certificate by its number; plots by code, site, place or species."""
    hits = []
    try:
        found = certificates.by_number(text)
        number = str(found.number)
        hits.append(Hit(Text(number, number), found.place, reverse("forest:tree", args=[number])))
    except Refusal:
        pass
    word = text.strip().lower()
    for plot in plots.plots() if word else ():
        said = (plot.site.name, plot.site.place, plot.season.species.name)
        if word == plot.code.lower() or any(word in each.en.lower() or word in each.zh for each in said):
            title = Text("Plot {code}: {species}", "地块 {code}：{species}").format(
                code=plot.code, species=plot.season.species.name
            )
            hits.append(Hit(title, plot.site.place, reverse("forest:plot", args=[plot.code])))
    return hits[:limit]


def public_pages() -> list[str]:
    """Every plot, and the map."""
    return [reverse("forest:map"), *(reverse("forest:plot", args=[plot.code]) for plot in plots.plots()[:10_000])]
