"""The HTTP surface: /metrics, /livez, /readyz, /startupz, /status.

Served by the loop that does the work, on purpose: if that loop is wedged, /livez cannot answer, which is the truth.
"""

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any

import uvicorn
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from producer.errors import StartRefused

Readiness = Callable[[], Mapping[str, bool]]
"""What must hold for the worker to be ready, by name."""
Status = Callable[[], Mapping[str, Any]]


@contextlib.asynccontextmanager
async def serve(
    *, host: str, port: int, registry: CollectorRegistry, readiness: Readiness, status: Status
) -> AsyncIterator[int]:
    """Serve while the context lasts; yield the port. Raises StartRefused where it cannot be had."""
    listener = listen(host, port)
    remembered = _Remembered(readiness)
    application = Starlette(
        routes=[
            Route("/metrics", _metrics(registry)),
            Route("/livez", _live),
            Route("/readyz", _ready(remembered)),
            Route("/startupz", _started(remembered)),
            Route("/status", _status(status)),
        ]
    )
    server = _Server(
        uvicorn.Config(
            application, log_config=None, access_log=False, lifespan="off", ws="none", timeout_graceful_shutdown=1
        )
    )
    task = asyncio.create_task(server.serve(sockets=[listener]), name="http")
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        await task
        listener.close()


class _Server(uvicorn.Server):
    """Signals are the command line's, not the HTTP server's."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listen(host: str, port: int) -> socket.socket:
    """Take the port. Raises StartRefused where it cannot be had."""
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as cause:
        why = os.strerror(cause.errno) if cause.errno and cause.errno > 0 else str(cause)
        raise StartRefused(f"cannot listen on {host}:{port} (PRODUCER_HTTP_HOST, PRODUCER_HTTP_PORT): {why}") from cause


def _metrics(registry: CollectorRegistry) -> Callable[[Request], Response]:
    def endpoint(request: Request) -> Response:
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(registry), headers={"Content-Type": content_type})

    return endpoint


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


def _ready(remembered: _Remembered) -> Callable[[Request], Response]:
    def endpoint(_: Request) -> Response:
        conditions, now = remembered()
        return JSONResponse(conditions, status_code=200 if now else 503)

    return endpoint


def _started(remembered: _Remembered) -> Callable[[Request], Response]:
    # A start that took long is over once; what is lost later is /readyz's to tell.
    def endpoint(_: Request) -> Response:
        conditions, _now = remembered()
        return JSONResponse(conditions, status_code=200 if remembered.held else 503)

    return endpoint


def _status(status: Status) -> Callable[[Request], Response]:
    def endpoint(_: Request) -> Response:
        return JSONResponse(status())

    return endpoint
