"""The HTTP answers of a simulated Webcast; pure. Facts: protocol sheet sections 2.2 to 2.5 and 4."""

import json
from dataclasses import dataclass, field
from typing import Any

from producer.simulator.messages import GIFTS
from producer.webcast.wire import FetchResult

LIVE, OFFLINE = 2, 4


@dataclass(frozen=True, slots=True)
class Page:
    """An answer."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


def of_json(value: Any, status: int = 200, **headers: str) -> Page:
    """An answer in JSON."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Page(status, json.dumps(value).encode(), headers=named)


def html(text: str) -> Page:
    """An answer in HTML."""
    return Page(200, f"<!DOCTYPE html><html>{text}</html>".encode(), "text/html")


def home() -> Page:
    """The web site's front page, which issues the cookie that sockets need."""
    page = html("simulated")
    return Page(page.status, page.body, page.content_type, {"Set-Cookie": "ttwid=1%7Csimulated; Path=/; HttpOnly"})


def streamer_page(unique_id: str, room_id: int, *, live: bool) -> Page:
    """A streamer's page; while offline it still names the room of the last live."""
    status = LIVE if live else OFFLINE
    user = {"uniqueId": unique_id, "roomId": str(room_id), "status": status}
    state = {"LiveRoom": {"liveRoomUserInfo": {"user": user, "liveRoom": {"title": "simulated", "status": status}}}}
    return html(f'<script id="SIGI_STATE" type="application/json">{json.dumps(state)}</script>')


def no_such_streamer_page() -> Page:
    """The page of a name that nobody has."""
    return html('<script id="SIGI_STATE" type="application/json">{"AppContext":{}}</script>')


def captcha() -> Page:
    """What a scraper meets."""
    return html("<title>Verify to continue</title><body>tiktok-verify-page</body>")


def api_live(unique_id: str, room_id: int, *, live: bool) -> Page:
    """The answer about a streamer."""
    status = LIVE if live else OFFLINE
    user = {"id": "6800000000000000001", "uniqueId": unique_id, "roomId": str(room_id), "status": status}
    return of_json({"statusCode": 0, "message": "", "data": {"user": user, "liveRoom": {"status": status}}})


def user_not_found() -> Page:
    """The answer about nobody."""
    return of_json({"statusCode": 19881007, "message": "user_not_found"})


def bad_parameters() -> Page:
    """The answer to a request that lacks something."""
    said = "Request params error"
    return of_json({"data": {"message": said, "prompts": said}, "extra": {"now": 0}, "status_code": 10011})


def check_alive(alive: list[bool]) -> Page:
    """The answer about rooms, in the order in which they were asked for."""
    return of_json({"data": [{"alive": each} for each in alive], "extra": {"now": 0}, "status_code": 0})


def room_info(room_id: int, unique_id: str, *, live: bool) -> Page:
    """The answer about a room."""
    owner = {"id_str": "6800000000000000001", "display_id": unique_id, "nickname": unique_id}
    data = {"id": room_id, "id_str": str(room_id), "status": LIVE if live else OFFLINE, "owner": owner}
    return of_json({"data": data, "extra": {"now": 0}, "status_code": 0})


def gift_list() -> Page:
    """The list of gifts, in the shape of 2023."""
    gifts = [
        {
            "id": gift_id,
            "name": name,
            "type": kind,
            "diamond_count": diamonds,
            "describe": f"sent {name}",
            "duration": 1000,
            "combo": kind == 1,
            "icon": {"avg_color": "#FFEBEB", "uri": f"webcast/{gift_id}", "is_animated": False, "url_list": []},
            "is_broadcast_gift": False,
            "is_displayed_on_panel": True,
            "is_effect_befview": False,
            "is_random_gift": False,
        }
        for gift_id, name, diamonds, kind in GIFTS
    ]
    return of_json({"data": {"gifts": gifts, "pages": []}, "extra": {"now": 0}, "status_code": 0})


def rate_limits() -> Page:
    """The answer about what is left of the sign server's quota."""
    left = {"max": 1000, "remaining": 1000, "reset_at": "2100-01-01T00:00:00Z"}
    return of_json({"code": 200, "message": "", "day": left, "hour": left, "minute": left})


def signed(push_server: str, room_id: int, history: list[bytes], *, now: int, cookie: bool = True) -> Page:
    """The sign server's answer: a first batch, with where to go on. `history` is envelopes."""
    batch = FetchResult(
        messages=history,
        cursor=f"{now}_1_1_0_0",
        fetch_interval=1000,
        now=now,
        internal_ext=b"simulated",
        fetch_type=1,
        route_params={"imprp": "simulated"},
        heartbeat_duration=10000,
        push_server=push_server,
        is_first=True,
    )
    headers = {"X-Room-Id": str(room_id)} | ({"X-Set-TT-Cookie": "ttwid=1%7Csigned"} if cookie else {})
    return Page(200, batch.SerializeToString(), "application/protobuf", headers)
