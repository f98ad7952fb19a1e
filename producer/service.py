"""One worker process, put together: what is entered first is left last, so the nesting is the shutdown order."""

import asyncio
import os
import socket
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, suppress
from dataclasses import asdict, dataclass
from typing import Any, NoReturn

from producer import __version__, authorities, descriptors, entrance, garbage, logs
from producer.assignments.file import FileAssignments, claims_folder
from producer.assignments.interface import Assignments
from producer.assignments.kafka import KafkaAssignments
from producer.assignments.lease import boot_clock
from producer.assignments.membership import Timing
from producer.bugs import Bugs
from producer.configured import pseudonyms
from producer.delivery import assembly, topic_plan
from producer.delivery import client as kafka
from producer.delivery.gate import Gate
from producer.delivery.ledger import Ledger
from producer.delivery.letter_cap import Cap
from producer.delivery.letterbox import Letterbox
from producer.delivery.publisher import Publisher
from producer.entries import Entries
from producer.errors import StartRefused
from producer.events.event import Payloads
from producer.gift_lists import GiftLists
from producer.observability import exposition
from producer.observability.metrics import Metrics
from producer.observability.sharing import SharingCollector
from producer.pipeline import Sink
from producer.session import Session
from producer.settings import Settings
from producer.stopping import Stop, Stopped
from producer.surroundings import Surroundings
from producer.turns import Turns
from producer.webcast.lanes import Lanes
from producer.webcast.opening import Opener
from producer.webcast.upstream import Upstream
from producer.worker import Worker

CLOSE_SECONDS = 3.0
"""The part of the grace that sessions need to close their sockets, and claims to be given up; Kafka has the rest."""
LOOP_LOOK_SECONDS = 0.5


async def run(settings: Settings) -> Ledger:
    """Run one worker until SIGTERM or SIGINT; return its final account. Raises StartRefused."""
    worker_name = settings.worker_name or f"{socket.gethostname()}-{os.getpid()}"
    logs.bind(worker=worker_name)
    log = logs.get()
    stop = Stop(grace_seconds=settings.grace_seconds)
    metrics = Metrics(
        topics=topic_plan.names(settings.topic_prefix),
        version=__version__,
        most_streamers=settings.metrics_streamers,
        doors=settings.doors,
        egresses=tuple(entrance.egresses(settings)),
    )
    logs.count_dropped(metrics.log_line_dropped)
    told = _Told(worker_name)
    try:
        async with AsyncExitStack() as probed:
            serving = exposition.serve(
                host=settings.http_host,
                port=settings.http_port,
                insist="http_port" in settings.model_fields_set,
                registry=metrics.registry,
                readiness=told.readiness,
                status=told.status,
            )
            surface = await stop.step(probed.enter_async_context(serving))
            log.info("starting", version=__version__, http_port=surface.port, upstream=settings.upstream)
            _tell_of_another_port(settings, surface)
            _look_at_descriptors(settings)
            await _run(settings, stop, told, metrics, surface)
    except Stopped:
        pass
    finally:
        if told.running is not None or stop.signal is not None:
            log.info("stopped", **told.account())
    return told.ledger


async def _run(settings: Settings, stop: Stop, told: "_Told", metrics: Metrics, surface: exposition.Surface) -> None:
    """Start, work, leave. Raises StartRefused, or Stopped where a signal came before all had started."""
    log = logs.get()
    refresh = settings.gift_list_refresh_seconds > 0
    async with AsyncExitStack() as parts:
        assignments = _assignments(settings, told.worker_name, metrics)
        # Checks every page of what an earlier run left.
        spool = await stop.step(asyncio.to_thread(assembly.spool, settings, metrics))
        publisher = await stop.step(
            assembly.publisher(
                settings,
                told.ledger,
                metrics,
                worker=told.worker_name,
                spool=spool,
                grace_seconds=max(1.0, settings.grace_seconds - CLOSE_SECONDS),
            )
        )
        encoder = await stop.step(assembly.encoder(settings))
        gate = Gate(
            publisher,
            assignments.fence,
            ledger=told.ledger,
            metrics=metrics,
            most_held=settings.kafka_max_in_flight_records,
            most_held_bytes=settings.kafka_max_in_flight_bytes,
            clock=boot_clock,
        )
        sink = Sink(
            encoder=encoder,
            publisher=gate,
            letterbox=Letterbox(
                topic=topic_plan.dead_letter_topic(settings.topic_prefix),
                cap=Cap(per_minute=settings.dead_letters_per_minute),
                ledger=told.ledger,
                metrics=metrics,
            ),
            ledger=told.ledger,
            metrics=metrics,
            gift_lists=GiftLists(metrics, refresh_seconds=settings.gift_list_refresh_seconds),
            wall_clock=time.time,
            clock=time.monotonic,
            turns=Turns(time.monotonic),
        )
        clients = AsyncExitStack()
        around = _surroundings(settings, told.worker_name, clients, sink, assignments)
        worker = Worker(assignments, lambda streamer: Session(streamer, around), metrics)

        await stop.step(parts.enter_async_context(publisher))
        await stop.step(parts.enter_async_context(clients))
        await stop.step(assignments.__aenter__())
        parts.push_async_callback(_leave, stop, assignments)
        await stop.step(parts.enter_async_context(gate))

        garbage.leave_the_old_alone()
        told.running = _Running(publisher, gate, assignments, worker, around.lanes)
        log.info("started", version=__version__, http_port=surface.port, upstream=settings.upstream)
        entries = Entries(sink, told.worker_name, assignments.entry)
        work = _work(worker, sink, entries, around.lanes.gift_list if refresh else None)
        await _until(stop, work, lambda: assignments.drain(_drain_seconds(settings)))
    if told.ledger.lost:
        # No scrape has the end of the account yet, and it ends with what is lost.
        with suppress(TimeoutError):
            async with asyncio.timeout(stop.left()):
                await surface.scraped()


