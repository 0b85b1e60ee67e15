"""The batcher alone: what waits is one batch, what is poisonous is alone, what is full says so."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from commonweal.kernel.errors import Busy
from commonweal.services.giving.hot.batcher import Batcher, Unreachable


class Disk:
    """A write that takes as long as it is held, and remembers its batches."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.written: list[int] = []
        self.free = asyncio.Event()
        self.free.set()

    async def write(self, batch: list[int]) -> list[int]:
        self.batches.append(batch)
        await self.free.wait()
        if any(number < 0 for number in batch):
            raise ValueError(f"{min(batch)} cannot be written")
        if 4444 in batch:
            raise Unreachable
        self.written += batch
        return [10 * number for number in batch]


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(test(), 10))


async def until(true: Callable[[], bool]) -> None:
    while not true():
        await asyncio.sleep(0)


def test_a_lone_request_waits_for_nothing() -> None:
    async def test() -> None:
        disk = Disk()
        batcher = Batcher([disk.write])
        assert [await batcher.ask(n) for n in (1, 2, 3)] == [10, 20, 30]
        assert disk.batches == [[1], [2], [3]]
        await batcher.close()

    run(test)


def test_what_comes_while_one_is_written_is_one_batch_up_to_the_cap() -> None:
    async def test() -> None:
        disk = Disk()
        batcher = Batcher([disk.write], cap=5)
        disk.free.clear()
        asked = [asyncio.create_task(batcher.ask(n)) for n in range(9)]
        await until(lambda: len(disk.batches) == 1)
        assert not any(task.done() for task in asked)  # nothing is answered before it is durable
        disk.free.set()
        assert await asyncio.gather(*asked) == [10 * n for n in range(9)]
        assert [len(batch) for batch in disk.batches] == [5, 4]
        await batcher.close()

    run(test)


def test_two_writers_take_turns_and_no_request_is_written_twice() -> None:
    async def test() -> None:
        disk = Disk()
        batcher = Batcher([disk.write, disk.write], cap=10)
        disk.free.clear()
        asked = [asyncio.create_task(batcher.ask(n)) for n in range(100)]
        await until(lambda: len(disk.batches) == 2)
        disk.free.set()
        await asyncio.gather(*asked)
        assert sorted(disk.written) == list(range(100))
        await batcher.close()

    run(test)


@pytest.mark.parametrize("poisonous", [{3}, {0}, {99}, {10, 11, 70}])
def test_a_poisonous_request_gets_its_error_and_the_others_are_written_once(poisonous: set[int]) -> None:
    async def test() -> None:
        disk = Disk()
        batcher = Batcher([disk.write])
        disk.free.clear()
        first = asyncio.create_task(batcher.ask(1000))
        await until(lambda: len(disk.batches) == 1)
        asked = [asyncio.create_task(batcher.ask(-1 - n if n in poisonous else n)) for n in range(100)]
        await until(lambda: len(batcher) == 100)
        disk.free.set()
        answers = await asyncio.gather(first, *asked, return_exceptions=True)
        for n, answer in enumerate(answers[1:]):
            assert isinstance(answer, ValueError) if n in poisonous else answer == 10 * n
        assert sorted(disk.written) == sorted({*range(100)} - poisonous | {1000})
        await batcher.close()

    run(test)


def test_a_full_queue_says_so_at_once() -> None:
    async def test() -> None:
        disk = Disk()
        batcher = Batcher([disk.write], queue=3)
        disk.free.clear()
        first = asyncio.create_task(batcher.ask(0))
        await until(lambda: len(disk.batches) == 1)
        asked = [asyncio.create_task(batcher.ask(n)) for n in (1, 2, 3)]
        await until(lambda: len(batcher) == 3)
        with pytest.raises(Busy) as refused:
            await batcher.ask(4)
        assert refused.value.retry_after == 1
        disk.free.set()
        assert await asyncio.gather(first, *asked) == [0, 10, 20, 30]
        await batcher.close()

    run(test)


def test_when_the_database_is_gone_nobody_is_told_that_it_is_done_and_nothing_is_tried_twice() -> None:
    async def test() -> None:
        disk = Disk()
        batcher = Batcher([disk.write])
        disk.free.clear()
        first = asyncio.create_task(batcher.ask(0))
        await until(lambda: len(disk.batches) == 1)
        asked = [asyncio.create_task(batcher.ask(n)) for n in (12, 4444, 14)]
        await until(lambda: len(batcher) == 3)
        disk.free.set()
        answers = await asyncio.gather(first, *asked, return_exceptions=True)
        assert answers[0] == 0
        assert all(isinstance(answer, Busy) for answer in answers[1:])
        assert disk.batches == [[0], [12, 4444, 14]]
        assert await batcher.ask(5) == 50
        await batcher.close()

    run(test)


def test_a_giver_who_leaves_takes_nothing_with_them() -> None:
    async def test() -> None:
        disk = Disk()
        batcher = Batcher([disk.write])
        disk.free.clear()
        asked = [asyncio.create_task(batcher.ask(n)) for n in range(3)]
        await until(lambda: len(disk.batches) == 1)
        asked[0].cancel()
        asked[1].cancel()
        disk.free.set()
        assert await asked[2] == 20
        assert disk.written == [0, 1, 2]
        await batcher.close()

    run(test)


def test_closing_finishes_what_waits() -> None:
    async def test() -> None:
        disk = Disk()
        batcher = Batcher([disk.write], cap=2)
        asked = [asyncio.create_task(batcher.ask(n)) for n in range(5)]
        await asyncio.sleep(0)
        await batcher.close()
        assert await asyncio.gather(*asked) == [0, 10, 20, 30, 40]

    run(test)


def test_a_batch_is_of_one_group_and_groups_take_turns() -> None:
    async def test() -> None:
        disk = Disk()
        batcher = Batcher([disk.write], group=lambda number: number % 3, cap=2)
        disk.free.clear()
        asked = [asyncio.create_task(batcher.ask(n)) for n in (0, 1, 3, 6, 9, 4, 2)]
        await until(lambda: len(disk.batches) == 1)
        assert len(batcher) == 5
        disk.free.set()
        assert await asyncio.gather(*asked) == [0, 10, 30, 60, 90, 40, 20]
        assert disk.batches == [[0, 3], [1, 4], [2], [6, 9]]
        assert len(batcher) == 0
        await batcher.close()

    run(test)
