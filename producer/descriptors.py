"""The files that this process may open, and how many rooms that is enough for."""

import resource
from dataclasses import dataclass

SPARE = 150
"""What a worker has open beside its rooms, at the most: 50 connections for look-ups, 32 of its HTTP surface's clients,
Kafka's, the spool, the log."""
OF_FILE_CLAIMS = 2
"""That a room takes where claims are files: its socket, and its claim."""


def limit() -> int | None:
    """How many files this process may have open; None is any number."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if soft == resource.RLIM_INFINITY else soft


def rooms(most: int) -> int:
    """How many rooms, of `most`, a worker can hold whose claims are files, so that each has its socket too."""
    allowed = limit()
    return most if allowed is None else max(1, min(most, (allowed - SPARE) // OF_FILE_CLAIMS))


@dataclass(frozen=True, slots=True)
class Need:
    """What a worker's rooms take of what is allowed."""

    allowed: int | None
    rooms: int
    files: int

    @property
    def too_few(self) -> bool:
        """Whether a worker that may be at its most beside its rooms has not enough for one."""
        return self.allowed is not None and self.allowed < SPARE + self.files // self.rooms

    @property
    def short(self) -> bool:
        """Whether not even the rooms have enough."""
        return self.allowed is not None and self.allowed < self.files

    @property
    def scarce(self) -> bool:
        """Whether the rooms have enough, and little is left for the rest."""
        return self.allowed is not None and self.files <= self.allowed < self.files + SPARE

    @property
    def found(self) -> str:
        """What there is, in a sentence."""
        allowed = "any number of" if self.allowed is None else str(self.allowed)
        if self.too_few:
            return f"{allowed} open files are allowed, and a worker takes up to {SPARE} beside its rooms"
        return (
            f"{allowed} open files are allowed, and PRODUCER_MAX_STREAMS={self.rooms} takes {self.files}"
            f"{', with little left for the rest' if self.scarce else ''}"
        )

    @property
    def advice(self) -> str:
        """What to do about it."""
        lower = "" if self.too_few else ", or lower PRODUCER_MAX_STREAMS"
        return f"raise the limit (ulimit -n) above {self.files + SPARE}{lower}"


def need(rooms: int, *, file_claims: bool) -> Need:
    """Compare what so many rooms take with what is allowed."""
    return Need(limit(), rooms, rooms * OF_FILE_CLAIMS if file_claims else rooms)
