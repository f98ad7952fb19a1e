"""An example of a broker of sockets (docs/doors.md): it hands out the simulator's, whose cookies it makes up.

A real one keeps browsers, or what else opens sockets; all that a worker knows of it is docs/lease.schema.json.
It runs alone as `python -m tests.lease_broker SIMULATOR TOKEN_FILE COLD`.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any
from wsgiref.simple_server import make_server
from wsgiref.types import StartResponse, WSGIEnvironment


class Broker:
    def __init__(self, simulator: str, *, token: str, cold: int = 0) -> None:
        """The first `cold` who ask find no socket ready."""
        self._sockets = f"ws{simulator.removeprefix('http')}/webcast/im/ws_proxy/ws_reuse_supplement/"
        self._token, self._cold = token, cold
        self.answered: list[int] = []

    def answer(self, authorization: str | None, path: str) -> tuple[int, dict[str, Any]]:
        if path != "/v1/lease":
            return 404, refusal("no_such_path", retryable=False)
        if authorization != f"Bearer {self._token}":
            return 401, refusal("unauthorized", retryable=False)
        if (number := len(self.answered)) < self._cold:
            return 503, refusal("no_warm_session", retryable=True, retry_after_ms=1_000)
        now = int(time.time() * 1000)
        return 200, {
            "version": 1,
            "url": f"{self._sockets}?aid=1988&room_id=1&device_id=7%2F{number}",
            "cookie": f"ttwid=1%7Cbroker{number}",
            "headers": {"Accept-Language": "en-US,en;q=0.9"},
            "user_agent": "Mozilla/5.0 (X11; Linux x86_64) Broker/1",
            "issued_at_ms": now,
            "expires_at_ms": now + 16 * 60 * 1000,
            "rooms": "any",
            "speech": {"enters": True, "heartbeats": True, "acknowledges": True},
        }

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> list[bytes]:
        environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))  # whose room it is for: ours open any
        status, said = self.answer(environ.get("HTTP_AUTHORIZATION"), environ["PATH_INFO"])
        self.answered.append(status)
        start(f"{status} Said", [("Content-Type", "application/json")])
        return [json.dumps(said).encode()]


def refusal(code: str, *, retryable: bool, **more: int) -> dict[str, Any]:
    return {"error": {"code": code, "message": f"the example says {code}", "retryable": retryable, **more}}


if __name__ == "__main__":
    simulator, token_file, cold = sys.argv[1:]
    broker = Broker(simulator, token=Path(token_file).read_text().strip(), cold=int(cold))
    with make_server("127.0.0.1", 0, broker) as server:
        print(f"http://127.0.0.1:{server.server_port}", flush=True)
        server.serve_forever()
