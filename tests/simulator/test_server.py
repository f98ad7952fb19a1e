"""producer.simulator.server: who is let in, what the pages say, and who is told where to go."""

import asyncio

import httpx
import pytest
import websockets

from producer.simulator.faults import Faults
from producer.simulator.server import SOCKET_PATH, Simulator
from producer.simulator.truth import Truth
from producer.simulator.world import World
from producer.webcast.wire import Envelope, FetchResult
from tests.patience import HANGS_SECONDS
from tests.simulator.client import HEADERS, acknowledged, enter, receive_batch, room_id, simulate, socket


async def get(simulator: Simulator, path: str, **headers: str) -> httpx.Response:
    async with httpx.AsyncClient(
        base_url=simulator.url, trust_env=False, verify=False, timeout=HANGS_SECONDS
    ) as client:
        return await client.get(path, headers=headers)


def test_an_accepted_socket_is_told_how_often_to_beat() -> None:
    async def act(simulator: Simulator) -> None:
        async with socket(simulator, await room_id(simulator)) as websocket:
            assert websocket.response is not None
            assert websocket.response.headers["Handshake-Options"] == "ping-interval=5"
            assert websocket.response.headers["Handshake-Msg"]
            assert websocket.subprotocol is None

    simulate(act)


@pytest.mark.parametrize(
    ("headers", "user_agent", "status", "said"),
    [
        ({}, "test", "417", "http: named cookie not present"),
        ({"Cookie": "other=1"}, "test", "417", "http: named cookie not present"),
        ({"Cookie": "ttwid="}, "test", "417", "http: named cookie not present"),
        (HEADERS, None, "415", "DEVICE_BLOCKED"),
        ({}, None, "415", "DEVICE_BLOCKED"),
    ],
    ids=["no cookie", "another", "an empty one", "no agent", "neither"],
)
def test_a_client_that_does_not_look_like_a_browser_is_refused(
    headers: dict[str, str], user_agent: str | None, status: str, said: str
) -> None:
    async def act(simulator: Simulator) -> None:
        room = await room_id(simulator)
        with pytest.raises(websockets.InvalidStatus) as refused:
            async with socket(simulator, room, headers=headers, user_agent=user_agent):
                pass
        assert refused.value.response.status_code == 200
        assert refused.value.response.headers["Handshake-Status"] == status
        assert refused.value.response.headers["Handshake-Msg"] == said

    simulate(act)


@pytest.mark.parametrize(
    ("fault", "status", "said"),
    [
        ("handshake_device_blocked", 200, {"Handshake-Status": "415", "Handshake-Msg": "DEVICE_BLOCKED"}),
        ("handshake_rejected", 200, {"Handshake-Status": "417", "Handshake-Msg": "illegal secret key"}),
        ("handshake_no_cookie", 200, {"Handshake-Status": "417", "Handshake-Msg": "http: named cookie not present"}),
        ("handshake_illegal_app", 200, {"Handshake-Status": "417", "Handshake-Msg": "illegal app_id"}),
        ("handshake_flap", 200, {}),
        ("handshake_bad_request", 400, {}),
        ("handshake_forbidden", 403, {}),
        ("handshake_rate_limited", 429, {"Retry-After": "15"}),
        ("handshake_dictates", 511, {"Handshake-Options": "reconnect-interval=2"}),
    ],
)
def test_a_handshake_is_refused_once_by_a_fault(fault: str, status: int, said: dict[str, str]) -> None:
    async def act(simulator: Simulator) -> None:
        room = await room_id(simulator)
        with pytest.raises(websockets.InvalidStatus) as refused:
            async with socket(simulator, room):
                pass
        assert refused.value.response.status_code == status
        headers = refused.value.response.headers
        names = ("Handshake-Status", "Handshake-Msg", "Handshake-Options", "Retry-After")
        assert {name: headers[name] for name in names if name in headers} == said
        async with socket(simulator, room):
            pass

    truth = simulate(act, fault)

    assert [line["name"] for line in truth if line["kind"] == "fault"] == [fault]


