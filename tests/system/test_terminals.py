"""What strangers wrote, on the terminals of those who look: no letter of it moves the cursor or turns the writing.

Here are a worker's log and what shows its work, and the shared list. A registry's words and a health check's answer are
in tests/test_cli_strangers.py, letters in tests/kafka/test_dlq.py, a spool's files in tests/kafka/test_spool_cli.py.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from itertools import count
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from producer.local.kafka import Kafka
from producer.local.programs import without_settings
from producer.local.registry import Registry
from producer.webcast.upstream import SOCKET_PATH
from producer.webcast.wire import Envelope, FetchResult
from tests.patience import HANGS_SECONDS
from tests.system.harness import System, connected, metric, until
from tests.system.stranger import Front, Odd, answer

prefixes = (f"terminal{number}" for number in count())
HOSTILE = "\x1b]0;x\x07\x9b31m\u202e\r\x00\ud800"
"""A title, red, a mark of direction, a carriage return, NUL and a lone surrogate."""
IN_A_HEADER = "\x1b]0;x\x07\x9b31m"
"""What of it Latin-1 has, without what no header can have."""
TITLE = "\\x1b]0;x\\x07"
"""How the title may be shown."""


def raw(data: bytes) -> list[str]:
    """The lines with a letter in them that no terminal should get; what is no UTF-8 raises."""
    return [line for line in data.decode().split("\n") if not line.isprintable()]


ROOM = 7_400_000_000_000_000_001
PROTOBUF = "application/protobuf"


def live(room_id: int) -> bytes:
    user = {"roomId": str(room_id), "status": 2}
    return answer(json.dumps({"statusCode": 0, "data": {"user": user, "liveRoom": {"status": 2}}}))


def signed(push_server: str) -> bytes:
    batch = FetchResult(
        cursor=IN_A_HEADER,
        push_server=push_server,
        route_params={"imprp": "x", IN_A_HEADER: IN_A_HEADER},
        messages=[Envelope(method=f"Webcast{IN_A_HEADER}", payload=b"\x1b[31m", msg_id=1).SerializeToString()],
        is_first=True,
    )
    return answer(batch.SerializeToString(), headers=[("X-Set-TT-Cookie", "ttwid=1")], content_type=PROTOBUF)


def prepare(front: Front) -> dict[str, str]:
    """Streamers whose requests are answered with hostile words, each at another place, and what of those is shown."""
    said = json.dumps({"statusCode": 7, "message": HOSTILE, "status_code": 7, "data": {"message": HOSTILE}})
    socket = f"{front.url.replace('http', 'ws')}{SOCKET_PATH}"
    nobody = answer('{"statusCode": 19881007, "message": "user_not_found"}')
    refused = [("Handshake-Status", "\x9b31m"), ("Handshake-Msg", "\x9b31m")]
    reason = f"HTTP/1.1 200 {IN_A_HEADER}\r\n\r\n".encode("latin-1")
    page = f'<script id="SIGI_STATE">{{"{HOSTILE}": '.encode("utf-8", "replace")
    cases: tuple[tuple[str, str, dict[str, bytes]], ...] = (
        ("look_up", TITLE, {"api_live": answer(said)}),
        ("status_line", TITLE, {"api_live": f"{IN_A_HEADER}\r\n\r\n".encode("latin-1")}),
        ("page", "", {"api_live": nobody, "page": answer(page, content_type="text/html")}),
        ("sign", "", {"sign": answer(said, status=403, headers=[("X-Error", IN_A_HEADER)])}),
        ("push_server", "", {"sign": signed(f"wss://{IN_A_HEADER}/")}),
        ("handshake", "\\x9b31m", {"sign": signed(socket), "handshake": answer(headers=refused)}),
        ("header", "", {"sign": signed(socket), "handshake": answer(headers=[("Handshake-Msg", IN_A_HEADER)])}),
        ("reason", "", {"sign": signed(socket), "handshake": reason}),
    )
    for number, (name, _, answers) in enumerate(cases):
        there = {"api_live": live(ROOM + number)} | answers
        for endpoint, written in there.items():
            odd = Odd(f"{name} {endpoint}", (endpoint,), written)  # type: ignore[arg-type]
            front.poison(name, odd, room_id=str(ROOM + number))
    front.poison("", Odd("gift list", ("gift_list",), answer(said)))
    return {name: words for name, words, _ in cases}


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_workers_log_and_what_shows_its_work_move_no_cursor(
    form: str, tmp_path: Path, kafka: Kafka, registry: Registry
) -> None:
    async def main() -> None:
        async with System(tmp_path, kafka, registry, shared=True) as system:
            await system.simulator("--rooms", "1", "--rate", "5", names=["sim_room_01"])
            async with Front(system.upstream).serve() as front:
                shown = prepare(front)
                environ = {
                    "PRODUCER_UPSTREAM": front.url,
                    "PRODUCER_DOORS": "sign",
                    "PRODUCER_SIGN_URL": front.url,
                    "PRODUCER_SIGN_CALLS_PER_MINUTE": "60000",
                    "PRODUCER_LOG_FORMAT": form,
                }
                worker = await system.worker(environ=environ)
                errors: dict[str, str] = {}

                # A room that is heard, so that no answer about another shuts the door before all of them were given.
                await connected(worker, 1)
                await system.wants(["sim_room_01", *shown])

                async def all_met() -> bool:
                    worker.check()
                    said = await worker.status()
                    if said is None:
                        return False
                    errors.update({each["streamer"]: each["last_error"] or "" for each in said["streamers"]})
                    gifts = await metric(worker, 'tiktok_live_connection_errors_total{error="FailedFetchGifts"}')
                    return gifts >= 1 and all(errors.get(name) for name in shown)

                await until(all_met)
                assert front.fired.keys() >= {"gift list", "handshake handshake", "reason handshake", "page page"}
                assert front.fired.keys() >= {"sign sign", "push_server sign", "header handshake"}

                async def written() -> bool:
                    table = await system.producer("status", "--json")
                    return len(json.loads(table)["streamers"]) == len(shown) + 1

                await until(written)
                printed = [await system.producer("status"), await system.producer("status", "--json")]
                bugs = [
                    await metric(worker, f'tiktok_live_bugs_total{{place="{place}"}}')
                    for place in ("other", "session", "webcast.room", "webcast.connection", "gift_lists")
                ]
                await worker.end(signal.SIGTERM)
            log = (tmp_path / "worker.log").read_bytes()

        assert raw(log) == []
        assert [raw(each.encode()) for each in printed] == [[], []]
        lines = log.decode().replace("\\\\", "\\").split("\n")  # JSON doubles them
        assert [
            name for name, words in shown.items() if not any(name in line and words in line for line in lines)
        ] == []
        assert any("gift list not fetched" in line and TITLE in line for line in lines)
        assert sum(bugs) == 0

    asyncio.run(main())


# --------------------------------------------------------------------------------------------------- the shared list


def produced(*arguments: str, environ: Mapping[str, str], given: bytes = b"") -> tuple[int, bytes]:
    """A command's exit status and all that it prints."""
    done = subprocess.run(
        [sys.executable, "-m", "producer", *arguments],
        env={**without_settings(os.environ), **environ},
        input=given,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=HANGS_SECONDS,
        check=False,
    )
    return done.returncode, done.stdout


