"""producer.webcast.alive: questions about rooms, asked together."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from producer.errors import FailedFetchRoomInfo, Reason
from producer.webcast.alive import Alive, read_check_alive


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        ([{"alive": True}, {"alive": False}], {7: True, 8: False}),
        ([{"alive": True, "room_id_str": "8"}, {"alive": False, "room_id_str": "7"}], {7: False, 8: True}),
        ([{"alive": True, "room_id": 8}], {8: True}),
        ([{"alive": True, "room_id": 9}, {"alive": False}], {8: False}),
        ([{"alive": True}], {}),
        ([{"alive": 1}, {"alive": True}], {8: True}),
        ([{}, 5], {}),
        ([], {}),
        ({"message": "params_error"}, {}),
        (None, {}),
    ],
    ids=lambda value: None,
)
def test_a_room_is_known_by_its_id_or_by_its_place(entries: object, told: dict[int, bool]) -> None:
    assert read_check_alive({"data": entries, "status_code": 0}, [7, 8]) == told


def ask(rooms: Sequence[int], answer: Mapping[int, bool] | Exception) -> tuple[list[Any], list[Sequence[int]]]:
    """Ask about rooms at the same time; give what each was told, and what was asked for together."""
    asked: list[Sequence[int]] = []

    async def answered(room_ids: Sequence[int]) -> Mapping[int, bool]:
        asked.append(room_ids)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def main() -> list[Any]:
        subject = Alive(answered)
        return await asyncio.gather(*(subject.is_live(room) for room in rooms), return_exceptions=True)

    return asyncio.run(main()), asked


def test_those_who_ask_at_the_same_time_are_asked_for_together() -> None:
    told, asked = ask([1, 2, 3, 2], {1: True, 2: False, 3: True})
    assert told == [True, False, True, False]
    assert asked == [(1, 2, 3)]


def test_a_request_asks_for_fifty_at_the_most() -> None:
    told, asked = ask(range(120), dict.fromkeys(range(120), True))
    assert told == [True] * 120
    assert [len(rooms) for rooms in asked] == [50, 50, 20]


def test_a_room_that_was_not_told_of_is_not_known() -> None:
    told, _ = ask([1, 2], {1: True})
    assert told[0] is True
    assert isinstance(told[1], FailedFetchRoomInfo)
    assert told[1].reason is Reason.MALFORMED


def test_a_failure_is_told_to_each_who_asked() -> None:
    failure = FailedFetchRoomInfo("no", reason=Reason.RATE_LIMITED, retry_after_seconds=9.0)
    told, _ = ask([1, 2], failure)
    assert [(str(each), each.reason, each.retry_after_seconds) for each in told] == [
        ("no", Reason.RATE_LIMITED, 9.0)
    ] * 2
    assert told[0] is not told[1]


def test_a_bug_is_told_too_and_cancels_nobody() -> None:
    told, _ = ask([1, 2], ZeroDivisionError())
    assert [type(each) for each in told] == [ZeroDivisionError] * 2


def test_who_gave_up_leaves_the_others_their_answer() -> None:
    async def main() -> bool:
        started = asyncio.Event()

        async def answered(room_ids: Sequence[int]) -> Mapping[int, bool]:
            started.set()
            await asyncio.sleep(0)
            return dict.fromkeys(room_ids, True)

        subject = Alive(answered)
        gave_up, waits = (asyncio.create_task(subject.is_live(room)) for room in (1, 1))
        await started.wait()
        gave_up.cancel()
        return await waits

    assert asyncio.run(main())
