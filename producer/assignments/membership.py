"""One worker's membership in the consumer group: its assignments, its lease, and its client.

The consumer reads nothing (its partitions are paused; `follower` reads the list): it only is a member. aiokafka
rebalances eagerly, so every rebalance revokes everything; nothing is done then, and what changed is worked out when the
new assignment is here.

Of aiokafka's inside this uses `_coordinator`: its `member_id` and `generation`, `request_rejoin`, and `_send_req`,
which every request of the group goes through, so that the time at which an answered one was sent is known.

While the broker lets a member wait that asked to join, it keeps it, silent or not, for as long as the rebalance waits
for others (Kafka 4.3, `ClassicGroupMember.hasSatisfiedHeartbeat`). But whether it was asked is not known before it
answers: the request may be lost, or whoever remembered it. So nothing but an answer renews the lease, which may run
out in a rebalance that lasts; the gate holds nothing back for that alone.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NoReturn, ParamSpec, TypeVar

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.coordinator.assignors.abstract import AbstractPartitionAssignor
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment, ConsumerProtocolMemberMetadata
from aiokafka.errors import InconsistentGroupProtocolError, InvalidSessionTimeoutError

from producer.assignments.assignor import decode_place, encode_place
from producer.assignments.clients import Broken, Kept, Options, Watchdog, asked, close_consumer
from producer.assignments.lease import Lease
from producer.errors import StartRefused

TICK_SECONDS = 0.2
POLL_MILLISECONDS = 1_000
PATIENCE_SECONDS = 5.0
"""How much longer than a rebalance may take a request is waited for."""

JOIN_REFUSALS = (InconsistentGroupProtocolError, InvalidSessionTimeoutError)
"""What a broker refuses a member for that asks to join, for good."""

HEARTBEAT, JOIN, SYNC = "HeartbeatRequest", "JoinGroupRequest", "SyncGroupRequest"
JOINING = frozenset({JOIN, SYNC})
NO_ERROR, ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID, REBALANCE_IN_PROGRESS = 0, 22, 25, 27

T = TypeVar("T")
P = ParamSpec("P")


@dataclass(frozen=True, slots=True)
class Timing:
    """The group's times, in seconds."""

    session: float = 6.0
    """After how long a silent worker is given up. Brokers refuse less than their group.min.session.timeout.ms (6 s)."""
    heartbeat: float = 1.0
    rebalance: float = 10.0
    """How long a rebalance waits for its members."""
    handover: float = 20.0
    """How long a streamer is held for its next owner, of which nothing is heard meanwhile."""
    longest_handover: float = 600.0
    """How long it is held, at the most, for one who says that it is on the way in."""
    watchdog: float = 10.0
    """After how long without a sign of life a Kafka client is replaced."""
    balance: float = 5.0
    """How often the group's leader looks whether the shares are still even."""
    still: float = 0.0
    """How long nobody came or went before something moves only to make them even."""

    @property
    def certain(self) -> float:
        """How long after a word of ours the group gives nothing of ours away, should it hear no other."""
        return min(self.session, self.rebalance)


@dataclass(frozen=True, slots=True)
class Assigned:
    """A new assignment."""

    slots: frozenset[int]
    generation: int
    evicted: bool
    """Whether we were out of the group since the last one."""
    stalled: bool
    """Whether this process stood still for so long that others may have been given what was ours."""
    rank: int | None = None
    """Which of the members we are; None where whoever leads does not say."""
    members: int = 0
    """How many there are."""


