"""Requests with a body, for a server of WebSockets, which knows none: they become requests without one.

The library reads GET alone. A POST is turned into one before it is read, with method and body in headers.
"""

import re
from base64 import b64decode, b64encode

from websockets.asyncio.server import ServerConnection
from websockets.datastructures import Headers

METHOD, BODY = "X-Simulated-Method", "X-Simulated-Body"
MOST_BYTES = 16 * 1024
"""Of head and body together; who sends more is not understood."""

_LENGTH = re.compile(rb"\r\ncontent-length:\s*([0-9]{1,5})\s*(?=\r\n)", re.IGNORECASE)


class Connection(ServerConnection):
    """A connection whose first request may have a body."""

    _held: bytes | None = b""
    """What has come of a POST; None once it is handed on, and of what is none."""

    def data_received(self, data: bytes) -> None:
        """Hand on what came, or hold it until a POST is whole."""
        if self._held is None:
            super().data_received(data)
            return
        self._held += data
        if self._held.startswith(b"POST ") and len(self._held) < MOST_BYTES:
            if (request := without_body(self._held)) is None:
                return
            self._held = request
        elif b"POST ".startswith(self._held):
            return
        held, self._held = self._held, None
        super().data_received(held)


def without_body(request: bytes) -> bytes | None:
    """A POST as a GET with its method and body in headers; None where it is not whole yet."""
    head, end, body = request.partition(b"\r\n\r\n")
    length = _LENGTH.search(head + b"\r\n")
    size = int(length[1]) if length else 0
    if not end or len(body) < size:
        return None
    said = f"\r\n{METHOD}: POST\r\n{BODY}: ".encode() + b64encode(body[:size])
    return b"GET " + _LENGTH.sub(b"", head + b"\r\n").removeprefix(b"POST ").removesuffix(b"\r\n") + said + end


def method(headers: Headers) -> str:
    """The method of a request as its client sent it."""
    return headers.get(METHOD, "GET")


def body(headers: Headers) -> bytes:
    """The body of a request, which may be empty."""
    return b64decode(headers.get(BODY, ""))