KEY = HOSTILE.encode("utf-8", "surrogatepass")
ROWS = (
    (b"ann", b'{"priority": 3}'),
    (b"bo", json.dumps({"enabled": HOSTILE, "priority": HOSTILE, "weight": HOSTILE}).encode()),
    (b"cai", json.dumps({HOSTILE: HOSTILE}).encode()),
    (b"dua", KEY),
    (KEY, b"{}"),
    (HOSTILE.replace("\ud800", "").encode(), b"{}"),
)
"""Two of them are rows; of the others nothing can be used."""


def test_what_somebody_wrote_to_the_list_moves_no_cursor(kafka: Kafka) -> None:
    prefix = next(prefixes)
    environ = {
        "PRODUCER_UPSTREAM": "http://127.0.0.1:9",
        "PRODUCER_KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "PRODUCER_TOPIC_PREFIX": prefix,
        "PRODUCER_TOPIC_PARTITIONS": "1",
        "PRODUCER_TOPIC_REPLICATION_FACTOR": "1",
        "PRODUCER_ASSIGNMENT_SLOTS": "1",
    }
    status, made = produced("topics", "apply", environ=environ)
    assert status == 0, made

    async def plant() -> None:
        async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap_servers) as producer:
            for key, value in ROWS:
                await producer.send_and_wait(f"{prefix}.assignments", value, key, partition=0)

    asyncio.run(plant())

    said = {
        arguments: produced(*arguments, environ=environ, given=b"ann\nerik\n")
        for arguments in (
            ("assign", "list"),
            ("assign", "export"),
            ("assign", "apply", "-", "--dry-run"),
            ("assign", "remove", HOSTILE.replace("\x00", "").replace("\ud800", "\udcff")),
            ("check",),
            ("topics", "plan"),
        )
    }

    assert {arguments: raw(printed) for arguments, (_, printed) in said.items() if raw(printed)} == {}
    assert b"ann,true,3,1.0" in said["assign", "list"][1]
    assert b"+ erik" in said["assign", "apply", "-", "--dry-run"][1]
    assert b"records that cannot be used: 4, the first in partition 0 at offset 1" in said[("check",)][1]
