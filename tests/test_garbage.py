"""producer.garbage: when all objects are looked through, and that then they are."""

import asyncio
import gc
import weakref
from pathlib import Path

import pytest

from producer import garbage

MIB = 2**20


@pytest.mark.parametrize(
    ("seconds", "before", "now", "due"),
    [
        (60.0, 100 * MIB, 100 * MIB, False),
        (3599.0, 100 * MIB, 100 * MIB, False),
        (3600.0, 100 * MIB, 100 * MIB, True),
        (60.0, 100 * MIB, 150 * MIB, False),
        (60.0, 100 * MIB, 150 * MIB + 1, True),
        (60.0, 0, 100 * MIB, False),  # nobody said how much there was
        (60.0, 100 * MIB, 0, False),
    ],
)
def test_it_is_due_once_an_hour_or_where_memory_grew_by_half(seconds: float, before: int, now: int, due: bool) -> None:
    assert garbage.is_due(seconds, before, now) is due


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
    looked: list[bool] = []

    def is_due(*_: object) -> bool:
        looked.append(known() is None)
        return next(dues, False)

    async def main() -> None:
        looking = asyncio.create_task(garbage.look())
        while len(looked) < 4:
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

    assert looked == [False, False, False, True]
