"""The overview: the whole fleet, its workers, its rooms and what comes of them."""

from collections.abc import Iterator

from tools.dashboards.model import Number, Panel, by, metric, of_fleet, quantile, rate

UID = "tiktok-live-overview"
TITLE = "TikTok LIVE producer"
DESCRIPTION = "Workers, rooms, connections, events."

CONNECTED = 'state="connected"'
CONNECTING = 'error!~"FailedRoomPolling|FailedFetchGifts"'
OFFLINE = 'state="offline"'
STUCK = 'state=~"failed|parked"'
NOT_FENCED = 'reason!="fenced"'

# A list for each release, so that what one of them lacks is not made up for by another that holds too much.
WANTED = f"max by (namespace, job) ({of_fleet('catalog_streams')})"
CLAIMED = f"sum by (namespace, job) ({of_fleet('assigned_streams')})"
HELD = f"({CLAIMED} - (sum by (namespace, job) ({of_fleet('claims_handing_over')}) or 0 * {CLAIMED}))"
FAILURES = f"sum({rate('connection_errors_total', CONNECTING)})"


def parts() -> Iterator[Panel | Number | str]:
    """What it shows, from all workers' totals down to why something failed."""
    yield Number(
        "Connected rooms",
        "Connections open now.",
        "none",
        ((f"sum({metric('streams', CONNECTED)})", "connected"),),
    )
    yield Number(
        "Wanted",
        "Enabled streamers on the lists, one of each release.",
        "none",
        ((f"sum({WANTED})", "wanted"),),
    )
    yield Number(
        "Held of wanted",
        "Streamers that workers hold, of those wanted; one that is handed over counts once. Less than all for minutes: "
        "see TikTokLiveStreamersUnassigned.",
        "percentunit",
        ((f"sum({HELD}) / (sum({WANTED}) > 0)", "held"),),
        colours=((None, "red"), (1, "green")),
    )
    yield Number(
        "Without a worker",
        "Streamers that are wanted and that nobody holds. What they say is lost.",
        "none",
        ((f"sum(clamp_min({WANTED} - {HELD}, 0))", "without"),),
        colours=((None, "green"), (1, "red")),
    )
    yield Number(
        "Held too often",
        "Streamers held beyond those wanted and those handed over. For minutes: see TikTokLiveStreamersHeldTwice.",
        "none",
        ((f"sum(clamp_min({HELD} - {WANTED}, 0))", "too often"),),
        colours=((None, "green"), (1, "orange")),
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
        "Offline",
        "Streamers that are not live now. That is normal, however many.",
        "none",
        ((f"sum({metric('streams', OFFLINE)})", "offline"),),
    )
    yield Number(
        "Failed or parked",
        "Streamers whose session waits for somebody to change something, or until it is tried again after a bug.",
        "none",
        ((f"sum({metric('streams', STUCK)})", "stuck"),),
        colours=((None, "green"), (1, "orange")),
    )
    yield Number(
        "Silence",
        "How long ago any worker received a message, while rooms are connected: TikTok may have gone silent on us.",
        "s",
        (
            (
                f"time() - max({metric('last_event_timestamp_seconds')} > 0) "
                f"and sum({metric('streams', CONNECTED)}) > 0 or vector(0)",
                "silent",
            ),
        ),
        colours=((None, "green"), (300, "red")),
    )
    yield Number(
        "Records published",
        "Records that Kafka acknowledged.",
        "wps",
        ((f"sum({rate('records_published_total')})", "published"),),
    )
    yield Number(
        "Failing to connect",
        "Of what it takes to connect, what fails. That a streamer is offline is no failure.",
        "percentunit",
        ((f"{FAILURES} / ({FAILURES} + sum({rate('connections_opened_total')}) > 0) or vector(0)", "failing"),),
        colours=((None, "green"), (0.1, "orange"), (0.3, "red")),
    )
    yield Number(
        "Lost",
        "Records that nobody will have, in the time shown.",
        "none",
        ((f"sum(increase({metric('events_dropped_total', NOT_FENCED)}[$__range]))", "lost"),),
        colours=((None, "green"), (1, "red")),
    )

    yield "Workers"
    yield Panel(
        "Streamers by worker",
        "Streamers that each worker holds. One far above the others: the sharing out is unfinished.",
        "none",
        ((f"sum by (namespace, pod) ({metric('assigned_streams')})", "{{pod}}"),),
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
            (f"sum by (namespace, pod) ({rate('cpu_seconds_total', prefix='process_')})", "{{pod}}"),
            (f"sum by (namespace, pod) ({metric('resident_memory_bytes', prefix='process_')})", "{{pod}} memory"),
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
        colours=(("connected", "green"), ("offline", "text"), ("parked", "orange"), ("failed", "red")),
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
        ((f"sum by (namespace, pod) ({rate('records_published_total')})", "{{pod}}"),),
        stacked=True,
    )
    yield Panel(
        "Lost and not readable",
        "Records lost, by why, and what could not be read. Anything at all: see the alerts.",
        "cps",
        (
            (f"sum by (reason) ({rate('events_dropped_total', NOT_FENCED)})", "{{reason}}"),
            (f"sum({rate('decode_errors_total')})", "not readable"),
        ),
    )