def test_what_is_posted_goes_wrong_at_the_door_it_names_and_nothing_that_was_planned_before() -> None:
    async def act(simulator: Simulator) -> None:
        room = await room_id(simulator)
        async with httpx.AsyncClient(base_url=simulator.url, trust_env=False, verify=False) as client:
            said = await client.post("/simulator/faults", content="handshake_flap/direct:9\nhandshake_forbidden/sign")
            assert (said.status_code, said.json()) == (200, {})
            refused = await client.post("/simulator/faults", content="handshake_flap dorp")
            assert refused.status_code == 400
            assert refused.text.startswith("'dorp' is no fault; there are ")
            with pytest.raises(websockets.InvalidStatus) as answer:
                async with socket(simulator, room):
                    pass
            assert answer.value.response.status_code == 403
            assert (await client.get("/simulator/faults")).json() == {"handshake_forbidden": 1}

    truth = simulate(act, "handshake_bad_request")

    found = [(line["kind"], line.get("door"), line.get("faults")) for line in truth if line["kind"] != "message"]
    assert found == [
        ("live_started", None, None),
        ("planned", None, ["handshake_flap/direct:9", "handshake_forbidden/sign"]),
        ("fault", "sign", None),
    ]


@pytest.mark.parametrize("room", ["", "1", "x"])
def test_a_socket_to_no_room_is_refused(room: str) -> None:
    async def act(simulator: Simulator) -> None:
        with pytest.raises(websockets.InvalidStatus) as refused:
            async with socket(simulator, room):
                pass
        assert refused.value.response.status_code == 400

    simulate(act)


def test_the_pages_agree_about_a_live_room() -> None:
    async def act(simulator: Simulator) -> None:
        room = await room_id(simulator)
        page = (await get(simulator, "/@sim_room_01/live")).text
        alive = (await get(simulator, f"/webcast/room/check_alive/?room_ids={room},1")).json()
        info = (await get(simulator, f"/webcast/room/info/?room_id={room}")).json()
        api = (await get(simulator, "/api-live/user/room/?uniqueId=sim_room_01")).json()
        assert f'"roomId": "{room}", "status": 2' in page
        assert [each["alive"] for each in alive["data"]] == [True, False]
        assert info["data"]["id_str"] == str(room)
        assert (api["data"]["user"]["roomId"], api["data"]["liveRoom"]["status"]) == (str(room), 2)

    simulate(act)


def test_what_is_not_asked_for_rightly_is_refused() -> None:
    async def act(simulator: Simulator) -> None:
        nobody = (await get(simulator, "/api-live/user/room/?uniqueId=nobody")).json()
        lacking = [(await get(simulator, f"/webcast/room/{name}/")).json() for name in ("info", "check_alive")]
        page = (await get(simulator, "/@nobody/live")).text
        assert nobody["statusCode"] == 19881007
        assert [answer["status_code"] for answer in lacking] == [10011, 10011]
        assert "LiveRoom" not in page
        assert (await get(simulator, "/elsewhere")).status_code == 404
        assert (await get(simulator, "/webcast/fetch?room_id=1")).status_code == 500

    simulate(act)


def test_the_rest_of_the_pages() -> None:
    async def act(simulator: Simulator) -> None:
        gifts = (await get(simulator, "/webcast/gift/list/")).json()["data"]["gifts"]
        limits = (await get(simulator, "/webcast/rate_limits")).json()
        assert all(gift["combo"] is (gift["type"] == 1) for gift in gifts)
        assert not {"event_name", "notify", "is_gray"} & {key for gift in gifts for key in gift}  # of 2022 only
        assert limits["minute"]["remaining"] > 0
        assert simulator.requests["/webcast/gift/list/"] == 1

    simulate(act)


