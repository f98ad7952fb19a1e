"""producer.assignments.membership: what the group answers, and what is known by it; no client, a number in place of a
clock."""

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment, ConsumerProtocolMemberMetadata

from producer.assignments.clients import Broken
from producer.assignments.lease import Lease
from producer.assignments.membership import Membership, Timing


class HeartbeatRequest: ...


class JoinGroupRequest: ...


class SyncGroupRequest: ...


NO_ERROR, ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID, REBALANCE_IN_PROGRESS = 0, 22, 25, 27


class Group:
    """A member, and what the group answers it."""

    def __init__(self, timing: Timing) -> None:
        self.now = 100.0
        self.lease = Lease(timing.certain, lost=lambda _: False, clock=self.clock)
        self.membership = Membership(
            dict,
            group="g",
            topic="list",
            slots=4,
            worker="w",
            protocol="p",
            timing=timing,
            introduce=bytes,
            plan=lambda _: {},
            assigned=lambda _: None,
            lease=self.lease,
            clock=self.clock,
        )

    def clock(self) -> float:
        return self.now

    def ask(self, request: object, answer: Callable[[], Awaitable[Any]]) -> Any:
        async def send(_: object) -> Any:
            return await answer()

        return asyncio.run(self.membership._observed(send)(request))

    def answered(self, request: object, code: int, *, after: float = 0.0, **more: Any) -> Any:
        """Have a request answered after so many seconds."""

        async def answer() -> Any:
            self.now += after
            return SimpleNamespace(error_code=code, **more)

        return self.ask(request, answer)


def test_a_heartbeat_that_is_answered_late_counts_from_when_it_was_sent() -> None:
    group = Group(Timing(session=6.0, rebalance=10.0))

    group.answered(HeartbeatRequest(), NO_ERROR, after=2.0)

    group.now = 105.9
    assert group.lease.current() is True
    group.now = 106.0
    assert group.lease.current() is False


def test_a_request_to_join_that_nobody_answers_leaves_the_certainty_to_run_out() -> None:
    group = Group(Timing(session=6.0, rebalance=10.0))
    group.answered(HeartbeatRequest(), NO_ERROR)
    certain = []

    async def never() -> Any:
        for _ in range(16):
            group.now += 0.5
            group.membership._tick()
            certain.append(group.lease.current())
        raise ConnectionError

    with pytest.raises(ConnectionError):
        group.ask(JoinGroupRequest(), never)

    assert certain == [True] * 11 + [False] * 5


def test_where_a_rebalance_gives_up_sooner_than_a_session_the_certainty_is_as_short() -> None:
    group = Group(Timing(session=60.0, rebalance=10.0))

    group.answered(HeartbeatRequest(), NO_ERROR)

    group.now = 109.9
    assert group.lease.current() is True
    group.now = 110.0
    assert group.lease.current() is False


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (HeartbeatRequest(), REBALANCE_IN_PROGRESS),
        (SyncGroupRequest(), REBALANCE_IN_PROGRESS),
        (HeartbeatRequest(), 15),
    ],
    ids=["heartbeat in a rebalance", "sync in a rebalance", "no coordinator"],
)
def test_what_else_is_answered_makes_nothing_certain(request_: object, code: int) -> None:
    group = Group(Timing())

    group.answered(request_, code)

    assert group.lease.current() is False


def test_an_answer_to_a_request_to_join_makes_nothing_certain() -> None:
    group = Group(Timing())

    group.answered(JoinGroupRequest(), NO_ERROR, members=[])

    assert group.lease.current() is False


def test_an_assignment_makes_nothing_certain_before_it_is_taken_in() -> None:
    group = Group(Timing())
    slots = ConsumerProtocolMemberAssignment(0, [("list", [1])], b"").encode()

    group.answered(SyncGroupRequest(), NO_ERROR, member_assignment=slots)

    assert group.lease.current() is False


@pytest.mark.parametrize(
    "assignment",
    [b"", b"\x00\x00\x7f\xff\xff\xff", ConsumerProtocolMemberAssignment(0, [("another", [1])], b"").encode()],
    ids=["nothing", "too many", "another topic"],
)
def test_an_assignment_that_is_no_use_is_kafkas_failure(assignment: bytes) -> None:
    group = Group(Timing())

    with pytest.raises(Broken, match="another program leads the group g"):
        group.answered(SyncGroupRequest(), NO_ERROR, member_assignment=assignment)


@pytest.mark.parametrize("code", [ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID])
def test_a_group_that_does_not_know_us_ends_it_at_once(code: int) -> None:
    group = Group(Timing())
    group.answered(HeartbeatRequest(), NO_ERROR)

    group.answered(HeartbeatRequest(), code)

    assert group.lease.current() is False
    assert group.lease.revoked_at == 100.0


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"\x00\x01",
        b"\x00\x00\x7f\xff\xff\xff",
        b"\x00\x00\x00\x00\x00\x01\x00\x02\xff\xfe\x00\x00\x00\x00",
        b"\x00\x00\x00\x00\x00\x00\x7f\xff\xff\xff",
        b"\x00\x00\x00\x00\x00\x00\xff\xff\xff\xff",
    ],
    ids=["nothing", "the version alone", "too many topics", "a topic that is not UTF-8", "too much data", "no data"],
)
def test_what_another_program_says_to_the_group_is_read_as_nothing(said: bytes) -> None:
    ours = ConsumerProtocolMemberMetadata(0, ["list"], b"{}").encode()
    group = Group(Timing())

    answer = group.answered(JoinGroupRequest(), NO_ERROR, members=[("m1", None, ours), ("m2", said)])

    assert answer.members == [("m1", None, ours), ("m2", ConsumerProtocolMemberMetadata(0, ["list"], b"").encode())]
