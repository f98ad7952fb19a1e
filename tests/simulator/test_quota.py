"""producer.simulator.quota: how many calls the sign server takes, and what whoever makes more is told."""

import json
import math

import httpx
import pytest

from producer.errors import FailedHTTPRequest, Reason
from producer.simulator.quota import Quota
from producer.webcast.doors.sign import read_sign_refusal
from producer.webcast.http import Answer


def test_a_call_too_many_is_refused_until_the_window_has_passed_the_first() -> None:
    quota = Quota(2, seconds=60.0)

    waits = [quota.called(now) for now in (0.0, 10.0, 20.0, 59.0, 60.0, 61.0)]

    assert waits == [None, None, 40.0, 1.0, None, 9.0]


def test_a_hold_refuses_all_until_it_is_over() -> None:
    quota = Quota(1, seconds=10.0, held_seconds=50.0)

    waits = [quota.called(now) for now in (0.0, 5.0, 40.0, 54.0, 55.0)]

    assert waits == [None, 50.0, 15.0, 1.0, None]


@pytest.mark.parametrize("held", [None, 50.0])
def test_what_is_told_is_understood_as_so_long_a_wait(held: float | None) -> None:
    page = Quota(1, seconds=60.0, held_seconds=held).page(49.5, wall=1_800_000_000.0)

    with pytest.raises(FailedHTTPRequest) as refused:
        read_sign_refusal(Answer(page.status, httpx.Headers(page.headers), page.body))

    assert refused.value.reason is Reason.RATE_LIMITED
    assert math.isclose(refused.value.retry_after_seconds or 0.0, 49.5, abs_tol=1.0)
    assert "Too many connections" in json.loads(page.body)["message"]


@pytest.mark.parametrize("text", ["", "10", "10/60:", "0/60", "10/0", "1.5/60", "10/60:0", "10/60\n"])
def test_what_is_no_quota_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no quota"):
        Quota.written(text)


def test_a_quota_is_read() -> None:
    assert Quota.written("1/60").called(0.0) is None
    quota = Quota.written("1/60:50")
    assert [quota.called(0.0), quota.called(1.0)] == [None, 50.0]
