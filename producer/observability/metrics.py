"""Every metric, declared once; methods are named after what happened.

All label values are created at zero when the process starts, since `rate` cannot see a series' first step.
"""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)

from producer.errors import DOCUMENTED, Fault, LiveNotFound, ProducerError, Reason
from producer.events import documented, mapping, schemas
from producer.kafka.diagnosis import CAUSES
from producer.observability.streamers import Streamers
from producer.observability.tallies import Level, Spread, Tally
from producer.webcast.frames import Stage

Plain = TypeVar("Plain", Tally, Level, Spread)

PREFIX = "tiktok_live_"

STATES = ("offline", "elsewhere", "resolving", "connecting", "connected", "backing_off", "parked", "failed")
CLOSINGS = ("live_ended", "released", "handover", "fenced", "moved", "bug", *sorted(Reason))
EGRESS = "default"
"""What the one is called where no proxies are listed."""
DOORS = ("direct", "sign", "lease", "gateway")
GATEWAY_SAYS = ("worker_info", "room_info", "connected", "disconnected", "decoded", "envelope", "other")
TRIES = ("heard", "refused", "failed")
NOT_FOUND = (Reason.ELSEWHERE, Reason.OFFLINE)
"""Why a streamer has no live that can be entered."""
BUG_PLACES = (
    "assignments",
    "delivery",
    "events.gifts",
    "events.mapping",
    "events.streaks",
    "events",
    "gift_lists",
    "lives",
    "lookups",
    "memory",
    "other",
    "pipeline",
    "search",
    "session",
    "stay",
    "totals",
    "webcast.connection",
    "webcast.doors",
    "webcast.frames",
    "webcast.http",
    "webcast.protocol",
    "webcast.room",
    "webcast",
)
"""Modules and rooms that a session or a fetch of the gift list goes through."""
ENDPOINTS = ("room_id", "room_info", "gift_list", "sign", "lease", "ttwid")
CODES = ("2xx", "3xx", "4xx", "429", "5xx", "error")
PUBLISH_ERRORS = (
    "authentication",
    "authorization",
    "connection",
    "fenced",
    "invalid_timestamp",
    "message_too_large",
    "no_leader",
    "not_enough_replicas",
    "other",
    "out_of_order",
    "timeout",
    "unknown_topic",
)

# Each counter and histogram would have a second series with the time at which it was made, which nothing asks for.
disable_created_metrics()  # type: ignore[no-untyped-call]  # it has no types, and takes and returns nothing

LATENCY = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
LOOP_LAG = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)
SLOW_SECONDS = 0.1
"""An acknowledgement that took as long has an exemplar."""
DURATION = (10, 60, 300, 900, 1800, 3600, 7200, 14400, 28800, 86400)