@pytest.mark.parametrize("path", ["/webcast/fetch?room_id={}", "/webcast/rooms/{}/connect"])
def test_both_sign_paths_answer_with_a_first_batch(path: str) -> None:
    async def act(simulator: Simulator) -> None:
        room = await room_id(simulator)
        async with socket(simulator, room) as websocket:
            await websocket.send(enter(room))
            for _ in range(3):
                await receive_batch(websocket)
        answer = await get(simulator, path.format(room))
        batch = FetchResult.FromString(answer.content)
        assert answer.headers["X-Set-TT-Cookie"].startswith("ttwid=")
        assert answer.headers["X-Room-Id"] == str(room)
        assert batch.is_first
        assert batch.cursor
        assert batch.route_params
        assert batch.push_server == f"ws{simulator.url.removeprefix('http')}{SOCKET_PATH}"
        assert all(Envelope.FromString(data).is_history for data in batch.messages)
        assert 0 < len(batch.messages) <= 6

    simulate(act)


def test_a_client_is_sent_on_to_the_name_by_which_it_came() -> None:
    async def act(simulator: Simulator) -> None:
        room = await room_id(simulator)
        answer = await get(simulator, f"/webcast/fetch?room_id={room}", Host="simulator.example:8100")
        assert FetchResult.FromString(answer.content).push_server == f"ws://simulator.example:8100{SOCKET_PATH}"

    simulate(act)


@pytest.mark.parametrize(
    ("fault", "path", "status", "sign"),
    [
        ("page_captcha", "/@sim_room_01/live", 200, b"tiktok-verify-page"),
        ("page_not_json", "/@sim_room_01/live", 200, b'{"LiveRoom":<'),
        ("api_user_not_found", "/api-live/user/room/?uniqueId=sim_room_01", 200, b"19881007"),
        ("api_blocked", "/api-live/user/room/?uniqueId=sim_room_01", 403, b"blocked"),
        ("api_challenge", "/api-live/user/room/?uniqueId=sim_room_01", 200, b"_wafchallengeid"),
        ("api_restricted", "/api-live/user/room/?uniqueId=sim_room_01", 200, b"4003110"),
        ("api_other_user", "/api-live/user/room/?uniqueId=sim_room_01", 200, b'"uniqueId": "somebody_else"'),
        ("sign_rate_limited", "/webcast/fetch?room_id={}", 429, b"limit_label"),
        ("sign_rate_limited_in_body", "/webcast/fetch?room_id={}", 429, b'"reset_at": "20'),
        ("sign_sheds_load", "/webcast/fetch?room_id={}", 429, b"load_shedding"),
        ("sign_error", "/webcast/fetch?room_id={}", 500, b"A 403 error occurred whilst fetching the webcast URL."),
        ("sign_empty_response", "/webcast/fetch?room_id={}", 500, b"Empty response payload received!"),
        ("sign_not_ready", "/webcast/fetch?room_id={}", 503, b"API is not ready for connections yet."),
        ("sign_offline", "/webcast/fetch?room_id={}", 420, b"Offline due to DDoS attack."),
        ("sign_blocked", "/webcast/fetch?room_id={}", 403, b"This ISP is blocked"),
        ("sign_stub", "/webcast/fetch?room_id={}", 200, b"wss://ws-fallback.eulerstream.com/?token="),
    ],
)
def test_a_fault_of_a_page_happens_once_and_is_in_the_truth(fault: str, path: str, status: int, sign: bytes) -> None:
    async def act(simulator: Simulator) -> None:
        room = await room_id(simulator)
        first = await get(simulator, path.format(room))
        second = await get(simulator, path.format(room))
        assert first.status_code == status
        assert sign in first.content
        assert sign not in second.content
        assert (first.headers.get("Retry-After") == "2") is (fault == "sign_rate_limited")

    truth = simulate(act, fault)

    assert [line["name"] for line in truth if line["kind"] == "fault"] == [fault]


