"""A planted bug: removals from the shared list are passed over. Workers with this on their path have it."""

from producer.assignments import table
from producer.assignments.claims import Streamer

_apply = table.Table.apply


def _forget(self: table.Table, slot: int, offset: int, key: bytes | None, value: bytes | None) -> Streamer | None:
    return None if value is None else _apply(self, slot, offset, key, value)


table.Table.apply = _forget  # type: ignore[method-assign]
