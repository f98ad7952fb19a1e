"""One line per transition: JSON for machines, text on a terminal.

Messages are transitions ("connected", "claim lost"); what belongs to them is in fields. Strangers' text is never a
message, and is escaped where it is a field.
"""

import logging
import sys
from typing import Any, Literal, cast

import structlog

Log = structlog.typing.FilteringBoundLogger


def configure(*, form: Literal["auto", "json", "text"], level: str) -> None:
    """Set up logging for the process, once, from the command line's entry point."""
    text = form == "text" or (form == "auto" and sys.stderr.isatty())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: Any = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
        if text
        else structlog.processors.JSONRenderer(ensure_ascii=True)
    )
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, renderer] if not text else [*shared, renderer],
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


def _quiet_libraries() -> None:
    """What a library logs is its inside; what matters of it reaches us as an exception, which we log once."""
    logging.basicConfig(handlers=[logging.NullHandler()])
    for name in ("aiokafka", "httpx", "httpcore", "websockets", "uvicorn"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
