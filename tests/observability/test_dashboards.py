"""helm/dashboards: each panel asks for what is exported, says what to conclude, and lies where nothing else does."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.observability.tools import run, tool
from tools.dashboards import dashboards
from tools.metrics_page import worker_metrics

SCRAPED = frozenset({"namespace", "job", "pod"})
"""Labels that a scrape adds to every series."""
NAME = r"\b(?:tiktok_live|process)_[a-z_]+"
EVERY = tuple(dashboards().values())


def panels() -> list[dict[str, Any]]:
    return [panel for dashboard in EVERY for panel in dashboard["panels"] if panel["type"] != "row"]


TARGETS = [(target["expr"], target["legendFormat"]) for panel in panels() for target in panel["targets"]]
EXPRESSIONS = [expression for expression, _ in TARGETS]


def exported() -> dict[str, frozenset[str]]:
    """Every series that the program exports, with its labels."""
    found: dict[str, frozenset[str]] = {}
    for family in worker_metrics("some_streamer").registry.collect():
        for sample in family.samples:
            found[sample.name] = found.get(sample.name, frozenset()) | sample.labels.keys()
    return found


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_query_asks_for_series_that_are_exported(expression: str) -> None:
    series = exported()
    asked = re.findall(rf"({NAME})\{{([^}}]*)\}}", expression)

    assert asked and {name for name, _ in asked} <= series.keys()
    for name, selector in asked:
        assert set(re.findall(r"(\w+)\s*[=!]", selector)) <= series[name] | SCRAPED
    grouped = {name.strip() for group in re.findall(r"\bby \(([^)]*)\)", expression) for name in group.split(",")}
    for name, _ in asked:
        assert grouped <= series[name] | SCRAPED


@pytest.mark.parametrize(("expression", "legend"), TARGETS)
def test_legend_names_labels_that_the_query_keeps(expression: str, legend: str) -> None:
    grouped = {name.strip() for group in re.findall(r"\bby \(([^)]*)\)", expression) for name in group.split(",")}

    # Pods of one name in two namespaces are two lines, and totals of releases are summed up before they are shown.
    assert set(re.findall(r"\{\{(\w+)\}\}", legend)) == grouped - {"le", "namespace", "job"}


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_query_follows_the_variables_and_the_interval(expression: str) -> None:
    selected = re.findall(r'\{namespace=~"\$namespace",job=~"\$release"(,pod=~"\$pod")?', expression)
    of_fleet = len(selected) if "catalog_streams" in expression else 0  # what a list wants is of no single worker

    assert len(selected) == len(re.findall(NAME, expression))
    assert selected.count("") == of_fleet
    assert expression.count("rate(") == expression.count("[$__rate_interval]")
    assert expression.count("increase(") == expression.count("[$__range]")
    assert ("_total" in expression or "_bucket" in expression) == ("rate(" in expression or "increase(" in expression)


@pytest.mark.parametrize("panel", panels(), ids=lambda panel: panel["title"])
def test_panel_says_what_to_conclude_and_in_what_unit(panel: dict[str, Any]) -> None:
    assert panel["description"].endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert panel["datasource"]["uid"] == "${datasource}"


@pytest.mark.parametrize("name", ["namespace", "release", "pod"])
@pytest.mark.parametrize("dashboard", EVERY, ids=lambda dashboard: dashboard["uid"])
def test_variable_takes_several_values_or_all(dashboard: dict[str, Any], name: str) -> None:
    [variable] = (one for one in dashboard["templating"]["list"] if one["name"] == name)

    assert (variable["multi"], variable["includeAll"], variable["allValue"]) == (True, True, ".*")
    assert variable["current"]["value"] == ["$__all"]


# -------------------------------------------------------------------------------------------------- what tiles show


LISTS = """
tiktok_live_catalog_streams{job="lives",namespace="streaming",pod="a"} 40
tiktok_live_catalog_streams{job="lives",namespace="streaming",pod="b"} 40
tiktok_live_catalog_streams{job="others",namespace="streaming",pod="c"} 10
"""
ALL_HELD = (
    LISTS
    + """
tiktok_live_assigned_streams{job="lives",namespace="streaming",pod="a"} 22
tiktok_live_assigned_streams{job="lives",namespace="streaming",pod="b"} 20
tiktok_live_claims_handing_over{job="lives",namespace="streaming",pod="a"} 2
tiktok_live_assigned_streams{job="others",namespace="streaming",pod="c"} 10
"""
)
TEN_LACK = (
    LISTS
    + """
