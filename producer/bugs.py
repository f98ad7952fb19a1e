"""What nobody foresaw: an exception of our own code, counted by place and logged with its traceback.

It ends what it happened in, one session's attempt or one fetch of the gift list, and nothing else.
"""

from types import TracebackType

from producer import logs
from producer.observability.metrics import BUG_PLACES, Metrics


class Bugs:
    """One worker's."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._seen: set[tuple[type[Exception], str]] = set()

    def found(self, bug: Exception, log: logs.Log) -> str:
        """Count and log one; return its kind and place, without its words, which may be a stranger's.

        Its traceback is logged once for a process: a thousand rooms may meet the same one.
        """
        place, line = _place(bug.__traceback__)
        kind = type(bug).__name__
        self._metrics.bug_found(place)
        where = type(bug), line
        log.error("bug", kind=kind, place=place, line=line, exc_info=None if where in self._seen else bug)
        self._seen.add(where)
        return f"bug: {kind} in {place}"


def _place(traceback: TracebackType | None) -> tuple[str, str]:
    """The innermost of our modules that an exception went through, one of BUG_PLACES, and the line in it."""
    module, number = "", 0
    while traceback is not None:
        name = str(traceback.tb_frame.f_globals.get("__name__", ""))
        if name.startswith("producer."):
            module, number = name.removeprefix("producer."), traceback.tb_lineno
        traceback = traceback.tb_next
    place = max((place for place in BUG_PLACES if f"{module}.".startswith(f"{place}.")), key=len, default="other")
    return place, f"{module}:{number}"
