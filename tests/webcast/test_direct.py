"""producer.webcast.doors.direct: what an unsigned socket is asked for with, and what tells against its visitor."""

import asyncio
from collections.abc import Iterable
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from producer.errors import FailedConnection, FailedRoomPolling, ProducerError, Reason
from producer.webcast.doors.contract import Address
from producer.webcast.doors.direct import Direct
from producer.webcast.doors.visitor import Visitors
from producer.webcast.http import HTTP
from producer.webcast.room import RoomId
from producer.webcast.upstream import Upstream
from tests.webcast.answers import answer

ROOM = RoomId(7_300_000_000_000_000_001)
AGENT = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/141.0.0.0"
PUSH = "wss://webcast-ws.tiktok.com/webcast/im/ws_proxy/ws_reuse_supplement/"
QUERY = """
version_code=180800 device_platform=web cookie_enabled=true screen_width=1920 screen_height=1080
browser_language=en-US browser_platform=Win32 browser_name=Mozilla browser_version=* browser_online=true
tz_name=Etc/UTC app_name=tiktok_web sup_ws_ds_opt=1 update_version_code=2.0.0 compress=gzip webcast_language=en
ws_direct=1 aid=1988 live_id=12 app_language=en client_enter=1 room_id=7300000000000000001 identity=audience
history_comment_count=6 last_rtt=150 heartbeat_duration=10000 resp_content_type=protobuf did_rule=3
"""
"""What clients send that got in in September 2026, in their order (doors sheet section 1a)."""


def obtain(*told: tuple[ProducerError, float], history_comments: int = 6) -> list[Address]:
    """The first address, and the one after somebody was told of some errors of sockets to it."""
    registrations = iter(range(100))

    def register(_: httpx.Request) -> httpx.Response:
        return answer(b'{"status_code": 0}', headers={"Set-Cookie": f"ttwid=1%7C{next(registrations)}; Path=/"})

    async def main() -> list[Address]:
        async with httpx.AsyncClient(transport=httpx.MockTransport(register)) as client:
            visitors = Visitors(
                HTTP(client, lambda *_: None), Upstream.tiktok(), clock=lambda: 0.0, user_agents=(AGENT, "other/1 x")
            )
            direct = Direct(visitors, Upstream.tiktok(), history_comments=history_comments)
            first = await direct.obtain(ROOM, "ann")
            for error, lived in told:
                direct.told(first, error, lived_seconds=lived)
            return [first, await direct.obtain(ROOM, "ann")]

    return asyncio.run(main())


def query(address: Address) -> list[tuple[str, str]]:
    return parse_qsl(urlsplit(address.url.text).query, keep_blank_values=True)


def test_the_query_is_what_clients_that_get_in_send_in_their_order() -> None:
    address = obtain()[0]

    version = "5.0 (Windows NT 10.0; Win64; x64) Chrome/141.0.0.0"
    assert address.url.text.startswith(f"{PUSH}?version_code=180800&device_platform=web&")
    assert query(address) == [
        (name, version if value == "*" else value) for name, _, value in (pair.partition("=") for pair in QUERY.split())
    ]
    assert (address.cursor, address.first_batch) == ("", None)


def test_the_headers_are_the_visitors() -> None:
    address = obtain()[0]

    assert address.cookie == "ttwid=1%7C0"
    assert address.headers == {
        "User-Agent": AGENT,
        "Referer": "https://www.tiktok.com/",
        "Accept-Language": "en-US,en;q=0.9",
        "Cache-Control": "no-cache",
    }
    assert "1%7C0" not in repr(address)


def test_history_can_be_left_out() -> None:
    assert ("history_comment_count", "0") in query(obtain(history_comments=0)[0])


def lost(reason: Reason) -> ProducerError:
    return FailedRoomPolling("lost", reason=reason)


def refused(reason: Reason) -> ProducerError:
    return FailedConnection("refused", reason=reason)


@pytest.mark.parametrize(
    "told",
    [
        [(refused(Reason.DEVICE_BLOCKED), 0.0)],
        [(refused(Reason.NO_COOKIE), 0.0)],
        [(lost(Reason.CLOSED), 29.9)],
        [(refused(Reason.DEVICE_BLOCKED), 0.0)] * 3,
    ],
    ids=["blocked", "no cookie", "died young", "blocked often"],
)
def test_what_tells_against_the_visitor_gets_another_with_another_browser(
    told: Iterable[tuple[ProducerError, float]],
) -> None:
    before, after = obtain(*told)

    assert (before.cookie, after.cookie) == ("ttwid=1%7C0", "ttwid=1%7C1")
    assert after.headers["User-Agent"] == "other/1 x"
    assert ("browser_version", "1 x") in query(after)


@pytest.mark.parametrize(
    "told",
    [
        (lost(Reason.CLOSED), 30.0),
        (lost(Reason.SILENCE), 2.0),
        (lost(Reason.TIMEOUT), 2.0),
        (refused(Reason.UNSIGNED), 0.0),
        (refused(Reason.HANDSHAKE), 0.0),
        (refused(Reason.BLOCKED), 0.0),
        (refused(Reason.NETWORK), 0.0),
    ],
    ids=lambda told: str(told[0].reason),
)
def test_what_is_about_the_room_or_the_way_there_leaves_the_visitor(told: tuple[ProducerError, float]) -> None:
    before, after = obtain(told)

    assert before.cookie == after.cookie
