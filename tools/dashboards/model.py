"""What a dashboard is made of: panels, queries, variables and places, as Grafana reads them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from producer.observability.metrics import PREFIX

FLEET = 'namespace=~"$namespace",job=~"$release"'
SELECTED = f'{FLEET},pod=~"$pod"'
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
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
    right: str | None = None
    """Legends that match this are drawn against the axis on the right, in `right_unit`."""
    right_unit: str = ""
    colours: tuple[tuple[str, str], ...] = ()
    """Legends whose line has a colour of its own, and that colour."""

    width, height = 12, 8


@dataclass(frozen=True, slots=True)
class Number:
    """One number, or a few, as they are now."""

    title: str
    description: str
    unit: str
    queries: tuple[tuple[str, str], ...]
    colours: Sequence[tuple[float | None, str]] = ((None, "text"),)
    """In which colour it is shown, from which value on: none that judges, unless somebody says what is good."""
    words: tuple[tuple[int, str], ...] = ()
    """What to show in place of a number."""

    width, height = 4, 4


Parts = Iterable[Panel | Number | str]
"""What is shown, in order; a text is the title of the section that begins there."""


def dashboard(uid: str, title: str, description: str, parts: Parts) -> dict[str, Any]:
    """A whole dashboard. The uid is for ever: links and bookmarks have it."""
    panels = list(_placed(parts))
    return {
        "uid": uid,
        "title": title,
        "description": description,
        "tags": ["tiktok-live"],
        "schemaVersion": 39,
        "version": 1,
        "editable": False,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "timezone": "browser",
        "annotations": {"list": []},
        "links": [_others()],
        "templating": {"list": _variables(panels)},
        "panels": panels,
    }


def metric(name: str, further: str = "", *, prefix: str = PREFIX) -> str:
    """A metric of the selected workers."""
    return f"{prefix}{name}{{{SELECTED}{',' if further else ''}{further}}}"


def of_fleet(name: str) -> str:
    """A metric of all workers of the selected releases: what a list wants is not any single one's."""
    return f"{PREFIX}{name}{{{FLEET}}}"


def rate(name: str, further: str = "", *, prefix: str = PREFIX) -> str:
    """A counter's rate, over an interval that Grafana fits to the picture and to the scrapes."""
    return f"rate({metric(name, further, prefix=prefix)}[$__rate_interval])"


def by(labels: str, name: str) -> str:
    """Rates by label, without those that are nothing: most of a closed set never happens."""
    return f"sum by ({labels}) ({rate(name)}) > 0"


def quantile(share: float, name: str) -> str:
    """Below which value a share of a histogram's observations lies."""
    return f"histogram_quantile({share}, sum by (le) ({rate(name + '_bucket')}))"


def _variables(panels: list[dict[str, Any]]) -> list[dict[str, Any]]:
    build = f"{PREFIX}build_info"
    variables = [
        {
            "name": "datasource",
            "label": "Data source",
            "type": "datasource",
            "query": "prometheus",
            "current": {},
            "options": [],
            "refresh": 1,
        },
        _variable("namespace", "Namespace", f"label_values({build}, namespace)"),
        _variable("release", "Release", f'label_values({build}{{namespace=~"$namespace"}}, job)'),
        _variable("pod", "Worker", f'label_values({build}{{namespace=~"$namespace",job=~"$release"}}, pod)'),
    ]
    if "$streamer" in str(panels):
        series = metric("stream_connected")
        variables.append(_variable("streamer", "Streamer", f"label_values({series}, streamer)"))
    return variables


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
        "allValue": ".*",  # also those that have no such label, as where the chart is not used
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
        "options": [],
        "refresh": 2,
        "sort": 1,
    }


def _others() -> dict[str, Any]:
    """A menu of the other dashboards, which keeps time and variables."""
    return {
        "type": "dashboards",
        "title": "TikTok LIVE",
        "tags": ["tiktok-live"],
        "asDropdown": True,
        "includeVars": True,
        "keepTime": True,
        "icon": "external link",
        "targetBlank": False,
        "tooltip": "",
        "url": "",
    }


def _placed(parts: Parts) -> Iterator[dict[str, Any]]:
    """Every panel at its place: from left to right, and on a new line where one is full."""
    x = y = height = 0
    for number, panel in enumerate(parts, 1):
        if isinstance(panel, str):
            x, y, height = 0, y + height, 0
            place = {"h": 1, "w": COLUMNS, "x": 0, "y": y}
            yield {"id": number, "type": "row", "title": panel, "collapsed": False, "gridPos": place, "panels": []}
            y += 1
            continue
        yield {"id": number, "gridPos": {"h": panel.height, "w": panel.width, "x": x, "y": y}} | _described(panel)
        x, height = x + panel.width, panel.height
        if x == COLUMNS:
            x, y, height = 0, y + height, 0


def _described(panel: Panel | Number) -> dict[str, Any]:
    now = isinstance(panel, Number)
    look = _number(panel) if isinstance(panel, Number) else _lines(panel)
    return {
        "type": "stat" if now else "timeseries",
        "title": panel.title,
        "description": panel.description,
        "datasource": DATASOURCE,
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0} | look, "overrides": _overrides(panel)},
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


def _overrides(panel: Panel | Number) -> list[dict[str, Any]]:
    if isinstance(panel, Number):
        return []
    overrides = [
        _override("byName", legend, {"color": {"mode": "fixed", "fixedColor": colour}})
        for legend, colour in panel.colours
    ]
    if panel.right is not None:
        axis = {"custom.axisPlacement": "right", "unit": panel.right_unit}
        overrides.append(_override("byRegexp", panel.right, axis))
    return overrides


def _override(how: str, legend: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "matcher": {"id": how, "options": legend},
        "properties": [{"id": name, "value": value} for name, value in properties.items()],
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