tiktok_live_assigned_streams{job="lives",namespace="streaming",pod="a"} 10
tiktok_live_assigned_streams{job="lives",namespace="streaming",pod="b"} 20
tiktok_live_assigned_streams{job="others",namespace="streaming",pod="c"} 20
"""
)
ALL_OFFLINE = """
tiktok_live_streams{job="lives",namespace="streaming",pod="a",state="offline"} 40
tiktok_live_streams{job="lives",namespace="streaming",pod="a",state="failed"} 0
tiktok_live_streams{job="lives",namespace="streaming",pod="a",state="connected"} 0
tiktok_live_connection_errors_total{job="lives",namespace="streaming",pod="a",error="FailedConnection"} 0
tiktok_live_connections_opened_total{job="lives",namespace="streaming",pod="a"} 0
tiktok_live_lives_not_found_total{job="lives",namespace="streaming",pod="a",reason="offline"} 40
tiktok_live_last_event_timestamp_seconds{job="lives",namespace="streaming",pod="a"} 1
"""


def colour_of(tile: dict[str, Any], value: float) -> str:
    steps = tile["fieldConfig"]["defaults"]["thresholds"]["steps"]
    return str([step["color"] for step in steps if step["value"] is None or value >= step["value"]][-1])


@pytest.mark.parametrize(
    ("series", "title", "value", "colour"),
    [
        (ALL_HELD, "Wanted", 50, "text"),
        (ALL_HELD, "Held of wanted", 1, "green"),
        (ALL_HELD, "Without a worker", 0, "green"),
        (ALL_HELD, "Held too often", 0, "green"),
        (TEN_LACK, "Without a worker", 10, "red"),
        (TEN_LACK, "Held too often", 10, "orange"),
        (TEN_LACK.replace('pod="c"} 20', 'pod="c"} 0'), "Held of wanted", 0.6, "red"),
        (ALL_OFFLINE, "Offline", 40, "text"),
        (ALL_OFFLINE, "Failed or parked", 0, "green"),
        (ALL_OFFLINE, "Failing to connect", 0, "green"),
        (ALL_OFFLINE, "Silence", 0, "green"),
        (ALL_OFFLINE.replace('"connected"} 0', '"connected"} 1'), "Silence", 599, "red"),
    ],
)
def test_tile_judges_what_it_shows(tmp_path: Path, series: str, title: str, value: float, colour: str) -> None:
    [tile] = (panel for panel in panels() if panel["title"] == title and panel["type"] == "stat")
    [expression] = (target["expr"] for target in tile["targets"])
    for variable, chosen in {"$namespace": ".*", "$release": ".*", "$pod": ".*", "$__rate_interval": "5m"}.items():
        expression = expression.replace(variable, chosen)
    given = [line.rsplit(" ", 1) for line in series.strip().splitlines() if line]
    file = tmp_path / "tile.yaml"
    test = {
        "interval": "1m",
        "input_series": [{"series": name, "values": f"{number}x20"} for name, number in given],
        "promql_expr_test": [
            {"expr": expression, "eval_time": "10m", "exp_samples": [{"labels": "{}", "value": value}]}
        ],
    }
    file.write_text(yaml.safe_dump({"tests": [test]}), "utf-8")

    run(tool("promtool"), "test", "rules", str(file))

    assert colour_of(tile, value) == colour


def test_a_tile_is_green_only_where_it_can_be_something_else() -> None:
    for tile in (panel for panel in panels() if panel["type"] == "stat"):
        colours = [step["color"] for step in tile["fieldConfig"]["defaults"]["thresholds"]["steps"]]

        assert "green" not in colours or len(colours) > 1, tile["title"]


def test_dashboards_can_be_found_again() -> None:
    assert {name: dashboard["uid"] for name, dashboard in dashboards().items()} == {
        "overview": "tiktok-live-overview",
        "delivery": "tiktok-live-delivery",
        "refusals": "tiktok-live-refusals",
        "streamer": "tiktok-live-streamer",
    }
    assert len({dashboard["title"] for dashboard in EVERY}) == len(EVERY)


@pytest.mark.parametrize("dashboard", EVERY, ids=lambda dashboard: dashboard["uid"])
def test_dashboard_is_whole(dashboard: dict[str, Any]) -> None:
    assert dashboard["schemaVersion"] >= 39
    assert dashboard["editable"] is False
    variables = [one["name"] for one in dashboard["templating"]["list"]]
    assert variables[:4] == ["datasource", "namespace", "release", "pod"]
    assert variables[4:] == (["streamer"] if "$streamer" in str(dashboard["panels"]) else [])
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
    assert len({panel["title"] for panel in dashboard["panels"]}) == len(dashboard["panels"])


@pytest.mark.parametrize("dashboard", EVERY, ids=lambda dashboard: dashboard["uid"])
def test_panels_lie_side_by_side(dashboard: dict[str, Any]) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}

        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells


def test_every_metric_is_on_a_dashboard_or_known_not_to_be() -> None:
    """What is counted and shown nowhere is counted for nobody."""
    shown = set(re.findall(NAME, " ".join(EXPRESSIONS)))
    families = {
        family.name + ("_total" if family.type == "counter" else "_bucket" if family.type == "histogram" else "")
        for family in worker_metrics("some_streamer").registry.collect()
        if family.name.startswith("tiktok_live_")
    }

    assert families - shown == {
        "tiktok_live_build_info",  # in the variables
        "tiktok_live_claim_errors_total",  # of file claims
        "tiktok_live_claims_foreign_members",
        "tiktok_live_claims_generation",
        "tiktok_live_claims_statuses_written",  # an alert says so
        "tiktok_live_connect_duration_seconds_bucket",
        "tiktok_live_connection_session_seconds_bucket",
        "tiktok_live_events_other_room_total",
        "tiktok_live_frames_received_total",
        "tiktok_live_log_lines_dropped_total",  # a line of the log says so
        "tiktok_live_look_ups_held",
        "tiktok_live_list_records_refused_total",
        "tiktok_live_status_records_refused_total",
        "tiktok_live_gateway_messages_total",  # of one door, and a line of the log says what matters
        "tiktok_live_list_reloads_total",
        "tiktok_live_sign_calls_share",  # of one door, as is the next
        "tiktok_live_sign_calls_waiting",
        "tiktok_live_slots",
        "tiktok_live_spool_usable",
        "tiktok_live_streaks_crowded_out_total",
    }
