"""An example of a broker of sockets (docs/doors.md): it hands out the simulator's, whose cookies it makes up.

A real one keeps browsers, or what else opens sockets; all that a worker knows of it is docs/lease.schema.json.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

SOCKET_PATH = "/webcast/im/ws_proxy/ws_reuse_supplement/"
EXPIRY_MS = 16 * 60 * 1000


class Broker(ThreadingHTTPServer):
    """Who is asked, by whom, and what was said."""

    def __init__(self, simulator: str, *, token: str, warm: bool = True) -> None:
        super().__init__(("127.0.0.1", 0), Asked)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.warm = warm
        self.said: list[tuple[Any, int, Any]] = []
        """Requests, each with its answer's status and body."""
        self._simulator, self._token = simulator, token

    def answer(self, authorization: str | None, path: str) -> tuple[int, dict[str, Any]]:
        """Give a lease, or say why there is none."""
        if path != "/v1/lease":
            return 404, refusal("no_such_path", retryable=False)
        if authorization != f"Bearer {self._token}":
            return 401, refusal("unauthorized", retryable=False)
        if not self.warm:
            return 503, refusal("no_warm_session", retryable=True, retry_after_ms=45_000)
        now, number = int(time.time() * 1000), len(self.said)
        return 200, {
            "version": 1,
            "url": f"ws{self._simulator.removeprefix('http')}{SOCKET_PATH}?aid=1988&room_id=1&device_id=7%2F{number}",
            "cookie": f"ttwid=1%7Cbroker{number}",
            "headers": {"Accept-Language": "en-US,en;q=0.9"},
            "user_agent": "Mozilla/5.0 (X11; Linux x86_64) Broker/1",
            "issued_at_ms": now,
            "expires_at_ms": now + EXPIRY_MS,
            "rooms": "any",
            "speech": {"enters": True, "heartbeats": True, "acknowledges": True},
        }


def refusal(code: str, *, retryable: bool, **more: int) -> dict[str, Any]:
    return {"error": {"code": code, "message": f"the example says {code}", "retryable": retryable, **more}}


class Asked(BaseHTTPRequestHandler):
    server: Broker

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        status, said = self.server.answer(self.headers["Authorization"], self.path)
        self.server.said.append((request, status, said))
        body = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def serve(simulator: str, **more: Any) -> Iterator[Broker]:
    """Serve the sockets of a simulator."""
    with Broker(simulator, **more) as broker:
        thread = Thread(target=broker.serve_forever)
        thread.start()
        try:
            yield broker
        finally:
            broker.shutdown()
            thread.join()
