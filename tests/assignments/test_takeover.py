"""Worker processes on one claims folder: one is killed, and the others take over; TAKEOVER_STREAMERS says how many."""

import os
import selectors
import signal
import subprocess
import sys
import time
from pathlib import Path

STREAMERS = int(os.environ.get("TAKEOVER_STREAMERS", "40"))
WORKERS = 4
WORKER = """
import asyncio, sys
from pathlib import Path
from producer.assignments.file import FileAssignments

async def main():
    folder = Path(sys.argv[1])
    async with FileAssignments(folder / "list", folder / "claims", worker=sys.argv[2], max_streams=100_000) as source:
        before = frozenset()
        async for held in source.changes():
            for streamer in before - held:
                await source.release(streamer)
            before = held
            print("held", len(held), flush=True)

asyncio.run(main())
"""


class Fleet:
    """Worker processes, each with the number of streamers that it said last it holds."""

    def __init__(self, folder: Path) -> None:
        # Unbuffered: a line in a buffer makes nothing readable.
        self._processes = {
            name: subprocess.Popen([sys.executable, "-c", WORKER, str(folder), name], stdout=subprocess.PIPE, bufsize=0)
            for name in (f"worker{number}" for number in range(WORKERS))
        }
        self.held: dict[str, int] = {}
        self._outputs = selectors.DefaultSelector()
        for name, process in self._processes.items():
            assert process.stdout is not None
            self._outputs.register(process.stdout, selectors.EVENT_READ, name)

    def follow(self, *, until: int, workers: int) -> None:
        """Read what they say until they hold so many."""
        while len(self.held) < workers or sum(self.held.values()) != until:
            readable = self._outputs.select(60)
            assert readable, f"they hold {self.held}"
            for key, _ in readable:
                line = key.fileobj.readline()  # type: ignore[union-attr]
                assert line, f"{key.data} ended"
                if line.startswith(b"held "):
                    self.held[key.data] = int(line.split()[1])

    def kill(self, name: str) -> int:
        """End one with SIGKILL; say how many it held."""
        process = self._processes.pop(name)
        assert process.stdout is not None
        self._outputs.unregister(process.stdout)
        process.kill()
        process.communicate()
        return self.held.pop(name)

    def close(self) -> None:
        self._outputs.close()
        for process in self._processes.values():
            process.send_signal(signal.SIGKILL)
            process.communicate()


def test_what_a_killed_worker_held_is_shared_by_the_others(tmp_path: Path) -> None:
    path = tmp_path / "list"
    path.touch()
    fleet = Fleet(tmp_path)
    try:
        fleet.follow(until=0, workers=WORKERS)
        (tmp_path / "fresh").write_text("\n".join(f"s{number:05}" for number in range(STREAMERS)))
        (tmp_path / "fresh").replace(path)
        fleet.follow(until=STREAMERS, workers=WORKERS)
        shares = set(fleet.held.values())
        gone = fleet.kill("worker0")
        killed = time.monotonic()
        fleet.follow(until=STREAMERS, workers=WORKERS - 1)
        print(f"{gone} of {STREAMERS} streamers were taken over within {time.monotonic() - killed:.2f} s")
    finally:
        fleet.close()

    assert shares == {STREAMERS // WORKERS}
    assert max(fleet.held.values()) == -(-STREAMERS // (WORKERS - 1))
