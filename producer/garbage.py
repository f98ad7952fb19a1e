"""When Python looks through all objects for cycles that nobody holds: where memory has grown, and not by rooms.

By itself it does so when many objects were made, as where a crowd is connected, and the loop stands meanwhile: 0.23 s
with two thousand streamers (CROWD=1000 pytest -s tests/system/test_crowd.py). Cycles that live shortly, which are most,
it finds among the young, at little cost. While memory does not grow there are no others worth a standing loop.
"""

import asyncio
import gc
import os
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

LOOK_SECONDS = 60.0
GROWN = 1.5
"""Times the memory that there was after the last look."""
ROOM_BYTES = 200 * 1024
"""What a room that was entered since may have besides; it takes about 130 KiB (docs/performance.md)."""
NEVER = 2**31 - 1
"""Looks among the young until Python looks among the old by itself."""


def leave_the_old_alone() -> None:
    """Look once, keep what was loaded until now out of all further looks, and leave these to `look`."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*gc.get_threshold()[:2], NEVER)


async def look(rooms: Callable[[], int]) -> NoReturn:
    """Look when it is due; `rooms` counts those that are heard."""
    size, heard = resident_bytes(), rooms()
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        if is_due(size, resident_bytes(), more_rooms=rooms() - heard):
            gc.collect()
            size, heard = resident_bytes(), rooms()


def is_due(before: int, now: int, *, more_rooms: int) -> bool:
    """Whether to look, when so many bytes were resident after the last time and are now, with so many more rooms."""
    return now > GROWN * before + ROOM_BYTES * max(0, more_rooms) and before > 0


def resident_bytes() -> int:
    """What this process has in memory; 0 where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_bytes().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:  # it is not Linux, or there is no descriptor left
        return 0
