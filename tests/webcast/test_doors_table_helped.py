"""What the program does about each failure on record of a sign server or a broker: doors sheet section 6, rows 9, 21 to
26.

Two doors are there, the helped one first.
"""

import asyncio
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from producer.errors import ProducerError, Reason
from producer.simulator.server import Simulator
from producer.webcast import http
from producer.webcast.doors.contract import Door
from producer.webcast.doors.direct import Direct
from producer.webcast.doors.hall import Hall
from producer.webcast.doors.lease import Leased
from producer.webcast.doors.places import Places
from producer.webcast.doors.queue import Queue
from producer.webcast.doors.sign import Signed
from producer.webcast.doors.visitor import Visitors
from producer.webcast.opening import Opener
from producer.webcast.protocol import Protocol, RecentIds
from producer.webcast.room import RoomId
from producer.webcast.upstream import USER_AGENT, Upstream
from tests.lease_broker import Broker
from tests.serving import serving
from tests.simulator.client import room_id, simulate


class Silent:
    """A listener that nobody asks."""

    def door_tried(self, door: str, outcome: str, reason: Reason | None) -> None: ...

    def door_stands(self, door: str, *, is_open: bool) -> None: ...


async def enter(doors: Sequence[Door], upstream: Upstream, room: int) -> tuple[str, str]:
    """Enter a room; give the door that it came in by, and how the first door stands."""
    loop = asyncio.get_running_loop()
    hall = Hall(doors, Silent(), clock=loop.time, wall_clock=lambda: 0.0)
    visit = hall.visit(RoomId(room), "sim_room_01")
    while True:
        address = await visit.obtain()
        try:
            async with Opener(USER_AGENT, upstream.web_url, ssl.create_default_context(), trust_environment=False).open(
                address,
                turns=asyncio.Semaphore(1),
            ) as connection:
                protocol = Protocol(room, now=loop.time(), seen=RecentIds())
                while not protocol.entered:
                    await connection.exchange(protocol, lambda: asyncio.sleep(0))
        except ProducerError as error:
            visit.told(address, error, lived_seconds=0.0)
            continue
        first = hall.standings()[0]
        return address.door, str(first.reason or first.state)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the sheet: what goes wrong, which door a room comes in by, and whether the sign server is left alone."""

    number: str
    fault: str
    door: str = "direct"
    sign: str = "open"


ROWS = (
    Row("9", "handshake_illegal_app", sign="app_id"),
    Row("21", "sign_stub", sign="host_refused"),
    Row("23 refused", "sign_error"),
    Row("23 empty", "sign_empty_response"),
    Row("24 not ready", "sign_not_ready", sign="switched_off"),
    Row("24 offline", "sign_offline", sign="switched_off"),
    Row("24 this ISP", "sign_blocked", sign="blocked"),
    Row("quota", "sign_rate_limited", sign="rate_limited"),
    Row("quota in the body", "sign_rate_limited_in_body", sign="rate_limited"),
    Row("load shedding", "sign_sheds_load", sign="rate_limited"),
)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.number)
def test_a_failure_of_the_sign_server_sends_the_room_to_the_next_door(row: Row) -> None:
    met: list[tuple[str, str]] = []

    async def act(simulator: Simulator) -> None:
        met.append(await at_doors(simulator))

    truth = simulate(act, row.fault)

    assert met == [(row.door, row.sign)]
    assert [line["name"] for line in truth if line["kind"] == "fault"] == [row.fault]


def test_an_answer_without_messages_is_as_good_as_any() -> None:
    """Row 22: a quiet room has none."""
    met: list[tuple[str, str]] = []

    async def act(simulator: Simulator) -> None:
        met.append(await at_doors(simulator))

    simulate(act)

    assert met == [("sign", "open")]


async def at_doors(simulator: Simulator) -> tuple[str, str]:
    """Enter the simulator's room by its sign server, or without it."""
    room, upstream = await room_id(simulator), Upstream.at(simulator.url)
    async with http.client(user_agent=USER_AGENT, trust_environment=False) as client:
        web = http.HTTP(client, lambda *_: None)
        clock = asyncio.get_running_loop().time
        doors: tuple[Door, ...] = (
            Signed(
                web,
                upstream,
                sign_url=simulator.url,
                api_key_file=None,
                user_agent=USER_AGENT,
                queue=Queue(Places(6000), clock=clock),
                clock=clock,
            ),
            Direct(Visitors(web, upstream, clock=clock), upstream),
        )
        return await enter(doors, upstream, room)


def at_broker(tmp_path: Path, *faults: str, token: str = "right", cold: int = 0) -> tuple[str, str, list[int]]:
    """Enter the simulator's room by a broker, or without it; give its door, the broker's standing, its answers."""
    file = tmp_path / "token"
    file.write_text(token)
    met: list[tuple[str, str, list[int]]] = []

    async def act(simulator: Simulator) -> None:
        room, upstream = await room_id(simulator), Upstream.at(simulator.url)
        clock = asyncio.get_running_loop().time
        async with http.client(user_agent=USER_AGENT, trust_environment=False) as client:
            web = http.HTTP(client, lambda *_: None)
            broker = Broker(simulator.url, token="right", cold=cold)
            with serving(broker) as url:
                doors: tuple[Door, ...] = (
                    Leased(
                        web,
                        upstream,
                        url=url,
                        contract="lease",
                        token_file=file,
                        reuse_seconds=600.0,
                        connects_per_hour=12,
                        leases_per_hour=8,
                        clock=clock,
                        wall_clock=lambda: 0.0,
                    ),
                    Direct(Visitors(web, upstream, clock=clock), upstream),
                )
                door, standing = await enter(doors, upstream, room)
                met.append((door, standing, broker.answered))

    truth = simulate(act, *faults)

    assert [line["name"] for line in truth if line["kind"] == "fault"] == list(faults)
    return met[0]


def test_a_broker_leads_into_the_room(tmp_path: Path) -> None:
    assert at_broker(tmp_path) == ("lease", "open", [200])


def test_row_25_a_broker_with_nothing_to_give_leaves_rooms_to_the_next_door(tmp_path: Path) -> None:
    assert at_broker(tmp_path, cold=1) == ("direct", "open", [503])


def test_row_25_a_broker_that_does_not_know_us_is_a_door_that_is_shut(tmp_path: Path) -> None:
    assert at_broker(tmp_path, token="wrong") == ("direct", "credentials", [401])


def test_row_26_a_lease_that_is_refused_is_renewed(tmp_path: Path) -> None:
    assert at_broker(tmp_path, "handshake_flap") == ("lease", "open", [200, 200])
