"""Delivery: from the records that are handed over to what Kafka, the spool, or nobody has."""

from collections.abc import Iterator

from tools.dashboards.model import Number, Panel, by, metric, quantile, rate

UID = "tiktok-live-delivery"
TITLE = "TikTok LIVE delivery"
DESCRIPTION = "Records on their way to Kafka: published, waiting, spooled, lost."

LOST = 'reason=~"shutdown|spool_full|dead_letter_cap"'


def parts() -> Iterator[Panel | Number | str]:
    """What it shows, from whether Kafka is there down to single topics."""
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
        "Published",
        "Records that Kafka acknowledged.",
        "wps",
        ((f"sum({rate('records_published_total')})", "published"),),
    )
    yield Number(
        "In flight",
        "Records handed over and not yet acknowledged.",
        "none",
        ((f"sum({metric('inflight_records')})", "in flight"),),
    )
    yield Number(
        "In the spool",
        "Records on disk that Kafka has not taken yet. For long while Kafka is up: a topic is in trouble or gone.",
        "none",
        (
            (f"sum({metric('spool_records')})", "spooled"),
            (f"sum({metric('spool_unroutable_records')})", "for topics that are not there"),
        ),
        colours=((None, "green"), (1, "orange")),
    )
    yield Number(
        "Fullest spool",
        "Of the bytes that it may hold. At three quarters only gifts and sessions still find room.",
        "percentunit",
        ((f"max({metric('spool_bytes')} / ({metric('spool_limit_bytes')} > 0)) or vector(0)", "full"),),
        colours=((None, "green"), (0.5, "orange"), (0.7, "red")),
    )
    yield Number(
        "Lost",
        "Records that nobody will have, in the time shown.",
        "none",
        ((f"sum(increase({metric('events_dropped_total', LOST)}[$__range]))", "lost"),),
        colours=((None, "green"), (1, "red")),
    )

    yield "On the way to Kafka"
    yield Panel(
        "Records published by topic",
        "Records that Kafka acknowledged. Some on the dlq topic: see the errors above.",
        "wps",
        ((by("topic", "records_published_total"), "{{topic}}"),),
        stacked=True,
    )
    yield Panel(
        "Records in flight",
        "Handed over and not yet acknowledged. At kafka_max_in_flight_records, rooms are no longer read from.",
        "none",
        ((f"sum by (namespace, pod) ({metric('inflight_records')})", "{{pod}}"),),
    )
    yield Panel(
        "Publish errors",
        "Batches that failed and are sent again; nothing is lost yet.",
        "cps",
        ((by("error", "publish_errors_total"), "{{error}}"),),
    )
    yield Panel(
        "Publish duration",
        "From hand-over to acknowledgement.",
        "s",
        (
            (quantile(0.99, "publish_duration_seconds"), "p99"),
            (quantile(0.5, "publish_duration_seconds"), "p50"),
        ),
    )
    yield Panel(
        "Publish errors by topic",
        "The same failures by topic. One topic alone: it is gone, forbidden or without a leader.",
        "cps",
        ((by("topic", "publish_error_topics_total"), "{{topic}}"),),
    )
    yield Panel(
        "Kafka clients that could not be had",
        "By why. authentication, authorization, tls, token: somebody must change something. refused, closed, timeout, "
        "address: brokers or the way there.",
        "cps",
        ((by("error", "kafka_connection_errors_total"), "{{error}}"),),
    )
    yield Panel(
        "Bytes published",
        "Values of records, before compression.",
        "Bps",
        ((f"sum by (namespace, pod) ({rate('published_bytes_total')})", "{{pod}}"),),
        stacked=True,
    )
    yield Panel(
        "Dropped",
        "Records that were given up, by why. fenced is another worker's to publish, and no loss.",
        "cps",
        ((f"sum by (reason) ({rate('events_dropped_total')})", "{{reason}}"),),
    )

    yield "Spool"
    yield Panel(
        "Bytes in the spool",
        "By worker; how full the fullest is stands above. It empties by itself once Kafka takes records again.",
        "bytes",
        ((f"sum by (namespace, pod) ({metric('spool_bytes')})", "{{pod}}"),),
        stacked=True,
    )
    yield Panel(
        "Records written to the spool",
        "What Kafka did not take in time. Always a little: PRODUCER_SPOOL_AFTER_SECONDS is less than Kafka needs.",
        "wps",
        ((f"sum by (namespace, pod) ({rate('spool_records_written_total')})", "{{pod}}"),),
    )
