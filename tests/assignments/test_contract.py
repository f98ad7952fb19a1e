"""What every source of claims promises (`producer.assignments.interface`), asked of each."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from producer.assignments.claims import Streamer, Wanted
from producer.assignments.interface import Said
from producer.local.kafka import Kafka
from tests.assignments.fleet import Backend, FileBackend, Fleet, KafkaBackend, Worker, eventually, play

TEN = tuple(f"s{number:02}" for number in range(10))


@pytest.fixture(params=["file", "kafka"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backend]:
    if request.param == "file":
        yield FileBackend(tmp_path)
        return
    kafka: Kafka = request.getfixturevalue("kafka")
    yield KafkaBackend(kafka)


def test_a_lone_worker_holds_the_list_and_follows_it(backend: Backend) -> None:
    async def main() -> None:
        async with Fleet(backend) as fleet:
            await backend.write({"aa": {}, "bb": {}, "cc": {"enabled": False}})
            one = await fleet.worker("one")
            await fleet.until(lambda: one.held == {"aa", "bb"})
            await backend.write({"bb": {}, "cc": {}})
            await fleet.until(lambda: one.held == {"bb", "cc"})
            assert one.started.count(Streamer("bb")) == 1

    play(main)


def test_what_the_list_says_of_a_streamer_is_told_as_it_is_now(backend: Backend) -> None:
    async def main() -> None:
        async with Fleet(backend) as fleet:
            await backend.write({"aa": {"doors": ["sign", "direct"], "room_id": "7", "session": "adults"}, "bb": {}})
            one = await fleet.worker("one")
            await fleet.until(lambda: one.held == {"aa", "bb"})
            said = Wanted(Streamer("aa"), doors=("sign", "direct"), room_id=7, session="adults")
            assert one.assignments.entry(Streamer("aa")) == said
            assert one.assignments.entry(Streamer("bb")) == Wanted(Streamer("bb"))
            assert one.assignments.entry(Streamer("cc")) == Wanted(Streamer("cc"))
            await backend.write({"aa": {"session": "others"}, "bb": {}})
            await eventually(lambda: one.assignments.entry(Streamer("aa")).session == "others")
            assert one.started.count(Streamer("aa")) == 1

    play(main)


def test_an_empty_list_is_an_empty_set(backend: Backend) -> None:
    async def main() -> None:
        async with Fleet(backend) as fleet:
            one = await fleet.worker("one")
            assert await anext(one.assignments.changes()) == frozenset()

    play(main)


def test_two_workers_share_the_list_and_what_one_leaves_the_other_takes(backend: Backend) -> None:
    async def main() -> None:
        async with Fleet(backend) as fleet:
            await fleet.names(*TEN)
            one = await fleet.worker("one")
            await fleet.until(lambda: len(one.held) == 10)
            two = await fleet.worker("two")
            await fleet.until(lambda: len(one.held) + len(two.held) == 10 and 4 <= len(two.held) <= 6)
            assert one.held.isdisjoint(two.held)
            assert len(one.started) == 10
            await fleet.stop("two")
            await fleet.until(lambda: len(one.held) == 10)

    play(main)


def test_nobody_holds_more_than_it_may_and_the_most_important_come_first(backend: Backend) -> None:
    async def main() -> None:
        async with Fleet(backend) as fleet:
            await backend.write({"aa": {}, "bb": {"priority": 9}, "cc": {"priority": -1}, "dd": {"priority": 5}})
            one = await fleet.worker("one", max_streams=2)
            await fleet.until(lambda: one.held == {"bb", "dd"})

    play(main)


def test_what_left_the_set_comes_back_only_once_it_was_released(backend: Backend) -> None:
    async def main() -> None:
        async with Fleet(backend) as fleet:
            await fleet.names("aa")
            async with backend.open("one", 10) as source:
                changes = source.changes()
                while await anext(changes) != {"aa"}:
                    pass
                await fleet.names("bb")
                while await anext(changes) != {"bb"}:
                    pass
                await fleet.names("aa", "bb", "cc")
                while "cc" not in (held := await anext(changes)):
                    pass
                assert held == {"bb", "cc"}
                await source.release(Streamer("aa"))
                while await anext(changes) != {"aa", "bb", "cc"}:
                    pass

    play(main)


def test_what_is_held_may_be_published_and_what_is_reported_is_taken(backend: Backend) -> None:
    async def main() -> None:
        async with Fleet(backend) as fleet:
            await fleet.names("aa")
            one = await fleet.worker("one", state=None)
            await fleet.until(lambda: one.held == {"aa"})
            await eventually(one.assignments.fence.current)
            assert one.assignments.fence.lost(Streamer("aa")) is False
            for state in ("resolving", "connecting", "connected", "backing_off", "offline"):
                one.assignments.report(Streamer("aa"), Said(state, room_id="7", error="some error"))
            assert one.held == {"aa"}

    play(main)


PARKED: Any = {"state": "parked", "error": "a bug of ours", "bugs": 3, "again_at": 1_796_000_000_000}


async def one_that_parks(fleet: Fleet) -> Worker:
    """A worker `one` that holds two streamers, and said of one that it is parked."""
    await fleet.names("aa", "bb")
    one = await fleet.worker("one", state=None)
    await fleet.until(lambda: one.held == {"aa", "bb"})
    one.assignments.report(Streamer("aa"), Said(**PARKED))
    await eventually(lambda: one.assignments.last_said(Streamer("aa")) == Said(**PARKED))
    return one


def test_a_streamers_next_worker_knows_that_it_is_parked(backend: Backend) -> None:
    async def main() -> None:
        async with Fleet(backend) as fleet:
            await one_that_parks(fleet)
            await fleet.stop("one")
            two = await fleet.worker("two", state=None)
            await fleet.until(lambda: two.held == {"aa", "bb"})
            await eventually(lambda: two.assignments.last_said(Streamer("aa")) == Said(**PARKED))

    play(main)


def test_a_parked_streamer_that_was_taken_off_the_list_begins_anew(backend: Backend) -> None:
    async def main() -> None:
        async with Fleet(backend) as fleet:
            one = await one_that_parks(fleet)
            await fleet.names("bb")
            await fleet.until(lambda: one.held == {"bb"})
            await fleet.names("aa", "bb")
            await fleet.until(lambda: one.held == {"aa", "bb"})
            assert one.assignments.last_said(Streamer("aa")) is None
            await fleet.stop("one")
            two = await fleet.worker("two", state=None)
            await fleet.until(lambda: two.held == {"aa", "bb"})
            assert two.assignments.last_said(Streamer("aa")) is None

    play(main)


def test_a_drain_with_nobody_else_ends_at_once_and_keeps_what_is_held(backend: Backend) -> None:
    async def main() -> None:
        async with Fleet(backend) as fleet:
            await fleet.names("aa", "bb")
            one = await fleet.worker("one")
            await fleet.until(lambda: len(one.held) == 2)
            await one.assignments.drain(60.0)
            assert one.held == {"aa", "bb"}

    play(main)
