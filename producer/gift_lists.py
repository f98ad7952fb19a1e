"""The worker's gift list: fetched, kept, fetched again. No event ever waits for it.

One list serves all rooms: it is half a megabyte, and differs between rooms by a few gifts at most. A gift that is not
on it is a sign of a newer list, so it is asked for sooner.
"""

import asyncio
from collections.abc import Awaitable, Callable
from random import random
from typing import NoReturn

from producer import backoff, logs
from producer.bugs import Bugs
from producer.errors import FailedFetchGifts
from producer.events import gifts
from producer.events.gifts import GiftList
from producer.observability.metrics import Metrics

SOONEST_SECONDS = 600.0
"""The least time from one list to the next, however many gifts are missing on it."""


class GiftLists:
    """Holds the latest list that was fetched."""

    def __init__(self, metrics: Metrics, *, refresh_seconds: float, soonest_seconds: float = SOONEST_SECONDS) -> None:
        self.latest: GiftList | None = None
        self._metrics = metrics
        self._bugs = Bugs(metrics)
        self._refresh_seconds = refresh_seconds
        self._soonest_seconds = min(soonest_seconds, refresh_seconds)
        self._missed = asyncio.Event()
        self._log = logs.get()

    def missed(self) -> None:
        """Take note of a gift that the latest list does not have, or that met no list."""
        self._metrics.gift_not_listed(list_at_hand=self.latest is not None)
        self._missed.set()

    async def keep(self, fetch: Callable[[], Awaitable[dict[str, object]]]) -> NoReturn:
        """Fetch lists for as long as the worker runs; a failure leaves the list before it."""
        attempt = bugs = 0
        while True:
            try:
                answer = await fetch()
                # Up to 4 MiB of a stranger's making: too long for the event loop.
                self.latest = await asyncio.to_thread(gifts.read_gift_list, answer)
            except FailedFetchGifts as error:
                attempt += 1
                self._metrics.failed(error)
                wait = backoff.delay(attempt, random(), retry_after_seconds=error.retry_after_seconds)
                self._log.warning("gift list not fetched", reason=error.reason, detail=str(error), again=round(wait, 1))
                await asyncio.sleep(wait)
                continue
            except Exception as bug:  # nobody foresaw it: a list is a stranger's, and no event needs it
                bugs += 1
                self._bugs.found(bug, self._log)
                await asyncio.sleep(backoff.after_bug(bugs, random()))
                continue
            attempt = bugs = 0
            self._metrics.gift_list_fetched(gifts=len(self.latest.gifts))
            self._log.info("gift list", version=self.latest.version, gifts=len(self.latest.gifts))
            await self._rest()

    async def _rest(self) -> None:
        """Wait for the next fetch: the refresh time, or less once a gift is missed."""
        self._missed.clear()
        await asyncio.sleep(self._soonest_seconds)
        try:
            async with asyncio.timeout(self._refresh_seconds - self._soonest_seconds):
                await self._missed.wait()
        except TimeoutError:
            pass
