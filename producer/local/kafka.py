"""Apache Kafka itself on this machine: one or more brokers in a folder, from pip alone."""

import asyncio
import base64
import uuid
import zipfile
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from aiokafka.conn import create_conn
from aiokafka.errors import KafkaError
from aiokafka.protocol.metadata import MetadataRequest

from producer.local.aot import learned
from producer.local.processes import LocalFailure, Process, free_ports, opened, output_of, until
from producer.local.repository import Announce, jars, silence

JARS = (
    "org.apache.kafka:kafka_2.13:4.3.1",
    "org.apache.kafka:kafka-tools:4.3.1",
    "org.slf4j:slf4j-simple:1.7.36",
)
JAVA_OPTIONS = ("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",)
HEAP = "-Xmx512m"
PROPERTIES = "server.properties"
READY_SECONDS = 180.0
"""How long brokers may say nothing: an idle machine needs three, and a broker that dies ends the wait at once."""
LESSON_SECONDS = 300.0
"""How long a broker may take to end that writes down what Java has learned of it: ten seconds on an idle machine."""
ASK_MILLISECONDS = 2_000
TOOL_SECONDS = 180.0


@dataclass(frozen=True, slots=True)
class Node:
    """One broker that is a controller as well."""

    number: int
    folder: Path
    port: int
    controller_port: int
    further_ports: Mapping[str, int]
    """By listener."""


class Kafka:
    """Brokers numbered from 1, each a controller as well. What they store stays in `folder` for next time."""

    def __init__(
        self,
        folder: Path,
        brokers: int = 1,
        *,
        properties: Mapping[str, str] | None = None,
        listeners: Mapping[str, str] | None = None,
        announce: Announce = silence,
    ) -> None:
        """`listeners` are further ones, by name, each with its security protocol; `properties` set them up."""
        self._folder = folder.absolute()
        self._announce = announce
        self._brokers = brokers
        self._properties = dict(properties or {})
        self._listeners = dict(listeners or {})
        self._class_path: tuple[Path, ...] = ()
        self._learned: tuple[str, ...] = ()
        self._lesson: tuple[str, ...] = ()
        self._cluster_id = ""
        self._nodes: dict[int, Node] = {}
        self._processes: dict[int, Process] = {}

    @property
    def bootstrap_servers(self) -> str:
        """The brokers' addresses, stopped ones too, as every client takes them."""
        return ",".join(f"127.0.0.1:{node.port}" for node in self._nodes.values())

    def listener(self, name: str) -> str:
        """The brokers' addresses at a further listener."""
        return ",".join(f"localhost:{node.further_ports[name]}" for node in self._nodes.values())

    @property
    def version(self) -> str:
        """What Kafka's own jar says it is."""
        [clients] = (jar for jar in self._class_path if jar.name.startswith("kafka-clients-"))
        with zipfile.ZipFile(clients) as content:
            lines = content.read("kafka/kafka-version.properties").decode().splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)["version"]

    async def __aenter__(self) -> Self:
        self._class_path = await jars(*JARS, announce=self._announce)
        self._learned = await learned(self._class_path, self._teach)
        await opened(self._open, self._close)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close()

    def check(self) -> None:
        """Raise LocalFailure if a broker has ended that was neither stopped nor killed."""
        for process in self._processes.values():
            process.check()

    async def start(self, node: int) -> None:
        """Start a stopped or killed broker with its port and its data, and wait until all that run know it.

        Without a quorum that is never: start as many at once as make one. Raises LocalFailure.
        """
        if node in self._processes:
            raise LocalFailure(f"Kafka broker {node} was neither stopped nor killed")
        await self._spawn(self._nodes[node])
        await self._settled()

    async def stop(self, node: int) -> None:
        """Shut a broker down in order: it hands over what it leads, where another is there to take it."""
        await self._released(node).stop()

    async def kill(self, node: int) -> None:
        """Kill a broker where it stands."""
        await self._released(node).kill()

    async def tool(self, main_class: str, *arguments: str, timeout_seconds: float = TOOL_SECONDS) -> str:
        """Run one of Kafka's command line tools and give its stdout. Raises LocalFailure with its stderr."""
        return await output_of(
            *(*JAVA_OPTIONS, *self._learned),
            main_class,
            *arguments,
            folder=self._folder,
            class_path=self._class_path,
            timeout_seconds=timeout_seconds,
        )

    async def _open(self) -> None:
        self._cluster_id = _cluster_id(self._folder)
        self._nodes = _nodes(self._folder, self._brokers, self._listeners)
        for node in self._nodes.values():
            _write_properties(node, fellows=self._nodes.values(), listeners=self._listeners, extra=self._properties)
            await self._spawn(node)
        await self._settled()

    async def _teach(self, folder: Path, option: str) -> None:
        """Run one broker until it is ready, and let it end."""
        pupil = Kafka(folder)
        pupil._class_path, pupil._lesson = self._class_path, (option,)
        await opened(pupil._open, pupil._close)
        await pupil._close(patience_seconds=LESSON_SECONDS)

    async def _close(self, *, patience_seconds: float | None = None) -> None:
        processes = list(self._processes.values())
        self._processes.clear()
        # All at once: brokers stopped in turn would wait for a quorum that is no more.
        async with asyncio.TaskGroup() as stopping:
            for process in processes:
                stopping.create_task(process.stop(patience_seconds=patience_seconds))

    async def _spawn(self, node: Node) -> None:
        if not (node.folder / "data" / "meta.properties").exists():
            await output_of(
                *(*JAVA_OPTIONS, *self._learned, "kafka.tools.StorageTool", "format"),
                *("--cluster-id", self._cluster_id, "--config", PROPERTIES),
                folder=node.folder,
                class_path=self._class_path,
                timeout_seconds=TOOL_SECONDS,
            )
        self._processes[node.number] = await Process.start(
            f"Kafka broker {node.number}",
            *(HEAP, *JAVA_OPTIONS, *self._learned, *self._lesson, "kafka.Kafka", PROPERTIES),
            folder=node.folder,
            class_path=self._class_path,
        )

    def _released(self, node: int) -> Process:
        try:
            return self._processes.pop(node)
        except KeyError:
            raise LocalFailure(f"Kafka broker {node} is not running") from None

    async def _settled(self) -> None:
        await until(self._agreed, of=self._processes.values(), timeout_seconds=READY_SECONDS)

    async def _agreed(self) -> bool:
        """Ask each running broker whether it knows all that run."""
        running = set(self._processes)
        known = await asyncio.gather(*(self._known_to(self._nodes[node]) for node in running))
        return all(running <= brokers for brokers in known)

    async def _known_to(self, node: Node) -> set[int]:
        """Ask one broker which brokers it knows: none while it does not answer."""
        try:
            # Not a whole client: that one logs an error where nobody listens, and at first nobody does.
            connection = await create_conn("127.0.0.1", node.port, request_timeout_ms=ASK_MILLISECONDS)
        except (OSError, KafkaError):
            return set()
        try:
            metadata = await connection.send(MetadataRequest([]))
        except (OSError, KafkaError):
            return set()
        finally:
            await connection.close()
        # Another's broker, if it took our port before ours could.
        if metadata.cluster_id != self._cluster_id:
            return set()
        return {number for number, *_ in metadata.brokers}


