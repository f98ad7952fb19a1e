"""The HTTP surface: /metrics, /livez, /readyz, /startupz, /status.

Served by the loop that does the work, on purpose: if that loop is wedged, /livez cannot answer, which is the truth.
What is told is read there too, between two steps of the work, so that the sums agree in every answer.

A connection is one request long. One that takes longer than a request may is closed, and so is the one that has waited
longest where there are too many: clients that say nothing, or read nothing, take neither descriptors nor memory.
"""

import asyncio
import contextlib
import errno
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any

import uvicorn
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from uvicorn.protocols.http.h11_impl import H11Protocol

from producer import logs
from producer.errors import StartRefused

MOST_CONNECTIONS = 32
CONNECTION_SECONDS = 10.0
"""From its beginning until its answer is read: Prometheus waits no longer by default."""
BACKLOG = 128
"""Connections that the system keeps for us meanwhile; what comes beyond them asks again after a second."""
HEADER_BYTES = 16 * 1024

Readiness = Callable[[], Mapping[str, bool]]
"""What must hold for the worker to be ready, by name."""
Status = Callable[[], Mapping[str, Any]]
Endpoint = Callable[[Request], Awaitable[Response]]


class Surface:
    """What is served."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._read = asyncio.Event()

    async def scraped(self) -> None:
        """Wait until the metrics are read once more."""
        self._read.clear()
        await self._read.wait()

    def metrics(self, registry: CollectorRegistry) -> Endpoint:
        """Make the endpoint that tells them."""

        async def endpoint(request: Request) -> Response:
            encode, content_type = _encoder(request.headers.get("accept", ""))
            snapshot = _Snapshot(list(registry.collect()))
            self._read.set()
            # With ten thousand streamers it is more than a megabyte, which takes longer than the loop may stand.
            text = await asyncio.to_thread(encode, snapshot)
            return Response(text, headers={"Content-Type": content_type})

        return endpoint


@contextlib.asynccontextmanager
async def serve(
    *, host: str, port: int, registry: CollectorRegistry, readiness: Readiness, status: Status, insist: bool = True
) -> AsyncIterator[Surface]:
    """Serve while the context lasts. Raises StartRefused where the port cannot be had.

    Who does not `insist` on the port is given a free one where it is in use.
    """
    # In a thread, since a name may have to be looked up.
    listener = await asyncio.to_thread(listen, host, port, insist=insist)
    surface = Surface(listener.getsockname()[1])
    remembered = _Remembered(readiness)
    application = Starlette(
        routes=[
            Route("/metrics", surface.metrics(registry)),
            Route("/livez", _live),
            Route("/readyz", _ready(remembered)),
            Route("/startupz", _started(remembered)),
            Route("/status", _status(status)),
        ],
        exception_handlers={Exception: _failed},
    )
    server = _Server(
        uvicorn.Config(
            application,
            http=_Connection,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            backlog=BACKLOG,
            headers=[("Connection", "close")],
            h11_max_incomplete_event_size=HEADER_BYTES,
            timeout_graceful_shutdown=1,
        )
    )
    task = asyncio.create_task(server.serve(sockets=[listener]), name="http")
    try:
        yield surface
    finally:
        server.should_exit = True
        await task
        listener.close()


class _Server(uvicorn.Server):
    """Signals are the command line's, not the HTTP server's."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _Connection(H11Protocol):
    """A connection with an end. uvicorn has a bound only for the time between two requests."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self.made_at = self.loop.time()
        self._end = self.loop.call_later(CONNECTION_SECONDS, transport.abort)
        others = [other for other in self._others() if not other.transport.is_closing()]
        if len(others) >= MOST_CONNECTIONS:
            min(others, key=lambda other: (other.cycle is not None, other.made_at)).transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end.cancel()
        super().connection_lost(exc)

    def _others(self) -> "Iterator[_Connection]":
        return (other for other in self.connections if isinstance(other, _Connection) and other is not self)


def listen(host: str, port: int, *, insist: bool = True) -> socket.socket:
    """Take the port, of both families where the host is `::`. Raises StartRefused where it cannot be had.

    Who does not `insist` on it is given a free one where it is in use.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    both = host == "::" and socket.has_dualstack_ipv6()
    try:
        return socket.create_server((host, port), family=family, dualstack_ipv6=both)
    except (OSError, UnicodeError) as cause:
        number = cause.errno if isinstance(cause, OSError) else None
        if number == errno.EADDRINUSE and not insist:
            return listen(host, 0)
        why = os.strerror(number) if number and number > 0 else str(cause)
        if family is socket.AF_INET6 and number in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):
            why = f"this system has no such address ({why}); 0.0.0.0 is every one of IPv4, 127.0.0.1 its own"
        if number == errno.EADDRINUSE:
            why += (
                "; another worker on this machine may have it, or another program: choose another, or 0 for a free one"
            )
        place = f"[{host}]:{port}" if family is socket.AF_INET6 else f"{host}:{port}"
        raise StartRefused(f"cannot listen on {place} (PRODUCER_HTTP_HOST, PRODUCER_HTTP_PORT): {why}") from cause


class _Snapshot(Collector):
    """What was counted at one moment; the text of it may be made elsewhere meanwhile."""

    def __init__(self, families: Sequence[Metric]) -> None:
        self._families = families

    def collect(self) -> Sequence[Metric]:
        return self._families


def _encoder(accept: str) -> tuple[Callable[[Collector], bytes], str]:
    try:
        return choose_encoder(accept)
    except (TypeError, ValueError):  # a version that is none
        return choose_encoder("")


async def _live(_: Request) -> Response:
    return PlainTextResponse("ok\n")


class _Remembered:
    """What must hold, and whether all of it ever did when it was asked for."""

    def __init__(self, readiness: Readiness) -> None:
        self._readiness = readiness
        self.held = False

    def __call__(self) -> tuple[Mapping[str, bool], bool]:
        """The conditions, and whether all hold now."""
        conditions = dict(self._readiness())
        now = all(conditions.values())
        self.held = self.held or now
        return conditions, now


def _ready(remembered: _Remembered) -> Endpoint:
    async def endpoint(_: Request) -> Response:
        conditions, now = remembered()
        return JSONResponse(conditions, status_code=200 if now else 503)

    return endpoint


def _started(remembered: _Remembered) -> Endpoint:
    # A start that took long is over once; what is lost later is /readyz's to tell.
    async def endpoint(_: Request) -> Response:
        conditions, _now = remembered()
        return JSONResponse(conditions, status_code=200 if remembered.held else 503)

    return endpoint


def _status(status: Status) -> Endpoint:
    async def endpoint(_: Request) -> Response:
        return JSONResponse(status())

    return endpoint


async def _failed(request: Request, error: Exception) -> Response:
    logs.get().error("no answer over HTTP: our bug", path=request.url.path, exc_info=error)
    return PlainTextResponse("a bug of ours; the log has it\n", status_code=500)
