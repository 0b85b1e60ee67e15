"""What people write: threads and thanks, an appeal."""

from __future__ import annotations

from datetime import datetime

from commonweal.kernel import clock
from commonweal.kernel.text import Text
from commonweal.services.giving.actions import (
    appeals,
    thanks,
    threads,
)
from commonweal.services.giving.queries import appeals as appeal_queries
from commonweal.services.giving.queries import threads as thread_queries
from commonweal.services.giving.rules.appeals import Appeal
from commonweal.services.giving.seed.cast import DAY, Cast, campaign_of, paper, party_of


def write_threads(cast: Cast, today: datetime) -> None:
    """A giver asks, the charity answers; another question waits. Everyone has been thanked once."""
    giver, _, teacher = cast.givers
    campaign = campaign_of("A music teacher")
    if campaign is None or thread_queries.of_giver(giver.id):
        return
    with clock.stopped(today - 4 * DAY):
        opening = threads.Opening("请问老师每周去几次？孩子们有自己的乐谱吗？(Made up.)")
        thread = threads.begin(giver, campaign.id, opening, "seed-thread")
        said = Text("The piano sounds again, thanks to you.", "琴声又响起来了，谢谢您。")
        thanks.thank(cast.officer, campaign.id, said, "seed-thanks")
    with clock.stopped(today - 3 * DAY):
        threads.write(
            cast.officer, campaign.id, thread, "每周二、周四各一次；乐谱每人一份，已经发下去了。", "seed-answer"
        )
        opening = threads.Opening("I teach nearby. May I come and listen? (Made up.)", name="Teacher Bai")
        threads.begin(teacher, campaign.id, opening, "seed-thread")


def ask_for_help(cast: Cast, today: datetime) -> None:
    """A person who asks for help, and whom no charity has adopted yet."""
    asker = party_of("teacher@demo.example")
    if appeal_queries.of(asker.id):
        return
    with clock.stopped(today - 9 * DAY):
        appeal = Appeal(
            title=Text("A hearing aid for a village teacher", "给一位乡村教师配助听器"),
            story=Text(
                "I have taught for twenty-six years and hear the back row no longer. (Made up, as all of this is.)",
                "我教了二十六年书，已经听不清后排孩子的声音。（演示内容，纯属虚构。）",
            ),
            topic="health",
            amount=12_600_00,
            evidence=(paper("SAMPLE AUDIOGRAM", 5),),
        )
        id = appeals.ask(asker, appeal)
    with clock.stopped(today - 8 * DAY):
        appeals.judge(cast.stewards[0], id, shows=True)
