"""Opens sockets to rooms, each as its address asks for it."""

import socket
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from ssl import SSLContext
from typing import Any, cast

import websockets
from websockets.asyncio.client import ClientConnection, connect

from producer import strangers
from producer.errors import FailedConnection, Reason
from producer.webcast import handshake
from producer.webcast.client import Client
from producer.webcast.connection import Connection
from producer.webcast.doors.contract import Address
from producer.webcast.route import ProxyFailed, Route
from producer.webcast.share import Share
from producer.webcast.upstream import USER_AGENT, Upstream

OPEN_SECONDS = 10.0
CLOSE_SECONDS = 2.0
AT_ONCE = 20
"""Sockets that are opened at a time, so that the time a thousand take is none of the server's."""
FRAME_BYTES = 4 * 1024 * 1024
"""Of a WebSocket message. What is longer has a batch that would not be read, and it is copied several times."""
RECEIVE_BYTES = 16 * 1024
"""Of what the system keeps for us (Linux takes it twice). What is there is read in one piece, whoever else waits."""


class _Connect(connect):
    """A client that goes nowhere but where it was sent."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


@dataclass(frozen=True, slots=True)
class Opener:
    """How a process opens its sockets."""

    user_agent: str
    origin: str
    """The web page that a browser would have them opened by; it is said to TikTok alone."""
    ssl: SSLContext
    trust_environment: bool
    """Whether the environment's proxies are used where the route has none."""
    share: Share = field(default_factory=lambda: Share(time.monotonic))

    @classmethod
    def to(cls, upstream: Upstream, trust: SSLContext) -> "Opener":
        """For the sockets of a Webcast service."""
        return cls(USER_AGENT, upstream.web_url, trust, trust_environment=upstream.is_tiktok)

    @asynccontextmanager
    async def open(
        self, address: Address, *, turns: AbstractAsyncContextManager[None], route: Route | None = None
    ) -> AsyncIterator[Connection]:
        """Open the socket at an address, in its turn; close it, normally, on the way out. Raises FailedConnection."""
        client = await _open(self, address, turns=turns, route=route or Route())
        client.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
        connection = Connection(client, address.between)
        try:
            yield connection
        finally:
            connection.close()
            await client.close()


async def _open(opener: Opener, address: Address, *, turns: AbstractAsyncContextManager[None], route: Route) -> Client:
    """A function of its own, so that nothing of how a socket was opened stays in memory for as long as it is open."""
    to_proxy: dict[str, Any] = {"proxy_ssl": opener.ssl} if route.proxy is not None and route.proxy.is_https else {}
    try:
        async with route.passage(turns) as passage:

            def client(*arguments: Any, **named: Any) -> Client:
                passage.passed()  # it is made once there is a connection, behind the proxy where there is one
                return Client(*arguments, share=opener.share, **named)

            opening = _Connect(
                address.url.text,
                create_connection=cast(type[ClientConnection], client),
                additional_headers={**({"Cookie": address.cookie} if address.cookie else {}), **address.headers},
                user_agent_header=opener.user_agent,
                origin=websockets.Origin(opener.origin) if address.between is None else None,
                compression=None,  # batches are gzipped already, and a deflate context costs 64 KiB a room
                ping_interval=None,  # TikTok answers no pings, so the library's keepalive would close a healthy socket
                open_timeout=OPEN_SECONDS,
                close_timeout=CLOSE_SECONDS,
                max_size=FRAME_BYTES,
                max_queue=4,
                proxy=route.proxy.url if route.proxy is not None else True if opener.trust_environment else None,
                ssl=opener.ssl if address.url.scheme == "wss" else None,
                **to_proxy,
            )
            passage.begin()
            return cast(Client, await opening)
    except ProxyFailed as cause:
        raise FailedConnection(str(cause), reason=Reason.PROXY, retry_after_seconds=0.0) from cause
    except websockets.InvalidStatus as cause:
        raise handshake.handshake_refused(cause.response.status_code, cause.response.headers) from cause
    except TimeoutError as cause:
        raise FailedConnection(f"no handshake within {OPEN_SECONDS:g} s", reason=Reason.TIMEOUT) from cause
    except (OSError, websockets.WebSocketException) as cause:
        # The library quotes a URL that it cannot use; its query may be a secret.
        detail = "its URL is none" if isinstance(cause, websockets.InvalidURI) else strangers.shown(str(cause))
        raise FailedConnection(f"the socket did not open: {detail}", reason=Reason.NETWORK) from cause
