"""helm/rules: every alert fires, stays silent and goes; the chart changes of them what its values say, and no more."""

import copy
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from producer.observability.metrics import PREFIX
from tests.observability.tools import NAMESPACE, RULES, alerts, groups_of, rendered, run, tool
from tools.metrics_page import worker_metrics

UNIT_TESTS = sorted((Path(__file__).parent / "rules").glob("*.yaml"))
OURS = 'job="tiktok-live-producer"'
NAMES = sorted({rule["alert"] for rule in alerts()})


def expressions() -> list[str]:
    return [rule["expr"] for group in groups_of(*RULES) for rule in group["rules"]]


def unit_tests() -> dict[str, dict[str, Any]]:
    files = [yaml.safe_load(file.read_text("utf-8")) for file in UNIT_TESTS]
    return {test["name"]: test for file in files for test in file["tests"]}


@pytest.mark.parametrize("file", RULES, ids=lambda file: file.stem)
def test_promtool_finds_nothing(file: Path) -> None:
    run(tool("promtool"), "check", "rules", "--lint=all", "--lint-fatal", str(file))


@pytest.mark.parametrize("file", UNIT_TESTS, ids=lambda file: file.stem)
def test_alerts_fire_stay_silent_and_go(file: Path) -> None:
    run(tool("promtool"), "test", "rules", str(file))


@pytest.mark.parametrize("name", NAMES)
def test_each_alert_has_a_unit_test_of_before_during_and_after(name: str) -> None:
    asked = unit_tests()[name]["promql_expr_test"]

    assert {each["expr"] for each in asked} == {f'ALERTS{{alertname="{name}",alertstate="firing"}}'}
    assert [bool(each["exp_samples"]) for each in asked] == [False, True, False]


def test_there_is_a_unit_test_of_nothing_else() -> None:
    assert sorted(unit_tests()) == NAMES


