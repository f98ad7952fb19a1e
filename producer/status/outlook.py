"""What is known of one streamer, and when it is likely to go live, as its worker and the list said it; pure.

Only the worker that has it knows when it looks it up next; that is in its /status. Workers' names and errors are what
somebody wrote to a topic: whoever prints a line makes it harmless.
"""

from datetime import UTC, datetime

from producer.assignments.claims import Streamer, Wanted
from producer.assignments.doors import LATEST
from producer.assignments.table import Status
from producer.lookups.habits import MINUTE, MOST_STARTS, Habits
from producer.status.board import age

HOUR = 3600.0
WHERE = "when it is next, its worker says as `next_look_up_at` at its /status"
WHY = {
    "connected": "its room is heard, so it is not looked up",
    "connecting": "its live was found, and its worker is on the way into the room",
    "resolving": f"it waits for its turn to be looked up, or is being looked up; {WHERE}",
    "offline": f"it was offline when it was looked up, and waits for its time; {WHERE}",
    "elsewhere": f"its name is not known where it is looked up, so that is done rarely; {WHERE}",
    "backing_off": "an attempt failed; after a wait, which grows with each that fails, it is tried again",
    "parked": "a bug of ours ended its session; it is left alone until then",
    "failed": "it cannot go on by itself: somebody must change something",
    "unassigned": "no worker has it, so nobody looks it up",
}
"""What a state means for the next look-up. A newer worker may have others."""
NOT_HELD = "unassigned"
AWAITED = frozenset({"resolving", "offline", "elsewhere", "unassigned"})
"""States of whose start is to be expected; the others' lives were found."""


def lines(streamer: Streamer, status: Status | None, entry: Wanted | None, *, now: float) -> list[str]:
    """What is to be said of it."""
    if status is None:
        return [f"{streamer}: no worker has said anything of it", *_entry(entry)]
    found = [f"{streamer}: {_state(status, now)}", *_entry(entry), WHY.get(status.state, "")]
    if status.error:
        found.append(f"the last error: {status.error}")
    if status.again_at is not None:
        found.append(f"it is tried again at {_moment(status.again_at / 1000, now)}")
    return [line for line in [*found, *_habits(status, now)] if line]


def document(status: Status | None, *, now: float) -> dict[str, object]:
    """What is made of its habits: how likely it goes live in the next hour, and the hours at which it mostly did."""
    habits = None if status is None else learnt(status, now)
    if status is None or habits is None:
        return {"chance_in_an_hour": None, "usually_at": []}
    return {
        "chance_in_an_hour": round(habits.chance(now, HOUR), 4) if status.state in AWAITED else None,
        "usually_at": [{"utc": _clock(minute), "starts": starts} for minute, starts in habits.usual],
    }


def learnt(status: Status, now: float) -> Habits | None:
    """The habits that look-ups are planned by; None where the status tells of none."""
    if status.watched is None or status.watched * MINUTE > now:
        return None
    return Habits.of_minutes(status.watched, [start for start in status.starts if start * MINUTE <= now])


def _state(status: Status, now: float) -> str:
    who = "" if status.state == NOT_HELD else f" at {status.worker}"
    since = f"{status.state}{who} since {_moment(status.since / 1000, now)} ({age(now - status.since / 1000)})"
    room = f", in room {status.room_id}" if status.room_id else ""
    return since + room + (f" by the door {status.door}" if status.door else "")


def _entry(entry: Wanted | None) -> list[str]:
    if entry is None:
        return ["it is not on the list"]
    if not entry.enabled:
        return ["it is on the list and not enabled, so nobody is to have it"]
    return [f"the list gives it the priority {entry.priority}"] if entry.priority else []


def _habits(status: Status, now: float) -> list[str]:
    habits = learnt(status, now)
    if habits is None:
        return []
    since = f"looked up since {_moment(habits.since, now)}"
    if not habits.starts:
        found = [f"{since}; it has not gone live since, as far as is known"]
    else:
        count = len(habits.starts)
        times = f"{count} times{' or more' if count == MOST_STARTS else ''}" if count > 1 else "once"
        usual = [f"{starts} about {_clock(minute)} UTC" for minute, starts in habits.usual]
        last = _moment(habits.starts[-1], now)
        told = [f"it went live {times}, as far as is known, last at {last}", ", ".join(usual)]
        found = ["; ".join([since, *filter(None, told)])]
    if status.state in AWAITED:
        chance = _percent(habits.chance(now, HOUR))
        found.append(f"by that, unless it is live already, it goes live in the next hour with a chance of {chance}")
    return found


def _percent(chance: float) -> str:
    return f"{chance:.0%}" if chance >= 0.095 else f"{chance:.1%}" if chance >= 0.001 else "less than 0.1%"


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _moment(seconds: float, now: float) -> str:
    """A time as it is said at another; a stranger may have written one that no calendar has."""
    if not 0 <= seconds <= LATEST / 1000:
        return "a time that cannot be"
    at, today = datetime.fromtimestamp(seconds, UTC), datetime.fromtimestamp(now, UTC)
    return f"{at:%H:%M} UTC" if at.date() == today.date() else f"{at:%Y-%m-%d %H:%M} UTC"
