"""What Helm makes of the chart, as objects that a test can ask."""

import functools
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

CHART = Path(__file__).resolve().parent.parent.parent / "helm"
PROFILES = sorted((CHART / "ci").glob("*-values.yaml"))
REFUSED = sorted((CHART / "ci" / "fail").glob("*.yaml"))

RELEASE = {"app.kubernetes.io/name": "tiktok-live-producer", "app.kubernetes.io/instance": "lives"}
SELECTOR = RELEASE | {"app.kubernetes.io/component": "worker"}
"""Labels of all pods of the release, and of its workers alone."""

Object = dict[str, Any]


def by_name(path: Path) -> str:
    return path.stem.removesuffix("-values")


def profile(name: str) -> Path:
    [found] = (path for path in PROFILES if by_name(path) == name)
    return found


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))


def tool(name: str) -> str | None:
    """A tool that the environment names, which then must be there, or one that happens to be on PATH."""
    variable = name.upper().replace("-", "_")
    named = os.environ.get(variable)
    found = shutil.which(named or name)
    assert found or not named, f"{variable}={named} is not there"
    return found


def named(name: str) -> str:
    """The same, or the test skips."""
    found = tool(name)
    return found or pytest.skip(f"no {name} on PATH; {name.upper().replace('-', '_')} can name one")


def run(*command: str, given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(list(command), input=given, capture_output=True, text=True, timeout=60, check=False)


def attempt(helm: str, values: Path, *flags: str, chart: Path = CHART) -> subprocess.CompletedProcess[str]:
    return run(helm, "template", "lives", str(chart), "--namespace", "streaming", "--values", str(values), *flags)


@functools.lru_cache(maxsize=64)
def template(helm: str, values: Path, *flags: str, chart: Path = CHART) -> str:
    result = attempt(helm, values, *flags, chart=chart)
    assert result.returncode == 0, result.stderr
    return result.stdout


def render(helm: str, values: Path, *flags: str) -> list[Object]:
    """Every object, with hooks and the test."""
    return [each for each in yaml.safe_load_all(template(helm, values, *flags)) if each]


def of_kind(objects: list[Object], kind: str) -> Object | None:
    """The one object of a kind, or none."""
    found = [each for each in objects if each["kind"] == kind]
    assert len(found) <= 1
    return found[0] if found else None


def workload(objects: list[Object]) -> Object:
    """The object that has the workers."""
    [found] = (each for each in objects if each["kind"] in ("Deployment", "StatefulSet"))
    return found


def worker_pod(objects: list[Object]) -> Object:
    """The spec of a worker's pod."""
    pod: Object = workload(objects)["spec"]["template"]["spec"]
    return pod


def worker(objects: list[Object]) -> Object:
    """The container that works."""
    return own_container(worker_pod(objects))


def jobs(objects: list[Object]) -> dict[str, Object]:
    """Each Job by the name of its container."""
    found = [each for each in objects if each["kind"] == "Job"]
    return {each["spec"]["template"]["spec"]["containers"][0]["name"]: each for each in found}


def list_file(objects: list[Object]) -> Object | None:
    """The ConfigMap with the list, or none."""
    for each in objects:
        if each["kind"] == "ConfigMap" and each["metadata"]["name"].endswith("-streamers"):
            return each
    return None


def pods(objects: list[Object]) -> Iterator[Object]:
    """Metadata and spec of every pod: the workers', the Jobs' and the test's."""
    for each in objects:
        if each["kind"] == "Pod":
            yield each
        elif each["kind"] in ("Deployment", "StatefulSet", "Job"):
            yield each["spec"]["template"]


def own_container(pod: Mapping[str, Any]) -> Object:
    """The chart's own container of a pod, among others that the values have."""
    own: Object = pod["containers"][0]
    assert own["name"] in ("producer", "topics", "schemas", "streamers", "check")
    return own


def containers_of(pod: Mapping[str, Any]) -> list[Object]:
    return [*pod.get("initContainers", []), *pod["containers"]]


def environ_of(container: Mapping[str, Any]) -> dict[str, str]:
    """A container's environment, with a name in place of what the pod is asked for."""
    names = [entry["name"] for entry in container["env"]]
    assert len(names) == len(set(names))
    return {entry["name"]: entry.get("value", "pod-name") for entry in container["env"]}