@pytest.mark.parametrize("rule", alerts(), ids=lambda rule: rule["alert"])
def test_alert_says_how_bad_what_and_where_to_read_on(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in ("critical", "warning", "info")
    assert rule["annotations"].keys() == {"summary", "description", "runbook_url"}
    assert rule["annotations"]["summary"].endswith(".")
    assert rule["annotations"]["description"].endswith(".")
    assert rule["annotations"]["runbook_url"] == f"docs/runbooks/{rule['alert']}.md"


@pytest.mark.parametrize("rule", alerts(), ids=lambda rule: rule["alert"])
def test_annotations_name_labels_that_the_alert_has(rule: dict[str, Any]) -> None:
    named = set(re.findall(r"\$labels\.(\w+)", str(rule["annotations"])))
    grouped = {name.strip() for by in re.findall(r"by \(([^)]*)\)", rule["expr"]) for name in by.split(",")}

    assert named <= (grouped - {"le"} if grouped else {"pod"})


def test_only_what_readers_lose_now_rings_at_night() -> None:
    assert {rule["alert"] for rule in alerts() if rule["labels"]["severity"] == "critical"} == {
        "TikTokLiveDown",
        "TikTokLiveEventsDropped",
        "TikTokLiveKafkaDisconnected",
        "TikTokLiveNoDoorOpen",
        "TikTokLiveNoEvents",
        "TikTokLiveStreamersUnassigned",
    }


@pytest.mark.parametrize("expression", expressions())
def test_every_selector_has_the_job_that_the_chart_puts_its_own_in_place_of(expression: str) -> None:
    named = re.findall(rf"\b(?:job:)?{PREFIX}\w+(?::\w+)?|\bup\b|\bprocess_\w+", expression)

    assert named
    assert len(named) == expression.count(f"{{{OURS}")


@pytest.mark.parametrize("expression", expressions())
def test_rules_ask_for_series_and_values_that_are_exported(expression: str) -> None:
    exported: dict[str, dict[str, set[str]]] = {}
    for family in worker_metrics().registry.collect():
        for sample in family.samples:
            labels = exported.setdefault(sample.name, {})
            for label, value in sample.labels.items():
                labels.setdefault(label, set()).add(value)

    for name, selector in re.findall(rf"(?<!job:)\b({PREFIX}\w+)\{{{OURS}([^}}]*)\}}", expression):
        assert name in exported
        for label, operator, value in re.findall(r'(\w+)(=~|!~|!=|=)"([^"]*)"', selector):
            values = value.split("|") if "~" in operator else [value]
            assert set(values) <= exported[name][label]


def test_recorded_series_are_those_that_rules_ask_for() -> None:
    recorded = {rule["record"] for group in groups_of(*RULES) for rule in group["rules"] if "record" in rule}

    asked = {name for expression in expressions() for name in re.findall(rf"job:{PREFIX}\w+:\w+", expression)}

    assert asked == recorded


# ------------------------------------------------------------------------------------------------ what Helm makes


def test_helm_changes_selector_severities_and_addresses_and_nothing_else() -> None:
    expected = copy.deepcopy(groups_of(*sorted(RULES, key=lambda file: file.stem != "recording")))
    own = f'job="lives-tiktok-live-producer",namespace="{NAMESPACE}"'
    for group in expected:
        for rule in group["rules"]:
            rule["expr"] = rule["expr"].replace(OURS, own)
            if "alert" in rule:
                severity = rule["labels"]["severity"]
                rule["labels"]["severity"] = {"critical": "page"}.get(severity, severity)
                page = f"https://git.example.com/live/producer/-/blob/main/docs/runbooks/{rule['alert']}.md"
                rule["annotations"]["runbook_url"] = page

    assert rendered() == expected


@pytest.mark.parametrize(
    ("flags", "severities"),
    [
        ((), {"critical", "warning", "info"}),
        (("--set", "prometheusRule.severities.critical=P1,prometheusRule.severities.info=P5"), {"P1", "warning", "P5"}),
    ],
)
def test_severities_are_the_organisations_words(flags: tuple[str, ...], severities: set[str]) -> None:
    made = rendered(*("--set", "prometheusRule.severities.critical=critical"), *flags)

    assert {rule["labels"]["severity"] for group in made for rule in group["rules"] if "alert" in rule} == severities


def test_a_single_alerts_severity_is_one_of_the_three_or_another_word() -> None:
    changed = rendered(
        *("--set", "prometheusRule.severities.critical=P1"),
        *("--set", "prometheusRule.alerts.TikTokLiveBugs.severity=critical"),
        *("--set", "prometheusRule.alerts.TikTokLiveDown.severity=ticket"),
    )
    rules = {rule["alert"]: rule for group in changed for rule in group["rules"] if "alert" in rule}

    assert rules["TikTokLiveBugs"]["labels"]["severity"] == "P1"
    assert rules["TikTokLiveDown"]["labels"]["severity"] == "ticket"


@pytest.mark.parametrize("address", ["https://runbooks.example", "https://runbooks.example/"])
def test_alerts_lead_to_their_page_wherever_they_are_read(address: str) -> None:
    made = rendered("--set", f"prometheusRule.runbookUrl={address}")

    urls = {rule["annotations"]["runbook_url"] for group in made for rule in group["rules"] if "alert" in rule}
    assert urls == {f"https://runbooks.example/{name}.md" for name in NAMES}


def test_values_change_single_alerts() -> None:
    changed = rendered(
        *("--set", "prometheusRule.alerts.TikTokLiveDown.for=7s"),
        *("--set", "prometheusRule.alerts.TikTokLiveUnknownEvents.enabled=false"),
        *("--set", "prometheusRule.alertLabels.team=live"),
        *("--set", r"prometheusRule.selector=job=~\"live.*\""),
    )
    rules = {rule["alert"]: rule for group in changed for rule in group["rules"] if "alert" in rule}

    assert sorted(rules) == [name for name in NAMES if name != "TikTokLiveUnknownEvents"]
    assert rules["TikTokLiveDown"]["for"] == "7s"
    assert rules["TikTokLiveDown"]["labels"] == {"severity": "page", "team": "live"}
    assert rules["TikTokLiveWorkerDown"]["expr"] == 'up{job=~"live.*"} == 0'
    assert rules["TikTokLiveWorkerDown"]["for"] == "5m"
    assert rules["TikTokLiveWorkerDown"]["labels"] == {"severity": "warning", "team": "live"}


def test_promtool_accepts_what_helm_makes(tmp_path: Path) -> None:
    made = tmp_path / "made.yaml"
    made.write_text(yaml.safe_dump({"groups": rendered()}), "utf-8")

    run(tool("promtool"), "check", "rules", "--lint=all", "--lint-fatal", str(made))


def test_a_misspelt_alert_is_named() -> None:
    with pytest.raises(AssertionError, match=r"prometheusRule\.alerts\.TikTokLiveDwon: there is no such alert"):
        rendered("--set", "prometheusRule.alerts.TikTokLiveDwon.enabled=false")