@dataclass(frozen=True, slots=True)
class _Running:
    """The parts of which something is told."""

    publisher: Publisher
    gate: Gate
    assignments: Assignments
    worker: Worker
    lanes: Lanes


class _Told:
    """What is told of a worker over HTTP, while it starts, while it runs, and once it has left Kafka."""

    def __init__(self, worker_name: str) -> None:
        self.worker_name = worker_name
        self.ledger = Ledger()
        self.running: _Running | None = None
        """Once all has started."""

    def readiness(self) -> dict[str, bool]:
        """What must hold for the worker to be ready."""
        if self.running is None:
            return {"kafka": False, "assignments": False, "statuses": False}
        running = self.running
        return {
            "kafka": running.publisher.connected,
            "assignments": running.assignments.fence.current(),
            "statuses": running.assignments.told(),
        }

    def status(self) -> dict[str, Any]:
        """The account, and each session."""
        sessions = self.running.worker.sessions() if self.running is not None else ()
        return {
            "worker": self.worker_name,
            "version": __version__,
            "ledger": self.account(),
            "egresses": self._egresses(),
            "doors": self._doors(),
            "streamers": [_describe(session) for session in sessions],
        }

    def _doors(self) -> list[dict[str, Any]]:
        """How each door stands by each egress, and how many rooms are heard by it."""
        if self.running is None:
            return []
        rooms = Counter(session.door for session in self.running.worker.sessions())
        return [
            asdict(standing) | {"egress": lane.route.name, "rooms": rooms[lane.route.door(standing.door)]}
            for lane in self.running.lanes
            for standing in lane.doors.standings()
        ]

    def _egresses(self) -> list[dict[str, Any]]:
        """Each route to TikTok, and whether it is left alone since its proxy failed."""
        if self.running is None:
            return []
        return [{"egress": lane.route.name, "benched": self.running.lanes.benched(lane)} for lane in self.running.lanes]

    def account(self) -> dict[str, int | bool]:
        """The ledger, and whether its sums agree."""
        in_flight = self.running.gate.in_flight if self.running is not None else 0
        return {**asdict(self.ledger), "in_flight": in_flight, "balanced": self.ledger.balances(in_flight=in_flight)}


async def _work(
    worker: Worker, sink: Sink, entries: Entries, fetch: Callable[[], Awaitable[dict[str, object]]] | None
) -> None:
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(worker.run(), name="worker")
        tasks.create_task(sink.letterbox.report(), name="letterbox")
        tasks.create_task(entries.keep(worker.held), name="entries")
        tasks.create_task(_measure_loop(sink.metrics), name="loop lag")
        tasks.create_task(garbage.look(worker.heard), name="garbage")
        if fetch is not None:
            tasks.create_task(sink.gift_lists.keep(fetch), name="gift list")


