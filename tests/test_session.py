"""producer.session: one streamer against the simulator, in one process; Kafka is a list, since it is not the matter."""

import asyncio
import gc
import io
import ssl
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import pairwise
from random import Random
from typing import Any, cast

import fastavro
import pytest
from structlog.testing import capture_logs

from producer import backoff, search, stay
from producer import session as session_module
from producer.assignments.claims import Streamer, Wanted
from producer.assignments.interface import LastLive, Said
from producer.bugs import Bugs
from producer.delivery.gate import Gate
from producer.delivery.ledger import Ledger
from producer.delivery.letter_cap import Cap
from producer.delivery.letterbox import Letterbox
from producer.errors import (
    AlreadyConnected,
    AlreadyConnecting,
    FailedFetchRoomInfo,
    FailedHTTPRequest,
    InvalidSessionId,
    LiveNotFound,
    ProducerError,
    Reason,
)
from producer.events import schemas
from producer.events.encoding import Encoder, Record
from producer.events.event import Payloads
from producer.gift_lists import GiftLists
from producer.lookups import budget
from producer.lookups.plan import Asker, Plan
from producer.lookups.queue import Queue
from producer.observability.metrics import Metrics
from producer.pipeline import Sink
from producer.session import Session, State
from producer.simulator.faults import Fault, Faults
from producer.simulator.messages import Message
from producer.simulator.server import Simulator
from producer.simulator.truth import Truth
from producer.simulator.world import Ending, Live, World
from producer.surroundings import Surroundings
from producer.turns import Turns
from producer.webcast import handshake, http, opening, wire
from producer.webcast.bench import Bench
from producer.webcast.client import Client
from producer.webcast.doors import breaker
from producer.webcast.doors.contract import Address, Door
from producer.webcast.doors.direct import Direct
from producer.webcast.doors.hall import Hall
from producer.webcast.doors.places import ANYBODY, Places, Rank
from producer.webcast.doors.queue import Queue as Calls
from producer.webcast.doors.sign import Signed
from producer.webcast.doors.visitor import Visitors
from producer.webcast.lanes import Lane, Lanes
from producer.webcast.logins import Login, Logins
from producer.webcast.opening import Opener
from producer.webcast.protocol import Received
from producer.webcast.room import LiveRoom, RoomId, Rooms
from producer.webcast.route import Route
from producer.webcast.upstream import Upstream

NAME = Streamer("sim_room_01")


class Recorded:
    """A publisher that keeps what it is given, decoded."""

    def __init__(self, *, settles: bool = False) -> None:
        """`settles`: what it is given is safe at once."""
        self.events: list[dict[str, Any]] = []
        self._settles = settles

    def publish(self, *records: Record, settled: Callable[[], None] | None = None) -> None:
        for record in records:
            self._keep(record)
            if self._settles and settled is not None:
                settled()

    def _keep(self, record: Record) -> None:
        event = record.topic.split(".")[1]
        schema = schemas.events()[event].parsed
        value = fastavro.schemaless_reader(io.BytesIO(record.value[10:]), schema, None)
        assert isinstance(value, dict)
        self.events.append(value)

    async def room(self) -> None:
        return

    def named(self, *names: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["name"] in names]


class OneRoom:
    """A script of lives for one room."""

    unique_ids: Sequence[str] = (str(NAME),)

    def __init__(self, *endings: Ending, messages: int = 20) -> None:
        self._endings = endings
        self._messages = messages

    def lives(self, unique_id: str) -> Any:
        template = next(World(seed=1, rooms=1, rate=100.0).lives(unique_id))
        for number, ending in enumerate(self._endings):
            yield Live(
                room_id=template.room_id + number * 1_000_000,
                after_seconds=0.3,
                rate=100.0,
                total=self._messages,
                ending=ending,
                message=template.message if number == 0 else self._later(template, number),
                waits=True,
            )

    @staticmethod
    def _later(template: Live, number: int) -> Callable[[int, int], Message]:
        def message(n: int, at: int) -> Message:
            first = template.message(n, at)
            return Message(first.message_id + number * 1_000_000, first.method, first.payload, first.event)

        return message


def sink(publisher: Recorded) -> Sink:
    metrics, ledger = Metrics(topics=(), version="test", most_streamers=1), Ledger()
    return Sink(
        encoder=Encoder(schemas.events(), topic_prefix="t", schema_ids=None),
        publisher=cast(Gate, publisher),
        letterbox=Letterbox(topic="t.dlq.v1", cap=Cap(per_minute=0), ledger=ledger, metrics=metrics),
        ledger=ledger,
        metrics=metrics,
        gift_lists=GiftLists(metrics, refresh_seconds=60.0),
        wall_clock=lambda: 1_790_000_000.0,
        clock=time.monotonic,
        turns=Turns(time.monotonic),
    )


def direct(over: http.HTTP, upstream: Upstream) -> Direct:
    return Direct(Visitors(over, upstream, clock=time.monotonic), upstream)


def alone(lane: Lane) -> Lanes:
    return Lanes([lane], Bench([lane.route.name], time.monotonic, lambda _: None))


def look_ups(seconds: float = 0.05) -> Queue:
    """Where each is looked up again so soon."""
    return Queue(Plan(budget.Budget(per_second=1_000, chance=Random(1)), shortest=seconds, longest=seconds))


def with_lane(around: Surroundings, **parts: Any) -> Surroundings:
    """The same with other parts of its one lane."""
    return replace(around, lanes=alone(replace(lane_of(around), **parts)))


def lane_of(around: Surroundings) -> Lane:
    return around.lanes.of("")


def surroundings(
    publisher: Recorded,
    *,
    url: str,
    rooms: Any = None,
    door: Any = None,
    web: Any = None,
    hold: bool = False,
    silence_seconds: float = 60.0,
) -> Surroundings:
    upstream = Upstream.at(url)
    kept = sink(publisher)
    over = http.HTTP(web, kept.metrics.requested)  # asked of nobody where rooms and doors are scripted
    hall = Hall([door or direct(over, upstream)], kept.metrics, clock=time.monotonic, wall_clock=time.time)
    return Surroundings(
        worker="w",
        upstream=upstream,
        lanes=alone(Lane(Route(), rooms or Rooms(over, upstream, "Mozilla/5.0"), hall, look_ups())),
        sink=kept,
        metrics=kept.metrics,
        opener=Opener("Mozilla/5.0", upstream.web_url, ssl.create_default_context(), trust_environment=False),
        elsewhere_poll_seconds=0.07,
        room_stats_seconds=None,
        silence_seconds=silence_seconds,
        hold_acknowledgements=hold,
        viewers=None,
        payloads=Payloads.NONE,
        report=lambda *_: None,
        logins=Logins(),
        entry=Wanted,
        last_said=lambda _: None,
        bugs=Bugs(kept.metrics),
        shared=lambda _: False,
    )