def _nodes(folder: Path, count: int, listeners: Iterable[str]) -> dict[int, Node]:
    names = list(listeners)
    ports = iter(free_ports((2 + len(names)) * count))
    return {
        number: Node(
            number, folder / f"kafka-{number}", next(ports), next(ports), {name: next(ports) for name in names}
        )
        for number in range(1, count + 1)
    }


def _cluster_id(folder: Path) -> str:
    """Give the cluster in this folder its id, once: brokers refuse data of another cluster."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "cluster-id"
    if not file.exists():
        # A leading dash would be an option to Kafka's tools.
        file.write_text("K" + base64.urlsafe_b64encode(uuid.uuid4().bytes).decode()[1:22])
    return file.read_text()


def _write_properties(
    node: Node, *, fellows: Collection[Node], listeners: Mapping[str, str], extra: Mapping[str, str]
) -> None:
    addresses = [f"PLAINTEXT://127.0.0.1:{node.port}"]
    addresses += [f"{name}://localhost:{port}" for name, port in node.further_ports.items()]
    protocols = {"PLAINTEXT": "PLAINTEXT", "CONTROLLER": "PLAINTEXT", **listeners}
    voters = ",".join(f"{fellow.number}@127.0.0.1:{fellow.controller_port}" for fellow in fellows)
    replicas = str(min(3, len(fellows)))
    in_sync = str(min(2, len(fellows)))
    properties = {
        "process.roles": "broker,controller",
        "node.id": str(node.number),
        "listeners": ",".join([*addresses, f"CONTROLLER://127.0.0.1:{node.controller_port}"]),
        "advertised.listeners": ",".join(addresses),
        "listener.security.protocol.map": ",".join(f"{name}:{protocol}" for name, protocol in protocols.items()),
        "controller.listener.names": "CONTROLLER",
        "controller.quorum.voters": voters,
        # Relative to the broker's own folder: Java reads a properties file as Latin-1, and paths are not.
        "log.dirs": "data",
        "offsets.topic.num.partitions": "4",
        "offsets.topic.replication.factor": replicas,
        "transaction.state.log.num.partitions": "4",
        "transaction.state.log.replication.factor": replicas,
        "transaction.state.log.min.isr": in_sync,
        "share.coordinator.state.topic.num.partitions": "4",
        "share.coordinator.state.topic.replication.factor": replicas,
        "share.coordinator.state.topic.min.isr": in_sync,
        "auto.create.topics.enable": "false",
        "group.initial.rebalance.delay.ms": "0",
        # A killed broker counts as alive until its session ends, nine seconds by default. Until then nobody
        # takes over what it led, and it is not let in again itself.
        "broker.session.timeout.ms": "3000",
        "broker.heartbeat.interval.ms": "500",
    }
    node.folder.mkdir(parents=True, exist_ok=True)
    lines = [f"{name}={value}\n" for name, value in (properties | dict(extra)).items()]
    (node.folder / PROPERTIES).write_text("".join(lines))
