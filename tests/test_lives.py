"""Two hundred lives against the simulator: the start of each is told once, with what is true of it, and so is its end.

Kafka is a list. Lives end in five ways: by a message of the host's or of the platform's, without one while they are
heard, without one while nobody hears them, and after their streamer was handed over in the middle. Look-ups disagree
about some, and one streamer is renamed.
"""

import asyncio
import io
import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, cast

from producer.assignments.claims import Streamer
from producer.assignments.interface import Said
from producer.session import Session
from producer.simulator.faults import Fault, Faults
from producer.simulator.messages import Message
from producer.simulator.server import Simulator
from producer.simulator.truth import Truth
from producer.simulator.world import Ending, Live, World
from producer.surroundings import Surroundings
from producer.webcast import http
from tests.test_session import Recorded, running, surroundings

ROOMS, LIVES = 20, 10
RENAMED = "sim_room_03"
ENDS = ("host", "platform", "vanishes", "unheard", "handed over")
DROPPED = (3, 8)
"""Rooms, counted from 0, whose sockets are dropped now and then."""
SCRIPTED = {"host": Ending.HOST, "platform": Ending.PLATFORM, "handed over": Ending.HOST}
"""How the others end in the simulator: without a word."""
TOLD = {"host": "control_message", "platform": "control_message", "handed over": "control_message"}
"""How consumers are told of that; of the others they are by the status of the room."""


def end_of(room: int, live: int) -> str:
    return ENDS[(room + live) % len(ENDS)]


class Waits:
    """Whether a live stands still while nobody listens: until it is let go."""

    def __init__(self) -> None:
        self.let_go = False

    def __bool__(self) -> bool:
        return not self.let_go


class Lives:
    """Ten lives a room; all wait for a listener, and those that end unheard do until one was there."""

    def __init__(self) -> None:
        self.waits = {(room, live): Waits() for room in range(ROOMS) for live in range(LIVES)}
        self.begun: defaultdict[str, list[int]] = defaultdict(list)
        """When each streamer's sessions began: how many events of all were published by then."""

    unique_ids: Sequence[str] = tuple(f"sim_room_{number:02}" for number in range(1, ROOMS + 1))

    def lives(self, unique_id: str) -> Iterator[Live]:
        room = self.unique_ids.index(unique_id)
        template = next(World(seed=1, rooms=ROOMS, rate=100.0 * ROOMS).lives(unique_id))
        for number in range(LIVES):
            how, shift = end_of(room, number), number * 1_000_000

            def message(n: int, at: int, shift: int = shift) -> Message:
                made = template.message(n, at)
                return Message(made.message_id + shift, made.method, made.payload, made.event)

            yield Live(
                room_id=template.room_id + shift,
                after_seconds=0.2,
                rate=100.0,
                total=150,
                ending=SCRIPTED.get(how, Ending.VANISHES),
                message=message,
                waits=cast(bool, self.waits[room, number]),
            )


class Fleet:
    """A streamer's sessions one after the other, as workers that hand it over would have them."""

    def __init__(self, room: int, around: Surroundings, published: Recorded, truth: io.StringIO, script: Lives) -> None:
        self._room = room
        self._waits = script.waits
        self._begun = script.begun
        self._name = Streamer(Lives.unique_ids[room])
        self._said: Said | None = None
        self._published = published
        self._truth = truth
        self._around = replace(around, report=self._report, last_said=lambda _: self._said)

    def _session(self) -> Session:
        self._begun[self._name].append(len(self._published.events))
        return Session(self._name, self._around)

    def _report(self, _: Streamer, said: Said) -> None:
        self._said = said

    async def follow(self) -> None:
        for number in range(LIVES):
            how = end_of(self._room, number)
            async with running(self._session()) as task:
                if how in ("unheard", "handed over"):
                    await self._until(task, "connect", number + 1)
                    self._waits[self._room, number].let_go = how == "unheard"
                else:
                    await self._until(task, "live_end", number + 1)
            while how == "unheard" and self._ended() <= number:
                await asyncio.sleep(0.05)
            if how in ("unheard", "handed over"):
                async with running(self._session()) as task:
                    await self._until(task, "live_end", number + 1)

    async def _until(self, task: "asyncio.Task[None]", name: str, count: int) -> None:
        while len({event["meta"]["room_id"] for event in self._named(name)}) < count:
            assert not task.done(), task
            await asyncio.sleep(0.02)

    def _named(self, name: str) -> list[dict[str, Any]]:
        return [each for each in self._published.named(name) if each["meta"]["streamer"] == self._name]

    def _ended(self) -> int:
        lines = self._truth.getvalue().splitlines()
        return sum(line["kind"] == "live_ended" and line["unique_id"] == self._name for line in map(json.loads, lines))