@asynccontextmanager
async def running(subject: Session) -> AsyncIterator["asyncio.Task[None]"]:
    task = asyncio.create_task(subject.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait({task})


def stream(
    script: OneRoom, until: Callable[[Recorded, Session], bool], *faults: str, silence_seconds: float = 60.0
) -> Recorded:
    """Run a session against a script until something holds."""
    publisher = Recorded()

    async def main() -> None:
        async with (
            Simulator(script, faults=Faults(faults), truth=Truth()) as simulator,
            http.client(user_agent="Mozilla/5.0", trust_environment=False) as web,
        ):
            subject = Session(
                NAME, surroundings(publisher, url=simulator.url, web=web, silence_seconds=silence_seconds)
            )
            async with asyncio.timeout(120), running(subject) as task:
                while not until(publisher, subject):
                    assert not task.done(), task
                    await asyncio.sleep(0.01)
            assert subject.state is None

    asyncio.run(main())
    return publisher


def ended(times: int) -> Callable[[Recorded, Session], bool]:
    return lambda publisher, _: len(publisher.named("disconnect")) == times


def test_a_live_is_followed_from_connect_to_its_end() -> None:
    published = stream(OneRoom(Ending.HOST), ended(1))

    assert [event["name"] for event in published.events[:2]] == ["live_start", "connect"]
    assert [event["name"] for event in published.named("live_end", "disconnect")] == ["live_end", "disconnect"]
    assert published.named("live_end")[0]["reason"] == "control_message"
    assert published.named("disconnect")[0]["reason"] == "live_ended"
    sequence = [event["meta"]["room_sequence"] for event in published.events if event["meta"]["message_id"]]
    assert sequence == list(range(1, len(sequence) + 1))


def test_a_streamers_own_series_last_as_long_as_its_session() -> None:
    script = OneRoom(Ending.HOST, messages=2000)

    async def main() -> list[float | None]:
        async with (
            Simulator(script, faults=Faults(), truth=Truth()) as simulator,
            http.client(user_agent="Mozilla/5.0", trust_environment=False) as web,
        ):
            around = surroundings(Recorded(), url=simulator.url, web=web)

            def series(name: str) -> float | None:
                return around.metrics.registry.get_sample_value(f"tiktok_live_stream_{name}", {"streamer": NAME})

            subject = Session(NAME, around)
            async with asyncio.timeout(120), running(subject):
                while not series("last_event_timestamp_seconds"):
                    await asyncio.sleep(0.01)
                while_connected = series("connected")
            return [while_connected, series("connected"), series("last_event_timestamp_seconds")]

    assert asyncio.run(main()) == [1.0, None, None]


def test_a_session_says_by_which_door_its_room_is_heard_for_as_long_as_it_is() -> None:
    reports: list[Said] = []

    async def main() -> None:
        async with (
            Simulator(OneRoom(Ending.HOST), faults=Faults(), truth=Truth()) as simulator,
            http.client(user_agent="Mozilla/5.0", trust_environment=False) as web,
        ):
            around = surroundings(Recorded(), url=simulator.url, web=web)
            subject = Session(NAME, replace(around, report=lambda _, said: reports.append(said)))
            async with asyncio.timeout(120), running(subject):
                while (State.CONNECTED, State.OFFLINE) not in pairwise(said.state for said in reports):
                    await asyncio.sleep(0.01)

    asyncio.run(main())

    said = [(each.state, each.door) for each in reports]
    heard = said.index(("connected", "direct"))
    # Twice while it is heard: when it is, and when its live has ended.
    heard_twice = [("connected", "direct")] * 2
    assert said[heard - 1 : heard + 3] == [("connecting", None), *heard_twice, ("offline", None)]
    assert [each.live is not None and each.live.is_over for each in reports[heard : heard + 2]] == [False, True]


def test_a_live_that_vanishes_is_known_to_have_ended_from_the_rooms_status() -> None:
    published = stream(OneRoom(Ending.VANISHES), ended(1))

    [end] = published.named("live_end")
    room_id = published.events[0]["meta"]["room_id"]
    assert (end["reason"], end["meta"]["event_id"]) == ("room_status", f"{room_id}:live_end")
    assert published.named("disconnect")[0]["reason"] == "live_ended"


def test_the_next_live_of_the_room_is_found() -> None:
    published = stream(OneRoom(Ending.HOST, Ending.PLATFORM), ended(2))

    assert len(published.named("live_end")) == len(published.named("connect")) == 2
    assert len({event["meta"]["room_id"] for event in published.named("connect")}) == 2


def test_each_event_names_the_streamer_by_number_and_its_connection_which_is_another_each_time() -> None:
    published = stream(OneRoom(Ending.HOST, messages=200), ended(2), "close_internal")

    assert {event["meta"]["streamer_id"] for event in published.events} == {"6800000000000000001"}
    ids = [event["meta"]["connection"] for event in published.named("connect")]
    assert len(set(ids)) == len(ids) >= 2
    assert None not in ids
    named: list[tuple[str, bool]] = []
    current = None
    for event in published.events:
        current = event["meta"]["connection"] if event["name"] == "connect" else current
        named.append((event["name"], event["meta"]["connection"] == current))
    # Totals of what is open are given out when no connection is.
    assert [name for name, of_current in named if not of_current and name != "gift_finalized"] == []


def test_a_room_that_has_ended_is_not_entered_again_while_look_ups_lag_behind() -> None:
    publisher, obtained = Recorded(), []
    looked_up: list[LiveRoom] = []

    async def main() -> None:
        async with (
            Simulator(OneRoom(Ending.HOST), faults=Faults(), truth=Truth()) as simulator,
            http.client(user_agent="Mozilla/5.0", trust_environment=False) as web,
        ):
            real = surroundings(publisher, url=simulator.url, web=web)

            class Lagging:
                """Look-ups that name the first live's room for ever, and addresses that are counted."""

                async def resolve(self, streamer: Streamer, _: Login | None, **__: object) -> LiveRoom:
                    if not looked_up:
                        looked_up.append(await lane_of(real).rooms.resolve(streamer))
                    else:
                        looked_up.append(looked_up[0])
                    return looked_up[0]

                async def is_live(self, room_id: RoomId) -> bool:
                    return True

                name = "direct"

                async def obtain(
                    self, room_id: RoomId, streamer: str, login: Login | None = None, rank: Rank = ANYBODY
                ) -> Address:
                    obtained.append(room_id)
                    return await lane_of(real).doors.doors[0].obtain(room_id, streamer)

            lagging: Any = Lagging()
            hall = Hall([lagging], real.metrics, clock=time.monotonic, wall_clock=time.time)
            async with asyncio.timeout(120), running(Session(NAME, with_lane(real, rooms=lagging, doors=hall))):
                while not publisher.named("disconnect"):
                    await asyncio.sleep(0.01)
                times = len(looked_up)
                while len(looked_up) < times + 3:
                    await asyncio.sleep(0.01)

    asyncio.run(main())

    assert len(obtained) == len(publisher.named("connect")) == 1


class Listening(Direct):
    """The default way in, which keeps what it is told."""

    def __init__(self, visitors: Visitors, upstream: Upstream) -> None:
        super().__init__(visitors, upstream)
        self.heard: list[tuple[str, Reason, float]] = []

    def told(self, address: Address, error: ProducerError, *, lived_seconds: float) -> None:
        self.heard.append((address.cookie, error.reason, lived_seconds))
        super().told(address, error, lived_seconds=lived_seconds)


class Full(Recorded):
    """A publisher that has no room for as long as it is told."""

    full: Callable[[], bool] = staticmethod(lambda: False)

    async def room(self) -> None:
        while self.full():
            await asyncio.sleep(0.01)


class FarAway(Client):
    """What it is sent arrives 20 ms later."""

    def data_received(self, data: bytes) -> None:
        self._later(super().data_received, data)

    def eof_received(self) -> None:
        self._later(super().eof_received)

    def connection_lost(self, exc: Exception | None) -> None:
        self._later(super().connection_lost, exc)

    def _later(self, callback: Callable[..., object], *arguments: object) -> None:
        self.loop.call_later(0.02, callback, *arguments)


@pytest.mark.parametrize(
    ("fault", "refusals", "full"),
    [("handshake_rejected", 2, False), ("handshake_forbidden", 2, False), ("handshake_rejected", 2, True)],
    ids=["rejected", "forbidden", "while Kafka is slow and the server far away"],
)
def test_a_room_goes_by_the_next_door_and_comes_back_without_losing_a_message(
    monkeypatch: pytest.MonkeyPatch, fault: str, refusals: int, full: bool
) -> None:
    if full:
        monkeypatch.setattr(opening, "Client", FarAway)
    monkeypatch.setattr(backoff, "BASE_SECONDS", 0.02)
    monkeypatch.setattr(breaker, "PROBE_SECONDS", 0.3)
    monkeypatch.setattr(stay, "LOOK_SECONDS", (0.05, 0.1))
    monkeypatch.setattr(handshake, "BLOCKED_SECONDS", 0.1)
    monkeypatch.setattr(stay, "OVERLAP_SECONDS", 0.1)
    publisher, script = Full(), OneRoom(Ending.HOST, messages=100_000)  # it goes on until it is let go
    faults = Faults([f"{fault}/direct:{refusals}"])

    async def main() -> tuple[float | None, float | None, int]:
        async with (
            Simulator(script, faults=faults, truth=Truth()) as simulator,
            http.client(user_agent="Mozilla/5.0", trust_environment=False) as web,
        ):
            upstream, over = Upstream.at(simulator.url), http.HTTP(web, lambda *_: None)
            signed = Signed(
                over,
                upstream,
                sign_url=simulator.url,
                api_key_file=None,
                user_agent="Mozilla/5.0",
                queue=Calls(Places(6000), clock=time.monotonic),
                clock=time.monotonic,
            )
            around = surroundings(publisher, url=simulator.url, web=web)
            doors: list[Door] = [direct(over, upstream), signed]
            hall = Hall(doors, around.metrics, clock=time.monotonic, wall_clock=time.time)
            around = with_lane(around, doors=hall)

            def rooms(door: str) -> float | None:
                return around.metrics.registry.get_sample_value(
                    "tiktok_live_door_rooms", {"door": door, "egress": "default"}
                )

            if full:
                publisher.full = lambda: bool(rooms("sign"))
            subject = Session(NAME, around)
            async with asyncio.timeout(120), running(subject):
                while not rooms("direct"):
                    await asyncio.sleep(0.01)
                await asyncio.sleep(0.3)  # longer than the sockets overlap
                publisher.full = lambda: False
                while len(publisher.named("disconnect")) < 1:
                    await asyncio.sleep(0.01)
                while rooms("sign"):
                    await asyncio.sleep(0.01)
                moved, heard = (rooms("direct"), rooms("sign"), simulator.handshakes["sign"]), len(publisher.events)
                while len(publisher.events) < heard + 50:
                    await asyncio.sleep(0.01)
            return moved

    assert asyncio.run(main()) == (1.0, 0.0, 1)

    assert sum(faults.fired.values()) == refusals
    assert [event["reason"] for event in publisher.named("disconnect")] == ["moved", "released"]
    assert len(publisher.named("connect")) == 2
    ids = [int(event["meta"]["message_id"]) for event in publisher.events if event["meta"]["message_id"]]
    assert len(set(ids)) == len(ids)
    assert sorted(ids) == list(range(min(ids), min(ids) + len(ids)))
    assert len(ids) > 50


class RefusedAfterwards(Faults):
    """The handshake is refused once a socket was closed."""

    def fires(self, fault: Fault, room: str, door: str | None = None) -> bool:
        early = fault is Fault.HANDSHAKE_DEVICE_BLOCKED and not self.fired[Fault.CLOSE_INTERNAL]
        return not early and super().fires(fault, room, door)


def test_a_door_is_told_once_what_became_of_each_socket_that_failed() -> None:
    """A handshake that was refused lived for no time; a live that ended is no failure."""
    publisher, script = Recorded(), OneRoom(Ending.HOST, messages=200)
    faults = RefusedAfterwards(["close_internal", "handshake_device_blocked"])

    async def main() -> tuple[list[tuple[str, Reason, float]], int]:
        async with (
            Simulator(script, faults=faults, truth=Truth()) as simulator,
            http.client(user_agent="Mozilla/5.0", trust_environment=False) as web,
        ):
            upstream = Upstream.at(simulator.url)
            visitors = Visitors(http.HTTP(web, lambda *_: None), upstream, clock=time.monotonic)
            door = Listening(visitors, upstream)
            subject = Session(NAME, surroundings(publisher, url=simulator.url, web=web, door=door))
            async with asyncio.timeout(120), running(subject):
                while not publisher.named("live_end"):
                    await asyncio.sleep(0.01)
            return door.heard, simulator.requests["/ttwid/register/"]

    (closed, blocked), registered = asyncio.run(main())

    assert (blocked[1:], closed[1]) == ((Reason.DEVICE_BLOCKED, 0.0), Reason.CLOSED)
    assert closed[2] > 0.0
    assert blocked[0] != closed[0]  # another visitor was asked for, and no third
    assert registered == 2


def test_a_lost_connection_is_opened_anew_and_history_is_not_published_twice() -> None:
    published = stream(OneRoom(Ending.HOST, messages=200), ended(2), "close_internal")

    assert [event["reason"] for event in published.named("disconnect")] == ["closed", "live_ended"]
    assert len(published.named("live_end")) == 1
    ids = [event["meta"]["message_id"] for event in published.events if event["meta"]["message_id"]]
    assert len(set(ids)) == len(ids) > 100


@pytest.mark.parametrize("ending", [Ending.HOST, Ending.VANISHES])
def test_the_totals_of_a_lives_gifts_are_what_its_messages_added(ending: Ending) -> None:
    script = OneRoom(ending, messages=180)
    [live] = script.lives(str(NAME))
    sent = [live.message(number, 1) for number in range(180)]
    added = sum(wire.GiftMessage.FromString(m.payload).fan_ticket_count for m in sent if m.event == "gift")

    published = stream(
        script, lambda publisher, session: ended(1)(publisher, session) and session.state is State.OFFLINE
    )

    totals = published.named("gift_finalized")
    assert sum(total["diamonds"] for total in totals) == added > 0
    assert {total["ended_by"] for total in totals} == {"single", "repeat_end"}
    assert len({total["meta"]["event_id"] for total in totals}) == len(totals)


def test_a_streak_that_is_open_when_the_session_is_let_go_is_given_out() -> None:
    published = stream(OneRoom(Ending.HOST, messages=10_000), lambda publisher, _: bool(open_streak(publisher)))

    [gift] = open_streak(published)
    [total] = [event for event in published.named("gift_finalized") if event["ended_by"] == "session_end"]
    assert total["count"] == gift["gift"]["repeatCount"]
    assert total["user"] == gift["user"]


def open_streak(publisher: Recorded) -> list[dict[str, Any]]:
    """The last gift message, if its streak goes on."""
    gifts = publisher.named("gift")
    return [gift for gift in gifts[-1:] if gift["gift"]["streaking"]]


def test_a_session_that_is_let_go_says_so() -> None:
    published = stream(OneRoom(Ending.HOST, messages=10_000), lambda publisher, _: len(publisher.events) > 5)

    [disconnected] = published.named("disconnect")
    assert disconnected["reason"] == "released"


@pytest.mark.parametrize("settles", [True, False])
def test_a_frame_can_wait_for_its_records_before_it_is_acknowledged(settles: bool) -> None:
    async def main() -> int:
        publisher = Recorded(settles=settles)
        async with (
            Simulator(OneRoom(Ending.HOST, messages=60), faults=Faults([]), truth=Truth()) as simulator,
            http.client(user_agent="Mozilla/5.0", trust_environment=False) as web,
        ):
            subject = Session(NAME, surroundings(publisher, url=simulator.url, web=web, hold=True))
            async with asyncio.timeout(120), running(subject):
                while not publisher.named("live_end"):
                    await asyncio.sleep(0.01)
            assert simulator.bad_acknowledgements == 0
            return simulator.acknowledged

    acknowledged = asyncio.run(main())

    assert (acknowledged > 0) is settles


@pytest.mark.parametrize("hold", [True, False])
def test_what_waits_for_kafka_keeps_no_message_in_memory(hold: bool) -> None:
    kept: list[Any] = []

    class Waiting(Recorded):
        def publish(self, *records: Record, settled: Callable[[], None] | None = None) -> None:
            super().publish(*records, settled=settled)
            kept.extend(settled for _ in records)

    async def main() -> int:
        publisher = Waiting(settles=False)
        async with (
            Simulator(OneRoom(Ending.HOST, messages=60), faults=Faults([]), truth=Truth()) as simulator,
            http.client(user_agent="Mozilla/5.0", trust_environment=False) as web,
        ):
            subject = Session(NAME, surroundings(publisher, url=simulator.url, web=web, hold=hold))
            async with asyncio.timeout(120), running(subject):
                while not publisher.named("live_end"):
                    await asyncio.sleep(0.01)
        gc.collect()
        return sum(isinstance(thing, Received) and bool(thing.messages) for thing in gc.get_objects())

    assert asyncio.run(main()) == 0
    assert len(kept) > 50


def test_a_second_start_is_refused_by_what_the_first_is_doing() -> None:
    async def main() -> None:
        class Slow:
            async def resolve(self, *_: object, **__: object) -> LiveRoom:
                await asyncio.sleep(60)
                raise AssertionError

        subject = Session(NAME, surroundings(Recorded(), url="http://127.0.0.1:9", rooms=Slow()))
        async with running(subject):
            await asyncio.sleep(0)
            assert subject.state is State.RESOLVING
            with pytest.raises(AlreadyConnecting):
                await subject.run()
            subject.state = State.CONNECTED
            with pytest.raises(AlreadyConnected):
                await subject.run()

    asyncio.run(main())


class Scripted:
    """Look-ups, and a door, that fail as a script says; the last failure goes on for ever."""

    name = "direct"

    def __init__(self, *failures: Exception) -> None:
        self.resolved = 0
        self._failures = list(failures)

    async def is_live(self, *_: object) -> bool:
        return False

    async def resolve(self, *_: object, **__: object) -> LiveRoom:
        self.resolved += 1
        failure = self._failures.pop(0) if len(self._failures) > 1 else self._failures[0]
        raise failure


def test_who_is_said_to_have_gone_live_is_looked_up_at_once_and_then_as_its_time_comes() -> None:
    rooms = Scripted(LiveNotFound("", reason=Reason.OFFLINE))

    async def main() -> list[int]:
        around = with_lane(surroundings(Recorded(), url="http://127.0.0.1:9", rooms=rooms), look_ups=look_ups(3600.0))
        subject = Session(NAME, around)
        subject.poke()  # before it runs nothing is waited for
        found = []
        async with asyncio.timeout(120), running(subject):
            while subject.state is not State.OFFLINE:
                await asyncio.sleep(0.01)
            for _ in range(2):
                before = rooms.resolved
                subject.poke()
                subject.poke()
                while rooms.resolved == before:
                    await asyncio.sleep(0.01)
                await asyncio.sleep(0.1)
                found.append(rooms.resolved)
        return found

    with capture_logs() as lines:
        assert asyncio.run(main()) == [2, 3]

    said = [line for line in lines if line["event"].startswith("looked up at once")]
    assert [line["streamer"] for line in said] == [NAME, NAME]


def test_it_tells_when_its_streamer_was_looked_up_and_when_it_is_next() -> None:
    rooms = Scripted(LiveNotFound("", reason=Reason.OFFLINE))

    async def main() -> None:
        around = with_lane(surroundings(Recorded(), url="http://127.0.0.1:9", rooms=rooms), look_ups=look_ups(3600.0))
        subject, began = Session(NAME, around), time.time()
        assert (subject.asked_at, subject.next_look_up_at) == (None, None)
        async with asyncio.timeout(120), running(subject):
            while subject.next_look_up_at is None or subject.asked_at is None:
                await asyncio.sleep(0.01)
            assert subject.state is State.OFFLINE
            assert began - 1 <= subject.asked_at <= time.time() + 1
            assert subject.next_look_up_at == subject.asked_at + 3600.0
        assert subject.next_look_up_at is None

    asyncio.run(main())


def waits(
    monkeypatch: pytest.MonkeyPatch,
    count: int,
    *failures: Exception,
    reports: list[Said] | None = None,
    before: Said | None = None,
) -> tuple[list[float], Session, Surroundings]:
    """The first `count` waits of a session that meets these failures; random numbers are all one half."""
    slept: list[float] = []
    real = asyncio.sleep
    done = asyncio.Event()

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) >= count:
            done.set()
            await real(60)

    monkeypatch.setattr("producer.session.asyncio.sleep", sleep)
    monkeypatch.setattr(session_module, "random", lambda: 0.5)
    script = Scripted(*failures)
    around = replace(
        surroundings(Recorded(), url="http://127.0.0.1:9", rooms=script, door=script),
        report=lambda _, said: reports.append(said) if reports is not None else None,
        last_said=lambda _: before,
    )
    subject = Session(NAME, around)

    async def main() -> None:
        async with asyncio.timeout(120), running(subject):
            await done.wait()

    asyncio.run(main())
    return slept, subject, around


