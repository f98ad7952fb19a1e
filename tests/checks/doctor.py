"""`producer check` as a person runs it, and what is needed to break a set-up in one place."""

import json
import os
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from producer.local.programs import without_settings
from tests import commands

NOWHERE = "127.0.0.1:9"


class Found(NamedTuple):
    """A line of the check that is neither ok nor skipped, or what is expected of one."""

    name: str
    state: str
    words: str


def check(*arguments: str, settings: Mapping[str, object]) -> "subprocess.CompletedProcess[str]":
    given = {f"PRODUCER_{name.upper()}": str(value) for name, value in settings.items()}
    return commands.ours()("check", *arguments, environ=without_settings(os.environ) | given)


def document(*arguments: str, settings: Mapping[str, object]) -> tuple[int, dict[str, Any]]:
    """The exit status, and the JSON."""
    result = check("--json", *arguments, settings=settings)
    assert result.stdout, result.stderr
    return result.returncode, dict(json.loads(result.stdout))


def amiss(whole: Mapping[str, Any]) -> list[Found]:
    """What is neither ok nor skipped; each of them has advice."""
    lines = [line for line in whole["checks"] if line["state"] in ("warn", "fail")]
    return [Found(line["name"], line["state"], f"{line['found']}; {line['advice']}") for line in lines]


def assert_named(expected: list[Found], *arguments: str, settings: Mapping[str, object]) -> None:
    """The check finds exactly this, with these words, and its exit status says whether anything failed."""
    status, whole = document(*arguments, settings=settings)
    found = amiss(whole)
    assert [(line.name, line.state) for line in found] == [(line.name, line.state) for line in expected], found
    for line, wanted in zip(found, expected, strict=True):
        assert wanted.words in line.words, line.words
    failed = any(line.state == "fail" for line in expected)
    assert (status, whole["passed"]) == (1 if failed else 0, not failed)


@contextmanager
def web_server(asked: list[str], *, clock_off: timedelta = timedelta(), status: int = 404) -> Iterator[str]:
    """A server that knows nothing, as a registry without subjects would say it, and tells its own time."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            asked.append(f"{self.command} {self.path}")
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            body = json.dumps({"error_code": 40401, "message": "no such subject"}).encode()
            self.send_response_only(status)
            self.send_header("Date", format_datetime(datetime.now(UTC) + clock_off, usegmt=True))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = answer

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
