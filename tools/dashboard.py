"""The dashboard of the program's metrics, as Grafana reads it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from producer.observability.metrics import PREFIX

SELECTED = 'job=~"$job",instance=~"$instance"'
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
CONNECTED = 'state="connected"'
NOT_OFFLINE = 'error!="LiveNotFound"'
COLUMNS = 24


@dataclass(frozen=True, slots=True)
class Panel:
    """Lines over time."""

    title: str
    description: str
    unit: str
    queries: tuple[tuple[str, str], ...]
    """PromQL, each with its legend."""
    stacked: bool = False

    width, height = 12, 8


@dataclass(frozen=True, slots=True)
class Number:
    """One number, or a few, as they are now."""

    title: str
    description: str
    unit: str
    queries: tuple[tuple[str, str], ...]
    colours: Sequence[tuple[float | None, str]] = ((None, "green"),)
    """In which colour it is shown, from which value on."""
    words: tuple[tuple[int, str], ...] = ()
    """What to show in place of a number."""

    width, height = 4, 4


def dashboard() -> dict[str, Any]:
    """The overview, from all workers' totals down to why something failed."""
    return {
        "uid": "tiktok-live-overview",
        "title": "TikTok LIVE producer",
        "description": "Rooms, connections, events and their delivery to Kafka.",
        "tags": ["tiktok-live"],
        "schemaVersion": 39,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "timezone": "browser",
        "annotations": {"list": []},
        "links": [],
        "templating": {"list": _variables()},
        "panels": list(_placed(_panels())),
    }


def _panels() -> Iterator[Panel | Number | str]:
    """What is shown, in order; a text is the title of the section that begins there."""
    yield Number(
        "Connected rooms",
        "Connections open now.",
        "none",
        ((f"sum({_metric('streams', CONNECTED)})", "connected"),),
    )
    yield Number(
        "Claimed of wanted",
        "Streamers that workers hold, and enabled ones on the list. Fewer held than wanted: max_streams is too low.",
        "none",
        (
            (f"sum({_metric('assigned_streams')})", "claimed"),
            (f"max({_metric('catalog_streams')})", "wanted"),
        ),
    )
    yield Number(
        "Kafka",
        "Whether every worker has a Kafka client. Down: one is being replaced; rooms are read until what is in flight "
        "reaches its limit.",
        "none",
        ((f"min({_metric('kafka_connected')})", "Kafka"),),
        colours=((None, "red"), (1, "green")),
        words=((0, "down"), (1, "up")),
    )
    yield Number(
        "Last event",
        "How long ago any worker received a message. Long while rooms are connected: TikTok has gone silent on us.",
        "s",
        ((f"time() - max({_metric('last_event_timestamp_seconds')} > 0)", "ago"),),
        colours=((None, "green"), (300, "orange")),
    )
    yield Number(
        "Records published",
        "Records that Kafka acknowledged.",
        "wps",
        ((f"sum({_rate('records_published_total')})", "published"),),
    )
    yield Number(
        "Failures",
        "Failures of every class but LiveNotFound, which is normal.",
        "cps",
        ((f"sum({_rate('connection_errors_total', NOT_OFFLINE)})", "failures"),),
    )

    yield "Rooms"
    yield Panel(
        "Streamers by state",
        "Claimed streamers by the state of their session. Offline is normal; failed: somebody must change something.",
        "none",
        ((f"sum by (state) ({_metric('streams')})", "{{state}}"),),
        stacked=True,
    )
    yield Panel(
        "Connections attempted, opened and closed",
        "Attempts far above openings: rooms are live and cannot be connected to.",
        "cps",
        (
            (f"sum({_rate('connection_attempts_total')})", "attempted"),
            (f"sum({_rate('connections_opened_total')})", "opened"),
            (f"sum({_rate('connections_closed_total')})", "closed"),
        ),
    )
    yield Panel(
        "Errors by documented class",
        "LiveNotFound is normal: the streamer is offline.",
        "cps",
        ((_by("error", "connection_errors_total"), "{{error}}"),),
    )
    yield Panel(
        "Errors by reason",
        "The same failures, more finely. blocked, captcha, device_blocked: TikTok refuses us. network, timeout: the "
        "way there. rate_limited: ask less.",
        "cps",
        ((_by("reason", "connection_error_reasons_total"), "{{reason}}"),),
    )
    yield Panel(
        "Closed connections by reason",
        "Why open connections ended. live_ended and released are normal.",
        "cps",
        ((_by("reason", "connections_closed_total"), "{{reason}}"),),
    )
    yield Panel(
        "Requests by endpoint and answer",
        "Requests to TikTok and the sign server. 429: over a quota. error: no answer at all.",
        "reqps",
        ((_by("endpoint, code", "http_requests_total"), "{{endpoint}} {{code}}"),),
    )

    yield "Events"
    yield Panel(
        "Messages received by method",
        "Webcast messages; unknown is every kind that nobody knows.",
        "cps",
        ((_by("method", "events_received_total"), "{{method}}"),),
        stacked=True,
    )
    yield Panel(
        "Event lag",
        "From TikTok's creation of a live message to its receipt, by both clocks, which need not agree.",
        "s",
        (
            (_quantile(0.99, "event_lag_seconds"), "p99"),
            (_quantile(0.5, "event_lag_seconds"), "p50"),
        ),
    )
    yield Panel(
        "Decode errors",
        "What could not be read, by how far it came and what was wrong. A rise: TikTok changed.",
        "cps",
        ((_by("stage, fault", "decode_errors_total"), "{{stage}}: {{fault}}"),),
    )
    yield Panel(
        "Events that fit no schema",
        "They went to the dead-letter topic, with their bytes. Any at all: our bug.",
        "cps",
        ((_by("event", "encode_errors_total"), "{{event}}"),),
    )

    yield "Delivery"
    yield Panel(
        "Records published by topic",
        "Records that Kafka acknowledged. Some on the dlq topic: see the errors above.",
        "wps",
        ((_by("topic", "records_published_total"), "{{topic}}"),),
        stacked=True,
    )
    yield Panel(
        "Records in flight",
        "Handed over and not yet acknowledged. At kafka_max_in_flight_records, rooms are no longer read from.",
        "none",
        ((f"sum by (instance) ({_metric('inflight_records')})", "{{instance}}"),),
    )
    yield Panel(
        "Publish errors",
        "Batches that failed and are sent again; nothing is lost yet.",
        "cps",
        ((_by("error", "publish_errors_total"), "{{error}}"),),
    )
    yield Panel(
        "Publish duration",
        "From hand-over to acknowledgement.",
        "s",
        (
            (_quantile(0.99, "publish_duration_seconds"), "p99"),
            (_quantile(0.5, "publish_duration_seconds"), "p50"),
        ),
    )


