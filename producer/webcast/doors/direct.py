"""The door that needs nobody's help: the usual address, unsigned, opened by the cookie of an anonymous visitor.

Facts: doors sheet section 1a, with the parameters in the order in which clients that got in send them.
"""

from urllib.parse import urlencode

from producer import strangers
from producer.errors import FailedRoomPolling, ProducerError, Reason
from producer.webcast.doors.contract import Address
from producer.webcast.doors.places import ANYBODY, Rank
from producer.webcast.doors.visitor import Visitors
from producer.webcast.logins import Login
from producer.webcast.room import RoomId
from producer.webcast.upstream import Upstream, browser_parameters

BURNT_SECONDS = 30.0
"""A socket that is closed so soon after its opening tells against its cookie."""
FLAGS = frozenset({Reason.DEVICE_BLOCKED, Reason.NO_COOKIE})
"""Refusals of a handshake that are about the visitor, and not about the room or the way there."""
HISTORY_COMMENTS = 6
"""What the web player asks for."""


class Direct:
    """Open the socket without a signature, as the visitor that all rooms share."""

    name = "direct"

    def __init__(self, visitors: Visitors, upstream: Upstream, *, history_comments: int = HISTORY_COMMENTS) -> None:
        self._visitors = visitors
        self._upstream = upstream
        self._history_comments = history_comments

    async def obtain(self, room_id: RoomId, streamer: str, login: Login | None = None, rank: Rank = ANYBODY) -> Address:
        """Obtain an address. Raises FailedHTTPRequest or FailedConnection where there is no visitor."""
        visitor = await self._visitors.visitor()
        parameters = direct_parameters(room_id, visitor.user_agent, history_comments=self._history_comments)
        headers = {
            "User-Agent": visitor.user_agent,
            "Referer": f"{self._upstream.web_url}/",
            "Accept-Language": "en-US,en;q=0.9",
            "Cache-Control": "no-cache",
        }
        url = strangers.url(f"{self._upstream.socket_url}?{urlencode(parameters)}")
        cookie = visitor.cookie if login is None else f"{visitor.cookie}; {login.cookie}"
        return Address(url, cookie=cookie, door=self.name, logged_in=login is not None, headers=headers)

    def told(self, address: Address, error: ProducerError, *, lived_seconds: float) -> None:
        """Flag the visitor where what became of its socket tells against it."""
        died = isinstance(error, FailedRoomPolling) and error.reason is Reason.CLOSED
        burnt = died and lived_seconds < BURNT_SECONDS and not address.logged_in  # or it may be its session's fault
        if error.reason in FLAGS or burnt:
            self._visitors.flag(address.cookie.partition(";")[0])


def direct_parameters(room_id: int, user_agent: str, *, history_comments: int) -> dict[str, str]:
    """The query of an unsigned socket: nothing that no known client sends, and in their order."""
    browser = browser_parameters(user_agent)
    return {
        "version_code": "180800",
        "device_platform": "web",
        "cookie_enabled": browser["cookie_enabled"],
        "screen_width": browser["screen_width"],
        "screen_height": browser["screen_height"],
        "browser_language": browser["browser_language"],
        "browser_platform": browser["browser_platform"],
        "browser_name": browser["browser_name"],
        "browser_version": browser["browser_version"],
        "browser_online": browser["browser_online"],
        "tz_name": browser["tz_name"],
        "app_name": browser["app_name"],
        "sup_ws_ds_opt": "1",
        "update_version_code": "2.0.0",
        "compress": "gzip",
        "webcast_language": browser["webcast_language"],
        "ws_direct": "1",
        "aid": browser["aid"],
        "live_id": "12",
        "app_language": browser["app_language"],
        "client_enter": "1",
        "room_id": str(room_id),
        "identity": "audience",
        "history_comment_count": str(history_comments),
        "last_rtt": "150",
        "heartbeat_duration": "10000",
        "resp_content_type": "protobuf",
        "did_rule": "3",
    }
