"""TikTok's own totals of a live that is heard, asked for now and then; look-ups come first."""

from collections.abc import Callable
from dataclasses import asdict
from math import inf

from producer import logs
from producer.assignments.claims import Streamer
from producer.errors import FailedFetchRoomInfo, InvalidSessionId, LiveEnded
from producer.lookups.plan import Asker
from producer.memory import Memory, pipeline_for
from producer.surroundings import Surroundings
from producer.webcast.lanes import Lane
from producer.webcast.room import RoomId

LOW = 1e-9
"""Starts a second: so unlikely is none that the plan looks for, so totals are asked for as seldom as it may."""


class Unlikely:
    """The chances of who is asked for something else than a live (`lookups.plan.Chances`)."""

    def rate(self, now: float, *, ended: float | None = None) -> tuple[float, float]:
        """Always the same."""
        return LOW, inf


async def follow(
    streamer: Streamer,
    room_id: RoomId,
    memory: Memory,
    around: Surroundings,
    lane: Lane,
    *,
    heard: Callable[[], bool],
) -> None:
    """Publish a room's totals every so often, until cancelled, or until it is said that they are not for us.

    Each request waits for its turn among the look-ups of its egress, so they all keep within one budget.
    """
    seconds = around.room_stats_seconds
    if seconds is None:
        return
    log = logs.get(streamer=streamer)
    asker = Asker(f"{streamer} totals", Unlikely(), asked=memory.totals_at or lane.look_ups.now(), shortest=seconds)
    while True:
        memory.totals_at = asker.asked
        await lane.look_ups.turn(asker)
        asker.asked = lane.look_ups.now()
        if not heard():
            continue
        try:
            totals = await lane.rooms.stats(room_id)
        except InvalidSessionId as refused:
            log.info("no totals", detail=str(refused))
            return
        except (FailedFetchRoomInfo, LiveEnded) as failure:
            log.debug("no totals this time", detail=str(failure))
            continue
        pipeline_for(streamer, memory, around).stats(asdict(totals))
