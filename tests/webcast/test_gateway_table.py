"""What a session does about each close code on record, of a gateway and of TikTok's own socket.

The doors sheet's section 6, rows 20, 27 and 28: a session with the gateway as its first door and the unsigned one as
its second, or with the unsigned one alone, against a simulator that closes sockets so.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from producer import backoff, stay
from producer import session as session_module
from producer.errors import ProducerError
from producer.observability.metrics import TRIES
from producer.session import Session
from producer.simulator.faults import Fault, Faults
from producer.simulator.gateway import Passage
from producer.simulator.server import Simulator
from producer.simulator.truth import Truth
from producer.simulator.world import Ending
from producer.surroundings import Surroundings
from producer.webcast import http
from producer.webcast.doors import breaker
from producer.webcast.doors.contract import Address, Door
from producer.webcast.doors.gateway import Gateway
from producer.webcast.doors.hall import Hall
from producer.webcast.doors.places import ANYBODY, Rank
from producer.webcast.logins import Login
from producer.webcast.room import RoomId
from tests.patience import HANGS_SECONDS
from tests.test_session import NAME, OneRoom, Recorded, direct, running, surroundings, with_lane


class Watched:
    """A door that notes who came to it, and what it was told."""

    def __init__(self, door: Door, went: list[str], told: list[str]) -> None:
        self.name = door.name
        self._door = door
        self._went = went
        self._told = told

    async def obtain(self, room_id: RoomId, streamer: str, login: Login | None = None, rank: Rank = ANYBODY) -> Address:
        address = await self._door.obtain(room_id, streamer)
        self._went.append(self.name)
        return address

    def told(self, address: Address, error: ProducerError, *, lived_seconds: float) -> None:
        self._told.append(f"{error.label} {error.reason}")
        self._door.told(address, error, lived_seconds=lived_seconds)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the sheet: how a socket is closed, and what becomes of it."""

    number: str
    fault: str
    doors: tuple[str, ...]
    """Through which a room went, one after the other, until it was heard for good."""
    told: tuple[str, ...]
    """What the doors were told."""
    waits: tuple[float, ...]
    """Back-offs in seconds, at their shortest."""
    shut: bool = False
    """Whether nobody else goes through that door now."""
    alone: bool = False
    """Whether the unsigned door is all there is."""
    events: tuple[str, ...] = ("connect", "disconnect", "connect")
    disconnects: tuple[str, ...] = ("closed",)
    tries: tuple[int, int, int] = (2, 0, 0)
    """How often the first door let the room in, refused it, or failed."""


KEY = "c4n4ry"
LOST, FAILED, REFUSED = "FailedRoomPolling closed", "FailedConnection status", "FailedConnection credentials"
OFFLINE = "LiveNotFound offline"
GATEWAY, OTHER, TWICE = ("gateway", "gateway"), ("gateway", "direct"), ("gateway", "gateway", "direct")
REPEATED = ("connect", "disconnect", "connect", "disconnect", "connect")


def failed(fault: str) -> Row:
    """It fails at something of its own: twice, and then the room goes elsewhere, though the door stays open."""
    again = ("status", "status")
    return Row(
        f"27 {fault}",
        f"{fault}:2",
        TWICE,
        (FAILED, FAILED),
        (0.5, 1.0),
        events=REPEATED,
        disconnects=again,
        tries=(0, 0, 2),
    )


def configured(number: str, fault: str) -> Row:
    """What the operator must mend: the door is shut at once, and the room goes elsewhere."""
    return Row(
        f"28 {number}", fault, OTHER, (REFUSED,), (0.5,), shut=True, disconnects=("credentials",), tries=(0, 1, 0)
    )


