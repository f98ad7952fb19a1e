"""When Python looks through all objects for cycles that nobody holds: once an hour, or where memory has grown.

By itself it does so when many objects were made, as where a crowd is connected, and the loop stands meanwhile: 0.23 s
with two thousand streamers (CROWD=1000 pytest -s tests/system/test_crowd.py). Cycles that live shortly, which are most,
it finds among the young, at little cost.
"""

import asyncio
import gc
import os
import time
from pathlib import Path
from typing import NoReturn

LOOK_SECONDS = 60.0
EVERY_SECONDS = 3600.0
GROWN = 1.5
"""Times the memory that there was after the last look."""
NEVER = 2**31 - 1
"""Looks among the young until Python looks among the old by itself."""


def leave_the_old_alone() -> None:
    """Look once, keep what was loaded until now out of all further looks, and leave these to `look`."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*gc.get_threshold()[:2], NEVER)


async def look() -> NoReturn:
    """Look when it is due."""
    looked, size = time.monotonic(), resident_bytes()
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        if is_due(time.monotonic() - looked, size, resident_bytes()):
            gc.collect()
            looked, size = time.monotonic(), resident_bytes()


def is_due(seconds: float, before: int, now: int) -> bool:
    """Whether to look again so long after the last time, when so many bytes were resident, and are now."""
    return seconds >= EVERY_SECONDS or now > GROWN * before > 0


def resident_bytes() -> int:
    """What this process has in memory; 0 where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_bytes().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:  # it is not Linux, or there is no descriptor left
        return 0
