"""One partition's records on their way, in order: some in memory, some only in the spool.

From the oldest to the newest: `head`, then `behind`, which only the spool has, then `fresh`. While nothing is behind,
a new record joins the head, so without an outage there is only a head. What is in the spool is always the older part.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Protocol

from producer.events.encoding import Record


@dataclass(slots=True, eq=False)
class Item:
    """A record that is not acknowledged yet."""

    record: Record
    timestamp_ms: int
    """When it was handed over, since 1970."""
    since: float
    """The same in seconds of a monotonic clock."""
    settled: Callable[[], None] | None = None
    """Called once the record is safe, or nothing more can be done for it."""
    spool_id: int | None = None
    """Its id in the spool, once it is written there."""
    done: bool = False
    """Acknowledged, or given up."""

    @property
    def size(self) -> int:
        """Bytes that it stands for in bounds of memory."""
        return len(self.record.key) + len(self.record.value)

    def settle(self) -> None:
        """Say, once, that it is safe."""
        settled, self.settled = self.settled, None
        if settled is not None:
            settled()


class Keeper(Protocol):
    """Has the older part of lanes on disk."""

    async def refill(self, lane: "Lane") -> None:
        """Give a lane whose head is empty the next of what only the disk has."""

    def forget(self, item: Item) -> None:
        """Delete a record that Kafka has, or that became another."""


class Lane:
    """One partition of one topic."""

    def __init__(self, topic: str, partition: int, *, behind: int = 0, keeper: Keeper | None = None) -> None:
        """`keeper` has what is behind, if there is a spool: so many records of an earlier run."""
        self.topic = topic
        self.partition = partition
        self.head: deque[Item] = deque()
        self.behind = behind
        self.keeper = keeper
        self.fresh: deque[Item] = deque()
        self.under_way = 0
        """So many of the head are in a batch that is being sent."""
        self.last_id = 0
        """The newest record of the spool that the head has had."""

    def __bool__(self) -> bool:
        return bool(self.head or self.behind or self.fresh)

    @property
    def spooling(self) -> bool:
        """Whether the spool has any of it: Kafka is behind."""
        return self.behind > 0 or (bool(self.head) and self.head[0].spool_id is not None)

    def add(self, item: Item) -> None:
        """Take the newest record."""
        (self.fresh if self.behind else self.head).append(item)

    def unspooled(self) -> Iterator[Item]:
        """What only memory has, oldest first."""
        return (item for item in chain(self.head, self.fresh) if item.spool_id is None)

    def oldest_unspooled(self) -> Item | None:
        """The oldest that only memory has."""
        return next(self.unspooled(), None)

    def release(self) -> None:
        """Let memory go of what the spool has, but for what is being sent."""
        newer = []
        while len(self.head) > self.under_way and self.head[-1].spool_id is None:
            newer.append(self.head.pop())
        while len(self.head) > self.under_way:
            self.last_id = _id(self.head.pop()) - 1
            self.behind += 1
        if not self.behind:
            self.head.extend(reversed(newer))
            return
        self.fresh.extendleft(newer)
        while self.fresh and self.fresh[0].spool_id is not None:
            self.fresh.popleft()
            self.behind += 1

    def refill(self, items: list[Item]) -> None:
        """Take the next that the spool has behind `last_id`; none at all means that it has no more."""
        self.head.extend(items)
        self.behind = max(0, self.behind - len(items)) if items else 0
        if items:
            self.last_id = _id(items[-1])
        if not self.behind:
            self.head.extend(self.fresh)
            self.fresh.clear()

    def drop(self, item: Item) -> bool:
        """Give up the oldest that only memory has; return whether it could be, for what is being sent cannot."""
        for held, start in ((self.head, self.under_way), (self.fresh, 0)):
            # The head may have been read from the spool in part: then all of it is spooled, and the oldest is fresh.
            place = next((place for place, each in enumerate(held) if place >= start and each.spool_id is None), None)
            if place is not None:
                if held[place] is not item:
                    return False
                del held[place]
                item.done = True
                return True
        return False

    def acknowledge(self, count: int | None = None) -> list[Item]:
        """Take out the oldest, those under way unless said otherwise: they are where they should be."""
        done = [self.head.popleft() for _ in range(self.under_way if count is None else count)]
        for item in done:
            item.done = True
        self.under_way = 0
        return done


def _id(item: Item) -> int:
    assert item.spool_id is not None
    return item.spool_id
