"""Which letters are sent: those within their room's cap; what is over it is counted, and said in the log."""

import asyncio
from collections import Counter
from typing import NoReturn

from producer import logs
from producer.delivery.dead_letters import Letter
from producer.delivery.ledger import Ledger
from producer.delivery.letter_cap import Cap
from producer.events.encoding import Record
from producer.observability.metrics import Metrics

REPORT_SECONDS = 60.0


class Letterbox:
    """One worker's."""

    def __init__(self, *, topic: str, cap: Cap, ledger: Ledger, metrics: Metrics) -> None:
        self._topic = topic
        self._cap = cap
        self._ledger = ledger
        self._metrics = metrics
        self._capped: Counter[str] = Counter()
        """By streamer, since it was last said."""

    def accept(self, letter: Letter, at: int) -> Record | None:
        """Give the record of a letter that is to be sent; count one that is not. `at` is in ms of a monotonic clock."""
        if self._cap.allows(letter.sender.room_id, at):
            return letter.record(self._topic)
        self._ledger.capped += 1
        self._metrics.dropped_by_cap()
        self._capped[letter.sender.streamer] += 1
        return None

    async def report(self) -> NoReturn:
        """Say once a minute how many letters the cap dropped, for as long as the worker runs."""
        while True:
            await asyncio.sleep(REPORT_SECONDS)
            if self._capped:
                [(streamer, most)] = self._capped.most_common(1)
                logs.get().warning(
                    "dead letters dropped by the cap",
                    letters=self._capped.total(),
                    streamers=len(self._capped),
                    worst_streamer=streamer,
                    worst_letters=most,
                )
                self._capped.clear()
