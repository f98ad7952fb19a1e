"""Two workers of one name: the second is refused, and a life after a crash is not: against a real Kafka."""

import asyncio
import signal

import pytest

from producer.errors import StartRefused
from producer.local.kafka import Kafka
from tests.assignments.fleet import Fleet, KafkaBackend, play
from tests.kafka.test_assignments import process


def test_a_worker_whose_name_another_has_is_refused_and_the_other_goes_on(kafka: Kafka) -> None:
    async def main() -> None:
        backend = KafkaBackend(kafka)
        async with Fleet(backend) as fleet:
            await fleet.names("aa", "bb")
            one = await fleet.worker("one")
            await fleet.until(lambda: one.held == {"aa", "bb"})
            twin = backend.open("one")
            with pytest.raises(StartRefused, match=r"another worker is called one \(127\.0\.0\.1\)"):
                await twin.__aenter__()
            two = await fleet.worker("two")
            await fleet.until(lambda: one.held | two.held == {"aa", "bb"} and bool(two.held))
            assert one.started.count(next(iter(one.held))) == 1

    play(main)


def test_two_that_start_at_the_same_time_do_not_both_run(kafka: Kafka) -> None:
    async def main() -> None:
        backend = KafkaBackend(kafka)
        async with Fleet(backend):
            both = [backend.open("one") for _ in range(2)]
            ended = await asyncio.gather(*(each.__aenter__() for each in both), return_exceptions=True)
            running = [each for each, end in zip(both, ended, strict=True) if not isinstance(end, BaseException)]
            for each in running:
                await each.__aexit__(None, None, None)
            assert len(running) < 2
            assert all(isinstance(end, StartRefused) for end in ended if isinstance(end, BaseException))

    play(main)


def test_a_worker_that_crashed_has_its_name_again_once_the_group_forgot_it(kafka: Kafka) -> None:
    async def main() -> None:
        backend = KafkaBackend(kafka)
        async with Fleet(backend) as fleet, process(kafka, backend, "one") as crashed:
            await fleet.names("aa")
            await crashed.says(lambda line: line.get("held") == ["aa"])
            crashed.signal(signal.SIGKILL)
            again = await fleet.worker("one")
            await fleet.until(lambda: again.held == {"aa"})

    play(main)
