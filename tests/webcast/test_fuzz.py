"""Every reader of what TikTok and a sign server send: a value, or its documented error."""

import asyncio
import gzip
import json
from random import Random
from typing import Any

import httpx
import websockets
from websockets.uri import parse_uri

from producer import bodies, strangers
from producer.errors import (
    FailedConnection,
    FailedFetchGifts,
    FailedFetchRoomInfo,
    FailedHTTPRequest,
    InvalidSessionId,
    LiveEnded,
)
from producer.events.gifts import read_gift_list
from producer.strangers import Unreadable, at
from producer.webcast import http
from producer.webcast.alive import read_check_alive
from producer.webcast.doors.broker import read_broker_refusal, read_lease, read_session, socket_url
from producer.webcast.doors.sign import read_sign_answer, read_sign_refusal
from producer.webcast.doors.visitor import Visitor, read_cookie, read_registration
from producer.webcast.handshake import handshake_refused, read_heartbeat_seconds
from producer.webcast.logins import read_login
from producer.webcast.room import RoomId, read_api_live, read_object, read_page
from producer.webcast.room_info import read_room_info, read_room_stats, read_started_at
from producer.webcast.upstream import Upstream
from producer.webcast.wire import Envelope, FetchResult
from tests.fuzzing import fuzz, mutate, odd_bytes, odd_json, odd_text
from tests.webcast.answers import Pieces

ROOM = "7300000000000000001"
USER = {"id": "6800000000000000001", "uniqueId": "someone", "roomId": ROOM, "status": 2}
API = {"statusCode": 0, "message": "", "data": {"user": USER, "liveRoom": {"status": 2, "title": "t"}}}
NOT_FOUND = {"statusCode": 19881007, "message": "user_not_found"}
ALIVE = {"data": [{"alive": True, "room_id": 7}], "status_code": 0}
STATE = {"LiveRoom": {"liveRoomUserInfo": {"user": USER, "liveRoom": {"status": 4}}}}
ROOM_STATS = {
    "status_code": 0,
    "data": {"id": 7, "id_str": "7", "status": 2, "user_count": 1, "stats": {"total_user": 2, "like_count": 3}},
}
GIFT = {
    "id": 5655,
    "name": "Rose",
    "type": 1,
    "diamond_count": 1,
    "describe": "sent Rose",
    "duration": 1000,
    "icon": {"avg_color": "#FFEBEB", "uri": "webcast/1", "is_animated": False, "url_list": ["https://p/1"]},
    "is_random_gift": False,
}
GIFTS = {"status_code": 0, "data": {"hash": "abc", "gifts": [GIFT, GIFT | {"id": 7}], "pages": [{"gifts": [GIFT]}]}}
TIKTOK = Upstream.tiktok()


def parsed(body: bytes, error: type[FailedHTTPRequest]) -> dict[str, Any]:
    return http.Answer(200, httpx.Headers(), body).json(error)


def test_look_ups() -> None:
    def read(body: bytes) -> None:
        read_api_live(read_object(http.Answer(200, httpx.Headers(), body)), "someone")

    restricted = {"statusCode": 4003110, "message": "room_restricted", "data": {}}
    fuzz(odd_json(API, NOT_FOUND, restricted), read, FailedFetchRoomInfo)


def test_sessions() -> None:
    one = "sessionid=00112233445566778899aabbccddeeff; tt-target-idc=useast2a"
    fuzz(odd_text(one, f"ttwid=1%7Cx; sid_tt=x; {one}", "sessionid=00112233"), read_login, Unreadable)


def test_check_alive() -> None:
    fuzz(odd_json(ALIVE), lambda body: read_check_alive(parsed(body, FailedFetchRoomInfo), [7, 8]), FailedFetchRoomInfo)