def _metric(name: str, further: str = "") -> str:
    """A metric of the selected workers."""
    return f"{PREFIX}{name}{{{SELECTED}{',' if further else ''}{further}}}"


def _rate(name: str, further: str = "") -> str:
    return f"rate({_metric(name, further)}[$__rate_interval])"


def _by(labels: str, name: str) -> str:
    """Rates by label, without those that are nothing: most of a closed set never happens."""
    return f"sum by ({labels}) ({_rate(name)}) > 0"


def _quantile(quantile: float, name: str) -> str:
    return f"histogram_quantile({quantile}, sum by (le) ({_rate(name + '_bucket')}))"


def _variables() -> list[dict[str, Any]]:
    build = f"{PREFIX}build_info"
    return [
        {
            "name": "datasource",
            "label": "Data source",
            "type": "datasource",
            "query": "prometheus",
            "current": {},
            "options": [],
            "refresh": 1,
        },
        _variable("job", "Job", f"label_values({build}, job)"),
        _variable("instance", "Worker", f'label_values({build}{{job=~"$job"}}, instance)'),
    ]


def _variable(name: str, label: str, query: str) -> dict[str, Any]:
    return {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": DATASOURCE,
        "definition": query,
        "query": {"query": query, "refId": "variable"},
        "multi": True,
        "includeAll": True,
        "allValue": ".+",
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
        "options": [],
        "refresh": 2,
        "sort": 1,
    }


def _placed(panels: Iterator[Panel | Number | str]) -> Iterator[dict[str, Any]]:
    """Every panel at its place: from left to right, and on a new line where one is full."""
    x = y = 0
    for number, panel in enumerate(panels, 1):
        if isinstance(panel, str):
            place = {"h": 1, "w": COLUMNS, "x": 0, "y": y}
            yield {"id": number, "type": "row", "title": panel, "collapsed": False, "gridPos": place, "panels": []}
            y += 1
            continue
        yield {"id": number, "gridPos": {"h": panel.height, "w": panel.width, "x": x, "y": y}} | _described(panel)
        x += panel.width
        if x == COLUMNS:
            x, y = 0, y + panel.height


def _described(panel: Panel | Number) -> dict[str, Any]:
    now = isinstance(panel, Number)
    look = _number(panel) if isinstance(panel, Number) else _lines(panel)
    return {
        "type": "stat" if now else "timeseries",
        "title": panel.title,
        "description": panel.description,
        "datasource": DATASOURCE,
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0} | look, "overrides": []},
        "options": NUMBER_OPTIONS if now else LINES_OPTIONS,
        "targets": [
            {
                "refId": chr(ord("A") + index),
                "datasource": DATASOURCE,
                "expr": expression,
                "legendFormat": legend,
                "range": not now,
                "instant": now,
            }
            for index, (expression, legend) in enumerate(panel.queries)
        ],
    }


def _number(number: Number) -> dict[str, Any]:
    return {
        "color": {"mode": "thresholds"},
        "thresholds": {
            "mode": "absolute",
            "steps": [{"color": colour, "value": value} for value, colour in number.colours],
        },
        "mappings": [
            {"type": "value", "options": {str(value): {"index": index, "text": text}}}
            for index, (value, text) in enumerate(number.words)
        ],
    }


def _lines(panel: Panel) -> dict[str, Any]:
    return {
        "color": {"mode": "palette-classic"},
        "custom": {
            "drawStyle": "line",
            "fillOpacity": 20 if panel.stacked else 0,
            "lineWidth": 1,
            "showPoints": "auto",
            "stacking": {"mode": "normal" if panel.stacked else "none", "group": "A"},
        },
    }


NUMBER_OPTIONS = {
    "colorMode": "value",
    "graphMode": "none",
    "justifyMode": "auto",
    "orientation": "auto",
    "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
    "textMode": "auto",
}
LINES_OPTIONS = {
    "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
    "tooltip": {"mode": "multi", "sort": "desc"},
}
