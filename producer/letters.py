"""Dead letters as an operator asks for them and reads them: filters, places, a table, JSON, a dump of bytes; pure."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from producer.delivery.dead_letters import Letter, LetterReason, Place
from producer.errors import StartRefused
from producer.strangers import shown

COLUMNS = ("letter", "received (UTC)", "streamer", "room", "method", "reason", "bytes")
SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
PREFIX = "Webcast"
"""What methods begin with, and TikTok leaves away now and then."""
ROW_BYTES = 16


@dataclass(frozen=True, slots=True)
class Filter:
    """Which letters are meant; None means any."""

    streamer: str | None = None
    room_id: int | None = None
    method: str | None = None
    reason: LetterReason | None = None
    since: int | None = None
    """The earliest receipt, in ms since 1970."""

    def takes(self, letter: Letter) -> bool:
        """Whether a letter is meant."""
        method = letter.message.method if letter.message else None
        return (
            self.streamer in (None, letter.sender.streamer)
            and self.room_id in (None, letter.sender.room_id)
            and (self.method is None or (method is not None and _kind(method) == _kind(self.method)))
            and self.reason in (None, letter.reason)
            and (self.since is None or letter.received_at >= self.since)
        )


def moment(text: str, *, now: float) -> int:
    """Read how long ago (`30m`, `2h`, `1d`), or an ISO time (UTC unless it says otherwise); in ms since 1970.

    Raises StartRefused.
    """
    if ago := re.fullmatch(r"([0-9]{1,9})([smhd])", text):
        return max(0, int((now - int(ago[1]) * SECONDS[ago[2]]) * 1000))
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise StartRefused(f"--since {text}: neither how long ago (30m, 2h, 1d) nor an ISO time") from None
    return max(0, int((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() * 1000))


def place(text: str) -> Place:
    """Read a letter's place. Raises StartRefused."""
    if parts := re.fullmatch(r"([0-9]{1,9}):([0-9]{1,18})", text):
        return Place(int(parts[1]), int(parts[2]))
    raise StartRefused(f"{text} is no letter; write PARTITION:OFFSET, as `producer dlq list` does")


def table(letters: Iterable[tuple[Place, Letter]]) -> Iterator[str]:
    """Lay out letters in columns, a line each below a heading."""
    rows: list[Sequence[str]] = [COLUMNS]
    for where, letter in letters:
        method = letter.message.method if letter.message else "-"
        time = _time(letter).strftime("%Y-%m-%d %H:%M:%S")
        room = "-" if letter.sender.room_id is None else str(letter.sender.room_id)
        rows.append(
            (
                str(where),
                time,
                shown(letter.sender.streamer),
                room,
                shown(method),
                letter.reason,
                str(letter.length),
            )
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def document(where: Place, letter: Letter) -> dict[str, object]:
    """A letter without its bytes, as JSON."""
    message = letter.message
    return {
        "partition": where.partition,
        "offset": where.offset,
        "received_at": _time(letter).isoformat(timespec="milliseconds"),
        "streamer": letter.sender.streamer,
        "room_id": None if letter.sender.room_id is None else str(letter.sender.room_id),
        "worker": letter.sender.worker,
        "stage": letter.reason.stage,
        "reason": letter.reason,
        "problem": letter.problem,
        "method": message.method if message else None,
        "message_id": str(message.message_id) if message else None,
        "is_history": message.is_history if message else None,
        "event": letter.event,
        "topic": letter.topic,
        "length": letter.length,
        "cut": sorted(letter.cut),
    }


def dump(data: bytes) -> Iterator[str]:
    """Show bytes in rows of sixteen: offset, hexadecimal, ASCII."""
    for start in range(0, len(data), ROW_BYTES):
        row = data[start : start + ROW_BYTES]
        text = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in row)
        yield f"{start:08x}  {row.hex(' '):<{3 * ROW_BYTES}} {text}"


def _kind(method: str) -> str:
    return method.removeprefix(PREFIX)


def _time(letter: Letter) -> datetime:
    return datetime.fromtimestamp(letter.received_at / 1000, UTC)
