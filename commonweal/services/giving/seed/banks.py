"""Time banks, what their members offer and need, and their exchanges."""

from __future__ import annotations

import uuid
from datetime import datetime

from commonweal.kernel import clock
from commonweal.kernel.parties import people
from commonweal.kernel.parties.models import Party
from commonweal.kernel.text import Text
from commonweal.services.giving.actions import (
    alliances,
    banks,
    board,
    clearings,
    exchanges,
    members,
)
from commonweal.services.giving.queries import banks as bank_queries
from commonweal.services.giving.queries import exchanges as exchange_queries
from commonweal.services.giving.rules.banks import Asking as Help
from commonweal.services.giving.rules.banks import Part, Side, Terms
from commonweal.services.giving.rules.board import Kind, Wish
from commonweal.services.giving.seed.cast import DAY, Cast


def exchange_time(cast: Cast, today: datetime) -> None:
    """Three time banks that are allied, their exchanges, a clearing, one to confirm and one in dispute, and boards."""
    if bank_queries.banks():
        return
    giver, company, teacher = cast.givers
    with clock.stopped(today - 60 * DAY):
        lake = _bank("Cuihu", "翠湖", teacher, (giver, company))
        hill = _bank("Shiba", "石坝", cast.officer, (teacher,))
        shore = _bank("Erhai", "洱海", company, (teacher,))
        for (one, proposes), (other, accepts) in (
            ((lake, teacher), (shore, company)),
            ((shore, company), (hill, cast.officer)),
            ((hill, cast.officer), (lake, teacher)),
        ):
            alliances.accept(accepts, other, alliances.propose(proposes, one, other, 1_200))
    helped = [
        (lake, 3, lake, 1, 60, "digital"), (lake, 4, lake, 1, 45, "digital"), (lake, 1, lake, 2, 90, "home"),
        (lake, 5, lake, 3, 120, "care"), (lake, 3, lake, 4, 30, "errands"), (lake, 4, lake, 5, 40, "care"),
        (shore, 2, shore, 1, 50, "lessons"), (shore, 3, shore, 2, 80, "meals"), (hill, 2, hill, 3, 60, "garden"),
        (lake, 5, shore, 1, 120, "lessons"), (shore, 2, hill, 2, 90, "transport"), (hill, 3, lake, 3, 75, "care"),
    ]  # fmt: skip
    for n, (bank, payer, other, payee, minutes, category) in enumerate(helped):
        with clock.stopped(today - (45 - n) * DAY):
            _help(bank, payer, other, payee, minutes, category, f"seed-{n}")
    with clock.stopped(today - 3 * DAY):
        clearings.clear()
        _help(lake, 4, lake, 1, 25, "digital", "seed-to-confirm", confirms=False)
        _help(hill, 2, shore, 3, 70, "meals", "seed-disputed", claims=40)

    with clock.stopped(today - DAY):
        for bank, person, kind, category, what in (
            (lake, giver, Kind.OFFER, "digital", Text("Telephones explained, with patience", "耐心教用智能手机")),
            (
                lake,
                company,
                Kind.ASK,
                "garden",
                Text("Somebody to water plants while I am away", "外出期间请人帮忙浇花"),
            ),
            (shore, teacher, Kind.OFFER, "lessons", Text("Singing for beginners", "唱歌入门")),
        ):
            board.put_up(person, bank, Wish(kind, category, what, "五华区", 90), f"seed-{category}")


def _bank(en: str, zh: str, officer: Party, known: tuple[Party, ...]) -> uuid.UUID:
    """A bank with those members and three made-up neighbours."""
    organisation = people.register_organisation(
        Text(f"{en} neighbours (made up)", f"{zh}邻里（虚构）"), f"DEMO-BANK-{en.upper()}"
    )
    people.grant_role(officer, people.OFFICER, organisation)
    name = Text(f"{en} time bank (made up)", f"{zh}时间银行（虚构）")
    bank = banks.found(officer, organisation, name, Terms(may_owe=600, may_bear=1_200))
    neighbours = [people.register_person() for _ in range(3)]
    for person, called in zip((*known, *neighbours), ("阿秀", "老陈", "小周", "李婶", "王叔"), strict=False):
        members.admit(officer, bank, members.join(person, bank, called))
    return bank


def _help(
    bank: uuid.UUID,
    payer: int,
    other: uuid.UUID,
    payee: int,
    minutes: int,
    category: str,
    key: str,
    *,
    confirms: bool = True,
    claims: int | None = None,
) -> None:
    """One member was helped by another, and gives the minutes."""
    helped = Party(id=bank_queries.by_number(bank, [payer])[payer].person)
    helper = Party(id=bank_queries.by_number(other, [payee])[payee].person)
    asking = exchanges.ask(helped, bank, Help(Side.GIVES, category, (Part(other, payee, minutes),)), key)
    for asked in exchange_queries.asked(bank, asking):
        if confirms:
            exchanges.confirm(helper, asked.book, asked.id)
        if claims is not None:
            exchanges.dispute(helped, asked.book, asked.id, claims)
