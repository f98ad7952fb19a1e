"""The product's own programs as child processes: started through its command line, as an operator starts them."""

import asyncio
import json
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx

from producer.local.leash import leashed
from producer.local.processes import LocalFailure

STEP_SECONDS = 180.0
"""What takes longer hangs, however busy the machine is: an end for what would have none."""


class Program:
    """One of the product's own processes, its output in a file. Leaving its context makes sure that it has ended."""

    def __init__(self, name: str, arguments: tuple[str, ...], environ: Mapping[str, str], log: Path) -> None:
        self.name = name
        self._arguments = arguments
        self._environ = dict(environ)
        self._log = log
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> "Program":
        with self._log.open("wb") as output:
            self._process = await asyncio.create_subprocess_exec(
                *leashed(sys.executable, "-m", "producer", *self._arguments),
                env=self._environ,
                stdout=output,
                stderr=output,
                start_new_session=True,  # the terminal's Ctrl-C is ours to hand on, in our order
            )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.end(signal.SIGKILL)

    @property
    def ended(self) -> bool:
        return self._process is None or self._process.returncode is not None

    def send(self, number: signal.Signals) -> None:
        """Send a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    async def end(self, number: signal.Signals) -> int:
        """Send a signal, unless it has ended; wait for the end; return its exit status."""
        assert self._process is not None
        with suppress(ProcessLookupError):
            if self._process.returncode is None:
                self._process.send_signal(number)
        async with asyncio.timeout(STEP_SECONDS):
            return await self._process.wait()

    def check(self) -> None:
        """Raise LocalFailure with the end of its output if it has ended."""
        if self.ended:
            raise LocalFailure(f"{self.name} ended; its log is {self._log}", self.output()[-2000:])

    async def line_with(self, text: str) -> str:
        """Wait for a line of its output that has `text` in it."""
        async with asyncio.timeout(STEP_SECONDS):
            while True:
                for line in self.output().splitlines():
                    if text in line:
                        return line
                self.check()
                await asyncio.sleep(0.05)

    def output(self) -> str:
        return self._log.read_text("utf-8", "replace")


class Worker(Program):
    """A worker, asked through its own HTTP surface."""

    def __init__(self, name: str, port: int, environ: Mapping[str, str], folder: Path) -> None:
        own = {"PRODUCER_WORKER_NAME": name, "PRODUCER_HTTP_PORT": str(port)}
        super().__init__(name, ("run",), own | dict(environ), folder / f"{name}.log")
        self.url = f"http://127.0.0.1:{port}"

    async def __aenter__(self) -> "Worker":
        await super().__aenter__()
        return self

    async def status(self, *, timeout_seconds: float = STEP_SECONDS) -> dict[str, Any] | None:
        """What it says of itself, or None while nobody listens, or where the answer takes too long."""
        try:
            # Nothing here speaks TLS: to read all authorities' certificates would cost more than the rest of it.
            async with httpx.AsyncClient(trust_env=False, verify=False, timeout=timeout_seconds) as client:
                answer = await client.get(f"{self.url}/status")
            return dict(answer.json())
        except (httpx.HTTPError, ValueError):
            return None

    def ledger(self) -> dict[str, Any]:
        """The account that it logged last."""
        for line in reversed(self.output().splitlines()):
            with suppress(ValueError):
                entry = json.loads(line)
                if entry.get("event") == "stopped" and "received" in entry:
                    return dict(entry)
        return {}


def without_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """An environment without anybody's settings of the producer."""
    return {name: value for name, value in environ.items() if not name.startswith("PRODUCER_")}


async def command(*arguments: str, environ: Mapping[str, str]) -> str:
    """Run one of the product's commands to its end; return what it printed. Raises LocalFailure with that."""
    process = await asyncio.create_subprocess_exec(
        *leashed(sys.executable, "-m", "producer", *arguments),
        env=dict(environ),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
    if process.returncode != 0:
        raise LocalFailure(f"producer {' '.join(arguments)} failed: {output.decode().strip()}")
    return output.decode()
