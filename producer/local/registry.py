"""Apicurio Registry on this machine, from pip alone: the Confluent schema registry API."""

from pathlib import Path
from types import TracebackType
from typing import Self

import httpx
from jgo.parse import Coordinate

from producer.local.processes import LocalFailure, Process, free_ports, opened, until
from producer.local.repository import Announce, silence, unpacked

ARCHIVE = Coordinate(
    groupId="io.apicurio",
    artifactId="apicurio-registry-app",
    version="3.3.3",
    classifier="all",
    packaging="tar.gz",
)
HEAP = ("-Xms64m", "-Xmx160m")
READY_SECONDS = 180.0
"""How long it may say nothing: an idle machine needs four, and a registry that dies ends the wait at once."""
ASK_SECONDS = 2.0


class Registry:
    """A registry of one's own: no subjects, and compatibility unset, which to Apicurio is NONE.

    Its schemas stay in `folder` when the context is left, and are found there next time.
    """

    def __init__(self, folder: Path, *, announce: Announce = silence) -> None:
        self._folder = folder.absolute() / "registry"
        self._announce = announce
        self._archive = Path()
        self._port = 0
        self._management_port = 0
        self._process: Process | None = None
        self.version = ""
        """What the registry says it is, once it has answered."""

    @property
    def url(self) -> str:
        """The base of the Confluent API, as its clients take it."""
        return f"http://127.0.0.1:{self._port}/apis/ccompat/v7"

    async def __aenter__(self) -> Self:
        self._archive = await unpacked(ARCHIVE, announce=self._announce)
        await opened(self._open, self._close)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close()

    def check(self) -> None:
        """Raise LocalFailure if it has ended though it was neither stopped nor killed."""
        if self._process is not None:
            self._process.check()

    async def start(self) -> None:
        """Start it after a stop or a kill with its port and its schemas, and wait until it answers."""
        if self._process is not None:
            raise LocalFailure("the registry was neither stopped nor killed")
        # Apicurio's defaults that do not fit: it listens on all interfaces, and stops at a thousand subjects.
        properties = {
            "quarkus.http.host": "127.0.0.1",
            "quarkus.http.port": self._port,
            "quarkus.management.host": "127.0.0.1",
            "quarkus.management.port": self._management_port,
            "quarkus.http.access-log.enabled": "false",
            "quarkus.otel.sdk.disabled": "true",
            "apicurio.datasource.url": "jdbc:h2:file:./schemas;WRITE_DELAY=0",
            "apicurio.datasource.jdbc.initial-size": 2,
            "apicurio.datasource.jdbc.min-size": 2,
            "apicurio.datasource.jdbc.max-size": 10,
            "apicurio.ccompat.max-subjects": 100_000,
            "apicurio.rest.deletion.group.enabled": "true",
            "apicurio.rest.deletion.artifact.enabled": "true",
            "apicurio.rest.deletion.artifact-version.enabled": "true",
            "java.util.logging.manager": "org.jboss.logmanager.LogManager",
        }
        self._process = await Process.start(
            "schema registry",
            *HEAP,
            *(f"-D{name}={value}" for name, value in properties.items()),
            *("-jar", str(self._archive / "quarkus-run.jar")),
            folder=self._folder,
        )
        # Whatever proxy the environment names is not for a server on this machine.
        async with httpx.AsyncClient(timeout=ASK_SECONDS, trust_env=False, verify=False) as client:
            await until(lambda: self._answers(client), of=[self._process], timeout_seconds=READY_SECONDS)

    async def stop(self) -> None:
        """Shut it down in order."""
        await self._released().stop()

    async def kill(self) -> None:
        """Kill it where it stands."""
        await self._released().kill()

    async def _open(self) -> None:
        self._port, self._management_port = free_ports(2)
        await self.start()

    async def _close(self) -> None:
        if self._process is not None:
            await self.stop()

    def _released(self) -> Process:
        process, self._process = self._process, None
        if process is None:
            raise LocalFailure("the registry is not running")
        return process

    async def _answers(self, client: httpx.AsyncClient) -> bool:
        try:
            subjects = await client.get(f"{self.url}/subjects")
            about = await client.get(f"http://127.0.0.1:{self._port}/apis/registry/v3/system/info")
        except httpx.TransportError:
            return False
        if not (subjects.is_success and about.is_success):
            return False
        self.version = str(about.json()["version"])
        return True