class Terse(Truth):
    """Without the messages."""

    def message(self, *_: object, **__: object) -> None:
        return


def test_each_live_starts_once_with_what_is_true_of_it_and_ends_once() -> None:
    published, written = Recorded(), io.StringIO()
    disagreeing = [
        *(f"api_user_not_found@sim_room_{room:02}:3" for room in (1, 5)),  # the page knows it
        *(f"api_other_user@sim_room_{room:02}:3" for room in (2, 7)),
        *(f"page_not_found@sim_room_{room:02}:3" for room in (1, 2)),
        *(f"drop@{Lives.unique_ids[room]}:2" for room in DROPPED),
    ]
    faults, script = Faults(disagreeing), Lives()

    async def main() -> None:
        async with (
            Simulator(script, faults=faults, truth=Terse(written)) as simulator,
            http.client(user_agent="Mozilla/5.0", trust_environment=False) as web,
        ):
            around = surroundings(published, url=simulator.url, web=web)

            async def rename() -> None:
                while not any(each["meta"]["streamer"] == RENAMED for each in published.named("live_end")):
                    await asyncio.sleep(0.02)
                faults.plan([*disagreeing, f"renamed@{RENAMED}:1000"])

            async with asyncio.timeout(600), asyncio.TaskGroup() as tasks:
                for room in range(ROOMS):
                    tasks.create_task(Fleet(room, around, published, written, script).follow())
                tasks.create_task(rename())

    asyncio.run(main())

    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    lives = [line for line in lines if line["kind"] == "live_started"]
    assert len(lives) == ROOMS * LIVES == 200
    planned = (Fault.API_USER_NOT_FOUND, Fault.API_OTHER_USER, Fault.PAGE_NOT_FOUND, Fault.DROP, Fault.RENAMED)
    assert set(planned) <= {fault for fault, times in faults.fired.items() if times}
    starts, ends = published.named("live_start"), published.named("live_end")
    once = Counter(line["room_id"] for line in lives)
    assert Counter(start["meta"]["room_id"] for start in starts) == once
    assert Counter(end["meta"]["room_id"] for end in ends) == once
    shown_lines = [line for line in lines if line["kind"] == "shown"]
    by_room = {start["meta"]["room_id"]: start for start in starts}
    for line in lives:
        start = by_room[line["room_id"]]
        shown = [each for each in shown_lines if each["room_id"] == line["room_id"]]
        assert (start["known_by"], start["started_at"].timestamp(), start["room"], start["meta"]["streamer_id"]) in [
            (each["by"], each["started_at"], room_of(each), str(each["owner_id"])) for each in shown
        ]
        assert abs(start["started_at"].timestamp() - line["at"]) <= 1
        assert start["meta"]["streamer"] == line["unique_id"]
        assert start["renamed_to"] == (None if shown[0]["named"] == line["unique_id"] else shown[0]["named"])
    assert {start["known_by"] for start in starts} == {"api_live", "page"}
    renamed = [start["renamed_to"] for start in starts if start["meta"]["streamer"] == RENAMED]
    assert renamed[0] is None
    assert renamed[-1] == f"{RENAMED}.new"
    for end in ends:
        room, live = divmod(int(end["meta"]["room_id"]) - 7_300_000_000_000_000_000, 1000 * 1_000_000_000)
        start = by_room[end["meta"]["room_id"]]
        assert (end["started_at"], end["meta"]["streamer_id"]) == (start["started_at"], start["meta"]["streamer_id"])
        how = end_of(room, (live - 1_000_000_000) // 1_000_000)
        # A socket that is dropped with the last message does not hear the end.
        told = {TOLD.get(how, "room_status")} | ({"room_status"} if room in DROPPED else set())
        assert end["reason"] in told, (room, live, how)
    for connect in published.named("connect"):
        start = by_room[connect["meta"]["room_id"]]
        assert connect["started_at"] == start["started_at"]
        room_id = start["meta"]["room_id"]
        assert connect["room"] in (None, *[room_of(each) for each in shown_lines if each["room_id"] == room_id])
    first = {connect["meta"]["room_id"]: connect for connect in reversed(published.named("connect"))}
    places = {id(event): place for place, event in enumerate(published.events)}
    for room_id, connect in first.items():
        # Who takes a room up by its id, between its start and its first socket, has looked nothing up.
        found, entered = (places[id(each)] for each in (by_room[room_id], connect))
        taken_up = any(found < at <= entered for at in script.begun[connect["meta"]["streamer"]])
        assert connect["room"] is not None or taken_up, room_id
    assert sum(connect["room"] is not None for connect in first.values()) > 150


def room_of(shown: dict[str, Any]) -> dict[str, Any]:
    said = {name: shown[name] for name in ("nickname", "title", "followers", "viewers", "visits", "likes")}
    return {"unique_id": shown["named"], **said}