ROWS = (
    Row("20 4001", "close_server", ("direct", "direct"), (LOST,), (0.5,), alone=True),
    Row("20 4003", "close_server_error", ("direct", "direct"), (LOST,), (0.5,), alone=True),
    failed("gateway_internal"),
    failed("gateway_fetch_failed"),
    failed("gateway_room_info_failed"),
    Row(
        "28 4429",
        "gateway_too_many",
        OTHER,
        ("FailedConnection rate_limited",),
        (0.5,),
        shut=True,
        disconnects=("rate_limited",),
        tries=(0, 1, 0),
    ),
    configured("4400", "gateway_options"),
    configured("4401", "gateway_credentials"),
    configured("4403", "gateway_other_streamers"),
    # Looked up again, and once it is live again it is entered again.
    Row(
        "28 4404", "gateway_offline", GATEWAY, ("LiveNotFound offline",), (), disconnects=("offline",), tries=(1, 0, 0)
    ),
    Row("28 4006", "gateway_silent", GATEWAY, ("FailedRoomPolling silence",), (0.5,), disconnects=("silence",)),
    Row("28 4500", "gateway_upstream_closed", GATEWAY, (LOST,), (0.5,)),
    Row("28 4555", "gateway_lifetime", GATEWAY, (LOST,), (0.0,)),
)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.number)
def test_a_close_code_has_the_outcome_of_its_row(
    row: Row, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    waits = noted(monkeypatch)

    outcome = follow([row.fault], tmp_path, alone=row.alone, until=heard_after(len(row.told)))

    assert tuple(outcome.went) == row.doors
    assert tuple(outcome.told) == row.told
    assert tuple(waits) == row.waits
    assert tuple(event["name"] for event in outcome.life[: len(row.events)]) == row.events
    assert tuple(outcome.reasons[: len(row.disconnects)]) == row.disconnects
    assert outcome.states == [
        f"{row.doors[0]} {'shut' if row.shut else 'open'}",
        *([] if row.alone else ["direct open"]),
    ]
    fault = Fault(row.fault.partition(":")[0])
    assert outcome.fired == {fault: len(row.told)}
    assert outcome.tries == row.tries
    assert set(outcome.unasked) <= {0}
    logged = "".join(capsys.readouterr())
    assert "connected" in logged
    assert KEY not in logged


def test_a_live_that_the_gateway_says_has_ended_has_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Row 28, 4005: nothing failed, and the room is not entered again while look-ups still name it."""
    waits = noted(monkeypatch)

    before: list[float] = []

    def looked_up_again(outcome: Outcome, _: Session, around: Surroundings) -> bool:
        if not outcome.reasons:
            return False
        series = "tiktok_live_lives_not_found_total"
        before.append(around.metrics.registry.get_sample_value(series, {"reason": "offline"}) or 0.0)
        return before[-1] >= before[0] + 3

    outcome = follow(["gateway_ended"], tmp_path, alone=False, until=looked_up_again)

    assert outcome.went == ["gateway"]
    assert (outcome.told, waits) == ([], [])
    assert [(event["name"], event.get("reason")) for event in outcome.life] == [
        ("connect", None),
        ("live_end", "room_status"),
        ("disconnect", "live_ended"),
    ]
    assert outcome.states == ["gateway open", "direct open"]
    assert outcome.fired == {Fault.GATEWAY_ENDED: 1}


def test_a_gateway_that_takes_a_live_for_ended_ends_none_that_is_heard_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says so on a second socket, by which the room was to move back to that door; the first one goes on."""
    noted(monkeypatch)
    monkeypatch.setattr(stay, "LOOK_SECONDS", (0.05, 0.1))
    monkeypatch.setattr(stay, "OVERLAP_SECONDS", 0.2)
    monkeypatch.setattr(breaker, "PROBE_SECONDS", 0.05)

    def moved(outcome: Outcome, *_: object) -> bool:
        return "moved" in outcome.reasons

    outcome = follow(["gateway_credentials", "gateway_ended"], tmp_path, alone=False, until=moved)

    assert outcome.told == [REFUSED, OFFLINE]
    assert outcome.went == ["gateway", "direct", "gateway", "gateway"]
    assert outcome.publisher.named("live_end") == []
    assert outcome.reasons[:3] == ["credentials", "offline", "moved"]
    assert outcome.fired == {Fault.GATEWAY_CREDENTIALS: 1, Fault.GATEWAY_ENDED: 1}


def noted(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Make back-offs nothing, and note how long each would have been at its shortest."""
    waits: list[float] = []
    real = backoff.delay

    def delay(attempt: int, random: float, *, retry_after_seconds: float | None = None) -> float:
        waits.append(real(attempt, random, retry_after_seconds=retry_after_seconds))
        return 0.0

    monkeypatch.setattr(session_module, "random", lambda: 0.0)
    monkeypatch.setattr(backoff, "delay", delay)
    return waits


class Outcome:
    """What a session did."""

    def __init__(self) -> None:
        self.went: list[str] = []
        self.told: list[str] = []
        self.states: list[str] = []
        self.fired: dict[Fault, int] = {}
        self.tries = (0, 0, 0)
        self.unasked: list[int] = []
        """Frames that each socket of the gateway was sent, which waits for none."""
        self.publisher = Recorded()

    @property
    def life(self) -> list[dict[str, Any]]:
        """The events of its connections and of the live's end."""
        return self.publisher.named("connect", "disconnect", "live_end")

    @property
    def reasons(self) -> list[str]:
        return [event["reason"] for event in self.publisher.named("disconnect")]


Until = Callable[[Outcome, Session, Surroundings], bool]


def heard_after(failures: int) -> Until:
    """Until a comment arrived on the connection after so many failures."""

    def until(outcome: Outcome, _: Session, __: Surroundings) -> bool:
        names = [event["name"] for event in outcome.publisher.events]
        return names.count("connect") > failures and "comment" in names[len(names) - names[::-1].index("connect") :]

    return until


def tried_so_far(around: Surroundings, door: str, outcome: str) -> int:
    labels = {"door": door, "egress": "default", "outcome": outcome}
    return int(around.metrics.registry.get_sample_value("tiktok_live_door_tries_total", labels) or 0)


def follow(specs: list[str], folder: Path, *, alone: bool, until: Until) -> Outcome:
    """Run a session until something holds."""
    outcome = Outcome()
    (folder / "key").write_text(KEY)
    faults = Faults(specs)

    async def main() -> None:
        async with (
            Simulator(OneRoom(Ending.HOST, messages=100_000), faults=faults, truth=Truth()) as simulator,
            http.client(user_agent="Mozilla/5.0", trust_environment=False) as web,
        ):
            around = surroundings(outcome.publisher, url=simulator.url, web=web)
            unsigned = direct(http.HTTP(web, lambda *_: None), around.upstream)
            gateway = Gateway(
                url=f"ws{simulator.url.removeprefix('http')}/gateway",
                raw_option="features.rawMessages",
                key_file=folder / "key",
                jwt_file=None,
                said=around.metrics.gateway_said,
                clock=time.monotonic,
            )
            tried: tuple[Door, ...] = (unsigned,) if alone else (gateway, unsigned)
            doors = [Watched(door, outcome.went, outcome.told) for door in tried]
            hall = Hall(doors, around.metrics, clock=time.monotonic, wall_clock=time.time)
            around = with_lane(around, doors=hall)
            subject = Session(NAME, around)
            async with asyncio.timeout(HANGS_SECONDS), running(subject):
                while not until(outcome, subject, around):
                    await asyncio.sleep(0.01)
                outcome.states = [f"{each.door} {each.state}" for each in hall.standings()]
                heard, refused, failed = (tried_so_far(around, doors[0].name, how) for how in TRIES)
                outcome.tries = heard, refused, failed
                outcome.unasked = [each.unasked for each in simulator.sockets if isinstance(each, Passage)]
                outcome.told, outcome.went = list(outcome.told), list(outcome.went)

    asyncio.run(main())
    outcome.fired = dict(faults.fired)
    return outcome