def test_gift_lists() -> None:
    def read(body: bytes) -> None:
        try:
            listed = read_gift_list(parsed(body, FailedFetchGifts))
        except FailedFetchGifts as error:
            assert str(error).isprintable()
            assert len(str(error)) < 300
            raise
        assert 0 < len(listed.version) <= 100
        for gift in listed.gifts.values():
            assert len(json.dumps(gift, ensure_ascii=False).encode()) < 25_000
            assert all(len(text) <= 1_000 for text in gift.values() if isinstance(text, str))

    refusal = {"status_code": 10011, "data": {"message": "params_error", "prompts": "params_error"}}
    fuzz(odd_json(GIFTS, GIFTS, refusal), read, FailedFetchGifts)


def test_pages() -> None:
    state = odd_json(STATE, {"AppContext": {}})

    def page(chance: Random) -> bytes:
        script = b'<script id="SIGI_STATE" type="application/json">' + state(chance) + b"</script></html>"
        whole = b'<html><script>"</b>"</script>' + script
        return mutate((whole,), chance) if chance.random() < 0.3 else whole

    fuzz(page, lambda body: read_page(body, "someone", 7), FailedFetchRoomInfo)


def test_room_stats() -> None:
    restricted = {"data": {"prompts": ""}, "extra": {"now": 1}, "status_code": 4003110}

    def read(body: bytes) -> object:
        return read_room_stats(parsed(body, FailedFetchRoomInfo), 7)

    over = ROOM_STATS | {"data": {"id_str": "7", "status": 4}}

    fuzz(odd_json(ROOM_STATS, over, restricted), read, FailedFetchRoomInfo, InvalidSessionId, LiveEnded)


def test_room_infos() -> None:
    user = {"uniqueId": "someone", "nickname": "Some One"}
    live_room = {"title": "x", "startTime": 1, "liveRoomStats": {"userCount": 1, "enterCount": 2, "likeCount": 3}}
    made = odd_json({"user": user, "liveRoom": live_room, "stats": {"followerCount": 7}})

    def read(body: bytes) -> None:
        said = parsed(body, FailedFetchRoomInfo)
        read_room_info(at(said, "user"), at(said, "liveRoom"), at(said, "stats"))
        read_started_at(at(said, "liveRoom"), now=2.0)

    fuzz(made, read, FailedFetchRoomInfo)


def test_sign_answers() -> None:
    body = odd_bytes(
        FetchResult(
            cursor="1_2",
            push_server="wss://webcast-ws.tiktok.com/webcast/im/?a=b",
            route_params={"imprp": "x/y"},
            internal_ext=b"ext",
            messages=[Envelope(method="WebcastChatMessage", payload=b"\x08\x01", msg_id=1).SerializeToString()],
            is_first=True,
        ).SerializeToString()
    )
    cookie = odd_text("ttwid=1%7Cabc; tt-target-idc=useast1a")

    def read(answer: tuple[bytes, str]) -> None:
        address = read_sign_answer(*answer, RoomId(int(ROOM)), "Mozilla/5.0")
        TIKTOK.check_socket(address.url)
        assert httpx.Headers({"Cookie": address.cookie})

    fuzz(lambda chance: (body(chance), cookie(chance)), read, FailedConnection)


def test_refusals_of_a_sign_server() -> None:
    left = {"max": 5, "remaining": 0, "reset_at": "2026-11-29T12:00:00Z"}
    body = odd_json(
        {"code": 429, "message": "API is not ready for connections yet.", "limit_label": "minute"},
        {
            "code": 429,
            "minute": left,
            "day": left | {"reset_at": 1796000000},
            "load_shedding": {"at": 1, "chance": 0.5},
        },
        {"error": "Offline due to DDoS attack."},
    )

    def made(chance: Random) -> http.Answer:
        named = [(name.encode(), value.encode("latin-1")) for name, value in headers(chance)]
        return http.Answer(chance.choice((200, 403, 420, 429, 429, 429, 500, 999)), httpx.Headers(named), body(chance))

    def read(answer: http.Answer) -> None:
        try:
            read_sign_refusal(answer)
        except FailedHTTPRequest as error:
            assert str(error).isprintable()
            assert len(str(error)) < 200
            assert 1.0 <= (error.retry_after_seconds or 1.0) <= 3600.0
            raise

    fuzz(made, read, FailedHTTPRequest)


