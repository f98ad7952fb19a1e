"""A worker's process as the system and the instrument `turns` see it."""

import json
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from producer.local.programs import Worker
from tests.system.harness import until

INSTRUMENTS = Path(__file__).parent / "instruments"


def environ(turns: Path, **more: str) -> Mapping[str, str]:
    """What a worker is started with so that the instrument writes to this file."""
    return {"PYTHONPATH": str(INSTRUMENTS / "turns"), "TURNS": str(turns), **more}


class Watched:
    """A worker's process, as the system and the instrument see it."""

    def __init__(self, worker: Worker, turns: Path) -> None:
        self._worker = worker
        self._turns = turns
        self._forgotten = 0

    def said(self) -> dict[str, Any]:
        return dict(json.loads(self._turns.read_text()))

    @property
    def process(self) -> Path:
        return Path("/proc", str(self.said()["pid"]))

    async def forget(self) -> int:
        """Begin anew, with the turns and with the memory; give what is resident, in KiB."""
        self._forgotten += 1
        self._worker.send(signal.SIGUSR1)

        async def done() -> bool:
            return bool(self.said()["forgotten"] == self._forgotten)

        await until(done)
        (self.process / "clear_refs").write_text("5")  # the peak is what is resident now (proc(5))
        return self.peak()

    def longest_ms(self) -> float:
        """The longest turn since."""
        return float(self.said()["longest_ms"])

    def peak(self) -> int:
        lines = (self.process / "status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
