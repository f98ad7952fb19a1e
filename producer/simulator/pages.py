"""The HTTP answers of a simulated Webcast; pure.

Facts: protocol sheet sections 2.2 to 2.5 and 4; doors sheet sections 0, 1a and 6 for the web site and handshakes.
"""

import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from producer.simulator.messages import GIFTS
from producer.webcast.wire import Envelope, FetchResult

LIVE, OFFLINE = 2, 4
BOT_COOKIE = "ak_bmsc=0~simulated; Domain=.tiktok.com; Path=/; Expires=Sun, 29 Nov 2026 12:00:00 GMT; HttpOnly"
CSRF_COOKIE = "tt_csrf_token=simulated-x; Path=/; Secure; HttpOnly; SameSite=Lax"
CHALLENGE_BYTES = 1462
CHALLENGE_END = b"</body></html>"
STUB_TOKEN = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJleHAiOjQxMDI0NDQ4MDB9.c2ltdWxhdGVkLXNpZ25hdHVyZS1vZi1ub2JvZHk"
"""It says no more than until when it is good."""
REGISTRATION = {"aid": 1988, "service": "www.tiktok.com", "union": False, "unionHost": "", "needFid": False, "fid": ""}
"""What a visitor registers with."""


@dataclass(frozen=True, slots=True)
class Page:
    """An answer."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    cookies: tuple[str, ...] = ()
    """A Set-Cookie header each, in this order."""


def of_json(value: Any, status: int = 200, **headers: str) -> Page:
    """An answer in JSON."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Page(status, json.dumps(value).encode(), headers=named)


def html(text: str) -> Page:
    """An answer in HTML."""
    return Page(200, f"<!DOCTYPE html><html>{text}</html>".encode(), "text/html")


def site(number: int, *, now: int) -> Page:
    """A page of the web site, which issues the cookie that sockets need behind two that they do not need."""
    return Page(200, html("simulated").body, "text/html", cookies=(BOT_COOKIE, CSRF_COOKIE, ttwid(number, now=now)))


def site_redirect(number: int, *, now: int) -> Page:
    """The same as a redirect to another language, with the cookies."""
    page = site(number, now=now)
    return Page(302, b"", page.content_type, {"Location": "/en/"}, page.cookies)


def site_without_cookie() -> Page:
    """The page as it comes now and then."""
    return html("simulated")


def challenge() -> Page:
    """What stands in for a page where the site does not take us for a browser; recorded with 1,462 bytes."""
    head = b'<!DOCTYPE html><html><head><title>Please wait...</title></head><body id="_wafchallengeid">slardar_us_waf'
    body = head + b" " * (CHALLENGE_BYTES - len(head) - len(CHALLENGE_END)) + CHALLENGE_END
    return Page(200, body, "text/html", {"X-TT-System-Error": "3"}, (BOT_COOKIE,))


def registered(*cookies: str) -> Page:
    """The answer to who registers as a visitor."""
    page = of_json({"status_code": 0, "status_msg": ""})
    return Page(200, page.body, page.content_type, cookies=cookies)


def too_many(**headers: str) -> Page:
    """The web site's answer to who asks too often."""
    return of_json({"message": "too many requests"}, 429, **headers)


def not_registered() -> Page:
    """The answer to who may not register; which number says so is not recorded."""
    return of_json({"status_code": 1001, "status_msg": "invalid request"})


def ttwid(number: int, *, now: int) -> str:
    """The cookie of the n-th visitor, in the recorded form."""
    name = b64encode(f"visitor {number}".encode()).decode().rstrip("=")
    return f"ttwid=1%7C{name}%7C{now}%7C{number:064x}; Path=/; Domain=.tiktok.com; Max-Age=31536000; HttpOnly; Secure"


def refused(status: int, said: str) -> Page:
    """A refused handshake: TikTok answers 200 and says what it means in headers."""
    return Page(200, b"", "text/plain", {"Handshake-Status": str(status), "Handshake-Msg": said})


@dataclass(frozen=True, slots=True)
class Shown:
    """What look-ups show of a room; while it is offline, of its last live."""

    unique_id: str
    owner_id: int
    room_id: int
    is_live: bool
    started_at: int
    """Seconds since 1970."""
    followers: int = 0
    viewers: int = 0
    """Now; what follows is since the start."""
    visits: int = 0
    likes: int = 0
    shares: int = 0
    follows: int = 0
    gifters: int = 0

    @property
    def title(self) -> str:
        """The live's."""
        return f"live {self.room_id}"

    @property
    def nickname(self) -> str:
        """The streamer's."""
        return f"The {self.unique_id}"

    @property
    def status(self) -> int:
        """The live's."""
        return LIVE if self.is_live else OFFLINE

    @property
    def by_name(self) -> dict[str, Any]:
        """What api-live and a page say, in the same form."""
        return {
            "user": {
                "id": str(self.owner_id),
                "uniqueId": self.unique_id,
                "nickname": self.nickname,
                "roomId": str(self.room_id),
                "status": self.status,
            },
            "stats": {"followingCount": 7, "followerCount": self.followers},
            "liveRoom": {
                "title": self.title,
                "startTime": self.started_at,
                "status": self.status,
                "liveRoomStats": {"userCount": self.viewers, "enterCount": self.visits, "likeCount": self.likes},
            },
        }


