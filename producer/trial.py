"""One try at each door, told step by step: what was asked, what was answered, whether a room was heard.

No secret is told: of a cookie its names, of an address its host.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from ssl import SSLContext

from producer import authorities, entrance
from producer.errors import ProducerError
from producer.observability.metrics import Metrics
from producer.settings import Settings
from producer.strangers import shown
from producer.webcast.connection import Connection
from producer.webcast.doors.contract import Address, Door
from producer.webcast.lanes import Lane
from producer.webcast.opening import Opener
from producer.webcast.protocol import Protocol, RecentIds
from producer.webcast.room import RoomId
from producer.webcast.upstream import Upstream

MOST_NAMES = 10
"""Cookies that are named."""
MOST_KINDS = 3
"""Kinds of message that are named."""


@dataclass(frozen=True, slots=True)
class Step:
    """How far a door let us come, and what was said there."""

    step: str
    """`room` (of no door in particular), then `address`, `handshake`, `entered` and `messages` of each."""
    passed: bool
    said: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose room is tried: a streamer's, or one that is known by its id."""

    streamer: str
    """Empty where nobody said whose room it is."""
    room_id: int | None


async def attempt(
    settings: Settings,
    subject: Subject,
    names: Sequence[str],
    *,
    seconds: float,
    tell: Callable[[str | None, Step], None],
) -> dict[str, bool]:
    """Try the doors of these names, one after the other; say of each whether messages came within so many seconds.

    `tell` is told each step, with its door. Raises StartRefused where a door cannot be made.
    """
    asked: list[str] = []
    egresses = tuple(entrance.egresses(settings))
    metrics = Metrics(topics=(), version="", doors=names, egresses=egresses)  # which nobody reads
    upstream = Upstream.named(settings.upstream, further_socket_suffixes=settings.socket_host_suffixes)
    trust = authorities.context(settings.ca_file)
    async with AsyncExitStack() as clients:
        lanes = entrance.lanes(
            settings,
            upstream,
            metrics,
            names=names,
            trust=trust,
            clients=clients,
            requested=lambda endpoint, code: asked.append(f"{endpoint} {code}"),
        )
        lane = lanes.of(subject.streamer)
        room_id = await _room(lane, subject, _Teller(None, tell, asked))
        if room_id is None:
            return dict.fromkeys(names, False)
        found = {}
        for door in lane.doors.doors:
            asked.clear()
            trial = _Trial(door, room_id, subject.streamer, upstream, lane, trust, _Teller(door.name, tell, asked))
            found[door.name] = await trial.run(seconds)
        return found


class _Teller:
    """Tells the steps at one door, with how long each took and what was asked over HTTP for it."""

    def __init__(self, door: str | None, tell: Callable[[str | None, Step], None], asked: list[str]) -> None:
        self._door = door
        self._tell = tell
        self._asked = asked
        self._began = asyncio.get_running_loop().time()

    def passed(self, step: str, said: str) -> None:
        self._say(step, True, said)

    def failed(self, step: str, error: ProducerError) -> None:
        wait = f"; to be left alone for {error.retry_after_seconds:g} s" if error.retry_after_seconds else ""
        self._say(step, False, f"{error.label} ({error.reason}): {error}{wait}")

    def missed(self, step: str, said: str) -> None:
        self._say(step, False, said)

    def _say(self, step: str, passed: bool, said: str) -> None:
        now = asyncio.get_running_loop().time()
        asked = f" [HTTP: {', '.join(self._asked)}]" if self._asked else ""
        self._tell(self._door, Step(step, passed, shown(said, most=1_000) + asked, round(now - self._began, 3)))
        self._began = now
        self._asked.clear()


async def _room(lane: Lane, subject: Subject, teller: _Teller) -> RoomId | None:
    """The room, as it was named or as it is found; None where there is none."""
    if subject.room_id is not None:
        teller.passed("room", f"{subject.room_id}, as given")
        return RoomId(subject.room_id)
    try:
        live = await lane.rooms.resolve(subject.streamer)
    except ProducerError as error:
        teller.failed("room", error)
        return None
    by = "" if lane.route.proxy is None else f", by {lane.route.name}"
    teller.passed("room", f"{live.room_id}, of @{subject.streamer}, is live{by}")
    return live.room_id


class _Trial:
    """One door's."""

    def __init__(
        self,
        door: Door,
        room_id: RoomId,
        streamer: str,
        upstream: Upstream,
        lane: Lane,
        trust: SSLContext,
        teller: _Teller,
    ) -> None:
        self._door = door
        self._room_id = room_id
        self._streamer = streamer
        self._upstream = upstream
        self._teller = teller
        self._lane = lane
        self._trust = trust
        self._at = "address"
        """The step that comes next."""

    async def run(self, seconds: float) -> bool:
        """Go as far as it lets us; say whether messages came."""
        try:
            address = await self._door.obtain(self._room_id, self._streamer)
        except ProducerError as error:
            self._teller.failed("address", error)
            return False
        self._teller.passed("address", describe(address))
        self._at = "handshake"
        opener = Opener.to(self._upstream, self._trust)
        try:
            async with (
                asyncio.timeout(None) as patience,
                opener.open(address, turns=self._lane.opening, route=self._lane.route) as connection,
            ):
                self._teller.passed("handshake", connection.greeting)
                patience.reschedule(asyncio.get_running_loop().time() + seconds)
                await self._hear(connection, address, seconds)
                patience.reschedule(None)  # closing has a bound of its own
        except TimeoutError:
            self._teller.missed(self._at, f"nothing within {seconds:g} s")
            return False
        except ProducerError as error:
            self._teller.failed(self._at, error)
            return False
        return True

    async def _hear(self, connection: Connection, address: Address, seconds: float) -> None:
        """Wait until the room is entered, and for its first messages."""
        protocol = Protocol(
            self._room_id,
            now=asyncio.get_running_loop().time(),
            seen=RecentIds(),
            cursor=address.cursor,
            manners=address.manners,
            heartbeat_seconds=connection.heartbeat_seconds,
            silence_seconds=2 * seconds,
        )
        self._at = "entered"
        while True:
            received = await connection.exchange(protocol, lambda: asyncio.sleep(0))
            if protocol.entered and self._at == "entered":
                self._teller.passed("entered", "the server lets us in")
                self._at = "messages"
            if received is not None and received.messages:
                kinds = Counter(shown(message.method, most=60) for message in received.messages)
                most = ", ".join(f"{kind} {count}" for kind, count in kinds.most_common(MOST_KINDS))
                self._teller.passed("messages", f"{len(received.messages)} in the first batch: {most}")
                return


def describe(address: Address) -> str:
    """What may be shown of an address: its host, the names of its cookies, what came along."""
    pairs = (pair.partition("=") for pair in address.cookie.split(";"))
    names = [shown(name.strip(), most=40) for name, equals, _ in pairs if equals]
    parts = [address.url.place, f"cookies: {', '.join(names[:MOST_NAMES]) or 'none'}"]
    if address.first_batch is not None:
        parts.append(f"{len(address.first_batch.messages)} messages came along")
    return "; ".join(parts)
