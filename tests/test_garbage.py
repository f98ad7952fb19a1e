"""producer.garbage: when all objects are looked through, and that then they are."""

import asyncio
import gc
import weakref
from pathlib import Path

import pytest

from producer import garbage

MIB = 2**20


@pytest.mark.parametrize(
    ("before", "now", "more_rooms", "due"),
    [
        (100 * MIB, 100 * MIB, 0, False),
        (100 * MIB, 150 * MIB, 0, False),
        (100 * MIB, 150 * MIB + 1, 0, True),
        (100 * MIB, 350 * MIB, 1024, False),  # a crowd is no garbage: each room takes a part of it
        (100 * MIB, 350 * MIB + 1, 1024, True),
        (100 * MIB, 150 * MIB + 1, -1024, True),  # rooms that were left took their memory along
        (100 * MIB, 140 * MIB, -1024, False),
        (0, 100 * MIB, 0, False),  # nobody said how much there was
        (100 * MIB, 0, 0, False),
    ],
)
def test_it_is_due_where_memory_grew_by_half_and_by_no_more_rooms(
    before: int, now: int, more_rooms: int, due: bool
) -> None:
    assert garbage.is_due(before, now, more_rooms=more_rooms) is due


def test_what_is_resident_is_some_tens_of_mebibytes() -> None:
    if not Path("/proc/self/statm").exists():
        pytest.skip("the system does not say what is resident")
    assert 10 * MIB < garbage.resident_bytes() < 100_000 * MIB


def test_a_cycle_that_is_old_goes_when_it_is_due_and_not_before(monkeypatch: pytest.MonkeyPatch) -> None:
    class Old:
        def __init__(self) -> None:
            self.itself = self

    old = Old()
    known = weakref.ref(old)
    monkeypatch.setattr(garbage, "LOOK_SECONDS", 0.0)
    dues = iter([False, False, True])
    looked: list[tuple[bool, int]] = []
    heard = iter([2])

    def rooms() -> int:
        return next(heard, 3)

    def is_due(*_: object, more_rooms: int) -> bool:
        looked.append((known() is None, more_rooms))
        return next(dues, False)

    async def main() -> None:
        looking = asyncio.create_task(garbage.look(rooms))
        while len(looked) < 4 and not looking.done():
            await asyncio.sleep(0)
        looking.cancel()

    monkeypatch.setattr(garbage, "is_due", is_due)
    thresholds = gc.get_threshold()
    try:
        gc.collect()  # by which it grows old
        garbage.leave_the_old_alone()
        gc.unfreeze()
        del old
        for _ in range(100):
            gc.collect(1)
        asyncio.run(main())
    finally:
        gc.unfreeze()
        gc.set_threshold(*thresholds)

    assert looked == [(False, 1), (False, 1), (False, 1), (True, 0)]
