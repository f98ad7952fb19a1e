"""The door of a broker: a service of the operator's that hands out ways to sockets, which are used for a while.

How a broker comes by them is its own affair. Facts: doors sheet sections 1d and 6, rows 25 and 26.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from pathlib import Path

from producer import secret_files, strangers
from producer.errors import FailedConnection, FailedHTTPRequest, ProducerError, Reason
from producer.webcast.doors import broker
from producer.webcast.doors.broker import NONE_WARM_SECONDS, Lease
from producer.webcast.doors.contract import Address
from producer.webcast.doors.hold import Hold
from producer.webcast.doors.places import ANYBODY, Rank
from producer.webcast.http import HTTP, Answer
from producer.webcast.logins import Login
from producer.webcast.room import RoomId
from producer.webcast.upstream import Upstream

BODIES_OF = frozenset({200, *range(400, 600)})
HOUR_SECONDS = 3600.0
EPOCH = "Thu, 01 Jan 1970 00:00:00 GMT"
STALE = frozenset(
    {
        Reason.APP_ID,
        Reason.BLOCKED,
        Reason.DEVICE_BLOCKED,
        Reason.HANDSHAKE,
        Reason.NO_COOKIE,
        Reason.SWITCHED_OFF,
        Reason.UNSIGNED,
    }
)
"""What a socket ends in whose lease is good no more."""


class Ration:
    """So many in any hour; pure, times in seconds of one monotonic clock.

    It is this worker's alone, and nobody waits for it: the limit is a lease's, only the broker knows which workers have
    the same, and what is used up may be so for an hour, in which a room is better off at its next door.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken: deque[float] = deque()

    def wait(self, now: float) -> float:
        """Seconds until one more may be taken."""
        while self._taken and now - self._taken[0] >= HOUR_SECONDS:
            self._taken.popleft()
        return self._taken[0] + HOUR_SECONDS - now if len(self._taken) >= self._most else 0.0

    def take(self, now: float) -> None:
        """Take one."""
        self._taken.append(now)


class Leases:
    """Those that are held; pure, times of one monotonic clock."""

    def __init__(self) -> None:
        self._held: dict[tuple[str, RoomId | None], tuple[Lease, float]] = {}
        """Each with the end of its use, by egress and room; under None the one for any room."""

    def of(self, egress: str, room_id: RoomId, now: float) -> Lease | None:
        """A lease that opens a room by an egress; None where there is none any more."""
        self._held = {where: held for where, held in self._held.items() if now < held[1]}
        lease, _ = self._held.get((egress, room_id)) or self._held.get((egress, None)) or (None, 0.0)
        return lease

    def admit(self, lease: Lease, egress: str, room_id: RoomId, until: float) -> None:
        """Hold a lease that was given for a room."""
        self._held[egress, None if lease.any_room else room_id] = lease, until

    def drop(self, address: Address) -> None:
        """A socket at this address was refused: use its lease no more."""
        self._held = {
            where: held
            for where, held in self._held.items()
            if (held[0].cookie, held[0].url.place) != (address.cookie, address.url.place)
        }


class Leased:
    """Ask a broker for a way to a socket, and use it for as long as it is good, within an hour's limits."""

    name = "lease"

    def __init__(
        self,
        http: HTTP,
        upstream: Upstream,
        *,
        url: str,
        contract: str,
        token_file: Path | None,
        reuse_seconds: float,
        connects_per_hour: int,
        leases_per_hour: int,
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
        egress: Callable[[str], str] = lambda _: "",
    ) -> None:
        """`contract` is `lease` (ours) or `session`; `clock` is monotonic; `egress`: by which a streamer's room goes.

        A lease's cookie is shown to TikTok from one egress alone.
        """
        self._http = http
        self._upstream = upstream
        self._url = url.rstrip("/")
        self._contract = contract
        self._token_file = token_file
        self._reuse_seconds = reuse_seconds
        self._connects = Ration(connects_per_hour)
        self._grants = Ration(leases_per_hour)
        self._clock = clock
        self._wall_clock = wall_clock
        self._egress = egress
        self._leases = Leases()
        self._hold = Hold()
        """While the broker is left alone."""
        self._turn = asyncio.Lock()

    async def obtain(self, room_id: RoomId, streamer: str, login: Login | None = None, rank: Rank = ANYBODY) -> Address:
        """Obtain an address by a lease, an old one or a new one; one room at a time asks for it, without a session.

        Raises FailedHTTPRequest, FailedConnection where the lease leads elsewhere, cannot be used or is too old, or
        where an hour's limits are reached, or SecretUnusable.
        """
        async with self._turn:
            self._raise_at_limit(self._connects, "sockets")
            egress = self._egress(streamer)
            lease = self._leases.of(egress, room_id, self._clock())
            if lease is None:
                self._hold.check(self._clock())
                self._raise_at_limit(self._grants, "leases")
                try:
                    lease = await self._renew(room_id, streamer, egress)
                except (FailedConnection, FailedHTTPRequest) as problem:
                    if problem.reason is not Reason.OFFLINE:  # which is about one room
                        seconds = problem.retry_after_seconds or NONE_WARM_SECONDS
                        self._hold.begin(problem, seconds, self._clock())
                    raise
            url = broker.socket_url(lease, room_id)
            self._connects.take(self._clock())
            return Address(url, cookie=lease.cookie, door=self.name, headers=lease.headers)

    def told(self, address: Address, error: ProducerError, *, lived_seconds: float) -> None:
        """Use a lease no more whose socket was refused."""
        if error.reason in STALE:
            self._leases.drop(address)

    async def _renew(self, room_id: RoomId, streamer: str, egress: str) -> Lease:
        answer = await self._ask(room_id, streamer)
        broker.read_broker_refusal(answer)
        lease = broker.read_lease(answer.body) if self._contract == "lease" else broker.read_session(answer.body)
        self._upstream.check_socket(broker.socket_url(lease, room_id))
        left = self._left(lease, answer)
        self._grants.take(self._clock())
        if left <= 0:
            raise FailedConnection("the broker's lease is too old to be used", reason=Reason.INCOMPLETE)
        self._leases.admit(lease, egress, room_id, self._clock() + left)
        return lease

    async def _ask(self, room_id: RoomId, streamer: str) -> Answer:
        # Read each time, so that a rotated token needs no restart.
        headers = {"Authorization": f"Bearer {secret_files.read(self._token_file)}"} if self._token_file else {}
        if self._contract == "session":
            return await self._http.ask("lease", "GET", f"{self._url}/v1/session", headers=headers, bodies_of=BODIES_OF)
        return await self._http.ask(
            "lease",
            "POST",
            f"{self._url}/v1/lease",
            headers=headers | {"Content-Type": "application/json"},
            content=broker.request(room_id, streamer),
            bodies_of=BODIES_OF,
        )

    def _left(self, lease: Lease, answer: Answer) -> float:
        """How long a lease may be used from now on, by the broker's clock where it tells the time."""
        said = strangers.seconds_between(answer.header("date"), EPOCH)
        now = said if said is not None else self._wall_clock()
        age = max(0.0, now - lease.issued_at) if lease.issued_at is not None else 0.0
        until_expiry = lease.expires_at - now if lease.expires_at is not None else self._reuse_seconds
        return min(self._reuse_seconds - age, until_expiry)

    def _raise_at_limit(self, ration: Ration, what: str) -> None:
        if (wait := ration.wait(self._clock())) > 0:
            raise FailedConnection(
                f"lease: this hour's {what} are used up", reason=Reason.RATE_LIMITED, retry_after_seconds=wait
            )
