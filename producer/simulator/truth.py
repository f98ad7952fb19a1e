"""The truth: everything that was sent, one JSON object a line."""

import json
import time
from typing import IO, Any

from producer.simulator.messages import Message


class Truth:
    """Writes lines to a file, each at once, and keeps none."""

    def __init__(self, file: IO[str] | None = None) -> None:
        self._file = file

    def write(self, kind: str, unique_id: str, room_id: int | None = None, **more: Any) -> None:
        """Write one line: what happened, when (seconds since 1970), where."""
        if self._file is None:
            return
        place = {"unique_id": unique_id} if room_id is None else {"unique_id": unique_id, "room_id": str(room_id)}
        self._file.write(json.dumps({"at": time.time(), "kind": kind, **place, **more}) + "\n")
        self._file.flush()

    def message(
        self,
        unique_id: str,
        room_id: int,
        message: Message,
        *,
        sockets: int,
        history: bool = False,
        duplicate: bool = False,
    ) -> None:
        """Write that a message was sent to so many sockets: 0 where nobody was there to hear it.

        Each message has one line with neither `history` nor `duplicate`; those tell of further times that it was sent.
        A gift's says what the message adds to what was given, in `diamonds`.
        """
        more = {"diamonds": message.diamonds} if message.event == "gift" else {}
        self.write(
            "message",
            unique_id,
            room_id,
            message_id=str(message.message_id),
            method=message.method,
            event=message.event,
            sockets=sockets,
            history=history,
            duplicate=duplicate,
            **more,
        )
