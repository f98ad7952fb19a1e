"""producer.cli_status: what it makes of statuses."""

import io

from rich.console import Console

from producer.assignments.catalogue import Heard
from producer.assignments.claims import Streamer, Wanted
from producer.assignments.doors import DoorSaid
from producer.assignments.table import Status
from producer.cli_status import document, one, picture

SAID = {
    Streamer("ann"): Status("worker-1", 3, "connected", 1_700_000_000_000, room_id="7300000000000000001", door="sign"),
    Streamer("bo"): Status("worker-0", 3, "backing_off", 1_700_000_055_000, error="FailedConnection (handshake)"),
    Streamer("cai"): Status("worker-1", 2, "offline", 1_699_990_000_000),
    Streamer("dua"): Status("worker-1", 3, "connected", 1_699_800_000_000, room_id="7300000000000000002", door="sign"),
}
DOORS = {
    # 1,699,990,000 s since 1970 is 14 November 2023, 19:26:40 UTC.
    "direct": DoorSaid("worker-0", 1_700_000_030_000, "unsigned", "417 illegal secret\x1b[2J key", 1_699_990_000_000)
}
HEARD = Heard(SAID, DOORS)
WANTED = {
    Streamer("ann"): Wanted(Streamer("ann"), user_id=7_000_000_000_000_000_001, labels=(("team", "red"),)),
    Streamer("bo"): Wanted(Streamer("bo")),
    Streamer("eve"): Wanted(Streamer("eve")),
}


def printed() -> list[list[str]]:
    out = io.StringIO()
    Console(file=out, width=150, color_system=None).print(picture(HEARD, WANTED, now=1_700_000_060.0))
    return [line.split() for line in out.getvalue().splitlines()]


def test_workers_are_counted_by_state() -> None:
    lines = printed()

    assert lines[0][:3] == ["worker", "streamers", "connected"]
    assert lines[1] == ["worker-0", "1", "·", "·", "·", "·", "·", "1", "·", "·", "·"]
    assert lines[2] == ["worker-1", "3", "2", "1", "·", "·", "·", "·", "·", "·", "·"]


def test_a_door_says_how_it_stands_and_how_many_rooms_are_heard_by_it() -> None:
    lines = [" ".join(line) for line in printed()]

    assert lines[4:7] == [
        "door rooms state said by answer",
        "direct 0 shut since 19:26 UTC (unsigned) 30 s worker-0 417 illegal secret\\x1b[2J key",
        "sign 2 open — —",
    ]


def test_streamers_that_need_somebody_come_first() -> None:
    lines = printed()

    assert lines[9:] == [
        ["eve", "unsaid", "—", "—", "—"],
        ["bo", "backing_off", "5", "s", "worker-0", "—", "FailedConnection", "(handshake)"],
        ["cai", "offline", "2", "h", "worker-1", "—", "—"],
        ["ann", "connected", "1", "min", "worker-1", "7300000000000000001", "team=red"],
        ["dua", "connected", "2", "d", "worker-1", "7300000000000000002", "—"],
    ]


def test_a_state_is_whole_where_others_leave_it_no_room() -> None:
    long = Status("worker-of-a-long-name" * 6, 3, "backing_off", 1_700_000_055_000, error="FailedConnection " * 20)
    out = io.StringIO()
    heard = Heard({Streamer("bo"): long}, {})
    Console(file=out, width=160, color_system=None).print(picture(heard, {}, now=1_700_000_060.0))

    assert out.getvalue().count("backing_off") == 2  # a column of the first table, a cell of the last
    assert max(map(len, out.getvalue().splitlines())) == 160


def test_the_document_has_every_streamer_and_the_workers_counts() -> None:
    whole = document(HEARD, WANTED)

    assert whole["workers"] == {"worker-0": {"backing_off": 1}, "worker-1": {"connected": 2, "offline": 1}}
    assert whole["doors"] == [
        {
            "door": "direct",
            "rooms": 0,
            "worker": "worker-0",
            "at": 1_700_000_030_000,
            "reason": "unsigned",
            "detail": "417 illegal secret\x1b[2J key",
            "since": 1_699_990_000_000,
            "again_at": None,
        },
        {"door": "sign", "rooms": 2},
    ]
    streamers = whole["streamers"]
    assert isinstance(streamers, list)
    assert [each["streamer"] for each in streamers] == ["ann", "bo", "cai", "dua"]
    assert streamers[0] == {
        "streamer": "ann",
        "worker": "worker-1",
        "generation": 3,
        "state": "connected",
        "since": 1_700_000_000_000,
        "room_id": "7300000000000000001",
        "error": None,
        "bugs": 0,
        "again_at": None,
        "door": "sign",
        "owner_id": None,
        "watched": None,
        "starts": (),
        "live": None,
        "going_in": None,
        "user_id": "7000000000000000001",
        "labels": {"team": "red"},
    }


def test_of_one_streamer_there_is_all_that_is_known_and_what_follows_from_it() -> None:
    ann, eve = Streamer("ann"), Streamer("eve")

    heard, unsaid = (one(name, SAID.get(name), WANTED.get(name), now=1_700_000_060.0) for name in (ann, eve))

    whole = document(HEARD, WANTED)["streamers"]
    assert isinstance(whole, list)
    assert heard == whole[0] | {
        "chance_in_an_hour": None,
        "usually_at": [],
        "why": [
            "ann: connected at worker-1 since 22:13 UTC (1 min), in room 7300000000000000001 by the door sign",
            "its room is heard, so it is not looked up",
        ],
    }
    assert unsaid == {
        "streamer": "eve",
        "user_id": None,
        "labels": {},
        "chance_in_an_hour": None,
        "usually_at": [],
        "why": ["eve: no worker has said anything of it"],
    }
