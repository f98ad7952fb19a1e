"""producer.assignments.lease: a number in place of a clock."""

from producer.assignments.claims import Streamer
from producer.assignments.lease import Lease, boot_clock


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def lease(clock: Clock, lost: frozenset[str] = frozenset()) -> Lease:
    return Lease(6.0, lost=lost.__contains__, clock=clock)


def test_nothing_is_certain_before_the_broker_answered() -> None:
    assert lease(Clock()).current() is False


def test_it_is_certain_for_the_session_timeout_after_an_answered_request_was_sent() -> None:
    clock = Clock()
    fence = lease(clock)

    fence.renew(98.0)
    clock.now = 103.9
    certain = fence.current()
    clock.now = 104.0

    assert certain is True
    assert fence.current() is False


def test_an_older_answer_takes_nothing_away() -> None:
    clock = Clock()
    fence = lease(clock)

    fence.renew(100.0)
    fence.renew(90.0)

    assert fence.current() is True


def test_it_ends_at_once_when_the_broker_does_not_know_us() -> None:
    fence = lease(Clock())
    fence.renew(100.0)
    before = fence.revoked_at

    fence.revoke()

    assert fence.current() is False
    assert (before, fence.revoked_at) == (float("-inf"), 100.0)

    fence.renew(101.0)

    assert fence.revoked_at == float("-inf")


def test_a_claim_that_was_lost_is_lost_though_it_is_certain_again_and_whoever_heeds_it_is_told() -> None:
    fence = lease(Clock(), frozenset({"lost"}))
    told: list[bool] = []
    fence.heed(lambda: told.append(fence.lost(Streamer("lost"))))

    fence.disown()
    fence.renew(100.0)

    assert told == [True]
    assert fence.lost(Streamer("kept")) is False
    assert fence.lost(Streamer("lost")) is True


def test_the_clock_runs() -> None:
    assert boot_clock() <= boot_clock()