async def _measure_loop(metrics: Metrics) -> NoReturn:
    """Sleep again and again, and tell how much later than asked the loop came back."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + LOOP_LOOK_SECONDS
        await asyncio.sleep(LOOP_LOOK_SECONDS)
        metrics.loop_lagged(max(0.0, loop.time() - due))


async def _until(stop: Stop, work: Coroutine[Any, Any, None], drain: Callable[[], Awaitable[None]]) -> None:
    """Work until told to stop, and until others have what we held.

    Whatever ends the work earlier is a bug of ours, and ends the process with it.
    """

    async def end() -> None:
        await stop.wait()
        await drain()

    working = asyncio.create_task(work, name="work")
    stopping = asyncio.create_task(end(), name="stop")
    try:
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await stop.end((stopping, working), what="sessions")
        for task in (working, stopping):
            if task.done() and not task.cancelled() and (failure := task.exception()) is not None:
                raise failure
    if stop.signal is None:
        raise RuntimeError("the worker ended though nobody told it to")


async def _leave(stop: Stop, assignments: Assignments) -> None:
    """Give the claims up, but no longer than that is for: Kafka may be silent, and the publisher must have its time."""
    leaving = asyncio.create_task(assignments.__aexit__(None, None, None), name="leave")
    await asyncio.wait({leaving}, timeout=min(CLOSE_SECONDS, stop.left()))
    if leaving.done():
        leaving.result()
    else:
        logs.get().warning("claims not given up in time; others have them once the group notices")


def _drain_seconds(settings: Settings) -> float:
    """How long what is held is handed over: with a sign server, whoever takes it over may wait for a call."""
    return settings.handover_longest_seconds if "sign" in settings.doors else settings.handover_seconds


def _look_at_descriptors(settings: Settings) -> None:
    """Say at the start what `producer check` says of them. Raises StartRefused where there is not one room's worth."""
    need = descriptors.need(settings.max_streams, file_claims=settings.assignments_file is not None)
    if need.too_few:
        raise StartRefused(f"{need.found}: {need.advice}")
    if need.short or need.scarce:
        logs.get().warning("open files", problem=need.found, advice=need.advice)


def _tell_of_another_port(settings: Settings, surface: exposition.Surface) -> None:
    """Say it where the default port was in use, so that nobody takes its answers for this worker's."""
    if settings.http_port not in (0, surface.port):
        logs.get().warning(
            "another http port",
            http_port=surface.port,
            problem=f"the default, {settings.http_port}, is in use: another worker on this machine may have it",
            advice="set PRODUCER_HTTP_PORT where probes, scrapes or `producer health` ask this worker",
        )


def _assignments(settings: Settings, worker: str, metrics: Metrics) -> Assignments:
    """The shared list: a file where one is named, otherwise Kafka's topic."""
    if settings.assignments_file is not None:
        return FileAssignments(
            settings.assignments_file,
            claims_folder(settings.assignments_file, settings.claims_directory),
            worker=worker,
            max_streams=settings.max_streams,
            list_read=lambda wanted: metrics.list_read(wanted=wanted),
            claim_failed=metrics.claim_failed,
        )
    shared = KafkaAssignments(
        lambda: kafka.options(settings),
        list_topic=topic_plan.assignments_topic(settings.topic_prefix),
        status_topic=topic_plan.status_topic(settings.topic_prefix),
        group=topic_plan.workers_group(settings.topic_prefix),
        worker=worker,
        max_streams=settings.max_streams,
        slots=settings.assignment_slots,
        timing=Timing(
            session=settings.claim_session_seconds,
            heartbeat=min(1.0, settings.claim_session_seconds / 4),
            handover=settings.handover_seconds,
            longest_handover=settings.handover_longest_seconds,
            still=settings.claim_still_seconds,
        ),
        list_read=lambda wanted: metrics.list_read(wanted=wanted),
    )
    metrics.registry.register(SharingCollector(shared))
    return shared


def _surroundings(
    settings: Settings, worker: str, clients: AsyncExitStack, sink: Sink, assignments: Assignments
) -> Surroundings:
    upstream = Upstream.named(settings.upstream, further_socket_suffixes=settings.socket_host_suffixes)
    trust = authorities.context(settings.ca_file)

    return Surroundings(
        worker=worker,
        upstream=upstream,
        lanes=entrance.lanes(
            settings,
            upstream,
            sink.metrics,
            names=settings.doors,
            trust=trust,
            clients=clients,
            requested=sink.metrics.requested,
            assignments=assignments,
            worker=worker,
        ),
        sink=sink,
        metrics=sink.metrics,
        opener=Opener.to(upstream, trust),
        elsewhere_poll_seconds=settings.elsewhere_poll_seconds,
        room_stats_seconds=settings.room_stats_seconds or None,
        silence_seconds=settings.silence_seconds,
        payloads=Payloads(settings.payloads),
        viewers=pseudonyms(settings),
        hold_acknowledgements=settings.acknowledge == "delivered",
        report=assignments.report,
        logins=entrance.logins(settings),
        entry=assignments.entry,
        last_said=assignments.last_said,
        bugs=Bugs(sink.metrics),
        shared=assignments.shared,
    )


def _describe(session: Session) -> dict[str, Any]:
    return {
        "streamer": session.streamer,
        "state": session.state,
        "room_id": str(session.room_id) if session.room_id else None,
        "door": session.door,
        "last_error": session.last_error,
        "asked_at": session.asked_at,
        "next_look_up_at": session.next_look_up_at,
    }
