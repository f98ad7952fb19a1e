"""Every value does something: changed alone, in some profile, it changes what is made."""

import copy
import functools
import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.helm import rendering
from tests.helm.rendering import CHART, PROFILES, attempt, read, template

OTHER: Mapping[str, Any] = {
    "affinity": {"podAffinity": {}},
    "assignments.mode": "file",
    "autoscaling.behavior.scaleDown.policies": [],
    "autoscaling.behavior.scaleUp.policies": [],
    "autoscaling.cpu": "300m",
    "autoscaling.prometheus": "http://elsewhere:9090",
    "autoscaling.streams": 3,
    "extraVolumeMounts": [{"name": "cache", "mountPath": "/other"}],
    "dnsConfig": {"searches": ["other"]},
    "dnsPolicy": "Default",
    "extraContainers": [{"name": "other", "image": "other"}],
    "hostAliases": [{"ip": "10.0.0.8", "hostnames": ["other"]}],
    "image.digest": "sha256:" + "0" * 64,
    "image.pullPolicy": "Always",
    "initContainers": [{"name": "other", "image": "other"}],
    "podDisruptionBudget.unhealthyPodEvictionPolicy": "AlwaysAllow",
    "podMonitor.interval": "7s",
    "podMonitor.scrapeTimeout": "7s",
    "prometheusRule.alerts": {"TikTokLiveUnknownEvents": {"enabled": False}},
    "prometheusRule.enabled": False,
    "prometheusRule.runbookUrl": "https://elsewhere.example",
    "rollingUpdate.maxSurge": 2,
    "secretFiles": {"sign_api_key_file": {"name": "other", "key": "other"}},
    "serviceMonitor.interval": "7s",
    "serviceMonitor.scrapeTimeout": "7s",
    "settingsFrom": {"schema_registry_username": {"secretKeyRef": {"name": "other", "key": "other"}}},
    "spool.persistence.accessModes": ["ReadWriteOnce", "ReadWriteOncePod"],
    "spool.persistence.persistentVolumeClaimRetentionPolicy.whenDeleted": "Retain",
    "spool.persistence.persistentVolumeClaimRetentionPolicy.whenScaled": "Delete",
    "spool.size": "500Gi",
    "streamers": ["other"],
    "topologySpreadConstraints": [],
    "workload.kind": "StatefulSet",
}
"""Another value, where the rule of `other` would make one that the schema refuses."""

FURTHER = ("minimal", "keda", "hpa", "service-monitor", "network-policy", "monitoring", "stateful-set", "list")
"""Profiles that are tried after `extras`, for values that it does not show."""


def leaves(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Each value that has no values below it."""
    for name, value in values.items():
        if isinstance(value, dict) and value and f"{prefix}{name}" not in OTHER:
            yield from leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def other(path: str, value: Any) -> Any:
    if path in OTHER:
        return OTHER[path]
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case str():
            return "other"
        case list():
            return [{"name": "other"}]
        case _:
            return {"other": "other"}


def changed(values: Mapping[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Values of a profile with one of them made another."""
    result = copy.deepcopy(dict(values))
    *above, name = path.split(".")
    inner = functools.reduce(lambda mapping, each: mapping.setdefault(each, {}), above, result)
    inner[name] = value
    return result


def is_used(helm: str, path: str, value: Any, folder: Path, *, chart: Path = CHART) -> bool:
    """Whether some profile is rendered otherwise with another value."""
    for name in ("extras", *FURTHER):
        profile = rendering.profile(name)
        file = folder / f"{name}.yaml"
        file.write_text(json.dumps(changed(read(profile), path, other(path, value))), "utf-8")
        result = attempt(helm, file, chart=chart)
        if result.returncode == 0 and result.stdout != template(helm, profile, chart=chart):
            return True
    return False


@pytest.mark.parametrize(("path", "value"), list(leaves(read(CHART / "values.yaml"))), ids=lambda each: str(each)[:50])
def test_value_is_used(helm: str, path: str, value: Any, tmp_path: Path) -> None:
    assert is_used(helm, path, value, tmp_path)


def test_a_value_that_nothing_uses_is_noticed(helm: str, tmp_path: Path) -> None:
    planted = tmp_path / "chart"
    shutil.copytree(CHART, planted)
    with (planted / "values.yaml").open("a", encoding="utf-8") as values:
        values.write("planted: 1\n")
    schema = read(planted / "values.schema.json")
    schema["properties"]["planted"] = {"type": "integer"}
    (planted / "values.schema.json").write_text(json.dumps(schema), "utf-8")

    assert is_used(helm, "replicaCount", 2, tmp_path, chart=planted)
    assert not is_used(helm, "planted", 1, tmp_path, chart=planted)


def test_every_profile_is_one_that_helm_may_be_asked_for() -> None:
    assert {"extras", *FURTHER} <= {rendering.by_name(path) for path in PROFILES}
