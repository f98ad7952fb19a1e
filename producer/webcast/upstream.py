"""Who we talk to, and the guard that we talk to nobody else.

Facts: protocol sheet sections 1 (hosts), 2.1 and 5.1 (parameters).
"""

from dataclasses import dataclass

from producer import strangers
from producer.errors import FailedConnection, Reason
from producer.strangers import URL

USER_AGENTS = tuple(
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    f"Chrome/{version}.0.0.0 Safari/537.36"
    for version in (141, 142, 140, 139)
)
"""Versions of one browser on one system: what else we say of the browser is true of each."""
USER_AGENT = USER_AGENTS[0]
OWN_HOSTS = frozenset(
    {
        "www.tiktok.com",
        "webcast.tiktok.com",
        "webcast-ws.tiktok.com",
        "webcast-ws.eu.tiktok.com",
        "webcast-ws.us.tiktok.com",
    }
)
"""TikTok's, by name: no other is shown a session, whichever suffixes a socket's host may have."""
SOCKET_PATH = "/webcast/im/ws_proxy/ws_reuse_supplement/"


@dataclass(frozen=True, slots=True)
class Upstream:
    """The addresses of one Webcast service."""

    web_url: str
    webcast_url: str
    socket_url: str
    socket_host_suffixes: tuple[str, ...]
    """Host suffixes that a socket URL may name, or none where only the host of `socket_url` itself may be."""

    @property
    def is_tiktok(self) -> bool:
        """Whether this is TikTok itself, and not a simulator."""
        return bool(self.socket_host_suffixes)

    @classmethod
    def named(cls, name: str, *, further_socket_suffixes: tuple[str, ...] = ()) -> "Upstream":
        """`tiktok`, or a simulator by its URL."""
        if name == "tiktok":
            return cls.tiktok(further_socket_suffixes=further_socket_suffixes)
        return cls.at(name)

    @classmethod
    def tiktok(cls, *, further_socket_suffixes: tuple[str, ...] = ()) -> "Upstream":
        """TikTok itself; a sign server may hand out sockets on other hosts only where the operator lists them."""
        return cls(
            web_url="https://www.tiktok.com",
            webcast_url="https://webcast.tiktok.com/webcast",
            socket_url=f"wss://webcast-ws.tiktok.com{SOCKET_PATH}",
            socket_host_suffixes=(".tiktok.com", *further_socket_suffixes),
        )

    @classmethod
    def at(cls, url: str) -> "Upstream":
        """A simulator at `url` (http or https): one host for everything."""
        base = url.rstrip("/")
        socket = "ws" + base.removeprefix("http")
        return cls(
            web_url=base,
            webcast_url=f"{base}/webcast",
            socket_url=f"{socket}{SOCKET_PATH}",
            socket_host_suffixes=(),
        )

    def is_own(self, url: URL) -> bool:
        """Whether a URL leads to a host that may be shown a session."""
        if self.is_tiktok:
            return url.scheme in ("https", "wss") and url.host in OWN_HOSTS and url.port in (None, 443)
        return url.place == strangers.url(self.socket_url).place

    def check_socket(self, socket: URL) -> None:
        """Raise FailedConnection unless a socket's URL that a stranger sent leads where we mean to go."""
        if self.is_tiktok:
            # Suffixes start with a dot, so no IP literal and no bare name can match one.
            named = socket.host.endswith(self.socket_host_suffixes)
            allowed = socket.scheme == "wss" and named and socket.port in (None, 443)
        else:
            allowed = socket.place == strangers.url(self.socket_url).place
        if not allowed:
            raise FailedConnection(
                f"the socket's host {socket.host!r} is not on the allow-list", reason=Reason.HOST_REFUSED
            )


def browser_parameters(user_agent: str) -> dict[str, str]:
    """The part of the query that says which browser we are, in every request and on every socket."""
    return {
        "aid": "1988",
        "app_language": "en",
        "app_name": "tiktok_web",
        "browser_language": "en-US",
        "browser_name": "Mozilla",
        "browser_online": "true",
        "browser_platform": "Win32",
        "browser_version": user_agent.partition("/")[2],
        "cookie_enabled": "true",
        "screen_height": "1080",
        "screen_width": "1920",
        "tz_name": "Etc/UTC",
        "webcast_language": "en",
    }


def web_parameters(user_agent: str) -> dict[str, str]:
    """The query parameters that every Webcast request carries (section 2.1)."""
    return browser_parameters(user_agent) | {
        "channel": "tiktok_web",
        "device_platform": "web_pc",
        "focus_state": "true",
        "is_page_visible": "true",
        "os": "windows",
        "user_is_login": "false",
    }


def socket_parameters(room_id: int, user_agent: str) -> dict[str, str]:
    """The query parameters that every socket carries (section 5.1)."""
    return browser_parameters(user_agent) | {
        "client_enter": "1",
        "compress": "gzip",
        "device_platform": "web",
        "did_rule": "3",
        "history_comment_count": "6",
        "identity": "audience",
        "last_rtt": "150",
        "live_id": "12",
        "resp_content_type": "protobuf",
        "room_id": str(room_id),
        "sup_ws_ds_opt": "1",
        "update_version_code": "2.0.0",
        "version_code": "270000",
    }
