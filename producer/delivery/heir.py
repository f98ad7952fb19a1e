"""What dead workers left in a spool folder is taken up by those that run: one file at a time, until it is empty.

What is in such a file is older than what is published meanwhile. It keeps its own order for each key, and no other.
"""

import asyncio
from collections.abc import Callable
from typing import NoReturn

from producer import logs
from producer.delivery.spool import SpoolFailed
from producer.delivery.spool_folder import SpoolFolder
from producer.delivery.spooling import Remains, Spooling, finished

LOOK_SECONDS = 10.0
"""Between two looks at a folder in which there was nothing to take up."""


class Heir:
    """Run it while lanes are sent from, and close it once they are not any more."""

    def __init__(
        self,
        folder: SpoolFolder,
        *,
        spooling: Callable[[], Spooling],
        taken: Callable[[Spooling], None],
        closed: Callable[[Remains], None],
        changed: Callable[[], None],
    ) -> None:
        """`spooling` makes one that has no lanes and no file yet; `taken` is told once it has, to send from them.

        `closed` is told what became of each file, and `changed` whenever `idle` may be another.
        """
        self.guest: Spooling | None = None
        """What is being emptied."""
        self.idle = False
        """Whether the last look found nothing to take up."""
        self._folder = folder
        self._spooling = spooling
        self._taken = taken
        self._closed = closed
        self._changed = changed
        self._look = asyncio.Event()
        self._problem = ""
        self._log = logs.get()

    def hurry(self) -> None:
        """Look now. `idle` is false until that is done."""
        self.idle = False
        self._look.set()

    async def run(self) -> NoReturn:
        """Take up one file after the other."""
        while True:
            self._look.clear()
            if await finished(self._take_up(), cancelled=self._folder.give_up):
                assert self.guest is not None
                await self.guest.run_out()
                await self.close()
                continue
            if self._look.is_set():
                continue  # what was looked for then may have come since
            self.idle = True
            self._changed()
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._look.wait()
            except TimeoutError:
                pass

    async def close(self) -> None:
        """Give back what is being emptied. Where we are cancelled, it is done all the same."""
        await finished(self._give_back())

    async def _give_back(self) -> None:
        if self.guest is None:
            return
        remains = await self.guest.close()
        self.guest = None
        if remains is not None:
            self._closed(remains)

    async def _take_up(self) -> bool:
        try:
            spool = await asyncio.to_thread(self._folder.left)
        except SpoolFailed as problem:
            if str(problem) != self._problem:
                self._log.error("spool folder cannot be looked at", problem=str(problem))
            self._problem = str(problem)
            return False
        self._problem = ""
        if spool is None:
            return False
        self._log.info("taking up what a dead worker left", file=str(spool.path), records=spool.held_records)
        self.guest = self._spooling()
        if not await self.guest.take(lambda: spool):
            await self._give_back()
            return False
        self._taken(self.guest)
        return True
