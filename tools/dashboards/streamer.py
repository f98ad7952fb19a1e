"""Single streamers, where PRODUCER_METRICS_STREAMERS lets them have series of their own."""

from collections.abc import Iterator

from tools.dashboards.model import Number, Panel, metric

UID = "tiktok-live-streamer"
TITLE = "TikTok LIVE streamers"
DESCRIPTION = "Who is connected where, and when they were last heard. Empty unless PRODUCER_METRICS_STREAMERS is set."

CHOSEN = 'streamer=~"$streamer"'


def parts() -> Iterator[Panel | Number | str]:
    """What it shows."""
    yield Number(
        "Shown",
        "Streamers that have series of their own, of those chosen above.",
        "none",
        ((f"count({metric('stream_connected', CHOSEN)})", "shown"),),
    )
    yield Number(
        "Connected",
        "Those whose room is connected; one that is handed over counts twice.",
        "none",
        ((f"sum({metric('stream_connected', CHOSEN)})", "connected"),),
    )

    yield "Each"
    yield Panel(
        "Connected, by streamer and worker",
        "A band while the room is connected. On two workers: it is handed over, or see TikTokLiveStreamersHeldTwice.",
        "none",
        ((f"sum by (streamer, namespace, pod) ({metric('stream_connected', CHOSEN)})", "{{streamer}} {{pod}}"),),
        stacked=True,
    )
    yield Panel(
        "Last heard",
        "How long ago a connected room sent something. Rising in a straight line: it has fallen silent.",
        "s",
        (
            (
                f"time() - max by (streamer) ({metric('stream_last_event_timestamp_seconds', CHOSEN)} > 0)",
                "{{streamer}}",
            ),
        ),
    )