class Membership:
    """Run `kept.run` as a task; it is a member while that runs."""

    def __init__(
        self,
        options: Options,
        *,
        group: str,
        topic: str,
        slots: int,
        worker: str,
        protocol: str,
        timing: Timing,
        introduce: Callable[[], bytes],
        plan: Callable[[Mapping[str, bytes]], Mapping[str, frozenset[int]]],
        assigned: Callable[[Assigned], None],
        lease: Lease,
        clock: Callable[[], float],
    ) -> None:
        """`introduce` is what we say of ourselves on joining, `plan` shares the slots out where we lead.

        A group has one `protocol`: the broker refuses a member that speaks another. What these raise is a bug, and
        ends `kept.run`.
        """
        self._options = options
        self._group = group
        self._topic = topic
        self._slots = slots
        self._worker = worker
        self._timing = timing
        self._assignor = _assignor(protocol, topic, self._guarded(introduce), self._guarded(plan))
        self._assigned = assigned
        self._lease = lease
        self._clock = clock
        self._coordinator: Any = None
        self._watchdog = Watchdog(f"the group {group}", seconds=timing.watchdog, clock=clock)
        self._member_id: str | None = None
        self._joining_since: float | None = None
        self._synced = float("-inf")
        self._place: tuple[int | None, int] = None, 0
        """Our rank, and how many members there are, as the last assignment said."""
        self._looked = float("inf")
        self._stood_since = float("inf")
        """Since when this process had stood still, if it did since the group last answered."""
        self._failure: Exception | None = None
        """What ends the client's life, and with it `kept.run` unless it is one of KAFKA_FAILURES."""
        self.rebalances = 0
        self.kept = Kept(f"membership of the group {group}", self._live)

    @property
    def member_id(self) -> str | None:
        """The broker's name for us, while we are a member."""
        return self._coordinator.member_id or None if self._coordinator is not None else None

    def rejoin(self) -> None:
        """Ask the group for a rebalance: the leader's request always makes one, ours if we say something new."""
        if self._coordinator is not None:
            self._coordinator.request_rejoin()

    async def _live(self) -> NoReturn:
        consumer = AIOKafkaConsumer(
            **{
                **self._options(),
                "client_id": self._worker,
                "group_id": self._group,
                "enable_auto_commit": False,
                "auto_offset_reset": "latest",
                "partition_assignment_strategy": (self._assignor,),
                "session_timeout_ms": int(self._timing.session * 1000),
                "heartbeat_interval_ms": int(self._timing.heartbeat * 1000),
                "rebalance_timeout_ms": int(self._timing.rebalance * 1000),
                "request_timeout_ms": int((self._timing.rebalance + PATIENCE_SECONDS) * 1000),
            }
        )
        self._failure = None
        try:
            self._watchdog.alive()
            self._looked = float("inf")  # nobody looks while it starts
            await asked(consumer.start())
            # Nothing is joined before there is a subscription, so the coordinator can be observed from its first word.
            self._coordinator = consumer._coordinator
            self._coordinator._send_req = self._observed(self._coordinator._send_req)
            consumer.subscribe([self._topic], listener=_Listener(self._guarded(partial(self._arrived, consumer))))
            await self._poll(consumer)
        except JOIN_REFUSALS as cause:
            raise refusal(cause, group=self._group, session_seconds=self._timing.session) from cause
        finally:
            self._coordinator = None
            self._joining_since = None
            await close_consumer(consumer)

    async def _poll(self, consumer: Any) -> NoReturn:
        """Keep polling: a consumer that does not is thrown out, and errors of its background tasks come up here."""
        poll = None
        try:
            while True:
                poll = poll or asyncio.ensure_future(consumer.getmany(timeout_ms=POLL_MILLISECONDS))
                done, _ = await asyncio.wait({poll}, timeout=TICK_SECONDS)
                if self._failure is not None:
                    raise self._failure
                if done:
                    await asked(poll)
                    poll = None
                self._tick()
        finally:
            if poll is not None:
                poll.cancel()
                await asyncio.gather(poll, return_exceptions=True)

    def _look(self) -> float:
        """Say what time it is. Where nobody looked for long, this process stood still."""
        now = self._clock()
        if now - self._looked > self._timing.session / 2:
            self._stood_since = min(self._stood_since, self._looked)
        self._looked = now
        return now

    def _tick(self) -> None:
        now = self._look()
        if self._joining_since is not None and now < self._joining_since + self._timing.rebalance:
            self._watchdog.alive()  # the broker lets us wait for the others, and says nothing meanwhile
        self._watchdog.look()

    def _guarded(self, work: Callable[P, T]) -> Callable[P, T]:
        """For what runs within aiokafka, which would take a bug of ours for Kafka's failure, or swallow it."""

        def guarded(*arguments: P.args, **named: P.kwargs) -> T:
            try:
                return work(*arguments, **named)
            except Exception as bug:  # raised once more where aiokafka cannot swallow it
                self._failure = bug
                raise

        return guarded

    def _observed(self, send: Any) -> Any:
        async def observed(request: Any) -> Any:
            sent, kind = self._clock(), type(request).__name__
            if kind in JOINING:
                self._joining_since = sent
            try:
                response = await send(request)
            finally:
                if kind in JOINING:
                    self._joining_since = None
            self._answered(kind, response, sent)
            if kind == JOIN:
                response.members = [(*who, self._introduced(said)) for *who, said in response.members]
            elif kind == SYNC and response.error_code == NO_ERROR and not self._is_ours(response.member_assignment):
                self._failure = Broken(f"another program leads the group {self._group}: what it assigns is no use")
                raise self._failure
            return response

        return observed

    def _answered(self, kind: str, response: Any, sent: float) -> None:
        if kind != HEARTBEAT and kind not in JOINING:
            return
        if response.error_code in (ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID):
            self._lease.revoke()
        elif response.error_code in (NO_ERROR, REBALANCE_IN_PROGRESS):
            self._watchdog.alive()
            if kind == HEARTBEAT:
                self._stood_since = float("inf")
            if response.error_code != NO_ERROR:
                return  # how long the rebalance has waited for us already is not known
            if kind == HEARTBEAT:
                self._lease.renew(sent)
            elif kind == SYNC:
                self._synced = sent  # it counts once what it assigned was taken in

    def _introduced(self, said: bytes) -> bytes:
        """What a member says of itself, as this group's leader reads it, whatever that member sent to the broker."""
        try:
            data = ConsumerProtocolMemberMetadata.decode(said).user_data
        except Exception:  # aiokafka's reader does not say what it raises
            data = None
        return bytes(ConsumerProtocolMemberMetadata(0, [self._topic], data or b"").encode())

    def _is_ours(self, assignment: bytes) -> bool:
        """Whether an assignment can be read and is of the list, whoever leads the group."""
        try:
            found = ConsumerProtocolMemberAssignment.decode(assignment)
        except Exception:  # aiokafka's reader does not say what it raises
            return False
        if not {topic for topic, _ in found.assignment} <= {self._topic}:
            return False
        self._place = decode_place(found.user_data or b"")
        return True

    def _arrived(self, consumer: Any, places: Iterable[TopicPartition]) -> None:
        """Take an assignment in."""
        consumer.pause(*consumer.assignment())
        slots = frozenset(place.partition for place in places if 0 <= place.partition < self._slots)
        member_id, generation = self._coordinator.member_id, self._coordinator.generation
        evicted = self._member_id is not None and member_id != self._member_id
        self._member_id = member_id
        self.rebalances += 1
        # A member that stops once it has asked to join stays in the group for a while, and the group goes on with it.
        stalled = self._look() - self._stood_since > self._timing.certain
        self._stood_since = float("inf")
        self._assigned(Assigned(slots, generation, evicted, stalled, *self._place))
        self._lease.renew(self._synced)
        self.kept.alive()


