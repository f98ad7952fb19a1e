"""producer.status.feed: a board, and a real Kafka that others write to, and that goes away."""

import asyncio
import json
import os
import pty
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from itertools import count
from pathlib import Path

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from producer.assignments.catalogue import Catalogue
from producer.assignments.claims import Streamer, Wanted
from producer.assignments.lists import difference
from producer.assignments.table import Status, encode_status
from producer.local.kafka import Kafka
from producer.status.board import Board
from producer.status.feed import Feed
from tests.kafka.doors import make_topics, until

ANN = Streamer("ann")
GROUP = "readers"
prefixes = (f"watched{number}" for number in count())


async def fed(kafka: Kafka, act: Callable[[Board, Catalogue, str], Awaitable[None]]) -> None:
    """A board that is fed from topics of its own, while something is done."""
    prefix = next(prefixes)
    the_list, statuses, gifts = f"{prefix}.assignments", f"{prefix}.assignment-status", f"{prefix}.gift.v1"
    await make_topics(kafka.bootstrap_servers, {the_list: 4, statuses: 1, gifts: 2})

    def options() -> dict[str, str]:
        return {"bootstrap_servers": kafka.bootstrap_servers}

    catalogue = Catalogue(options, list_topic=the_list, status_topic=statuses)
    board = Board(groups=[GROUP])
    feeding = asyncio.create_task(Feed(board, catalogue, options, [gifts, f"{prefix}.never.v1"]).run())
    try:
        async with asyncio.timeout(120):
            await act(board, catalogue, prefix)
    finally:
        feeding.cancel()
        with suppress(asyncio.CancelledError):
            await feeding


async def write(kafka: Kafka, topic: str, *records: tuple[bytes, bytes], partition: int = 0) -> None:
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap_servers) as producer:
        for key, value in records:
            await producer.send_and_wait(topic, value, key, partition=partition)


def test_what_others_write_is_on_the_board(kafka: Kafka) -> None:
    async def act(board: Board, catalogue: Catalogue, prefix: str) -> None:
        await until(lambda: board.heard is not None)
        await until(lambda: bool(board.topics()))
        assert board.topics()[0].cells["end"].text == "0"

        await catalogue.edit(difference({}, [Wanted(ANN, priority=3)]))
        status = Status("worker-1", 2, "connected", 1_700_000_000_000, room_id="7300")
        await write(kafka, f"{prefix}.assignment-status", (b"ann", encode_status(status)))
        for number in range(2):
            await write(kafka, f"{prefix}.gift.v1", *[(b"ann", b"x")] * 5, partition=number)
        async with AIOKafkaConsumer(
            bootstrap_servers=kafka.bootstrap_servers, group_id=GROUP, enable_auto_commit=False
        ) as consumer:
            consumer.assign([TopicPartition(f"{prefix}.gift.v1", 0)])
            await consumer.commit({TopicPartition(f"{prefix}.gift.v1", 0): 2})

        await until(lambda: board.said.get(ANN) == status)
        await until(lambda: ANN in board.wanted)

        def lag() -> str:
            return next(row.cells[f"lag of {GROUP}"].text for row in board.topics())

        await until(lambda: lag() == "3")
        [row] = board.topics()  # a topic that is not there has no row, and none is made by asking
        assert row.cells["end"].text == "10"
        assert row.cells["partitions"].text == "2"

    asyncio.run(fed(kafka, act))


def test_a_kafka_that_goes_away_is_said_and_comes_back(tmp_path: Path) -> None:
    async def main() -> None:
        async with Kafka(tmp_path / "kafka") as kafka:

            async def act(board: Board, catalogue: Catalogue, prefix: str) -> None:
                await until(lambda: board.heard is not None)

                await kafka.kill(1)
                await until(lambda: board.away is not None)
                went = time.time()

                await kafka.start(1)
                await until(lambda: board.away is None)
                assert board.heard is not None and board.heard > went

            await fed(kafka, act)

    asyncio.run(main())


def test_what_somebody_wrote_to_the_topic_moves_no_cursor(kafka: Kafka) -> None:
    prefix = next(prefixes)
    topics = {f"{prefix}.assignments": 4, f"{prefix}.assignment-status": 1}
    hostile = dict.fromkeys(
        ("worker", "state", "room_id", "error"), "a\x1b[2J\x1b]0;x\x07\x9b31m\r\u202e\x00b\ud800\x7f[red]"
    )
    status = json.dumps(hostile | {"generation": 1, "since": 1})

    async def prepare() -> None:
        await make_topics(kafka.bootstrap_servers, topics)
        records = [
            (b"ann", status.encode()),
            (b"bo\x1b[2J\x00\r\xed\xa0\x80\xe2\x80\xae", b"{}"),
            (b"cai", b"\x1b]0;x\x07"),
            (b"dua", b"[" * 9_000),
            (b"poke:\x1b[2J", b"{}"),
            (b"poke:ann", b'{"at":1}'),
        ]
        await write(kafka, f"{prefix}.assignment-status", *records)

    asyncio.run(prepare())
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PRODUCER_")} | {
        "COLUMNS": "300",
        "PRODUCER_KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "PRODUCER_TOPIC_PREFIX": prefix,
        "PRODUCER_UPSTREAM": "http://127.0.0.1:1",
    }
    for options in ([], ["--json"], ["--why", "@Ann"], ["--why", "ann", "--json"]):
        done = subprocess.run(
            [sys.executable, "-m", "producer", "status", *options],
            env=environ,
            capture_output=True,
            timeout=120,
            check=True,
        )

        lines = [line for out in (done.stdout, done.stderr) for line in out.decode().split("\n")]
        assert [line for line in lines if not line.isprintable()] == []
        assert "ann" in done.stdout.decode()
        assert done.stderr.decode().count("record not used") == 4

    for name, refusal in (("bo", "bo is not on the list, and no worker says anything of it"), ("\x1b[2J", "unique id")):
        unknown = subprocess.run(
            [sys.executable, "-m", "producer", "status", "--why", name],
            env=environ,
            capture_output=True,
            timeout=120,
            check=False,
        )
        [line] = [line for line in unknown.stderr.decode().splitlines() if line.startswith("producer: ")]
        assert unknown.returncode == 1
        assert refusal in line and line.isprintable()


def test_the_command_takes_the_terminal_and_gives_it_back(kafka: Kafka) -> None:
    prefix = next(prefixes)
    asyncio.run(make_topics(kafka.bootstrap_servers, {f"{prefix}.assignments": 4, f"{prefix}.assignment-status": 1}))
    environ = {
        "TERM": "xterm-256color",
        "PRODUCER_KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "PRODUCER_TOPIC_PREFIX": prefix,
        "PRODUCER_UPSTREAM": "http://127.0.0.1:1",
    }
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "producer", "status", "--watch"]
    process = subprocess.Popen(command, env=environ, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    try:
        drawn = b""
        while b"0 streamers" not in drawn:
            drawn += os.read(ours, 65536)  # ends with an error where the command has ended
        os.write(ours, b"q")
        with suppress(OSError):
            while os.read(ours, 65536):
                pass
        assert process.wait(timeout=120) == 0
    finally:
        process.kill()
        process.wait()
        os.close(ours)
