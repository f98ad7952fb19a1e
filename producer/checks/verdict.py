"""What a check finds: a state, the finding, and what to do; pure."""

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warn", "fail", "skipped"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """One thing that was looked at. `fail` is what refuses a worker's start, or leaves it unable to work."""

    state: State
    found: str
    advice: str = ""
    """What to do; empty where nothing is to be done, or where what was found says it."""


def ok(found: str) -> Verdict:
    """As it should be."""
    return Verdict("ok", found)


def warn(found: str, advice: str) -> Verdict:
    """A worker works, and somebody should look at it."""
    return Verdict("warn", found, advice)


def fail(found: str, advice: str) -> Verdict:
    """A worker does not work with it."""
    return Verdict("fail", found, advice)


def skipped(why: str, advice: str = "") -> Verdict:
    """It was not looked at, and why."""
    return Verdict("skipped", why, advice)


def listed(names: list[str], *, most: int = 5) -> str:
    """Some names of many."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