def not_found(around: Surroundings) -> float | None:
    return around.metrics.registry.get_sample_value("tiktok_live_lives_not_found_total", {"reason": "offline"})


def counted(around: Surroundings, label: str) -> float | None:
    return around.metrics.registry.get_sample_value("tiktok_live_connection_errors_total", {"error": label})


def bug_count(around: Surroundings, place: str) -> float | None:
    return around.metrics.registry.get_sample_value("tiktok_live_bugs_total", {"place": place})


def test_what_nobody_foresaw_parks_the_streamer_for_minutes_and_longer_each_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reports: list[Said] = []

    slept, subject, around = waits(monkeypatch, 3, KeyError("a stranger's word"), reports=reports)

    assert slept == [180.0, 360.0, 720.0]
    assert bug_count(around, "search") == 3
    parked = [said for said in reports if said.state == State.PARKED]
    assert [said.bugs for said in parked] == [1, 2, 3]
    assert [said.again_at for said in parked] == [1_790_000_180_000, 1_790_000_360_000, 1_790_000_720_000]
    assert {said.error for said in parked} == {"bug: KeyError in search"}
    assert subject.state is None


def test_a_bug_in_between_does_not_end_the_back_off_of_failures(monkeypatch: pytest.MonkeyPatch) -> None:
    failure = FailedFetchRoomInfo(reason=Reason.CAPTCHA)

    slept, _, _ = waits(monkeypatch, 4, failure, failure, TypeError(), failure)

    assert slept == [0.75, 1.5, 180.0, 3.0]


