"""Whether rooms that are known by their ids are still live: asked for many at once.

When a server goes away, hundreds of sockets do together, and each of their rooms asks. One request tells of many.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from producer import strangers
from producer.errors import FailedFetchRoomInfo, Reason

GATHER_SECONDS = 0.1
"""So long a question waits for others to go with it."""
MOST_ROOMS = 50
"""In one request. How many TikTok answers for is not documented; its own page asks for several."""


class Alive:
    """Questions of many sessions, asked together."""

    def __init__(self, ask: Callable[[Sequence[int]], Awaitable[Mapping[int, bool]]]) -> None:
        """`ask` answers for at most `MOST_ROOMS`, or raises FailedFetchRoomInfo."""
        self._ask = ask
        self._waiting: dict[int, asyncio.Future[bool | FailedFetchRoomInfo]] = {}
        self._asking: set[asyncio.Task[None]] = set()

    async def is_live(self, room_id: int) -> bool:
        """Whether a room is live. Raises FailedFetchRoomInfo."""
        loop = asyncio.get_running_loop()
        if not self._waiting:
            loop.call_later(GATHER_SECONDS, self._begin)
        said = await asyncio.shield(self._waiting.setdefault(room_id, loop.create_future()))
        if isinstance(said, FailedFetchRoomInfo):
            raise FailedFetchRoomInfo(
                str(said), reason=said.reason, retry_after_seconds=said.retry_after_seconds
            ) from said
        return said

    def _begin(self) -> None:
        waiting, self._waiting = list(self._waiting.items()), {}
        for begin in range(0, len(waiting), MOST_ROOMS):
            asking = asyncio.create_task(self._answer(dict(waiting[begin : begin + MOST_ROOMS])))
            self._asking.add(asking)
            asking.add_done_callback(self._asking.discard)

    async def _answer(self, waiting: Mapping[int, "asyncio.Future[bool | FailedFetchRoomInfo]"]) -> None:
        try:
            said: Mapping[int, bool | FailedFetchRoomInfo] = await self._ask(tuple(waiting))
        except FailedFetchRoomInfo as failure:
            said = dict.fromkeys(waiting, failure)
        except Exception as bug:  # nobody foresaw it: each who asked is told
            for future in waiting.values():
                future.set_exception(bug)
            return
        untold = FailedFetchRoomInfo("check_alive did not say whether the room is alive", reason=Reason.MALFORMED)
        for room_id, future in waiting.items():
            future.set_result(said.get(room_id, untold))


def read_check_alive(answer: Mapping[str, Any], asked: Sequence[int]) -> dict[int, bool]:
    """Read an answer of /room/check_alive/ (protocol sheet section 2.2 c): of each room that it tells of, whether.

    A room is known by the id beside the word, or where there is none by its place among those asked for.
    """
    data = answer.get("data")
    entries = data if isinstance(data, list) else []
    found = {}
    for place, entry in enumerate(entries):
        if not isinstance(entry, dict) or not isinstance(entry.get("alive"), bool):
            continue
        named = strangers.identifier(entry.get("room_id_str")) or strangers.identifier(entry.get("room_id"))
        room_id = named if named is not None else asked[place] if len(entries) == len(asked) else None
        if room_id is not None and room_id in asked:
            found[room_id] = bool(entry["alive"])
    return found
