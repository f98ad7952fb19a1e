"""What the program does about each failure on record of a socket that is open: the doors sheet's section 6, by row."""

import asyncio
import ssl
from collections import Counter
from dataclasses import dataclass

import pytest

from producer import strangers
from producer.errors import ProducerError
from producer.simulator.server import Simulator
from producer.webcast.connection import Connection
from producer.webcast.doors.contract import Address
from producer.webcast.opening import Opener
from producer.webcast.protocol import Protocol, RecentIds
from producer.webcast.upstream import USER_AGENT
from tests.simulator.client import room_id, simulate

HEARTBEAT_SECONDS = 0.5
SILENCE_SECONDS = 3.0
FRAMES = 20
"""So many with messages are enough to have met what goes wrong."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the sheet: what goes wrong, and how a visit ends."""

    number: str
    fault: str
    outcome: str
    entered: bool = True
    brought: str | None = None
    """The method of a message that came with it."""
    foreign: int = 0


HEARD = "heard"
ROWS = (
    Row("14", "close_frame_no_direct", "FailedRoomPolling switched_off"),
    Row("14 at once", "enter_no_direct", "FailedRoomPolling switched_off", entered=False),
    Row("14 for another reason", "close_frame", "FailedRoomPolling closed"),
    Row("15", "enter_deaf", "FailedRoomPolling silence", entered=False),
    Row("15 after a while", "silence", "FailedRoomPolling silence"),
    Row("16", "enter_dead", "FailedRoomPolling timeout", entered=False),
    Row("16 but batches come", "enter_no_echoes", HEARD),
    Row("17", "enter_messages", HEARD, brought="WebcastNewEntryMessage"),
    Row("18", "other_room", HEARD, foreign=1),
    Row("20 closed", "close_server", "FailedRoomPolling closed"),
    Row("20 error", "close_server_error", "FailedRoomPolling closed"),
    Row("33", "access_control", "InvalidSessionId login", brought="WebcastAccessControlMessage"),
    Row("33 by a check", "room_verify", "InvalidSessionId login", brought="WebcastRoomVerifyMessage"),
)


@dataclass(slots=True)
class Visit:
    """What a visit met."""

    entered: bool = False
    outcome: str = HEARD
    foreign: int = 0


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.number)
def test_a_failure_on_record_of_an_open_socket_is_answered_as_the_sheet_asks(row: Row) -> None:
    visit, methods = Visit(), Counter[str]()

    async def act(simulator: Simulator) -> None:
        room = await room_id(simulator)
        try:
            await hear(simulator, room, visit, methods)
        except ProducerError as error:
            visit.outcome = f"{error.label} {error.reason}"
        assert simulator.bad_acknowledgements == 0

    truth = simulate(act, row.fault)

    assert (visit.outcome, visit.entered, visit.foreign) == (row.outcome, row.entered, row.foreign)
    assert row.brought is None or methods[row.brought] == 1
    assert [line["name"] for line in truth if line["kind"] == "fault"] == [row.fault]


async def hear(simulator: Simulator, room: int, visit: Visit, methods: Counter[str]) -> None:
    """Visit a room as a session does, on a socket alone."""
    url = f"ws{simulator.url.removeprefix('http')}/webcast/im/ws_proxy/ws_reuse_supplement/?room_id={room}"
    async with Opener(USER_AGENT, simulator.url, ssl.create_default_context(), trust_environment=False).open(
        Address(strangers.url(url), cookie="ttwid=1", door="direct"),
        turns=asyncio.Semaphore(1),
    ) as connection:
        await converse(connection, room, visit, methods)


async def converse(connection: Connection, room: int, visit: Visit, methods: Counter[str]) -> None:
    now = asyncio.get_running_loop().time()
    protocol = Protocol(
        room,
        now=now,
        seen=RecentIds(),
        heartbeat_seconds=HEARTBEAT_SECONDS,
        silence_seconds=SILENCE_SECONDS,
    )
    frames = 0
    while frames < FRAMES:
        received = await connection.exchange(protocol, lambda: asyncio.sleep(0))
        visit.entered = protocol.entered
        if received is None:
            continue
        visit.foreign += received.foreign
        methods.update(message.method for message in received.messages)
        frames += bool(received.messages)
        if protocol.barred is not None:
            raise protocol.barred