LEASE = {
    "version": 1,
    "url": "wss://webcast-ws.tiktok.com/webcast/im/?a=b&room_id=1&compress=gzip",
    "cookie": "ttwid=1%7Cabc",
    "headers": {"Accept-Language": "en"},
    "user_agent": "Mozilla/5.0",
    "issued_at_ms": 1796000000000,
    "expires_at_ms": 1796000960000,
    "rooms": "any",
    "speech": {"enters": True, "heartbeats": True, "acknowledges": True},
}
SESSION = {
    "wsUrl": "wss://webcast-ws.tiktok.com/webcast/im/?a=b&room_id=1",
    "cookieHeader": "ttwid=1%7Cabc",
    "roomId": ROOM,
    "userAgent": "Mozilla/5.0",
    "proxyHost": "proxy.test",
    "capturedAt": 1796000000000,
}


def test_leases() -> None:
    body = odd_json(LEASE, LEASE, SESSION, SESSION)

    def made(chance: Random) -> tuple[bool, bytes]:
        return chance.random() < 0.5, body(chance)

    def read(given: tuple[bool, bytes]) -> None:
        ours, data = given
        lease = read_lease(data) if ours else read_session(data)
        TIKTOK.check_socket(socket_url(lease, RoomId(int(ROOM))))
        assert "Host" not in httpx.Headers(dict(lease.headers) | {"Cookie": lease.cookie})

    fuzz(made, read, FailedConnection)


def test_refusals_of_a_broker() -> None:
    body = odd_json(
        {"error": {"code": "rate_limited", "message": "later", "retryable": True, "retry_after_ms": 45_000}},
        {"error": "no_warm_session"},
    )

    def made(chance: Random) -> http.Answer:
        named = [(name.encode(), value.encode("latin-1")) for name, value in headers(chance)]
        return http.Answer(chance.choice((200, 401, 404, 429, 500, 503, 999)), httpx.Headers(named), body(chance))

    def read(answer: http.Answer) -> None:
        try:
            read_broker_refusal(answer)
        except FailedHTTPRequest as error:
            assert str(error).isprintable()
            assert len(str(error)) < 300
            assert 1.0 <= (error.retry_after_seconds or 1.0) <= 3600.0
            raise

    fuzz(made, read, FailedHTTPRequest)


def test_push_servers() -> None:
    corpus = ("wss://webcast-ws.tiktok.com:443/webcast/im/?a=b#c", "ws://u:p@[::1]:80/", "WSS://a..b./", "ws://x")

    def follow(text: str) -> None:
        url = strangers.url(text)
        assert parse_uri(f"ws{url.text[len(url.scheme) :]}").host == url.host
        assert url.host.encode("idna")

    fuzz(odd_text(*corpus), follow, Unreadable)


HEADERS = (
    "Retry-After",
    "Date",
    "RateLimit-Reset",
    "X-RateLimit-Reset",
    "Set-Cookie",
    "Handshake-Msg",
    "Handshake-Status",
    "Handshake-Options",
)
WORDS = odd_text(
    "30",
    "Mon, 23 Nov 2026 06:02:00 GMT",
    "1796000000",
    "Wed, 21 Oct 2015 07:28:00 +99999999999999999999",
    "ttwid=1%7Cab; Path=/; Expires=Wed, 29 Sep 2027 10:00:00 GMT",
    "DEVICE_BLOCKED",
)
Named = list[tuple[str, str]]


def headers(chance: Random) -> Named:
    return [(chance.choice(HEADERS), WORDS(chance)) for _ in range(chance.randrange(6))]


def test_headers_of_a_refusal_and_cookies() -> None:
    def read(answer: tuple[int, Named]) -> None:
        status, named = answer
        said = httpx.Headers([(name.encode(), value.encode("latin-1")) for name, value in named])
        assert 1.0 <= http.retry_after_seconds(said.get_list) <= 3600.0
        for name, value in http.Answer(200, said, b"").cookies().items():
            assert httpx.Headers({"Cookie": f"{name}={value}"})
        http.refuse_status("room_id", status, said, FailedHTTPRequest)

    fuzz(lambda chance: (chance.choice((200, 429, 403, 999)), headers(chance)), read, FailedHTTPRequest)


