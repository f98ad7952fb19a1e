"""One line per transition: JSON for machines, text on a terminal.

Messages are transitions ("connected", "claim lost"); what belongs to them is in fields. Strangers' text is never a
message; where it is a field it is escaped, here and for both forms, so a line is one line and moves no cursor.
"""

import atexit
import logging
import math
import os
import sys
from collections.abc import Callable, MutableMapping
from typing import Any, Literal, TextIO, cast

import structlog

from producer.outlet import Outlet
from producer.strangers import shown

Log = structlog.typing.FilteringBoundLogger

FLUSH_SECONDS = 1.0
MOST_LETTERS = 2_000
"""Of one text."""
MOST_ITEMS = 200
"""Of one list, and of the lines of one traceback."""
MOST_NESTED = 5


def configure(*, form: Literal["auto", "json", "text"], level: str) -> None:
    """Set up logging for the process, once, from the command line's entry point."""
    text = form == "text" or (form == "auto" and sys.stderr.isatty())
    colours = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
    renderer: Any = (
        structlog.dev.ConsoleRenderer(colors=colours, exception_formatter=structlog.dev.plain_traceback)
        if text
        else structlog.processors.JSONRenderer(ensure_ascii=True)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _readable,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    _quiet_libraries()


def get(**fields: object) -> Log:
    """A logger with these fields on each of its lines."""
    return cast(Log, structlog.get_logger(**fields))


def bind(**fields: object) -> None:
    """Put these fields on every line from here on, of this task and those that it starts."""
    structlog.contextvars.bind_contextvars(**fields)


def detach() -> None:
    """Put standard error behind a bounded queue, for a process that must not wait for whoever reads it."""
    outlet = Outlet(sys.stderr, overflowed=lambda lines: get().error("log lines dropped", lines=lines))
    sys.stderr = cast(TextIO, outlet)
    atexit.register(flush)


def count_dropped(dropped: Callable[[], None]) -> None:
    """Have this called for each line that is dropped; never, where standard error is not detached."""
    if isinstance(sys.stderr, Outlet):
        sys.stderr.dropped = dropped


def flush(seconds: float = FLUSH_SECONDS) -> None:
    """Wait until what was written is out, but no longer than this."""
    if isinstance(sys.stderr, Outlet):
        sys.stderr.drain(seconds)


def _readable(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Make every field something that both forms can write, on one line but for a traceback; raises nothing."""
    try:
        event = structlog.processors.format_exc_info(cast(Any, None), "", event)
    except Exception as problem:  # an exception's own words may raise
        event["exception"] = f"a traceback that cannot be shown: {type(problem).__name__}"
    trace = event.pop("exception", None)
    fields = {key: _plain(value) for key, value in event.items()}
    if trace is not None:
        fields["exception"] = _traceback(str(trace))
    return fields


def _plain(value: object, depth: int = 0) -> object:
    """A value that JSON has, with its texts escaped and cut."""
    if value is None or isinstance(value, bool):
        return value
    try:
        match value:
            case int():
                return value if value.bit_length() <= 64 else shown(hex(value), most=MOST_LETTERS)
            case float() if math.isfinite(value):
                return value
            case dict() if depth < MOST_NESTED:
                items = list(value.items())[:MOST_ITEMS]
                return {shown(str(key), most=MOST_LETTERS): _plain(item, depth + 1) for key, item in items}
            case list() | tuple() | set() | frozenset() if depth < MOST_NESTED:
                return [_plain(item, depth + 1) for item in list(value)[:MOST_ITEMS]]
        return shown(str(value), most=MOST_LETTERS)
    except Exception as problem:  # so may any value's
        return f"a {type(value).__name__} that cannot be shown: {type(problem).__name__}"


def _traceback(text: str) -> str:
    """Line for line; of a long one the beginning and the end, which says what it was."""
    lines = text.split("\n")
    if len(lines) > MOST_ITEMS:
        half = MOST_ITEMS // 2
        lines = [*lines[:half], f"... {len(lines) - 2 * half} lines ...", *lines[-half:]]
    return "\n".join(shown(line, most=MOST_LETTERS) for line in lines)


def _quiet_libraries() -> None:
    """What a library logs is its inside; what matters of it reaches us as an exception, which we log once."""
    logging.basicConfig(handlers=[logging.NullHandler()])
    for name in ("aiokafka", "httpx", "httpcore", "websockets", "uvicorn"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