class Metrics:
    """One worker's metrics, in a registry of their own."""

    def __init__(
        self,
        *,
        topics: Iterable[str],
        version: str,
        most_streamers: int = 0,
        doors: Iterable[str] = DOORS,
        egresses: Iterable[str] = (EGRESS,),
    ) -> None:
        """`most_streamers` may have series of their own; whoever comes later has none until one of them is let go."""
        self.registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)
        topics, doors, egresses = tuple(topics), tuple(doors), tuple(egresses)
        self._build = self._gauge("build_info", "Always 1; the version that runs.", version=(version,))
        self._build.labels(version).set(1)

        self._assigned = self._gauge("assigned_streams", "Streamers that this worker holds claims for.")
        self._wanted = self._gauge("catalog_streams", "Enabled streamers in the shared list, as this worker sees it.")
        self._streams = self._gauge(
            "streams", "Claimed streamers by session state; the sum is tiktok_live_assigned_streams.", state=STATES
        )
        self._list_reloads = self._counter(
            "list_reloads_total",
            "Reads of a changed list; `invalid` kept the list before it.",
            result=("ok", "invalid"),
        )
        self._claim_errors = self._counter(
            "claim_errors_total",
            "Files of the claims folder that could not be used. While it rises streamers may be unclaimed; the log "
            "says why.",
        )

        self._attempts = self._counter("connection_attempts_total", "Attempts to connect to a room that is live.")
        self._opened = self._counter("connections_opened_total", "Connections that opened.")
        self._closed = self._counter(
            "connections_closed_total", "Open connections that ended, by why; live_ended is normal.", reason=CLOSINGS
        )
        self._errors = self._counter(
            "connection_errors_total",
            "Failures by documented error class; that there is no live (LiveNotFound) is none.",
            error=(*sorted(error.label for error in DOCUMENTED if error is not LiveNotFound), "Other"),
        )
        self._reasons = self._counter(
            "connection_error_reasons_total", "The same failures by reason alone.", reason=tuple(sorted(Reason))
        )
        self._not_found = self._counter(
            "lives_not_found_total",
            "Times that a streamer was found to have no live, by why: offline, or elsewhere, not known by name here.",
            reason=NOT_FOUND,
        )
        self._bugs = self._counter(
            "bugs_total",
            "Exceptions that nobody foresaw, by the place they came out of: our bug. Each parked its streamer.",
            place=BUG_PLACES,
        )
        self._door_tries = self._counter(
            "door_tries_total",
            "Tries to get into a room, by door: the room was `heard`, the door `refused`, or something `failed`.",
            door=doors,
            egress=egresses,
            outcome=TRIES,
        )
        self._door_refusals = self._counter(
            "door_refusals_total",
            "Those that failed or were refused, by why.",
            door=doors,
            egress=egresses,
            reason=tuple(sorted(Reason)),
        )
        self._door_open = self._gauge(
            "door_open", "1 while a door lets rooms in, 0 while it is shut.", door=doors, egress=egresses
        )
        self._door_rooms = self._gauge(
            "door_rooms", "Rooms that are heard now, by the door they came in by.", door=doors, egress=egresses
        )
        self._egress_benched = self._counter(
            "egress_benched_total",
            "Times that an egress's proxy failed and was left alone for ten minutes; its rooms took another. Egresses "
            "are named by host and port in PRODUCER_PROXIES_FILE; without that file there is `default`.",
            egress=egresses,
        )
        self._gateway_said = self._counter(
            "gateway_messages_total",
            "Messages of a gateway's own, of which no event is made. While `decoded` or `envelope` rises, it passes no "
            "frames of TikTok's on, and no room is heard there: see PRODUCER_GATEWAY_RAW_OPTION.",
            kind=GATEWAY_SAYS,
        )
        self._session = self._histogram("connection_session_seconds", "How long connections lasted.", DURATION)
        self._connect = self._histogram("connect_duration_seconds", "From a room id to an open socket.", LATENCY)
        self._http = self._counter(
            "http_requests_total",
            "Requests to TikTok, the sign server and the broker of leases.",
            endpoint=ENDPOINTS,
            code=CODES,
        )

        self._look_ups_held = self._gauge(
            "look_ups_held",
            "1 while no room is looked up, since TikTok blocks this address; one look-up a minute tries. 0 otherwise.",
            egress=egresses,
        )
        self._look_ups_waiting = self._gauge(
            "look_ups_waiting",
            "Streamers that wait to be looked up and rooms for their totals, each for its time to come.",
            egress=egresses,
        )
        self._sign_calls_waiting = self._gauge(
            "sign_calls_waiting", "Rooms that wait until this worker may call the sign server for them."
        )
        self._sign_calls_share = self._gauge(
            "sign_calls_share", "Calls of the sign server that this worker may make a minute; the others have the rest."
        )
        self._discovery = self._histogram(
            "discovery_seconds",
            "From the start of a live, as TikTok says it, until it was found; of streamers that were known as offline.",
            buckets=(5, 15, 30, 60, 120, 300, 600, 1200, 3600),
        )

        self._frames = self._tally("frames_received_total", "WebSocket messages received.")
        self._received = self._tally(
            "events_received_total",
            "Webcast messages received, by method; `unknown` is every kind that nobody knows.",
            method=(*sorted(mapping.METHODS), "unknown"),
        )
        self._repaired = self._counter(
            "texts_repaired_total",
            "Events of messages with text that was not UTF-8, by method (`other`: a kind that is not documented); what "
            "could not be read of it is U+FFFD.",
            method=(*sorted(documented.MAPPERS), "other"),
        )
        self._odd_times = self._counter(
            "event_times_refused_total",
            "Events of messages with a time that nobody can believe, such as one in microseconds; created_at is null.",
        )
        self._duplicates = self._tally(
            "events_duplicate_total", "Messages that a room had sent before, set aside by their id."
        )
        self._foreign = self._tally(
            "events_other_room_total",
            "Messages dropped, since they name another room than their socket's.",
        )
        self._decode_errors = self._counter(
            "decode_errors_total",
            "What could not be read, by how far it came and what was wrong. A rise: TikTok changed.",
            stage=tuple(Stage),
            fault=tuple(Fault),
        )
        self._encode_errors = self._counter(
            "encode_errors_total",
            "Events that did not fit their schema and went to the dead-letter topic: our bug.",
            event=tuple(schemas.events()),
        )
        self._last_event = self._level("last_event_timestamp_seconds", "When a message was last received.")
        self._lag = self._spread(
            "event_lag_seconds", "TikTok's creation of a live message to its receipt, by both clocks.", LATENCY
        )

        self._gift_list = self._gauge("gift_list_gifts", "Gifts on the gift list at hand; 0 while there is none.")
        self._gifts_unlisted = self._counter(
            "gifts_unlisted_total",
            "Gift messages without extended_gift: no list was at hand, or the gift was not on it.",
            reason=("no_list", "not_listed"),
        )

        self._crowded_out = self._counter(
            "streaks_crowded_out_total",
            "Streaks of gifts whose total was given out early, since their room had too many open ones: somebody opens "
            "them without end. The sums stay right, for what comes later is added.",
        )

        self._published = self._tally("records_published_total", "Records that Kafka acknowledged.", topic=topics)
        self._published_bytes = self._tally("published_bytes_total", "Their values, uncompressed.", topic=topics)
        self._publish_errors = self._counter(
            "publish_errors_total", "Batches that failed and are sent again; nothing is lost yet.", error=PUBLISH_ERRORS
        )
        self._publish_error_topics = self._counter(
            "publish_error_topics_total", "The same failures by topic alone.", topic=topics
        )
        self._publish = self._histogram("publish_duration_seconds", "From hand-over to acknowledgement.", LATENCY)
        self._in_flight = self._level("inflight_records", "Records handed over and not yet acknowledged.")
        self._undelivered = self._counter(
            "events_dropped_total",
            "Records lost, or another worker's.",
            reason=("shutdown", "fenced", "spool_full", "dead_letter_cap"),
        )
        self._spool_usable = self._gauge("spool_usable", "1 while the spool takes records; 0 where there is none.")
        self._spool_records = self._gauge("spool_records", "Records in the spool: Kafka has not taken them yet.")
        self._spool_unroutable = self._gauge(
            "spool_unroutable_records",
            "Records in spool files of topics that are not there: make the topics, and restart a worker on that disk.",
        )
        self._spool_bytes = self._gauge("spool_bytes", "Bytes in this worker's spool files.")
        self._spool_limit = self._gauge("spool_limit_bytes", "The bytes that the spool may hold.")
        self._spool_written = self._counter("spool_records_written_total", "Records written to the spool.")
        self._not_reached = self._counter(
            "kafka_connection_errors_total", "Times that no Kafka client could be had, by why.", error=CAUSES
        )
        self._loop_lag = self._histogram(
            "event_loop_lag_seconds",
            "How much later than asked the loop woke a task, held up by others.",
            LOOP_LAG,
        )
        self._kafka = self._gauge("kafka_connected", "1 while a Kafka client stands; 0 while one is being replaced.")

        self._log_lines_dropped = self._counter(
            "log_lines_dropped_total",
            "Log lines dropped: whoever reads standard error is too slow, or gone. The worker does not wait for it.",
        )

        self._streamers = Streamers(PREFIX, most=most_streamers)
        self.registry.register(self._streamers)

    # ------------------------------------------------------------------------------------------------- claims

    def list_read(self, *, wanted: int | None) -> None:
        self._list_reloads.labels("invalid" if wanted is None else "ok").inc()
        if wanted is not None:
            self._wanted.set(wanted)

    def claim_failed(self) -> None:
        self._claim_errors.inc()

    def claims_held(self, count: int) -> None:
        self._assigned.set(count)

    def session_moved(self, before: str | None, after: str | None) -> None:
        """A session changed its state; None is no session."""
        if before is not None:
            self._streams.labels(before).dec()
        if after is not None:
            self._streams.labels(after).inc()

    def streamer_moved(self, streamer: str, state: str | None) -> None:
        """The same for the series of one streamer, where it has any; None ends them."""
        self._streamers.moved(streamer, state)

    def streamer_heard(self, streamer: str, *, at: float) -> None:
        self._streamers.heard(streamer, at=at)

    # -------------------------------------------------------------------------------------------- connections

    def loop_lagged(self, seconds: float) -> None:
        self._loop_lag.observe(seconds)

    def requested(self, endpoint: str, code: str) -> None:
        self._http.labels(endpoint, code).inc()

    def door_tried(self, door: str, outcome: str, reason: Reason | None, *, egress: str = EGRESS) -> None:
        """A try at a door ended; `outcome` is one of TRIES."""
        self._door_tries.labels(door, egress, outcome).inc()
        if reason is not None:
            self._door_refusals.labels(door, egress, reason).inc()

    def door_stands(self, door: str, *, is_open: bool, egress: str = EGRESS) -> None:
        """A door is there, was shut, or was opened."""
        self._door_open.labels(door, egress).set(is_open)

    def door_entered(self, door: str, rooms: int, *, egress: str = EGRESS) -> None:
        """So many rooms more, or fewer, are heard by a door."""
        self._door_rooms.labels(door, egress).inc(rooms)

    def egress_benched(self, egress: str) -> None:
        self._egress_benched.labels(egress).inc()

    def gateway_said(self, kind: str) -> None:
        """A gateway said something of its own; `kind` is one of GATEWAY_SAYS."""
        self._gateway_said.labels(kind).inc()

    def look_ups_waiting(self, count: int, *, egress: str = EGRESS) -> None:
        self._look_ups_waiting.labels(egress).set(count)

    def sign_calls(self, *, waiting: int, share: int) -> None:
        self._sign_calls_waiting.set(waiting)
        self._sign_calls_share.set(share)

    def found(self, *, seconds: float) -> None:
        """A live was found so long after its start."""
        self._discovery.observe(seconds)

    def look_ups_held(self, held: bool, *, egress: str = EGRESS) -> None:
        self._look_ups_held.labels(egress).set(held)

    def connection_attempted(self) -> None:
        self._attempts.inc()

    def connection_opened(self, *, seconds: float) -> None:
        self._opened.inc()
        self._connect.observe(seconds)

    def connection_closed(self, reason: str, *, seconds: float) -> None:
        self._closed.labels(reason).inc()
        self._session.observe(seconds)

    def failed(self, error: ProducerError) -> None:
        """A session's attempt came to nothing, by a failure or because there is no live."""
        if isinstance(error, LiveNotFound):
            self._not_found.labels(error.reason if error.reason in NOT_FOUND else Reason.OFFLINE).inc()
            return
        self._errors.labels(error.label).inc()
        self._reasons.labels(error.reason).inc()

    def bug_found(self, place: str) -> None:
        """An exception that nobody foresaw; `place` is one of BUG_PLACES."""
        self._bugs.labels(place).inc()

    # ------------------------------------------------------------------------------------------------- events

    def frames_received(self, count: int, *, duplicates: int, foreign: int, at: float) -> None:
        self._frames.add(count)
        self._duplicates.add(duplicates)
        self._foreign.add(foreign)
        self._last_event.value = at

    def message_received(self, method: str) -> None:
        self._received.add(1, mapping.kind_of(method) or "unknown")

    def text_repaired(self, method: str) -> None:
        kind = mapping.kind_of(method)
        self._repaired.labels(kind if kind in documented.MAPPERS else "other").inc()

    def time_refused(self) -> None:
        self._odd_times.inc()

    def lagged(self, seconds: float) -> None:
        self._lag.observe(max(0.0, seconds))

    def refused(self, stage: Stage, fault: Fault) -> None:
        self._decode_errors.labels(stage, fault).inc()

    def encoding_failed(self, event: str) -> None:
        self._encode_errors.labels(event).inc()

    def gift_list_fetched(self, *, gifts: int) -> None:
        self._gift_list.set(gifts)

    def gift_not_listed(self, *, list_at_hand: bool) -> None:
        self._gifts_unlisted.labels("not_listed" if list_at_hand else "no_list").inc()

    def streak_crowded_out(self) -> None:
        self._crowded_out.inc()

    # ------------------------------------------------------------------------------------------------ records

    def published(self, topic: str, partition: int, *, records: int, size: int, seconds: float) -> None:
        """A batch was acknowledged. Of a slow one the exemplar, of 128 characters at the most, says which partition."""
        self._published.add(records, topic)
        self._published_bytes.add(size, topic)
        exemplar = {"topic": topic[-96:], "partition": str(partition)} if seconds >= SLOW_SECONDS else None
        self._publish.observe(seconds, exemplar)

    def publish_failed(self, error: str, topic: str) -> None:
        self._publish_errors.labels(error).inc()
        self._publish_error_topics.labels(topic).inc()

    def in_flight(self, records: int) -> None:
        self._in_flight.value = records

    def dropped_at_shutdown(self, records: int) -> None:
        self._undelivered.labels("shutdown").inc(records)

    def dropped_by_fence(self) -> None:
        self._undelivered.labels("fenced").inc()

    def dropped_by_full_spool(self) -> None:
        self._undelivered.labels("spool_full").inc()

    def dropped_by_cap(self) -> None:
        self._undelivered.labels("dead_letter_cap").inc()

    def spool_limited(self, size: int) -> None:
        self._spool_limit.set(size)

    def spool_usable(self, usable: bool) -> None:
        self._spool_usable.set(usable)

    def spooled(self, *, written: int, records: int, unroutable: int, size: int) -> None:
        """So many records were written now; the others are what the files that this worker has hold then."""
        self._spool_written.inc(written)
        self._spool_records.set(records)
        self._spool_unroutable.set(unroutable)
        self._spool_bytes.set(size)

    def kafka_not_reached(self, cause: str) -> None:
        """No Kafka client could be had; `cause` is one of `diagnosis.CAUSES`."""
        self._not_reached.labels(cause).inc()

    def kafka_connected(self, connected: bool) -> None:
        self._kafka.set(connected)

    # --------------------------------------------------------------------------------------------------- logs

    def log_line_dropped(self) -> None:
        self._log_lines_dropped.inc()

    # ------------------------------------------------------------------------------------------- declarations

    def _counter(self, name: str, documentation: str, **labels: Iterable[str]) -> Counter:
        counter = Counter(PREFIX + name, documentation, tuple(labels), registry=self.registry)
        _create(counter, labels)
        return counter

    def _gauge(self, name: str, documentation: str, **labels: Iterable[str]) -> Gauge:
        gauge = Gauge(PREFIX + name, documentation, tuple(labels), registry=self.registry)
        _create(gauge, labels)
        return gauge

    def _tally(self, name: str, documentation: str, **labels: Iterable[str]) -> Tally:
        """A counter of what happens with each frame or record, with one label at the most."""
        [(label, values)] = labels.items() or [(None, ("",))]
        return self._plain(Tally(PREFIX + name, documentation, label, values))

    def _level(self, name: str, documentation: str) -> Level:
        return self._plain(Level(PREFIX + name, documentation))

    def _spread(self, name: str, documentation: str, bounds: Sequence[float]) -> Spread:
        return self._plain(Spread(PREFIX + name, documentation, bounds))

    def _plain(self, collector: Plain) -> Plain:
        self.registry.register(collector)
        return collector

    def _histogram(self, name: str, documentation: str, buckets: Iterable[float]) -> Histogram:
        return Histogram(PREFIX + name, documentation, buckets=tuple(buckets), registry=self.registry)


def _create(metric: Counter | Gauge, labels: dict[str, Iterable[str]]) -> None:
    """Create every series of a metric with labels."""
    if not labels:
        return
    combinations: list[tuple[str, ...]] = [()]
    for values in labels.values():
        combinations = [(*start, value) for start in combinations for value in values]
    for combination in combinations:
        metric.labels(*combination)
