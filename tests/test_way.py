"""producer.way: a streamer whose room is for adults, against the simulator; a session counts as its file is now."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from producer import backoff, search
from producer.assignments.claims import Wanted
from producer.errors import InvalidSessionId, Reason
from producer.session import Session, State
from producer.simulator.adults import Adults
from producer.simulator.faults import Faults
from producer.simulator.server import Simulator
from producer.simulator.truth import Truth
from producer.simulator.world import Ending
from producer.surroundings import Surroundings
from producer.webcast import http
from producer.webcast.doors.contract import Door
from producer.webcast.doors.hall import Hall
from producer.webcast.doors.places import Places
from producer.webcast.doors.queue import Queue
from producer.webcast.doors.sign import Signed
from producer.webcast.logins import Login, Logins
from producer.webcast.room import LiveRoom, Rooms
from producer.webcast.upstream import Upstream
from tests.test_session import NAME, OneRoom, Recorded, direct, lane_of, running, surroundings, with_lane

RIGHT = "sessionid=00112233445566778899aabbccddeeff; tt-target-idc=useast2a"
OVER = "sessionid=ffeeddccbbaa99887766554433221100; tt-target-idc=useast2a"
ELSEWHERE = RIGHT.replace("useast2a", "eu-ttp2")
LISTED = Wanted(NAME, session="adults")


class Watched:
    """One session in a room for adults, with what came of it."""

    def __init__(self, simulator: Simulator, around: Surroundings, publisher: Recorded) -> None:
        self.simulator = simulator
        self.around = around
        self.publisher = publisher
        self.session = Session(NAME, around)

    @property
    def reasons(self) -> dict[str, float | None]:
        series = "tiktok_live_connection_error_reasons_total"
        registry = self.around.metrics.registry
        return {each: registry.get_sample_value(series, {"reason": each}) for each in ("login", "credentials")}

    async def until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            await asyncio.sleep(0.01)

    async def delivered(self) -> None:
        await self.until(lambda: bool(self.publisher.named("comment")))


def watch(
    act: Callable[[Watched], Any],
    folder: Path | None,
    change: Callable[[Surroundings, Simulator], Surroundings] = lambda around, _: around,
    *,
    listed: Wanted = LISTED,
) -> Watched:
    """Run a session until `act` has seen enough."""

    async def main() -> Watched:
        publisher = Recorded()
        async with (
            Simulator(
                OneRoom(Ending.HOST, messages=10_000), faults=Faults(), truth=Truth(), adults=Adults([NAME], RIGHT)
            ) as simulator,
            http.client(user_agent="Mozilla/5.0", trust_environment=False) as web,
        ):
            around = surroundings(publisher, url=simulator.url, web=web)
            around = replace(around, entry=lambda _: listed, logins=Logins(folder, frozenset({"direct"})))
            watched = Watched(simulator, change(around, simulator), publisher)
            async with asyncio.timeout(120), running(watched.session):
                await act(watched)
            return watched

    return asyncio.run(main())


def signed(around: Surroundings, simulator: Simulator) -> Surroundings:
    """The same with a sign server before the direct door."""
    upstream, over = Upstream.at(simulator.url), lane_of(around).rooms._http
    sign = Signed(
        over,
        upstream,
        sign_url=simulator.url,
        api_key_file=None,
        user_agent="Mozilla/5.0",
        queue=Queue(Places(6000), clock=time.monotonic),
        clock=time.monotonic,
    )
    doors: list[Door] = [sign, direct(over, upstream)]
    return with_lane(around, doors=Hall(doors, around.metrics, clock=time.monotonic, wall_clock=time.time))


async def failed(watched: Watched) -> None:
    await watched.until(lambda: watched.session.state is State.FAILED)


@pytest.mark.parametrize(
    ("content", "reason", "problem"),
    [
        (None, "login", "its session cannot be used: {}/adults cannot be read: No such file or directory"),
        ("sessionid=00112233", "login", "its session cannot be used: {}/adults has no tt-target-idc"),
        (OVER, "credentials", None),
        (ELSEWHERE, "credentials", None),
    ],
    ids=["none", "no data centre", "over", "another data centre"],
)
def test_without_the_right_session_there_is_one_error_and_a_long_wait(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str | None, reason: str, problem: str | None
) -> None:
    waited: list[float] = []
    real = backoff.later

    def later(random: float, *, retry_after_seconds: float | None = None) -> float:
        waited.append(real(random, retry_after_seconds=retry_after_seconds))
        return waited[-1]

    monkeypatch.setattr(backoff, "later", later)
    if content is not None:
        (tmp_path / "adults").write_text(content)

    with capture_logs() as logged:
        watched = watch(failed, tmp_path)

    assert watched.reasons == {"login": 0.0, "credentials": 0.0} | {reason: 1.0}
    assert [wait >= 3600.0 for wait in waited] == [True]
    assert watched.simulator.requests["/ttwid/register/"] == 0
    said = [line["problem"] for line in logged if line["event"] == "entry not used as it stands"]
    assert len(said) == (problem is not None)
    assert problem is None or said[0].startswith(problem.format(tmp_path))


def test_with_the_right_session_the_room_delivers(tmp_path: Path) -> None:
    (tmp_path / "adults").write_text(RIGHT)

    watched = watch(Watched.delivered, tmp_path)

    assert watched.reasons == {"login": 0.0, "credentials": 0.0}


def test_a_session_that_takes_the_place_of_a_refused_one_is_tried_at_the_next_look(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(search, "LOOK_SECONDS", 0.05)
    (tmp_path / "adults").write_text(OVER)

    async def act(watched: Watched) -> None:
        await failed(watched)
        (tmp_path / "fresh").write_text(RIGHT)
        (tmp_path / "fresh").replace(tmp_path / "adults")
        await watched.delivered()

    watched = watch(act, tmp_path)

    assert watched.reasons == {"login": 0.0, "credentials": 1.0}


def test_a_refused_session_that_stays_the_same_is_not_tried_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(search, "LOOK_SECONDS", 0.01)
    (tmp_path / "adults").write_text(OVER)

    async def act(watched: Watched) -> None:
        await failed(watched)
        for _ in range(30):
            await asyncio.sleep(0.01)

    watched = watch(act, tmp_path)

    assert watched.simulator.requests["/api-live/user/room/"] == 1


def test_a_room_that_bars_visitors_is_left_for_the_door_that_carries_its_session(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(backoff, "BASE_SECONDS", 0.02)
    (tmp_path / "adults").write_text(RIGHT)

    watched = watch(Watched.delivered, tmp_path, signed)

    assert watched.session.last_error is not None
    assert watched.session.last_error.startswith("FailedConnection (login): room ")
    assert watched.simulator.handshakes == {"sign": 1, "direct": 1}
    assert [standing.reason for standing in lane_of(watched.around).doors.standings()] == [None, None]
    assert [event["reason"] for event in watched.publisher.named("disconnect")] == ["login", "released"]


def test_a_room_that_bars_visitors_is_left_for_long_where_no_door_carries_its_session(tmp_path: Path) -> None:
    (tmp_path / "adults").write_text(RIGHT)

    def by_sign(around: Surroundings, simulator: Simulator) -> Surroundings:
        return replace(signed(around, simulator), logins=Logins(tmp_path, frozenset({"gateway"})))

    watched = watch(failed, tmp_path, by_sign)

    assert watched.reasons == {"login": 1.0, "credentials": 0.0}
    assert watched.simulator.handshakes == {"sign": 1}


class Nameless:
    """Look-ups by name that want a login, whatever session comes along."""

    def __init__(self, real: Rooms) -> None:
        self.is_live = real.is_live

    async def resolve(self, _: str, login: Login | None, **__: object) -> LiveRoom:
        raise InvalidSessionId("not by name", reason=Reason.CREDENTIALS if login else Reason.LOGIN)


@pytest.mark.parametrize(("content", "door"), [(RIGHT, "direct"), (None, "sign")])
def test_a_room_that_the_list_names_and_whose_name_wants_a_login_goes_by_the_doors_that_carry_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str | None, door: str
) -> None:
    monkeypatch.setattr(search, "LOOK_SECONDS", 0.05)
    if content is not None:
        (tmp_path / "adults").write_text(content)
    tried: list[str] = []

    def nameless(around: Surroundings, simulator: Simulator) -> Surroundings:
        around = signed(around, simulator)

        def entry(_: object) -> Wanted:
            return replace(LISTED, room_id=simulator.room_id(NAME) or None)

        return replace(with_lane(around, rooms=Nameless(lane_of(around).rooms)), entry=entry)

    async def act(watched: Watched) -> None:
        await watched.until(lambda: bool(watched.simulator.handshakes))
        tried.extend(watched.simulator.handshakes)

    watch(act, tmp_path, nameless)

    assert tried == [door]


@pytest.mark.parametrize(
    ("user_id", "problem"),
    [
        (5, "the room is of the user 6800000000000000001, not 5: the name has changed hands"),
        (6_800_000_000_000_000_001, None),
        (None, None),
    ],
)
def test_a_room_of_another_user_than_the_list_names_is_heard_and_said_once(
    tmp_path: Path, user_id: int | None, problem: str | None
) -> None:
    (tmp_path / "adults").write_text(RIGHT)

    with capture_logs() as logged:
        watch(Watched.delivered, tmp_path, listed=replace(LISTED, user_id=user_id))

    said = [line["problem"] for line in logged if line["event"] == "entry not used as it stands"]
    assert said == ([problem] if problem else [])
