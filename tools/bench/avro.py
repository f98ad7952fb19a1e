"""Payload to Avro inside a subject's own process, which needs no Kafka."""

import asyncio
import json
import pickle
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from tests.system.stage import FIRST_ROOM
from tools.bench import corpus
from tools.bench.field import Place
from tools.bench.subject import Subject


class Inside:
    """A subject's own process for what needs no Kafka. Use `open`."""

    def __init__(self, process: asyncio.subprocess.Process, said: Mapping[str, object]) -> None:
        self._process = process
        self.sha256 = str(said["sha256"])
        self.is_equal = bool(said["equal"])
        """Whether fastavro wrote the same bytes."""

    @classmethod
    @asynccontextmanager
    async def open(cls, subject: Subject, place: Place, *, count: int) -> AsyncIterator["Inside"]:
        """Start it with so many messages."""
        stream = corpus.stream(place.seed, FIRST_ROOM)
        file = place.folder / "messages.pickle"
        several = [next(stream) for _ in range(count)]
        file.write_bytes(pickle.dumps([(each.number, each.method, each.payload) for each in several]))
        process = await asyncio.create_subprocess_exec(
            *(
                "taskset",
                "-c",
                str(place.core),
                str(subject.python),
                str(Path(__file__).with_name("inside.py")),
                str(file),
            ),
            cwd=subject.root,
            env={"PYTHONPATH": str(subject.root), "PATH": "/usr/bin:/bin"},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None and process.stdin is not None
        try:
            yield cls(process, json.loads(await process.stdout.readline()))
        finally:
            process.stdin.close()
            await process.wait()

    async def round(self) -> dict[str, float]:
        """µs of CPU a message: by the subject, and with fastavro in its writers' place."""
        assert self._process.stdout is not None and self._process.stdin is not None
        self._process.stdin.write(b"\n")
        said = json.loads(await self._process.stdout.readline())
        return {"µs payload to Avro": said["own"], "µs payload to Avro by fastavro": said["fastavro"]}
