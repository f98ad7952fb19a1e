"""producer.simulator.gateway: how each client is answered, as on record in the doors sheet, sections 1e and 6."""

import json

import pytest
import websockets
from websockets.asyncio.client import connect

from producer.simulator.server import Simulator
from tests.patience import HANGS_SECONDS
from tests.simulator.client import envelopes, parsed, room_id, simulate

ASKED = "uniqueId=sim_room_01&apiKey=k&features.rawMessages=true"


def client(simulator: Simulator, query: str) -> connect:
    url = f"ws{simulator.url.removeprefix('http')}/gateway?{query}"
    return connect(url, max_size=None, proxy=None, ping_interval=None, open_timeout=HANGS_SECONDS)


def hear(query: str, *faults: str, most: int = 40) -> tuple[list[bytes | str], int | None]:
    """What a client hears that says nothing, up to so many messages, and the close code if it was closed."""
    heard: list[bytes | str] = []
    codes: list[int | None] = []

    async def act(simulator: Simulator) -> None:
        await room_id(simulator)
        async with client(simulator, query) as websocket:
            try:
                while len(heard) < most:
                    heard.append(await websocket.recv())
            except websockets.ConnectionClosed as closed:
                codes.append(closed.rcvd.code if closed.rcvd else None)

    truth = simulate(act, *faults)
    assert [line["name"] for line in truth if line["kind"] == "fault"] == list(faults)
    return heard, codes[0] if codes else None


@pytest.mark.parametrize("query", [ASKED, "uniqueId=sim_room_01&jwtKey=k&flags.rawMessages=1"])
def test_it_says_who_it_is_and_passes_frames_on(query: str) -> None:
    heard, code = hear(query)

    said = [message["type"] for data in heard if isinstance(data, str) for message in json.loads(data)["messages"]]
    batches = [parsed(data)[1] for data in heard if isinstance(data, bytes)]
    assert said == ["workerInfo", "roomInfo", "tiktok.connect"]
    assert [isinstance(data, str) for data in heard[:4]] == [True, True, True, False]
    assert sum(len(envelopes(batch)) for batch in batches) > 100
    assert code is None


def test_it_says_what_it_has_read_unless_it_is_asked_for_frames() -> None:
    heard, _ = hear("uniqueId=sim_room_01&apiKey=k")

    assert {type(data) for data in heard} == {str}
    assert json.loads(heard[-1])["messages"][0]["type"] == "WebcastChatMessage"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("uniqueId=sim_room_01", 4401),
        ("apiKey=k", 4400),
        ("uniqueId=nobody&apiKey=k", 4404),
    ],
)
def test_who_asks_wrongly_hears_nothing(query: str, code: int) -> None:
    assert hear(query) == ([], code)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("gateway_internal", 1011),
        ("gateway_options", 4400),
        ("gateway_credentials", 4401),
        ("gateway_other_streamers", 4403),
        ("gateway_offline", 4404),
        ("gateway_too_many", 4429),
        ("gateway_fetch_failed", 4556),
        ("gateway_room_info_failed", 4557),
    ],
)
def test_a_socket_may_be_closed_before_anything_is_passed_on(fault: str, code: int) -> None:
    assert hear(ASKED, fault) == ([], code)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("gateway_ended", 4005),
        ("gateway_silent", 4006),
        ("gateway_upstream_closed", 4500),
        ("gateway_lifetime", 4555),
    ],
)
def test_one_that_was_heard_may_be_closed(fault: str, code: int) -> None:
    heard, closed = hear(ASKED, fault)

    assert any(isinstance(data, bytes) for data in heard)
    assert closed == code
