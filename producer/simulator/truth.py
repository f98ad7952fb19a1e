"""The truth: everything that was sent, one JSON object a line."""

import json
import time
from typing import IO, Any


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