def test_a_streamer_that_was_seen_offline_has_its_bugs_forgiven(monkeypatch: pytest.MonkeyPatch) -> None:
    slept, _, _ = waits(monkeypatch, 3, TypeError(), TypeError(), LiveNotFound(reason=Reason.OFFLINE), TypeError())

    assert slept == [180.0, 360.0, 180.0]


@pytest.mark.parametrize(
    ("again_at", "slept"), [(1_790_000_060_000, [60.0, 720.0]), (1_789_999_999_000, [720.0]), (None, [720.0])]
)
def test_who_takes_a_parked_streamer_over_keeps_it_parked_until_its_time(
    monkeypatch: pytest.MonkeyPatch, again_at: int | None, slept: list[float]
) -> None:
    before = Said("parked", None, "bug: KeyError in webcast.room", bugs=2, again_at=again_at)
    reports: list[Said] = []

    found, _, _ = waits(monkeypatch, len(slept), TypeError(), reports=reports, before=before)

    assert found == slept
    if len(slept) == 2:
        first = replace(reports[0], watched=None)
        assert first == Said("parked", None, "bug: KeyError in webcast.room", bugs=2, again_at=again_at)


def test_an_absurd_time_to_try_again_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    before = Said("parked", bugs=1, again_at=2**62)

    found, _, _ = waits(monkeypatch, 1, TypeError(), before=before)

    assert found == [backoff.BUG_CAP_SECONDS]


