"""producer.simulator.adults: a room for one account, as a client of another hand meets it."""

from hashlib import sha256

import pytest

from producer.simulator.adults import Adults
from producer.simulator.server import SOCKET_PATH, Simulator
from producer.webcast.wire import AccessControl
from tests.simulator.client import enter, envelopes, receive_batch, room_id, simulate, socket
from tests.simulator.test_server import get

NAME = "sim_room_01"
ACCOUNT = "sessionid=00112233; tt-target-idc=useast2a"
RIGHT = "ttwid=1; sessionid=00112233; sessionid_ss=00112233; sid_tt=00112233; tt-target-idc=useast2a"
WRONG = {
    "nobody": "ttwid=1",
    "another": RIGHT.replace("00112233", "33221100"),
    "another in part": RIGHT.replace("sid_tt=00112233", "sid_tt=1"),
    "part of it": "ttwid=1; sessionid=00112233; tt-target-idc=useast2a",
    "another data centre": RIGHT.replace("useast2a", "eu-ttp2"),
    "no data centre": RIGHT.partition("; tt-target")[0],
}


async def shown(simulator: Simulator, cookie: str) -> list[bool]:
    """Whether the look-ups show the room, and its socket says anything but that nobody may stay."""
    room = await room_id(simulator)
    api = await get(simulator, f"/api-live/user/room/?uniqueId={NAME}", Cookie=cookie)
    page = await get(simulator, f"/@{NAME}/live", Cookie=cookie)
    info = await get(simulator, f"/webcast/room/info/?room_id={room}", Cookie=cookie)
    async with socket(simulator, room, headers={"Cookie": cookie}) as websocket:
        await websocket.send(enter(room))
        [first, *_] = envelopes((await receive_batch(websocket))[1])
    barred = first.method == "WebcastAccessControlMessage" and AccessControl.FromString(first.payload).HasField(
        "captcha"
    )
    said = [api.json()["statusCode"], info.json().get("statusCode", 0)]
    assert set(said) <= {0, 4003110}
    return [*(code == 0 for code in said), str(room) in page.text, not barred]


@pytest.mark.parametrize(
    ("account", "cookie", "expected"),
    [(ACCOUNT, RIGHT, True), ("", RIGHT, False), *((ACCOUNT, cookie, False) for cookie in WRONG.values())],
    ids=["right", "no account", *WRONG],
)
def test_a_room_for_adults_is_shown_to_its_account_alone(account: str, cookie: str, expected: bool) -> None:
    async def act(simulator: Simulator) -> None:
        assert await shown(simulator, cookie) == [expected] * 4

    simulate(act, adults=Adults([NAME], account))


def test_other_rooms_are_shown_to_everybody() -> None:
    async def act(simulator: Simulator) -> None:
        assert await shown(simulator, "ttwid=1") == [True] * 4

    simulate(act, adults=Adults(["another"], ACCOUNT))


def test_who_was_told_a_session_is_in_the_truth_as_a_hash() -> None:
    async def act(simulator: Simulator) -> None:
        await shown(simulator, "ttwid=1")
        await shown(simulator, RIGHT)
        await get(simulator, "/webcast/fetch?room_id=1", **{"X-Cookie-Header": ACCOUNT})
        await get(simulator, "/other?xCookieHeader=sessionid%3D00112233")

    truth = simulate(act)

    told = [line for line in truth if line["kind"] == "session"]
    assert [line["path"] for line in told] == [
        "/api-live/user/room/",
        f"/@{NAME}/live",
        "/webcast/room/info/",
        SOCKET_PATH,
        "/webcast/fetch",
        "/other",
    ]
    assert {line["sha256"] for line in told} == {sha256(b"00112233").hexdigest()}
    assert all(line["host"].startswith("127.0.0.1:") for line in told)