def test_the_api_answers_nothing() -> None:
    async def act(simulator: Simulator) -> None:
        path = "/api-live/user/room/?uniqueId=sim_room_01"
        empty, none, whole = [await get(simulator, path) for _ in range(3)]
        assert [(answer.status_code, answer.content) for answer in (empty, none)] == [(200, b"{}"), (200, b"")]
        assert whole.json()["statusCode"] == 0

    truth = simulate(act, "api_empty", "api_no_body")

    assert [line["name"] for line in truth if line["kind"] == "fault"] == ["api_empty", "api_no_body"]


def test_a_sign_server_answers_without_a_part() -> None:
    async def act(simulator: Simulator) -> None:
        path = f"/webcast/fetch?room_id={await room_id(simulator)}"
        empty, bare, whole = [await get(simulator, path) for _ in range(3)]
        assert (empty.status_code, empty.content) == (200, b"")
        assert bare.content
        assert "X-Set-TT-Cookie" not in bare.headers
        assert "X-Set-TT-Cookie" in whole.headers

    truth = simulate(act, "sign_empty", "sign_no_cookie")

    assert [line["name"] for line in truth if line["kind"] == "fault"] == ["sign_empty", "sign_no_cookie"]


@pytest.mark.parametrize("path", ["/webcast/sign_url", "/tiktok/sign_url?client=ttlive-node"])
def test_a_url_is_signed_for_who_posts_it(path: str) -> None:
    async def act(simulator: Simulator) -> None:
        asked = {"url": "https://webcast.example/gift/list/?room_id=7", "method": "GET", "userAgent": "agent"}
        async with httpx.AsyncClient(base_url=simulator.url, trust_env=False, timeout=HANGS_SECONDS) as client:
            said = (await client.post(path, json=asked)).json()
            refused = [await client.post(path, content=wrong) for wrong in ("{}", "[]", '{"url": 7}')]
            refused.append(await client.get(path))
        signed = said["response"]["signedUrl"]
        assert said["code"] == 200
        assert signed.startswith("https://webcast.example/gift/list/?room_id=7&")
        assert "msToken=" in signed
        assert said["response"]["tokens"]
        assert said["response"]["userAgent"] == "agent"
        assert [answer.status_code for answer in refused] == [400, 400, 400, 400]

    simulate(act)


def test_the_history_of_a_signed_address_is_in_the_truth() -> None:
    told: list[str] = []

    async def act(simulator: Simulator) -> None:
        room = await room_id(simulator)
        batch = FetchResult()
        while not batch.messages:
            batch = FetchResult.FromString((await get(simulator, f"/webcast/fetch?room_id={room}")).content)
        told.extend(str(Envelope.FromString(data).msg_id) for data in batch.messages)

    truth = simulate(act)

    lines = [line for line in truth if line["kind"] == "message" and line["history"]]
    assert told
    assert [line["message_id"] for line in lines] == told
    assert {line["sockets"] for line in lines} == {1}


def test_a_port_in_use_is_an_os_error() -> None:
    async def act(simulator: Simulator) -> None:
        world = World(seed=1, rooms=1, rate=1.0)
        with pytest.raises(OSError, match="address already in use"):
            async with Simulator(world, faults=Faults(), truth=Truth(), port=simulator.port):
                pass

    simulate(act)


def test_open_sockets_are_known_by_their_room() -> None:
    async def act(simulator: Simulator) -> None:
        room = await room_id(simulator)
        async with socket(simulator, room) as one, socket(simulator, room) as other:
            for websocket in (one, other):
                await websocket.send(enter(room))
                await acknowledged(websocket, 2)  # the first may be history
            assert simulator.connections == {room: 2}
        while simulator.connections:
            await asyncio.sleep(0.01)

    truth = simulate(act)

    assert max(line["sockets"] for line in truth if line["kind"] == "message") == 2