def test_how_a_streamer_went_that_had_no_bugs_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    before = Said("backing_off", error="FailedConnection", again_at=1_790_000_060_000)

    found, _, around = waits(monkeypatch, 1, LiveNotFound(reason=Reason.OFFLINE), TypeError(), before=before)

    assert found == [180.0]  # of the bug alone
    assert not_found(around) == 1


@pytest.mark.parametrize("where", ["mapping", "protocol", "leaving"])
def test_a_bug_in_the_middle_of_a_live_parks_it_and_says_so_in_its_disconnect(
    monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    fired = 0

    def planted(*_: object, **__: object) -> Any:
        nonlocal fired
        fired += 1
        raise ZeroDivisionError("planted")

    monkeypatch.setattr(
        {
            "mapping": "producer.pipeline.mapping.to_event",
            "protocol": "producer.webcast.protocol.Protocol.take",
            "leaving": "producer.events.streaks.Streaks.end",
        }[where],
        planted,
    )
    place = "webcast.protocol" if where == "protocol" else "pipeline"
    counts: list[float | None] = []

    def parked(_: Recorded, session: Session) -> bool:
        counts[:] = [bug_count(session._around, place)]
        return session.state is State.PARKED

    published = stream(OneRoom(Ending.HOST, messages=60), parked)

    assert fired >= 1
    assert counts == [1.0]
    reason = "live_ended" if where == "leaving" else "bug"
    assert [event["reason"] for event in published.named("disconnect")] == [reason]


def test_failures_back_off_ever_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    slept, _, around = waits(monkeypatch, 4, FailedFetchRoomInfo(reason=Reason.CAPTCHA))

    assert slept == [0.75, 1.5, 3.0, 6.0]
    assert counted(around, "FailedFetchRoomInfo") == 4


def test_retry_after_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    limited = FailedHTTPRequest(reason=Reason.RATE_LIMITED, retry_after_seconds=30.0)

    slept, _, _ = waits(monkeypatch, 1, limited)

    assert slept == [31.5]


def test_an_offline_streamer_waits_for_nothing_but_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    offline = LiveNotFound(reason=Reason.OFFLINE)

    slept, _, around = waits(monkeypatch, 1, offline, offline, offline, TypeError())

    assert slept == [180.0]
    assert not_found(around) == 3


def test_being_offline_forgives_failures(monkeypatch: pytest.MonkeyPatch) -> None:
    blocked, offline = FailedFetchRoomInfo(reason=Reason.BLOCKED), LiveNotFound(reason=Reason.OFFLINE)

    slept, _, _ = waits(monkeypatch, 3, blocked, blocked, offline, blocked)

    assert slept == [0.75, 1.5, 0.75]


def attempts(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Make back-offs short, and note which attempt each is of."""
    noted: list[int] = []
    monkeypatch.setattr(session_module, "random", lambda: 0.0)
    monkeypatch.setattr(backoff, "BASE_SECONDS", 0.01)
    real = backoff.delay

    def delay(attempt: int, random: float, *, retry_after_seconds: float | None = None) -> float:
        noted.append(attempt)
        return real(attempt, random, retry_after_seconds=retry_after_seconds)

    monkeypatch.setattr(backoff, "delay", delay)
    return noted


def test_what_was_delivered_forgives_failures(monkeypatch: pytest.MonkeyPatch) -> None:
    noted = attempts(monkeypatch)

    published = stream(OneRoom(Ending.HOST, messages=300), ended(3), "close_internal", "close_internal")

    assert [event["reason"] for event in published.named("disconnect")] == ["closed", "closed", "live_ended"]
    assert noted == [1, 1]


def test_a_room_that_opens_and_drops_without_delivering_slows_down(monkeypatch: pytest.MonkeyPatch) -> None:
    """Opening a socket is no success: only what was delivered resets the back-off."""
    noted = attempts(monkeypatch)
    script = OneRoom(Ending.HOST, messages=1)
    template = next(iter(script.lives(str(NAME))))

    class Mute(OneRoom):
        def lives(self, unique_id: str) -> Any:
            yield Live(template.room_id, 0.0, 0.001, 1000, Ending.HOST, template.message)

    stream(Mute(), lambda publisher, subject: len(noted) >= 2, silence_seconds=0.1)

    assert noted == [1, 2]


def test_what_only_the_operator_can_mend_is_shown_as_failed_and_tried_again_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waits: list[float | None] = []

    def later(random: float, *, retry_after_seconds: float | None = None) -> float:
        waits.append(retry_after_seconds)
        return 0.05

    monkeypatch.setattr(backoff, "later", later)

    async def main() -> None:
        script = Scripted(InvalidSessionId())
        subject = Session(NAME, surroundings(Recorded(), url="http://127.0.0.1:9", rooms=script, door=script))
        async with running(subject) as task:
            while len(waits) < 2:
                await asyncio.sleep(0)
            assert subject.state is State.FAILED
            assert not task.done()
            assert subject.last_error == "InvalidSessionId (other): The session id is missing or has expired."

    asyncio.run(main())


@pytest.mark.parametrize(
    ("fault", "method"),
    [("access_control", "WebcastAccessControlMessage"), ("room_verify", "WebcastRoomVerifyMessage")],
)
def test_a_room_that_wants_a_login_is_left_with_all_that_it_said(fault: str, method: str) -> None:
    published = stream(OneRoom(Ending.HOST, messages=10_000), lambda _, session: session.state is State.FAILED, fault)

    [disconnected] = published.named("disconnect")
    assert disconnected["reason"] == "login"
    assert [event["meta"]["method"] for event in published.events].count(method) == 1
    assert published.named("live_end") == []


class Regional:
    """Look-ups of which some are said to be of another region; an id is alive for as often as is said."""

    def __init__(self, real: Rooms, *refusals: ProducerError | None, alive: Sequence[bool] = ()) -> None:
        """The last refusal goes on for ever; None is the real look-up."""
        self.asked_by_id: list[RoomId] = []
        self._real = real
        self._refusals = list(refusals)
        self._alive = list(alive)

    async def resolve(self, streamer: Streamer, login: Login | None, **__: object) -> LiveRoom:
        refusal = self._refusals[0]
        if refusal is not None:
            if len(self._refusals) > 1:
                self._refusals.pop(0)
            raise refusal
        live = await self._real.resolve(streamer)
        self._refusals.pop(0)
        return live

    async def is_live(self, room_id: RoomId) -> bool:
        self.asked_by_id.append(room_id)
        return self._alive.pop(0) if self._alive else await self._real.is_live(room_id)


ELSEWHERE = LiveNotFound("not known here", reason=Reason.ELSEWHERE)
LOGIN = InvalidSessionId("only who is logged in", reason=Reason.LOGIN)


def test_a_name_that_is_not_known_here_is_elsewhere_and_looked_up_rarely() -> None:
    reports: list[Said] = []
    script = Scripted(ELSEWHERE, ELSEWHERE, LiveNotFound("", reason=Reason.OFFLINE), ELSEWHERE)
    shortest: list[float] = []

    class Paced(Queue):
        async def turn(self, asker: Asker) -> None:
            shortest.append(asker.shortest)
            await asyncio.sleep(0)

    around = surroundings(Recorded(), url="http://127.0.0.1:9", rooms=script, door=script)
    around = with_lane(
        around, look_ups=Paced(Plan(budget.Budget(per_second=1, chance=Random(1)), shortest=1, longest=1))
    )
    subject = Session(NAME, replace(around, report=lambda _, said: reports.append(said)))

    async def main() -> None:
        async with asyncio.timeout(120), running(subject):
            while len(shortest) < 5:
                await asyncio.sleep(0)

    asyncio.run(main())

    assert shortest[:5] == [0.0, 0.07, 0.07, 0.0, 0.07]
    assert [said.state for said in reports[:5]] == ["resolving", "elsewhere", "elsewhere", "offline", "elsewhere"]
    assert subject.last_error is None


@pytest.mark.parametrize("refusal", [ELSEWHERE, LOGIN])
def test_a_room_that_is_known_from_before_is_entered_by_its_id_where_its_name_tells_nothing(
    refusal: ProducerError, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "NAME_EVERY", 1)
    publisher = Recorded()

    async def main() -> Regional:
        async with (
            Simulator(
                OneRoom(Ending.HOST, messages=300), faults=Faults(["close_internal"]), truth=Truth()
            ) as simulator,
            http.client(user_agent="Mozilla/5.0", trust_environment=False) as web,
        ):
            around = surroundings(publisher, url=simulator.url, web=web)
            rooms = Regional(lane_of(around).rooms, LiveNotFound("", reason=Reason.OFFLINE), None, refusal)
            subject = Session(NAME, with_lane(around, rooms=rooms))
            async with asyncio.timeout(120), running(subject):
                while not publisher.named("live_end"):
                    await asyncio.sleep(0.01)
            return rooms

    rooms = asyncio.run(main())

    assert [event["reason"] for event in publisher.named("disconnect")] == ["closed", "live_ended"]
    assert len({event["meta"]["room_id"] for event in publisher.events}) == 1
    assert len(rooms.asked_by_id) >= 2  # once when its socket was lost, and once in the place of its name


def test_a_room_that_is_known_and_over_is_not_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "NAME_EVERY", 1)
    publisher = Recorded()

    async def main() -> Regional:
        async with (
            Simulator(
                OneRoom(Ending.HOST, messages=9_000), faults=Faults(["close_internal"]), truth=Truth()
            ) as simulator,
            http.client(user_agent="Mozilla/5.0", trust_environment=False) as web,
        ):
            around = surroundings(publisher, url=simulator.url, web=web)
            offline = LiveNotFound("", reason=Reason.OFFLINE)
            rooms = Regional(lane_of(around).rooms, offline, None, ELSEWHERE, alive=[True, False])
            subject = Session(NAME, with_lane(around, rooms=rooms))
            states: list[State | None] = []
            async with asyncio.timeout(120), running(subject):
                while states.count(State.ELSEWHERE) < 30:
                    await asyncio.sleep(0.01)
                    states.append(subject.state)
            return rooms

    rooms = asyncio.run(main())

    assert len(rooms.asked_by_id) == 2
    assert [event["reason"] for event in publisher.named("disconnect")] == ["closed"]


def test_a_room_that_the_list_names_is_asked_for_by_its_id_where_its_name_tells_nothing() -> None:
    publisher = Recorded()

    async def main() -> int:
        async with (
            Simulator(OneRoom(Ending.HOST), faults=Faults(), truth=Truth()) as simulator,
            http.client(user_agent="Mozilla/5.0", trust_environment=False) as web,
        ):
            around = surroundings(publisher, url=simulator.url, web=web)
            rooms = Regional(lane_of(around).rooms, ELSEWHERE)
            while not simulator.room_id(NAME):
                await asyncio.sleep(0.01)
            listed = Wanted(NAME, room_id=simulator.room_id(NAME))
            around = replace(with_lane(around, rooms=rooms), entry=lambda _: listed)
            subject = Session(NAME, around)
            states: list[State | None] = []
            async with asyncio.timeout(120), running(subject):
                while State.ELSEWHERE not in states[-1:]:
                    await asyncio.sleep(0.01)
                    states.append(subject.state)
            return len(rooms.asked_by_id)

    asked = asyncio.run(main())

    assert [event["reason"] for event in publisher.named("disconnect")] == ["live_ended"]
    assert asked == 1  # and not again: it has ended


def test_a_streamer_goes_by_the_doors_of_its_entry_and_by_the_workers_where_it_has_none_of_them() -> None:
    def entered(*doors: str) -> tuple[str | None, list[str]]:
        async def main() -> str | None:
            async with (
                Simulator(OneRoom(Ending.HOST), faults=Faults(), truth=Truth()) as simulator,
                http.client(user_agent="Mozilla/5.0", trust_environment=False) as web,
            ):
                upstream, over = Upstream.at(simulator.url), http.HTTP(web, lambda *_: None)
                around = surroundings(Recorded(), url=simulator.url, web=web)
                made = [Named("one", over, upstream), Named("two", over, upstream)]
                hall = Hall(made, around.metrics, clock=time.monotonic, wall_clock=time.time)
                around = replace(with_lane(around, doors=hall), entry=lambda _: Wanted(NAME, doors=doors))
                subject = Session(NAME, around)
                async with asyncio.timeout(120), running(subject):
                    while subject.door is None:
                        await asyncio.sleep(0.01)
                    return subject.door

        with capture_logs() as logged:
            door = asyncio.run(main())
        return door, [line["problem"] for line in logged if line["event"] == "entry not used as it stands"]

    assert entered() == ("one", [])
    assert entered("two", "one") == ("two", [])
    assert entered("three", "two") == ("two", ["this worker has no door three: see PRODUCER_DOORS"])
    assert entered("three") == ("one", ["this worker has no door three: see PRODUCER_DOORS"])


class Named(Direct):
    """The default way in under another name."""

    def __init__(self, name: str, over: http.HTTP, upstream: Upstream) -> None:
        super().__init__(Visitors(over, upstream, clock=time.monotonic), upstream)
        self.name = name

    async def obtain(self, room_id: RoomId, streamer: str, login: Login | None = None, rank: Rank = ANYBODY) -> Address:
        return replace(await super().obtain(room_id, streamer), door=self.name)


def test_a_long_wait_ends_at_the_next_look_when_the_list_names_another_way(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    real = asyncio.sleep
    listed = [Wanted(NAME)]

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            listed[0] = Wanted(NAME, priority=9)  # which is no other way
        if len(slept) == 5:
            listed[0] = Wanted(NAME, room_id=7)
        await real(0)

    monkeypatch.setattr("producer.session.asyncio.sleep", sleep)
    resolved = 0

    class Refusing:
        async def resolve(self, *_: object, **__: object) -> LiveRoom:
            nonlocal resolved
            resolved += 1
            if resolved == 2:
                await real(600)
            raise LOGIN

    around = surroundings(Recorded(), url="http://127.0.0.1:9", rooms=Refusing())
    around = replace(around, entry=lambda _: listed[0])

    async def main() -> None:
        async with asyncio.timeout(120), running(Session(NAME, around)):
            while resolved < 2:
                await real(0)

    asyncio.run(main())

    assert slept == [60.0] * 5


@pytest.mark.parametrize("named", [7, None])
def test_who_waits_to_be_looked_up_is_when_the_list_names_another_way(
    monkeypatch: pytest.MonkeyPatch, named: int | None
) -> None:
    monkeypatch.setattr(search, "LOOK_SECONDS", 0.02)
    listed = [Wanted(NAME)]
    refusing = Scripted(ELSEWHERE)
    around = surroundings(Recorded(), url="http://127.0.0.1:9", rooms=refusing, door=refusing)
    around = replace(around, entry=lambda _: listed[0], elsewhere_poll_seconds=3600.0)

    async def main() -> int:
        async with asyncio.timeout(120), running(Session(NAME, around)):
            while refusing.resolved < 1:
                await asyncio.sleep(0)
            listed[0] = Wanted(NAME, priority=9, room_id=named)
            for _ in range(20):
                await asyncio.sleep(0.02)
            return refusing.resolved

    assert asyncio.run(main()) == (2 if named else 1)  # a priority is no other way


def test_who_takes_a_heard_room_over_goes_there_without_looking_it_up_and_keeps_what_was_learnt() -> None:
    reports: list[Said] = []
    started = int(time.time()) // 60 - 3 * 1440

    async def main() -> int:
        async with (
            Simulator(OneRoom(Ending.HOST, messages=200), faults=Faults(), truth=Truth()) as simulator,
            http.client(user_agent="Mozilla/5.0", trust_environment=False) as web,
        ):
            while not simulator.room_id(NAME):
                await asyncio.sleep(0.01)
            room_id = str(simulator.room_id(NAME))
            before = Said("connected", room_id, owner_id="68", watched=started - 60, starts=(started, 2**31))
            around = surroundings(Recorded(), url=simulator.url, web=web)
            around = replace(around, last_said=lambda _: before, report=lambda _, said: reports.append(said))
            async with asyncio.timeout(120), running(Session(NAME, around)):
                while State.OFFLINE not in [said.state for said in reports]:
                    await asyncio.sleep(0.01)
                return simulator.requests["/api-live/user/room/"]

    looked_up = asyncio.run(main())

    states = [said.state for said in reports]
    assert states[: states.index("offline")] == ["resolving", "connecting", "connected", "connected"]
    assert looked_up <= 1  # for the next live, once this one was over
    assert {said.owner_id for said in reports[1:]} == {"68"}
    assert {(said.watched, said.starts) for said in reports[1:3]} == {(started - 60, (started,))}
    assert [said.going_in for said in reports[:3]] == [True, True, False], "until it is heard"


def test_who_takes_over_a_room_that_is_over_is_on_the_way_into_none() -> None:
    reports: list[Said] = []
    rooms = Scripted(LiveNotFound("offline", reason=Reason.OFFLINE))
    around = surroundings(Recorded(), url="http://127.0.0.1:9", rooms=rooms)
    before = Said("connected", "7300000000000000009")
    around = replace(around, last_said=lambda _: before, report=lambda _, said: reports.append(said))

    async def main() -> None:
        async with asyncio.timeout(120), running(Session(NAME, around)):
            while State.OFFLINE not in [said.state for said in reports]:
                await asyncio.sleep(0.01)

    asyncio.run(main())

    assert [(said.state, said.going_in) for said in reports] == [("resolving", True), ("offline", False)]


def test_a_room_that_was_heard_and_is_over_is_looked_up() -> None:
    async def main() -> tuple[int, int]:
        async with (
            Simulator(OneRoom(Ending.HOST, messages=200), faults=Faults(), truth=Truth()) as simulator,
            http.client(user_agent="Mozilla/5.0", trust_environment=False) as web,
        ):
            around = surroundings(Recorded(), url=simulator.url, web=web)
            around = replace(around, last_said=lambda _: Said("connected", "7300000000000000009"))
            subject = Session(NAME, around)
            async with asyncio.timeout(120), running(subject):
                while subject.state is not State.CONNECTED:
                    await asyncio.sleep(0.01)
                return simulator.requests["/webcast/room/check_alive/"], simulator.requests["/api-live/user/room/"]

    checked, looked_up = asyncio.run(main())
    assert checked == 1
    assert looked_up >= 1


def test_a_room_that_was_lost_is_gone_back_to_without_a_look_up_by_name() -> None:
    async def main() -> tuple[int, int]:
        async with (
            Simulator(
                OneRoom(Ending.HOST, messages=2_000), faults=Faults(["close_internal:2"]), truth=Truth()
            ) as simulator,
            http.client(user_agent="Mozilla/5.0", trust_environment=False) as web,
        ):
            publisher = Recorded()
            subject = Session(NAME, surroundings(publisher, url=simulator.url, web=web))
            async with asyncio.timeout(120), running(subject):
                while not publisher.named("connect"):
                    await asyncio.sleep(0.01)
                before = simulator.requests["/api-live/user/room/"]
                while len(publisher.named("connect")) < 3:
                    await asyncio.sleep(0.01)
                looked_up = simulator.requests["/api-live/user/room/"] - before
                return looked_up, simulator.requests["/webcast/room/check_alive/"]

    assert asyncio.run(main()) == (0, 2)  # it is asked by its id once each time that it is lost


def test_a_room_that_a_door_takes_for_ended_is_gone_to_no_sooner_than_it_is_looked_up_again() -> None:
    class Ended:
        name = "direct"
        asked = 0

        async def obtain(self, *_: object) -> Address:
            self.asked += 1
            raise LiveNotFound("it says so", reason=Reason.OFFLINE)

        def told(self, *_: object, **__: object) -> None: ...

    class Live:
        async def resolve(self, *_: object, **__: object) -> LiveRoom:
            return LiveRoom(RoomId(7))

        async def is_live(self, _: RoomId) -> bool:
            return True

    door = Ended()

    async def main() -> State | None:
        around = surroundings(Recorded(), url="http://127.0.0.1:9", rooms=Live(), door=door)
        subject = Session(NAME, with_lane(around, look_ups=look_ups(3600.0)))
        async with asyncio.timeout(120), running(subject):
            while not door.asked:
                await asyncio.sleep(0)
            for _ in range(200):
                await asyncio.sleep(0.001)
            return subject.state

    assert asyncio.run(main()) is State.OFFLINE
    assert door.asked == 1


def test_a_live_that_nobody_has_heard_since_a_stop_is_gone_back_to_without_a_look_up_by_name() -> None:
    published = Recorded()

    async def main() -> int:
        async with (
            Simulator(OneRoom(Ending.HOST, messages=9_000), faults=Faults(), truth=Truth()) as simulator,
            http.client(user_agent="Mozilla/5.0", trust_environment=False) as web,
        ):
            while not simulator.room_id(NAME):
                await asyncio.sleep(0.01)
            before = Said("unassigned", live=LastLive(str(simulator.room_id(NAME))))
            around = replace(surroundings(published, url=simulator.url, web=web), last_said=lambda _: before)
            async with asyncio.timeout(120), running(Session(NAME, around)):
                while not published.named("comment"):
                    await asyncio.sleep(0.01)
            return simulator.requests["/api-live/user/room/"]

    assert asyncio.run(main()) == 0
    assert published.named("live_start") == []


def test_a_live_that_was_taken_for_over_and_goes_on_is_started_once_and_can_be_taken_over() -> None:
    published, reports = Recorded(), list[Said]()

    async def main() -> None:
        async with (
            Simulator(OneRoom(Ending.HOST, messages=9_000), faults=Faults(), truth=Truth()) as simulator,
            http.client(user_agent="Mozilla/5.0", trust_environment=False) as web,
        ):
            while not simulator.room_id(NAME):
                await asyncio.sleep(0.01)
            room_id = str(simulator.room_id(NAME))
            before = Said("connected", room_id, owner_id="7", live=LastLive(room_id, 1_770_000_000))
            around = surroundings(published, url=simulator.url, web=web)
            around = with_lane(around, rooms=Regional(lane_of(around).rooms, None, alive=[False]))
            around = replace(around, last_said=lambda _: before, report=lambda _, said: reports.append(said))
            async with asyncio.timeout(120), running(Session(NAME, around)):
                while not published.named("comment"):
                    await asyncio.sleep(0.01)

    asyncio.run(main())

    assert published.named("live_start") == []
    [end] = published.named("live_end")
    assert end["started_at"].timestamp() == 1_770_000_000
    assert end["meta"]["streamer_id"] == "7"
    assert reports[-1].live is not None
    assert not reports[-1].live.is_over