def refusal(cause: Exception, *, group: str, session_seconds: float) -> StartRefused:
    """What to do about one of JOIN_REFUSALS."""
    if isinstance(cause, InvalidSessionTimeoutError):
        return StartRefused(
            f"the brokers refuse PRODUCER_CLAIM_SESSION_SECONDS={session_seconds:g} "
            "(their group.min.session.timeout.ms and group.max.session.timeout.ms say what they take)"
        )
    return StartRefused(
        f"the group {group} is used by others (another fleet, another list, another number of slots); "
        "give each fleet a PRODUCER_TOPIC_PREFIX of its own"
    )


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # the base has no types
    def __init__(self, assigned: Callable[[Iterable[TopicPartition]], None]) -> None:
        self._assigned = assigned

    def on_partitions_revoked(self, revoked: object) -> None:
        """Streams go on."""

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        self._assigned(assigned)


def _assignor(
    protocol: str,
    topic: str,
    introduce: Callable[[], bytes],
    plan: Callable[[Mapping[str, bytes]], Mapping[str, frozenset[int]]],
) -> type[AbstractPartitionAssignor]:
    """An assignor class of its own for one consumer: aiokafka wants a class, and keeps its state on it."""

    class Assignor(AbstractPartitionAssignor):  # type: ignore[misc]  # the base has no types
        name = protocol

        @classmethod
        def metadata(cls, topics: Iterable[str]) -> ConsumerProtocolMemberMetadata:
            return ConsumerProtocolMemberMetadata(0, list(topics), introduce())

        @classmethod
        def assign(
            cls, cluster: object, members: Mapping[str, ConsumerProtocolMemberMetadata]
        ) -> dict[str, ConsumerProtocolMemberAssignment]:
            shares = plan({member_id: metadata.user_data for member_id, metadata in members.items()})
            return {
                member_id: ConsumerProtocolMemberAssignment(
                    0, [(topic, sorted(slots))] if slots else [], encode_place(rank, len(shares))
                )
                for rank, (member_id, slots) in enumerate(sorted(shares.items()))
            }

        @classmethod
        def on_assignment(cls, assignment: object) -> None:
            """Taken in by the listener."""

    return Assignor
