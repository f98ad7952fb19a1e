"""helm/dashboards: each panel asks for what is exported, says what to conclude, and lies where nothing else does."""

import re
from typing import Any

import pytest

from tools.dashboards import dashboards
from tools.metrics_page import worker_metrics

SCRAPED = frozenset({"job", "instance"})
"""Labels that Prometheus adds to every series."""
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


def labels_of(expression: str) -> set[str]:
    grouped = [name.strip() for group in re.findall(r"\bby \(([^)]*)\)", expression) for name in group.split(",")]
    selected = [name for group in re.findall(r"\{([^}]*)\}", expression) for name in re.findall(r"(\w+)\s*[=!]", group)]
    return {*grouped, *selected}


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_query_asks_for_series_that_are_exported(expression: str) -> None:
    series = exported()

    asked = set(re.findall(NAME, expression))

    assert asked and asked <= series.keys()
    for name in asked:
        assert labels_of(expression) <= series[name] | SCRAPED


@pytest.mark.parametrize(("expression", "legend"), TARGETS)
def test_legend_names_labels_that_the_query_keeps(expression: str, legend: str) -> None:
    grouped = {name.strip() for group in re.findall(r"\bby \(([^)]*)\)", expression) for name in group.split(",")}

    kept = SCRAPED - {"job"} if "process_" in expression else grouped - {"le"}

    assert set(re.findall(r"\{\{(\w+)\}\}", legend)) == kept


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_query_follows_the_variables_and_the_interval(expression: str) -> None:
    selected = len(re.findall(r'\{job=~"\$job",instance=~"\$instance"', expression))

    assert selected == len(re.findall(NAME, expression))
    assert expression.count("rate(") == expression.count("[$__rate_interval]")
    assert expression.count("increase(") == expression.count("[$__range]")
    assert ("_total" in expression or "_bucket" in expression) == ("rate(" in expression or "increase(" in expression)


@pytest.mark.parametrize("panel", panels(), ids=lambda panel: panel["title"])
def test_panel_says_what_to_conclude_and_in_what_unit(panel: dict[str, Any]) -> None:
    assert panel["description"].endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert panel["datasource"]["uid"] == "${datasource}"


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
    assert variables[:3] == ["datasource", "job", "instance"]
    assert variables[3:] == (["streamer"] if "$streamer" in str(dashboard["panels"]) else [])
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
