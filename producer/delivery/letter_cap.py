"""How many dead letters a room may write: a broken one must not flood the topic."""

MINUTE_MS = 60_000


class Cap:
    """A bucket of one minute's letters for each room, filled evenly; all times are in ms of one clock."""

    def __init__(self, *, per_minute: int) -> None:
        """A room may write so many letters at once, and then one each time its share of the minute has passed.

        0 is no cap.
        """
        self._per_minute = per_minute
        self._full_at: dict[int | None, float] = {}
        """When each room's bucket will be full again. A room that is not here has a full one."""

    def __len__(self) -> int:
        """How many rooms it remembers: those that have written letters lately."""
        return len(self._full_at)

    def allows(self, room_id: int | None, at: int) -> bool:
        """Say whether a room may write a letter now, and count it if so. None is what is of no room."""
        if self._per_minute == 0:
            return True
        if room_id not in self._full_at:
            self._full_at = {room: full_at for room, full_at in self._full_at.items() if full_at > at}
        # Never further away than a whole minute, even if the clock was set back.
        full_at = min(max(self._full_at.get(room_id, at), at), at + MINUTE_MS)
        after = full_at + MINUTE_MS / self._per_minute
        allowed = after <= at + MINUTE_MS
        self._full_at[room_id] = after if allowed else full_at
        return allowed
