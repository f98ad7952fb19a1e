"""A liar between clients and one real broker: it reads just enough of Kafka's protocol to break a promise on command.

It runs in the loop of its test. Requests of one connection are answered one after another, as brokers do it. What it
does not lie about it forwards, except that metadata names the proxy as every broker's address, so that
clients stay with it; or, of several proxies, each as one broker of a cluster. Messages are read and written with
aiokafka's own structures, in the versions that aiokafka 0.14 speaks with Kafka 4.3.
"""

import asyncio
import struct
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Literal, Self

from aiokafka.protocol.admin import ApiVersionRequest_v0, CreateTopicsRequest_v3, DescribeConfigsRequest_v2
from aiokafka.protocol.metadata import MetadataRequest_v5
from aiokafka.protocol.produce import ProduceRequest_v7
from aiokafka.protocol.transaction import InitProducerIdRequest_v0

from producer.kafka.inquiry import MetadataStruct as MetadataRequest_v8

STRUCTURES: dict[int, tuple[Any, ...]] = {
    structures[0].API_KEY: structures
    for structures in (
        (ProduceRequest_v7,),
        (MetadataRequest_v5, MetadataRequest_v8),
        (InitProducerIdRequest_v0,),
        (ApiVersionRequest_v0,),
        (CreateTopicsRequest_v3,),
        (DescribeConfigsRequest_v2,),
    )
}

ERRORS = {
    "UNKNOWN_SERVER_ERROR": -1,
    "CORRUPT_MESSAGE": 2,
    "UNKNOWN_TOPIC_OR_PARTITION": 3,
    "LEADER_NOT_AVAILABLE": 5,
    "NOT_LEADER_OR_FOLLOWER": 6,
    "REQUEST_TIMED_OUT": 7,
    "MESSAGE_TOO_LARGE": 10,
    "NETWORK_EXCEPTION": 13,
    "INVALID_TOPIC_EXCEPTION": 17,
    "RECORD_LIST_TOO_LARGE": 18,
    "NOT_ENOUGH_REPLICAS": 19,
    "NOT_ENOUGH_REPLICAS_AFTER_APPEND": 20,
    "INVALID_REQUIRED_ACKS": 21,
    "TOPIC_AUTHORIZATION_FAILED": 29,
    "CLUSTER_AUTHORIZATION_FAILED": 31,
    "INVALID_TIMESTAMP": 32,
    "UNSUPPORTED_VERSION": 35,
    "INVALID_REQUEST": 42,
    "UNSUPPORTED_FOR_MESSAGE_FORMAT": 43,
    "POLICY_VIOLATION": 44,
    "OUT_OF_ORDER_SEQUENCE_NUMBER": 45,
    "DUPLICATE_SEQUENCE_NUMBER": 46,
    "INVALID_PRODUCER_EPOCH": 47,
    "INVALID_TXN_STATE": 48,
    "INVALID_PRODUCER_ID_MAPPING": 49,
    "CONCURRENT_TRANSACTIONS": 51,
    "TRANSACTIONAL_ID_AUTHORIZATION_FAILED": 53,
    "KAFKA_STORAGE_ERROR": 56,
    "UNKNOWN_PRODUCER_ID": 59,
    "UNSUPPORTED_COMPRESSION_TYPE": 76,
    "INVALID_RECORD": 87,
    "THROTTLING_QUOTA_EXCEEDED": 89,
    "PRODUCER_FENCED": 90,
    "UNKNOWN_TOPIC_ID": 100,
    "INCONSISTENT_TOPIC_ID": 103,
    "TRANSACTION_ABORTABLE": 120,
}
"""Numbers of errors by their names in Kafka 4.3.1 (org.apache.kafka.common.protocol.Errors)."""

Loss = Literal["swallowed", "cut"]


class Fault:
    """Something that is to go wrong, so many times or until it is lifted. It counts how often it did."""

    def __init__(self, times: int | None) -> None:
        self.fired = 0
        self._left = times
        self._changed = asyncio.Event()

    def strike(self) -> bool:
        """Whether it goes wrong this time."""
        if self._left == 0:
            return False
        if self._left is not None:
            self._left -= 1
        self.fired += 1
        self._changed.set()
        return True

    def lift(self) -> None:
        """Let it be right from now on."""
        self._left = 0

    async def met(self, times: int = 1) -> None:
        """Wait until it has gone wrong so often."""
        while self.fired < times:
            self._changed.clear()
            await self._changed.wait()


