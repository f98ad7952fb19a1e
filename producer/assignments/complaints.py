"""What goes wrong again and again, twice a second, said once."""

import time
from collections.abc import Callable
from itertools import islice

from producer import logs

QUIET_SECONDS = 60.0
"""What went wrong is said again once it had been well for so long."""
NAMED = 3


class Complaints:
    """What failed since it was last said."""

    def __init__(self, *, failed: Callable[[], None], clock: Callable[[], float] = time.monotonic) -> None:
        """`failed` is told of each failure."""
        self._failed = failed
        self._clock = clock
        self._unsaid: dict[tuple[str, str], dict[str, None]] = {}
        """What failed and why, with the files, each once, in order."""
        self._met: dict[tuple[str, str], float] = {}
        self._log = logs.get()

    def failed(self, what: str, problem: OSError, name: str) -> None:
        """Take in that something failed with a file of this name."""
        self._failed()
        self._unsaid.setdefault((what, problem.strerror or str(problem)), {})[name] = None

    def say(self) -> None:
        """Log what failed, a line for each reason, unless it is still what was said before."""
        now = self._clock()
        for (what, why), names in self._unsaid.items():
            if now - self._met.get((what, why), float("-inf")) > QUIET_SECONDS:
                more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
                self._log.error(what, problem=why, files=", ".join(islice(names, NAMED)) + more)
            self._met[what, why] = now
        self._unsaid.clear()
