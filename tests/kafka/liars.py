"""Two that answer batches of partition 0 with an error: our proxy before a real Kafka, and kfaked, which is no Kafka.

kfaked is franz-go's fake cluster with a control over HTTP. It is nobody's package, so it has to be named: KFAKED.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

import httpx

from producer.local.processes import free_ports
from tests.kafka.proxy import Fault, Proxy

KFAKED = os.environ.get("KFAKED")
NAMES = {"NOT_LEADER_OR_FOLLOWER": "NOT_LEADER_FOR_PARTITION"}
"""What kfaked calls by another name than Kafka 4.3.1."""


class Lie(Protocol):
    """An error that lasts."""

    async def fired(self) -> int:
        """How many batches were answered with it."""

    async def lift(self) -> None:
        """End it."""


class Liar(Protocol):
    """A Kafka whose answers can be spoilt."""

    address: str

    async def lie(self, topic: str, error: str) -> Lie:
        """Answer the batches of the topic's partition 0 with an error from now on."""


class _Proxied:
    def __init__(self, fault: Fault) -> None:
        self._fault = fault

    async def fired(self) -> int:
        return self._fault.fired

    async def lift(self) -> None:
        self._fault.lift()


class ByProxy:
    """The proxy: the broker never sees those batches, but for the one error that says it has them."""

    def __init__(self, proxy: Proxy) -> None:
        self.address = proxy.address
        self._proxy = proxy

    async def lie(self, topic: str, error: str) -> Lie:
        # A broker that speaks of a duplicate has the batch, and aiokafka takes that for an acknowledgement.
        strike = self._proxy.deny if error == "DUPLICATE_SEQUENCE_NUMBER" else self._proxy.refuse
        return _Proxied(strike(topic, 0, error))


class _Controlled:
    def __init__(self, control: httpx.AsyncClient, number: str) -> None:
        self._control = control
        self._path = f"/fault/{number}"

    async def fired(self) -> int:
        return int((await self._control.get(self._path)).raise_for_status().text)

    async def lift(self) -> None:
        (await self._control.delete(self._path)).raise_for_status()


class ByKfaked:
    """kfaked, by its control."""

    def __init__(self, address: str, control: httpx.AsyncClient) -> None:
        self.address = address
        self._control = control

    async def lie(self, topic: str, error: str) -> Lie:
        asked = {"key": "Produce", "topic": topic, "partition": "0", "error": NAMES.get(error, error), "count": "-1"}
        answer = await self._control.post("/fault", params=asked)
        return _Controlled(self._control, answer.raise_for_status().text.strip())


@asynccontextmanager
async def kfaked(folder: Path) -> AsyncIterator[ByKfaked]:
    """Run one kfaked, which keeps everything in memory."""
    assert KFAKED is not None
    port, control_port = free_ports(2)
    with (folder / "kfaked.log").open("wb") as log:
        child = await asyncio.create_subprocess_exec(
            KFAKED,
            "-ports",
            str(port),
            "-control",
            f"127.0.0.1:{control_port}",
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
        )
    try:
        assert child.stdout is not None
        assert (await child.stdout.readline()).startswith(b"ready")
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{control_port}") as control:
            yield ByKfaked(f"127.0.0.1:{port}", control)
    finally:
        child.terminate()
        await child.wait()