@dataclass(frozen=True, slots=True, eq=False)
class _Of:
    """A fault of one partition's Produce requests."""

    fault: Fault
    place: tuple[str, int]
    error: str | None = None
    stored: bool = False
    loss: Loss | None = None
    late_seconds: float = 0.0


class Proxy:
    """Use it as an async context manager; clients bootstrap from `address`."""

    def __init__(self, upstream: str) -> None:
        """`upstream` is the real broker's host:port."""
        host, _, port = upstream.partition(":")
        self._upstream = host, int(port)
        self._server: asyncio.Server | None = None
        self._port = 0
        self._connections: set[asyncio.StreamWriter] = set()
        self._handlers: set[asyncio.Task[None]] = set()
        self._of_produce: list[_Of] = []
        self._of_metadata: list[tuple[Fault, str | None, Callable[[Any], None]]] = []
        self._of_producer_id: list[tuple[Fault, str]] = []
        self._of_creation: list[tuple[Fault, str]] = []
        self._of_versions: list[Fault] = []
        self._of_configs: list[tuple[Fault, str]] = []
        self._brokers: Mapping[int, Proxy] = {}

    @property
    def address(self) -> str:
        """Where clients find it, host:port."""
        return f"127.0.0.1:{self._port}"

    async def __aenter__(self) -> Self:
        await self.come_up()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.go_down()

    async def come_up(self) -> None:
        """Listen: at the port of before, if there was one."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def go_down(self) -> None:
        """Refuse connections and break those that there are, as a broker that died."""
        if self._server is not None:
            self._server.close()
            self._server = None
        await self.disconnect()

    async def disconnect(self) -> None:
        """Break all connections; new ones are welcome."""
        handlers = list(self._handlers)
        for connection in list(self._connections):
            connection.transport.abort()
        for handler in handlers:
            handler.cancel()
        if handlers:
            await asyncio.wait(handlers)

    def refuse(self, topic: str, partition: int, error: str, *, times: int | None = None) -> Fault:
        """Answer batches of a partition with an error, in the broker's place: it never sees them."""
        return self._add(_Of(Fault(times), (topic, partition), error=error))

    def deny(self, topic: str, partition: int, error: str, *, times: int | None = None) -> Fault:
        """Let the broker store batches of a partition, and answer with an error all the same."""
        return self._add(_Of(Fault(times), (topic, partition), error=error, stored=True))

    def lose(self, topic: str, partition: int, loss: Loss, *, times: int | None = None) -> Fault:
        """Let the broker store batches of a partition, and keep its answer back.

        "swallowed": the connection stays, and says nothing any more. "cut": it breaks in the middle of the answer.
        """
        return self._add(_Of(Fault(times), (topic, partition), stored=True, loss=loss))

    def delay(self, topic: str, partition: int, seconds: float, *, times: int | None = None) -> Fault:
        """Let the broker store batches of a partition, and answer late."""
        return self._add(_Of(Fault(times), (topic, partition), stored=True, late_seconds=seconds))

    def without_leader(self, topic: str, partition: int, *, times: int | None = None) -> Fault:
        """Let metadata say that a partition has no leader."""

        def edit(answer: Any) -> None:
            _replace(
                answer, topic, partition, lambda found: (ERRORS["LEADER_NOT_AVAILABLE"], partition, -1, *found[3:])
            )

        return self._edit_metadata(topic, edit, times)

    def without_partition(self, topic: str, partition: int, *, times: int | None = None) -> Fault:
        """Let metadata leave a partition out, as a broker that has not heard of it yet."""
        return self._edit_metadata(topic, lambda answer: _replace(answer, topic, partition, lambda _: None), times)

    def misdirect(self, *, times: int | None = None) -> Fault:
        """Let metadata name an address at which nobody listens (port 1) as that of every broker."""

        def edit(answer: Any) -> None:
            answer.brokers = [(number, host, 1, *more) for number, host, _, *more in answer.brokers]

        return self._edit_metadata(None, edit, times)

    def stand_for(self, brokers: "Mapping[int, Proxy]") -> None:
        """Let metadata name these proxies as the brokers of the cluster, by their numbers."""
        self._brokers = brokers

    def without_topic(self, topic: str, *, times: int | None = None) -> Fault:
        """Let metadata say that there is no such topic, as a broker that has not heard of it yet."""

        def edit(answer: Any) -> None:
            answer.topics = [
                (ERRORS["UNKNOWN_TOPIC_OR_PARTITION"], name, internal, [], *more) if name == topic else row
                for row in answer.topics
                for _, name, internal, _, *more in [row]
            ]

        return self._edit_metadata(topic, edit, times)

    def without_configs(self, topic: str, *, times: int | None = None) -> Fault:
        """Answer questions after a topic's configuration with UNKNOWN_TOPIC_OR_PARTITION, as such a broker."""
        fault = Fault(times)
        self._of_configs.append((fault, topic))
        return fault

    def refuse_producer_id(self, error: str, *, times: int | None = None) -> Fault:
        """Answer InitProducerId with an error."""
        fault = Fault(times)
        self._of_producer_id.append((fault, error))
        return fault

    def refuse_creation(self, error: str, *, times: int | None = None) -> Fault:
        """Answer CreateTopics with an error, in the broker's place."""
        fault = Fault(times)
        self._of_creation.append((fault, error))
        return fault

    def outdate(self, *, times: int | None = None) -> Fault:
        """Let connections hear that Produce is spoken in version 99 only, as of a broker of a later age."""
        fault = Fault(times)
        self._of_versions.append(fault)
        return fault

    def _add(self, of: _Of) -> Fault:
        self._of_produce.append(of)
        return of.fault

    def _edit_metadata(self, topic: str | None, edit: Callable[[Any], None], times: int | None) -> Fault:
        fault = Fault(times)
        self._of_metadata.append((fault, topic, edit))
        return fault

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        handler = asyncio.current_task()
        assert handler is not None
        self._handlers.add(handler)
        self._connections.add(writer)
        try:
            # Cancelled by `disconnect`, which waits for us: it is our end, and nobody else's.
            with suppress(OSError, EOFError, asyncio.CancelledError):
                upstream_reader, upstream = await asyncio.open_connection(*self._upstream)
                self._connections.add(upstream)
                try:
                    await self._converse(reader, writer, lambda frame: _asked(upstream_reader, upstream, frame))
                finally:
                    self._connections.discard(upstream)
                    upstream.close()
        finally:
            self._connections.discard(writer)
            writer.close()
            self._handlers.discard(handler)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, ask: "Ask") -> None:
        while True:
            frame = await _frame(reader)
            key, version, correlation, client_bytes = struct.unpack_from(">hhih", frame)
            if key not in STRUCTURES:
                writer.write(_framed(await ask(frame)))
                continue
            structure = next((known for known in STRUCTURES[key] if version == known.API_VERSION), None)
            if structure is None:
                raise AssertionError(f"the proxy does not read request {key} in version {version}")
            head = 10 + max(0, client_bytes)
            request = structure.decode(BytesIO(frame[head:]))
            if structure is ProduceRequest_v7:
                answer = await self._produced(request, frame, head, ask, reader, writer)
            elif structure is InitProducerIdRequest_v0 and (error := _struck(self._of_producer_id)) is not None:
                answer = structure.RESPONSE_TYPE(0, ERRORS[error], -1, -1)
            elif structure is CreateTopicsRequest_v3 and (error := _struck(self._of_creation)) is not None:
                named = [(topic, ERRORS[error], None) for topic, *_ in request.create_topic_requests]
                answer = structure.RESPONSE_TYPE(0, named)
            else:
                answer = structure.RESPONSE_TYPE.decode(BytesIO((await ask(frame))[4:]))
            if key == MetadataRequest_v5.API_KEY:
                self._edit(answer)
            elif structure is DescribeConfigsRequest_v2:
                self._forget(answer)
            elif structure is ApiVersionRequest_v0:
                self._age(answer)
            writer.write(_framed(struct.pack(">i", correlation) + answer.encode()))
            await writer.drain()

    async def _produced(
        self,
        request: Any,
        frame: bytes,
        head: int,
        ask: "Ask",
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> Any:
        places = [(topic, partition) for topic, batches in request.topics for partition, _ in batches]
        struck = {place: of for place in places if (of := self._struck(place)) is not None}
        refused = {place for place, of in struck.items() if not of.stored}
        wanted = [
            (topic, [(partition, batch) for partition, batch in batches if (topic, partition) not in refused])
            for topic, batches in request.topics
        ]
        request.topics = [(topic, batches) for topic, batches in wanted if batches]
        if request.topics:
            reply = await ask(frame[:head] + request.encode())
            answer = request.RESPONSE_TYPE.decode(BytesIO(reply[4:]))
        else:
            answer = request.RESPONSE_TYPE([], 0)
        for of in struck.values():
            await asyncio.sleep(of.late_seconds)
            if of.loss == "cut":
                whole = _framed(reply[:4] + answer.encode())
                writer.write(whole[: len(whole) // 2])
                await writer.drain()
                raise EOFError("cut")
            if of.loss == "swallowed":
                while await reader.read(65_536):
                    pass
                raise EOFError("the client gave up waiting")
        answer.topics = [
            (topic, [(part, _code(struck.get((topic, part)), code), *more) for part, code, *more in parts])
            for topic, parts in answer.topics
        ]
        answer.topics += [
            (topic, [(part, _code(struck[topic, part], 0), -1, -1, -1)]) for topic, part in sorted(refused)
        ]
        return answer

    def _struck(self, place: tuple[str, int]) -> _Of | None:
        return next((of for of in self._of_produce if of.place == place and of.fault.strike()), None)

    def _edit(self, answer: Any) -> None:
        if self._brokers:
            [(_, _, _, *more)] = answer.brokers
            answer.brokers = [(number, "127.0.0.1", proxy._port, *more) for number, proxy in self._brokers.items()]
        else:
            answer.brokers = [(number, "127.0.0.1", self._port, *more) for number, _, _, *more in answer.brokers]
        named = {None, *(topic for _, topic, *_ in answer.topics)}
        for fault, topic, edit in self._of_metadata:
            if topic in named and fault.strike():
                edit(answer)

    def _forget(self, answer: Any) -> None:
        asked = {name for _, _, _, name, _ in answer.resources}
        unknown = {topic for fault, topic in self._of_configs if topic in asked and fault.strike()}
        answer.resources = [
            (ERRORS["UNKNOWN_TOPIC_OR_PARTITION"], "", kind, name, [])
            if name in unknown
            else (code, said, kind, name, of)
            for code, said, kind, name, of in answer.resources
        ]

    def _age(self, answer: Any) -> None:
        struck = [fault.strike() for fault in self._of_versions]
        if any(struck):
            answer.api_versions = [
                (key, 99, 99) if key == ProduceRequest_v7.API_KEY else (key, *span)
                for key, *span in answer.api_versions
            ]


Ask = Callable[[bytes], Awaitable[bytes]]


async def _asked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, frame: bytes) -> bytes:
    writer.write(_framed(frame))
    await writer.drain()
    return await _frame(reader)


async def _frame(reader: asyncio.StreamReader) -> bytes:
    [size] = struct.unpack(">i", await reader.readexactly(4))
    return await reader.readexactly(size)


def _framed(frame: bytes) -> bytes:
    return struct.pack(">i", len(frame)) + frame


def _struck(faults: list[tuple[Fault, str]]) -> str | None:
    """The error of the first fault that strikes."""
    return next((error for fault, error in faults if fault.strike()), None)


def _code(of: _Of | None, code: int) -> int:
    return code if of is None or of.error is None else ERRORS[of.error]


def _replace(answer: Any, topic: str, partition: int, change: Callable[[Any], Any]) -> None:
    answer.topics = [
        (
            error,
            name,
            internal,
            [
                changed
                for found in partitions
                if (changed := change(found) if (name, found[1]) == (topic, partition) else found) is not None
            ],
        )
        for error, name, internal, partitions in answer.topics
    ]