def test_registrations_and_pages_for_a_cookie() -> None:
    body = odd_json({"status_code": 0, "status_msg": ""}, {"status_code": 1001, "migrate_info": {"a": [1]}})
    cookie = odd_text(
        "ttwid=1%7Cab%7C1790000001%7Cff; Domain=.tiktok.com; Path=/; Max-Age=31536000",
        "ak_bmsc=zz; Expires=Sun, 29 Nov 2026 12:00:00 GMT, ttwid=1",
    )

    def made(chance: Random) -> tuple[http.Answer, bool]:
        named = [(b"Set-Cookie", cookie(chance).encode("latin-1")) for _ in range(chance.randrange(4))]
        named += [(name.encode(), value.encode("latin-1")) for name, value in headers(chance)]
        status = chance.choice((200, 200, 200, 200, 302, 204, 403, 429, 999))
        return http.Answer(status, httpx.Headers(named), body(chance)), chance.random() < 0.3

    def read(given: tuple[http.Answer, bool]) -> None:
        answer, is_page = given
        ttwid = read_cookie(answer) if is_page else read_registration(answer)
        assert ttwid != ""
        if ttwid is not None:
            assert httpx.Headers({"Cookie": Visitor(ttwid, "agent").cookie})

    fuzz(made, read, FailedConnection, FailedHTTPRequest)


def test_handshake_headers() -> None:
    options = odd_text("reconnect-interval=3; ping-interval=2")

    def read(answer: tuple[Named, str]) -> None:
        said = websockets.Headers()
        for name, value in answer[0]:
            said._dict.setdefault(name.lower(), []).append(value)  # of any letters, which the library would refuse
            said._list.append((name, value))
        for status in (200, 403, 429, 511):
            refused = handshake_refused(status, said)
            assert str(refused).isprintable()
            assert 1.0 <= (refused.retry_after_seconds or 1.0) <= 3600.0
        assert 1.0 <= read_heartbeat_seconds(answer[1]) <= 60.0

    fuzz(lambda chance: (headers(chance), options(chance)), read)


def test_bodies() -> None:
    data = odd_bytes(gzip.compress(b"abc" * 500), gzip.compress(bytes(100_000)), b'{"a": 1}')
    encodings = ("gzip", "gzip", "identity", "", "br", "gzip, gzip")
    loop = asyncio.new_event_loop()

    def answer(chance: Random) -> httpx.Response:
        body = data(chance)
        cut = chance.randrange(len(body) + 1)
        pieces = Pieces([body[:cut], body[cut:]])
        return httpx.Response(200, headers={"Content-Encoding": chance.choice(encodings)}, stream=pieces)

    try:
        fuzz(answer, lambda each: loop.run_until_complete(bodies.read(each, most_bytes=2_000)), Unreadable)
    finally:
        loop.close()


def test_json_html_dates_and_cookies_of_any_kind() -> None:
    text = odd_text("a=1; Path=/", "Mon, 23 Nov 2026 06:02:00 GMT", "2026-11-23T06:02:00.5+01:00", "30")

    def read(data: bytes) -> None:
        line = data.decode("latin-1")
        strangers.script(data, "SIGI_STATE")
        strangers.cookies([line])
        strangers.seconds_between(line, line)
        strangers.seconds_after("Mon, 23 Nov 2026 06:02:00 GMT", line)
        strangers.seconds_after(line, "2026-11-23T06:02:00Z")
        strangers.decimal_seconds(line)
        assert strangers.shown(line).isprintable()
        assert strangers.cookie_header(line) is None or strangers.cookie_header(line).isprintable()  # type: ignore[union-attr]
        value = strangers.json_value(data, most_bytes=100_000)
        assert json.dumps(value, ensure_ascii=False).encode()
        if isinstance(value, dict):
            assert strangers.json_object(data, most_bytes=100_000) == value

    documents = odd_json(API, STATE, GIFTS)
    fuzz(
        lambda chance: documents(chance) if chance.random() < 0.8 else text(chance).encode("latin-1"), read, Unreadable
    )