def streamer_page(shown: Shown) -> Page:
    """A streamer's page; while offline it still names the room of the last live."""
    state = {"LiveRoom": {"liveRoomUserInfo": shown.by_name}}
    return html(f'<script id="SIGI_STATE" type="application/json">{json.dumps(state)}</script>')


def no_such_streamer_page() -> Page:
    """The page of a name that nobody has."""
    return html('<script id="SIGI_STATE" type="application/json">{"AppContext":{}}</script>')


def captcha() -> Page:
    """What a scraper meets."""
    return html("<title>Verify to continue</title><body>tiktok-verify-page</body>")


def api_live(shown: Shown) -> Page:
    """The answer about a streamer."""
    return of_json({"statusCode": 0, "message": "", "data": shown.by_name})


def user_not_found() -> Page:
    """The answer about nobody."""
    return of_json({"statusCode": 19881007, "message": "user_not_found"})


def restricted() -> Page:
    """The answer about a room for adults, or for those who logged in."""
    return of_json({"statusCode": 4003110, "message": "room_restricted", "data": {}})


def api_parameters() -> Page:
    """The answer of api-live where an address is distrusted, or the room is for those who logged in."""
    return of_json({"statusCode": 10011, "message": "params_error", "data": {}})


def bad_parameters() -> Page:
    """The answer to a request that lacks something."""
    said = "Request params error"
    return of_json({"data": {"message": said, "prompts": said}, "extra": {"now": 0}, "status_code": 10011})


def check_alive(alive: Mapping[str, bool]) -> Page:
    """The answer about rooms, in the order in which they were asked for."""
    data = [{"alive": each, "room_id_str": room_id} for room_id, each in alive.items()]
    return of_json({"data": data, "extra": {"now": 0}, "status_code": 0})


def room_info(shown: Shown) -> Page:
    """The answer about a room."""
    data = {
        "id": shown.room_id,
        "id_str": str(shown.room_id),
        "status": shown.status,
        "title": shown.title,
        "user_count": shown.viewers,
        "like_count": shown.likes,
        "start_time": shown.started_at,
        "owner": {"id_str": str(shown.owner_id), "display_id": shown.unique_id, "nickname": shown.nickname},
        "stats": {
            "total_user": shown.visits,
            "enter_count": shown.visits,
            "like_count": 0,  # as it was seen to be, with the number beside it
            "share_count": shown.shares,
            "follow_count": shown.follows,
            "gift_uv_count": shown.gifters,
        },
    }
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


def sign_refused(status: int, said: str) -> Page:
    """A refusal of the sign server."""
    return of_json({"code": status, "message": said}, status)


def quota_used_up(*, now: str, reset_at: float) -> Page:
    """The sign server's answer to who used up a minute's quota, with the moment of the next in the body alone."""
    full = {"max": 30, "remaining": 12, "reset_at": None}
    moment = datetime.fromtimestamp(reset_at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    minute = {"max": 5, "remaining": 0, "reset_at": moment}
    said = "Too many connections started"
    return of_json({"code": 429, "message": said, "minute": minute, "hour": full, "day": full}, 429, Date=now)


def sheds_load() -> Page:
    """The sign server's answer to a call that it drops though its quota is not used up."""
    left = {"max": 5, "remaining": 4, "reset_at": None}
    quota = {"minute": left, "hour": left, "day": left}
    return of_json({"code": 429, "message": "", **quota, "load_shedding": {"at": 0.8, "chance": 0.25}}, 429)


def sign_stub() -> Page:
    """What a sign server answers while it has nothing signed to give: a proxy of its own, in about 272 bytes."""
    note = Envelope(method="WebcastSystemMessage", payload=b"\x12\x2dConnected through Euler Stream fallback proxy")
    batch = FetchResult(
        messages=[note.SerializeToString()],
        push_server=f"wss://ws-fallback.eulerstream.com/?token={STUB_TOKEN}",
        route_params={"user_agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"},
        is_first=True,
    )
    return Page(200, batch.SerializeToString(), "application/protobuf")


def signed_url(url: str, user_agent: str) -> Page:
    """The sign server's answer to who wants a URL signed."""
    tokens = {"X-Bogus": "simulated", "msToken": "simulated"}
    response = {
        "signedUrl": f"{url}{'&' if '?' in url else '?'}{urlencode(tokens)}",
        "userAgent": user_agent,
        "tokens": tokens,
        "cookies": "",
        "browserName": "Mozilla",
        "browserVersion": "5.0",
        "requestHeaders": {},
    }
    return of_json({"code": 200, "message": "", "response": response})


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
