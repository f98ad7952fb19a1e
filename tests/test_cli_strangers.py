"""What strangers say, on the terminal of each command: no letter that moves the cursor or turns the writing.

`producer dlq` is in tests/kafka/test_dlq.py, since letters lie in a real Kafka.
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from producer.local.programs import without_settings

NOWHERE = "127.0.0.1:9"
HOSTILE = "\x1b]0;owned\x07\x9b2J\x7f\r\n\u202e\u2066\ud800\x00"
"""C0, C1, DEL, a line break, marks of direction, a lone surrogate."""
ESCAPED = "\\x1b]0;owned\\x07\\x9b2J\\x7f\\r\\n\\u202e\\u2066\\ufffd\\x00".replace("\\ufffd", "\ufffd")
"""The same as it may be shown; a reader of JSON makes U+FFFD of the surrogate."""
SCHEMA = {"type": "record", "name": f"R{HOSTILE}", "fields": [{"name": HOSTILE, "type": HOSTILE, "default": HOSTILE}]}


class Registry(ThreadingHTTPServer):
    """A registry all of whose words are hostile; it refuses every schema."""

    def __init__(self, *, status: int) -> None:
        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                forbidden = status, {"error_code": 40301, "message": HOSTILE}
                code, said = forbidden if status == 403 else self.usual()
                body = json.dumps(said).encode()
                self.send_response_only(code, "x")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def usual(self) -> tuple[int, dict[str, object]]:
                if "/compatibility/" in self.path:
                    return 200, {"is_compatible": False, "messages": [HOSTILE, 7, None]}
                if self.path.endswith("/versions/latest"):
                    return 200, {"version": 3, "schema": json.dumps(SCHEMA)}
                if "/config" in self.path:
                    return 200, {"compatibilityLevel": HOSTILE}
                if self.path.endswith("/versions"):
                    return 409, {"error_code": 409, "message": HOSTILE}
                return 404, {"error_code": 40403, "message": HOSTILE}

            do_GET = do_POST = do_PUT = answer

            def log_message(self, format: str, *arguments: object) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)


@pytest.fixture(params=[404, 403], ids=["another schema", "forbidden"])
def registry(request: pytest.FixtureRequest) -> Iterator[str]:
    server = Registry(status=request.param)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def printed(*arguments: str, settings: Mapping[str, str]) -> str:
    """All that a command prints, which must be text."""
    given = {f"PRODUCER_{name.upper()}": value for name, value in settings.items()}
    result = subprocess.run(
        [sys.executable, "-m", "producer", *arguments],
        env=without_settings(os.environ) | given,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 1
    return (result.stdout + result.stderr).decode("utf-8")


def harmless(text: str) -> bool:
    return all(letter.isprintable() for letter in text.replace("\n", ""))


@pytest.mark.parametrize("command", [("schemas", "check"), ("schemas", "diff"), ("schemas", "register"), ("check",)])
def test_a_registrys_words_move_no_cursor(command: tuple[str, ...], registry: str, tmp_path: Path) -> None:
    (tmp_path / "list.yaml").write_text("streamers: [someone]\n")
    chosen = {
        "upstream": f"http://{NOWHERE}",
        "kafka_bootstrap_servers": NOWHERE,
        "assignments_file": str(tmp_path / "list.yaml"),
        "http_port": "0",
        "schema_registry_url": registry,
    }

    said = printed(*command, settings=chosen)

    assert ESCAPED in said
    assert harmless(said)
    if command == ("check",):
        document = printed("check", "--json", settings=chosen)
        assert document.isascii()
        assert harmless(document)
        assert any(ESCAPED in line["found"] for line in json.loads(document)["checks"])


def test_what_answers_in_the_place_of_a_worker_moves_no_cursor() -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = HOSTILE.encode("utf-8", "surrogatepass")
            self.wfile.write(
                b"HTTP/1.1 503 %b\r\nContent-Length: %d\r\n\r\n" % ("\x9b31m".encode("latin-1"), len(body))
            )
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            least = {
                "upstream": f"http://{NOWHERE}",
                "kafka_bootstrap_servers": NOWHERE,
                "assignments_file": "list.yaml",
            }
            said = printed("health", settings={**least, "http_port": str(server.server_port)})
        finally:
            server.shutdown()
            thread.join()

    assert "\\x1b]0;owned\\x07\\x9b2J\\x7f\\r\\n\\u202e\\u2066" in said
    assert harmless(said)


def test_a_variables_name_and_value_move_no_cursor() -> None:
    given = {"upstream": HOSTILE.replace("\x00", ""), f"k{HOSTILE[:-2]}": "x", "http_port": "\u202e"}

    said = printed("check", settings={name: value.replace("\ud800", "\udcff") for name, value in given.items()})

    assert "PRODUCER_UPSTREAM" in said
    assert harmless(said)
