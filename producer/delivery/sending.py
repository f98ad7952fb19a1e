"""Lanes to brokers: one batch of a partition under way at a time, sent again until it is there or found unacceptable.

A batch that fails stays at the head of its lane and is sent again, by another client (`clients`). What a broker refuses
for itself, and not for the state that it is in, is found by sending one by one. Several lanes may lead to one partition
(what dead workers left has lanes of its own); they take turns.
"""

import asyncio
from collections.abc import Callable, Iterable
from random import random

from producer import backoff, logs
from producer.delivery.clients import FAILURES, LONGEST_WAIT_SECONDS, Batch, Client, Clients, NotAnswered, Standing
from producer.delivery.failures import HINTS, UNACCEPTABLE, label
from producer.delivery.lane import Item, Lane
from producer.delivery.spool_format import Place
from producer.observability.metrics import Metrics


class Way:
    """To one partition."""

    def __init__(self) -> None:
        self.turn = asyncio.Lock()
        """Whoever has it sends."""
        self.apart = False
        """Whether it is in trouble of its own, and keeps away from the client that all share."""
        self.spoilt_by: Standing | None = None
        """The shared client that failed this partition, if it still serves others: it must not have it again."""


class Linger:
    """How long records wait for company. Lanes that begin to wait meanwhile stop together, and so share a request."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end: asyncio.Event | None = None
        """Of those that wait now."""

    async def wait(self) -> None:
        """Wait so long at the most."""
        if self._end is None:
            self._end = asyncio.Event()
            asyncio.get_running_loop().call_later(self._seconds, self._over)
        await self._end.wait()

    def _over(self) -> None:
        if self._end is not None:
            self._end.set()
            self._end = None


class Sending:
    """Sends what is in lanes, through clients that it is given."""

    def __init__(
        self,
        clients: Clients,
        metrics: Metrics,
        *,
        linger_seconds: float,
        timeout_seconds: float,
        acknowledged: Callable[[Lane], None],
        unacceptable: Callable[[Lane, BaseException], None],
    ) -> None:
        """`acknowledged` is told of a lane whose batch under way Kafka has; `unacceptable`, of one whose first record
        brokers refuse: it must take it out.
        """
        self._clients = clients
        self._metrics = metrics
        self._linger = Linger(linger_seconds)
        self._timeout_seconds = timeout_seconds
        self._acknowledged = acknowledged
        self._unacceptable = unacceptable
        self._ways: dict[Place, Way] = {}
        self._log = logs.get()

    async def drain(self, lane: Lane) -> None:
        """Send a lane's records until there are none."""
        way = self._ways.setdefault((lane.topic, lane.partition), Way())
        await self._linger.wait()
        failures = 0
        singly = 0
        """So many records are sent one by one, to find the one that is refused."""
        while lane:
            if not lane.head and lane.keeper is not None:
                await lane.keeper.refill(lane)
                continue
            async with way.turn:
                standing = await self._clients.get(apart=way.apart)
                if not lane.head:
                    continue  # spooled while the client was waited for
                batch, lane.under_way = _fill(standing.client, lane.head, most=1 if singly else None)
                served = standing.served
                try:
                    await standing.send(
                        batch, lane.topic, partition=lane.partition, timeout_seconds=self._timeout_seconds
                    )
                except (NotAnswered, *FAILURES) as error:
                    failures += 1
                    self._say(lane, standing, error, failures=failures)
                    await self._avoid(standing, way, error, alone=standing.served > served)
                    # Under way until here: otherwise the spool might have taken them out of the head meanwhile.
                    count, lane.under_way = lane.under_way, 0
                    if isinstance(error, UNACCEPTABLE):
                        if count == 1:
                            self._unacceptable(lane, error)
                        else:
                            singly = count
                        continue
                else:
                    self._acknowledged(lane)
                    failures, singly = 0, max(0, singly - 1)
                    way.apart = way.apart and self._clients.shared is way.spoilt_by
                    continue
            await asyncio.sleep(min(LONGEST_WAIT_SECONDS, backoff.delay(failures, random())))

    async def _avoid(self, standing: Standing, way: Way, error: BaseException, *, alone: bool) -> None:
        """See to it that a client which failed a partition is not given it again; `alone`: others were served."""
        way.apart = way.apart or alone
        # One that does not answer is of no use to the others either; and there is no third for who is apart already.
        if alone and standing is self._clients.shared and not isinstance(error, NotAnswered):
            way.spoilt_by = standing
        else:
            await self._clients.retire(standing)

    def _say(self, lane: Lane, standing: Standing, error: BaseException, *, failures: int) -> None:
        name = label(error)
        if name == "timeout":
            name = standing.problem(lane.topic, lane.partition) or name
        self._metrics.publish_failed(name, lane.topic)
        self._log.warning(
            "batch failed; it is sent again",
            topic=lane.topic,
            partition=lane.partition,
            records=lane.under_way,
            failures=failures,
            error=name,
            detail=str(error)[:200] or type(error).__name__,
            hint=HINTS.get(name),
        )


def _fill(client: Client, items: Iterable[Item], *, most: int | None) -> tuple[Batch, int]:
    batch = client.create_batch()
    count = 0
    for item in items:
        record = item.record
        appended = batch.append(
            timestamp=item.timestamp_ms, key=record.key, value=record.value, headers=list(record.headers)
        )
        if appended is None:
            break
        count += 1
        if count == most:
            break
    return batch, count
