"""Lanes that wait for company wait together."""

import asyncio
import time

from producer.delivery.sending import Linger


def test_who_begins_later_stops_with_the_others_and_who_comes_then_waits_anew() -> None:
    stopped: list[str] = []

    async def lane(name: str, linger: Linger) -> None:
        await linger.wait()
        stopped.append(name)

    async def main() -> float:
        linger = Linger(0.3)
        began = time.monotonic()
        first = asyncio.create_task(lane("first", linger))
        await asyncio.sleep(0)
        second = asyncio.create_task(lane("second", linger))
        cancelled = asyncio.create_task(lane("cancelled", linger))
        await asyncio.sleep(0)
        cancelled.cancel()
        await first
        third = asyncio.create_task(lane("third", linger))
        await asyncio.sleep(0)
        assert stopped == ["first", "second"]
        await asyncio.gather(second, third)
        return time.monotonic() - began

    assert asyncio.run(main()) >= 0.6  # two waits, one after the other
    assert stopped == ["first", "second", "third"]
