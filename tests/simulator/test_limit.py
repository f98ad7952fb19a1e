"""producer.simulator.limit: who asks too much is blocked for a time."""

import pytest

from producer.simulator.limit import Limit


def test_one_look_up_too_many_blocks_and_all_behind_it_for_a_time() -> None:
    limit = Limit(3, seconds=10.0, blocked_seconds=60.0)
    answers = [limit.asked(now) for now in (0.0, 1.0, 2.0, 9.9, 10.0, 69.8, 69.9, 70.0, 71.0, 72.0)]
    assert answers == [False, False, False, True, True, True, False, False, False, True]
    assert limit.blocks == 2


def test_the_window_slides() -> None:
    limit = Limit(3, seconds=10.0, blocked_seconds=60.0)
    assert not any(limit.asked(float(now)) for now in range(0, 400, 4))


@pytest.mark.parametrize(
    "text", ["", "60", "60/60", "60/60:", "0/1:1", "1/0:1", "-1/1:1", "1/1:1 ", "1.5/1:1", "1/1:1\n"]
)
def test_what_is_no_limit_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no limit"):
        Limit.written(text)


def test_a_limit_is_read() -> None:
    limit = Limit.written("2/10:60")
    assert [limit.asked(now) for now in (0.0, 1.0, 2.0, 61.9, 62.0)] == [False, False, True, True, False]
