"""producer.gift_lists: a list that is fetched, kept, fetched again, and missed."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from producer import backoff
from producer.errors import FailedFetchGifts, Reason
from producer.gift_lists import GiftLists
from producer.observability.metrics import Metrics

Answer = dict[str, object]


def listing(version: str) -> Answer:
    return {"status_code": 0, "data": {"hash": version, "gifts": [{"id": 1}]}}


class Script:
    """Answers in turn, then waits for ever; says when each was asked for."""

    def __init__(self, *answers: Answer | Exception) -> None:
        self._answers = list(answers)
        self.asked: asyncio.Queue[int] = asyncio.Queue()
        self._count = 0

    async def __call__(self) -> Answer:
        self._count += 1
        self.asked.put_nowait(self._count)
        if not self._answers:
            await asyncio.get_running_loop().create_future()
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@asynccontextmanager
async def keeping(lists: GiftLists, fetch: Callable[[], Awaitable[Answer]]) -> Any:
    task = asyncio.create_task(lists.keep(fetch))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait({task})


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"tiktok_live_{name}", labels)


async def asked(script: Script, times: int) -> None:
    async with asyncio.timeout(120):
        while await script.asked.get() < times:
            pass


@pytest.fixture(autouse=True)
def no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backoff, "delay", lambda *_, **__: 0.0)


def test_a_refused_list_is_counted_and_asked_for_again_while_the_one_before_stands() -> None:
    metrics = Metrics(topics=(), version="test")
    refused = FailedFetchGifts("no", reason=Reason.BLOCKED)
    script = Script(refused, listing("first"), refused, {"status_code": 4003110})
    lists = GiftLists(metrics, refresh_seconds=0.01)

    async def main() -> None:
        async with keeping(lists, script):
            await asked(script, 5)

    asyncio.run(main())

    assert lists.latest is not None
    assert lists.latest.version == "first"
    assert value(metrics, "connection_errors_total", error="FailedFetchGifts") == 3
    assert value(metrics, "gift_list_gifts") == 1


def test_a_list_is_replaced_by_the_next() -> None:
    lists = GiftLists(Metrics(topics=(), version="test"), refresh_seconds=0.01)
    script = Script(listing("first"), listing("second"))

    async def main() -> None:
        async with keeping(lists, script):
            await asked(script, 3)

    asyncio.run(main())

    assert lists.latest is not None
    assert lists.latest.version == "second"


def test_a_missed_gift_brings_the_next_list_sooner() -> None:
    metrics = Metrics(topics=(), version="test")
    lists = GiftLists(metrics, refresh_seconds=3600.0, soonest_seconds=0.01)
    script = Script(listing("first"))

    async def main() -> None:
        lists.missed()
        async with keeping(lists, script):
            await asked(script, 1)
            while not script.asked.qsize():  # the list is read in another thread, which nothing announces
                lists.missed()
                await asyncio.sleep(0)

    asyncio.run(main())

    assert value(metrics, "gifts_unlisted_total", reason="no_list")
    assert value(metrics, "gifts_unlisted_total", reason="not_listed")


def test_what_nobody_foresaw_in_a_list_is_counted_and_the_list_before_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backoff, "after_bug", lambda *_: 0.0)
    metrics = Metrics(topics=(), version="test")
    lists = GiftLists(metrics, refresh_seconds=0.01)
    script = Script(listing("first"), ZeroDivisionError("planted"), listing("second"))

    async def main() -> None:
        async with keeping(lists, script):
            await asked(script, 4)

    asyncio.run(main())

    assert lists.latest is not None
    assert lists.latest.version == "second"
    assert value(metrics, "bugs_total", place="gift_lists") == 1
