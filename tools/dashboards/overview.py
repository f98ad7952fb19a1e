"""The overview: the whole fleet, its workers, its rooms and what comes of them."""

from collections.abc import Iterator

from tools.dashboards.model import Number, Panel, by, metric, quantile, rate

UID = "tiktok-live-overview"
TITLE = "TikTok LIVE producer"
DESCRIPTION = "Workers, rooms, connections, events."

CONNECTED = 'state="connected"'
NOT_FENCED = 'reason!="fenced"'


def parts() -> Iterator[Panel | Number | str]:
    """What it shows, from all workers' totals down to why something failed."""
    yield Number(
        "Connected rooms",
        "Connections open now.",
        "none",
        ((f"sum({metric('streams', CONNECTED)})", "connected"),),
    )
    yield Number(
        "Claimed of wanted",
        "Streamers that workers hold, and enabled ones on the list. Fewer held than wanted: max_streams is too low.",
        "none",
        (
            (f"sum({metric('assigned_streams')})", "claimed"),
            (f"max({metric('catalog_streams')})", "wanted"),
        ),
    )
    yield Number(
        "Kafka",
        "Whether every worker has a Kafka client. Down: one is being replaced; rooms are read until what is in flight "
        "reaches its limit.",
        "none",
        ((f"min({metric('kafka_connected')})", "Kafka"),),
        colours=((None, "red"), (1, "green")),
        words=((0, "down"), (1, "up")),
    )
    yield Number(
        "Last event",
        "How long ago any worker received a message. Long while rooms are connected: TikTok has gone silent on us.",
        "s",
        ((f"time() - max({metric('last_event_timestamp_seconds')} > 0)", "ago"),),
        colours=((None, "green"), (300, "orange")),
    )
    yield Number(
        "Records published",
        "Records that Kafka acknowledged.",
        "wps",
        ((f"sum({rate('records_published_total')})", "published"),),
    )
    yield Number(
        "Failures",
        "Failures of every class.",
        "cps",
        ((f"sum({rate('connection_errors_total')})", "failures"),),
    )

    yield "Workers"
    yield Panel(
        "Streamers by worker",
        "Streamers that each worker holds. One far above the others: the sharing out is unfinished.",
        "none",
        ((f"sum by (instance) ({metric('assigned_streams')})", "{{instance}}"),),
        stacked=True,
    )
    yield Panel(
        "Claims in doubt",
        "Workers that the group has not confirmed: they publish nothing. Streamers being handed over, and those beyond "
        "what their worker may hold.",
        "none",
        (
            (f"count({metric('claims_current')} == 0) or vector(0)", "workers without claims"),
            (f"sum({metric('claims_handing_over')})", "handed over"),
            (f"sum({metric('unassigned_streams')})", "over the limit"),
        ),
    )
    yield Panel(
        "Assignments",
        "Assignments that workers received from the group, and Kafka clients of the sharing that were replaced. If it "
        "does not end: see TikTokLiveRebalanceStorm.",
        "cps",
        (
            (f"sum({rate('claims_rebalances_total')})", "assignments"),
            (f"sum({rate('claims_clients_replaced_total')})", "clients replaced"),
            (f"sum({rate('claims_fenced_total')})", "claims lost"),
            (by("reason", "claims_moves_total"), "moved: {{reason}}"),
        ),
    )
    yield Panel(
        "Processor and memory",
        "Seconds of one processor a second: at 1 a worker can do no more. Resident memory is in bytes, on the right.",
        "none",
        (
            (f"rate({metric('cpu_seconds_total', prefix='process_')}[$__rate_interval])", "{{instance}}"),
            (f"{metric('resident_memory_bytes', prefix='process_')}", "{{instance}} memory"),
        ),
        right="memory$",
        right_unit="bytes",
    )
    yield Panel(
        "Event loop lag",
        "How much later than asked a worker's loop wakes a task; everything that it streams waits so long. Past 0.1 s "
        "for long, a worker has more rooms than its processor can serve.",
        "s",
        (
            (quantile(0.99, "event_loop_lag_seconds"), "p99"),
            (quantile(0.5, "event_loop_lag_seconds"), "p50"),
        ),
    )

    yield "Rooms"
    yield Panel(
        "Streamers by state",
        "Claimed streamers by the state of their session. Offline is normal; failed: somebody must change something.",
        "none",
        ((f"sum by (state) ({metric('streams')})", "{{state}}"),),
        stacked=True,
    )
    yield Panel(
        "Connections attempted, opened and closed",
        "Attempts far above openings: rooms are live and cannot be connected to.",
        "cps",
        (
            (f"sum({rate('connection_attempts_total')})", "attempted"),
            (f"sum({rate('connections_opened_total')})", "opened"),
            (f"sum({rate('connections_closed_total')})", "closed"),
        ),
    )
    yield Panel(
        "Errors by documented class",
        "Failures. That a streamer is offline is none, and not here.",
        "cps",
        ((by("error", "connection_errors_total"), "{{error}}"),),
    )
    yield Panel(
        "Errors by reason",
        "The same failures, more finely. blocked, captcha, device_blocked, no_cookie: TikTok refuses us. unsigned: it "
        "wants a signature. network, timeout: the way there. rate_limited: ask less.",
        "cps",
        ((by("reason", "connection_error_reasons_total"), "{{reason}}"),),
    )
    yield Panel(
        "Streamers found without a live",
        "Looks that found nobody to hear. offline is normal; elsewhere is misspelt, or another region's.",
        "cps",
        ((by("reason", "lives_not_found_total"), "{{reason}}"),),
    )
    yield Panel(
        "From a live's start until it is found",
        "Of streamers that were known as offline, by TikTok's clock and ours; and how many wait to be looked up.",
        "s",
        (
            (quantile(0.95, "discovery_seconds"), "p95"),
            (quantile(0.5, "discovery_seconds"), "p50"),
            (f"sum({metric('look_ups_waiting')})", "waiting"),
        ),
        right="waiting",
        right_unit="none",
    )
    yield Panel(
        "Closed connections by reason",
        "Why open connections ended. live_ended and released are normal.",
        "cps",
        ((by("reason", "connections_closed_total"), "{{reason}}"),),
    )
    yield Panel(
        "Rooms by door",
        "Rooms that are heard, by the way they came in. One door falls and another rises: the first refuses.",
        "none",
        ((f"sum by (door) ({metric('door_rooms')})", "{{door}}"),),
        stacked=True,
    )
    yield Panel(
        "Doors",
        "Workers whose door is shut, what was met at each door when it was tried, and proxies that failed.",
        "cps",
        (
            (f"count by (door, egress) ({metric('door_open')} == 0)", "{{door}} {{egress}} shut"),
            (by("door, outcome", "door_tries_total"), "{{door}} {{outcome}}"),
            (by("door, reason", "door_refusals_total"), "{{door}} {{reason}}"),
            (by("egress", "egress_benched_total"), "{{egress}} benched"),
        ),
        right="shut$",
        right_unit="none",
    )
    yield Panel(
        "Requests by endpoint and answer",
        "Requests to TikTok and the sign server. 429: over a quota. error: no answer at all.",
        "reqps",
        ((by("endpoint, code", "http_requests_total"), "{{endpoint}} {{code}}"),),
    )

    yield "Events"
    yield Panel(
        "Messages received by method",
        "Webcast messages; unknown is every kind that nobody knows.",
        "cps",
        ((by("method", "events_received_total"), "{{method}}"),),
        stacked=True,
    )
    yield Panel(
        "Event lag",
        "From TikTok's creation of a live message to its receipt, by both clocks, which need not agree.",
        "s",
        (
            (quantile(0.99, "event_lag_seconds"), "p99"),
            (quantile(0.5, "event_lag_seconds"), "p50"),
        ),
    )
    yield Panel(
        "Records published by worker",
        "Records that Kafka acknowledged, of all topics. Below what is received for long: see the delivery dashboard.",
        "wps",
        ((f"sum by (instance) ({rate('records_published_total')})", "{{instance}}"),),
        stacked=True,
    )
    yield Panel(
        "Lost",
        "Records lost, by why, and what could not be read. Anything at all: see the alerts.",
        "cps",
        (
            (f"sum by (reason) ({rate('events_dropped_total', NOT_FENCED)})", "{{reason}}"),
            (f"sum({rate('decode_errors_total')})", "not readable"),
        ),
    )
