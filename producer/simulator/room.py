"""A room as it stands now: its live, who listens, and what it sends them."""

import asyncio
import time
from collections import deque
from collections.abc import Iterator

from producer.simulator.messages import Message
from producer.simulator.pages import Shown
from producer.simulator.socket import Socket
from producer.simulator.tally import Tally
from producer.simulator.truth import Truth
from producer.simulator.world import Ending, Live, end

TICK_SECONDS = 0.1
LARGEST_BATCH = 1000
"""What a slow client made wait is caught up in frames that are no larger than this."""
HISTORY = 6
FOLLOWERS = 5000
"""Of each streamer at the beginning."""
LEAVE_SECONDS = 5.0
"""How long sockets stay open after an end; TikTok leaves the closing to the client."""


class Room:
    """One streamer's room, played by one task."""

    def __init__(self, unique_id: str, owner_id: int, lives: Iterator[Live], truth: Truth) -> None:
        self.unique_id = unique_id
        self._owner_id = owner_id
        self._followers = FOLLOWERS
        self.live: Live | None = None
        self.last_room_id = 0
        """Of the live now or the one before it, which look-ups go on naming."""
        self.started_at = 0
        """When that began: seconds since 1970."""
        self.sockets: set[Socket] = set()
        self.history: deque[Message] = deque(maxlen=HISTORY)
        self.unacknowledged: list[Message] = []
        """What whoever listened last had not acknowledged."""
        self._tally = Tally()
        self._lives = lives
        self._truth = truth
        self._entered = asyncio.Event()

    def is_live(self, room_id: int) -> bool:
        """Whether this room's live now has that id."""
        return self.live is not None and self.live.room_id == room_id

    @property
    def shown(self) -> Shown:
        """What look-ups show of it now."""
        tally = self._tally
        return Shown(
            self.unique_id,
            self._owner_id,
            self.last_room_id,
            self.live is not None,
            self.started_at,
            followers=self._followers + tally.events["follow"],
            viewers=len(self.sockets),
            visits=tally.events["join"],
            likes=tally.likes,
            shares=tally.events["share"],
            follows=tally.events["follow"],
            gifters=len(tally.gifters),
        )

    def enter(self, socket: Socket) -> None:
        """Let a socket listen."""
        self.sockets.add(socket)
        self._entered.set()

    def leave(self, socket: Socket) -> None:
        """A socket is gone."""
        self.sockets.discard(socket)
        if not self.sockets:
            self._entered.clear()

    async def play(self) -> None:
        """Live every live."""
        for live in self._lives:
            await asyncio.sleep(live.after_seconds)
            self.live, self.last_room_id, self.started_at = live, live.room_id, int(time.time())
            self.history.clear()
            self._followers += self._tally.events["follow"]
            self._tally = Tally()
            self.unacknowledged.clear()
            self._truth.write("live_started", self.unique_id, live.room_id)
            last = await self._talk(live)
            if live.ending is None and (last is None or last.event != "live_end"):
                return  # a replay is over, and its room goes on in silence
            await self._end(live)

    async def _talk(self, live: Live) -> Message | None:
        """Send a live's messages at their rate; return the last."""
        sent, owed = 0, 0.0
        message: Message | None = None
        before = time.monotonic()
        while sent < live.total:
            if live.waits and not self.sockets:
                await self._entered.wait()
                before = time.monotonic()
            await asyncio.sleep(TICK_SECONDS)
            now = time.monotonic()
            owed, before = owed + (now - before) * live.rate, now
            count = min(int(owed), live.total - sent, LARGEST_BATCH)
            if count == 0:
                continue
            created_at = int(time.time() * 1000)
            batch = [live.message(number, created_at) for number in range(sent, sent + count)]
            if not await self._send(live, batch, to_somebody=live.waits):
                owed = 0.0  # whoever was there has left meanwhile, or is being kept in silence: stand still
                continue
            sent, owed, message = sent + count, owed - count, batch[-1]
        return message

    async def _end(self, live: Live) -> None:
        self.live = None
        how = live.ending.value if live.ending else "replayed"
        self._truth.write("live_ended", self.unique_id, live.room_id, how=how)  # before a client can act upon it
        if live.ending in (Ending.HOST, Ending.PLATFORM):
            await self._send(live, [end(live, int(time.time() * 1000))], to_somebody=False)
        if live.ending is not Ending.VANISHES:
            leaving = {socket.closed for socket in self.sockets}
            if leaving:
                await asyncio.wait(leaving, timeout=LEAVE_SECONDS)
        await asyncio.gather(*(socket.close(1000) for socket in list(self.sockets)))

    async def _send(self, live: Live, batch: list[Message], *, to_somebody: bool) -> bool:
        """Send to all at once; False where nobody took it who had to: then it is as if it had not been emitted.

        Who is cancelled meanwhile has sent it and has written that down.
        """
        sending = asyncio.create_task(self._send_all(live, batch, to_somebody=to_somebody))
        try:
            return await asyncio.shield(sending)
        except asyncio.CancelledError:
            await sending
            raise

    async def _send_all(self, live: Live, batch: list[Message], *, to_somebody: bool) -> bool:
        reached = sum(await asyncio.gather(*(socket.send(batch) for socket in list(self.sockets))))
        if to_somebody and not reached:
            return False
        for message in batch:
            self._truth.message(self.unique_id, live.room_id, message, sockets=reached)
            self._tally.count(message)
            if message.event == "comment":
                self.history.append(message)
        return True
