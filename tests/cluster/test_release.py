"""The chart on a real API server, with Pod Security `restricted`: installed, changed, rolled back, tested, removed.

What is real and what is not: control_plane.py.
"""

import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster.control_plane import ControlPlane
from tests.helm.rendering import CHART, PROFILES, REFUSED, SELECTOR, by_name, template

WORKERS = ",".join(f"{name}={value}" for name, value in SELECTOR.items())
NAME = "lives-tiktok-live-producer"
REPLICAS = 3
VALUES: dict[str, Any] = {
    "settings": {
        "upstream": "tiktok",
        "kafka_bootstrap_servers": "kafka-bootstrap.kafka:9092",
        "schema_registry_url": "http://registry.kafka:8081",
        "max_streams": 400,
    },
    "replicaCount": REPLICAS,
    "minReadySeconds": 2,  # 20 by default: a roll takes that long for each worker
    "streamers": ["ann", "bo"],
    "prepare": {"topics": True, "schemas": True},
    "networkPolicy": {"enabled": True},
    "podMonitor": {"enabled": True},
    "prometheusRule": {"enabled": True, "runbookUrl": "https://git.example.com/docs/runbooks"},
    "dashboard": {"enabled": True},
}
ASKED = [
    *[(verb, "secrets") for verb in ("get", "list", "create")],
    *[(verb, "configmaps") for verb in ("get", "list", "update")],
    *[(verb, "pods") for verb in ("get", "list", "create", "delete")],
    *[(verb, "leases.coordination.k8s.io") for verb in ("get", "create", "update")],
    ("update", "deployments.apps"),
    ("create", "pods/exec"),
    ("create", "serviceaccounts/token"),
    ("impersonate", "users"),
    ("get", "nodes"),
    ("*", "*"),
]
"""What a worker could ask of Kubernetes; none of it is a worker's."""

PRIORITY = {
    "apiVersion": "scheduling.k8s.io/v1",
    "kind": "PriorityClass",
    "metadata": {"name": "streaming"},
    "value": 1000,
}
"""What one of the profiles wants to be there."""

namespaces = (f"streaming-{number}" for number in count())


class Release:
    """The release `lives` in a namespace of its own."""

    def __init__(self, cluster: ControlPlane, helm: str, folder: Path) -> None:
        self.cluster = cluster
        self.namespace = next(namespaces)
        self._helm = helm
        self._folder = folder
        security = {"pod-security.kubernetes.io/enforce": "restricted", "pod-security.kubernetes.io/warn": "restricted"}
        cluster.apply(
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace, "labels": security}}
        )
        cluster.until(lambda: len(cluster.inventory(self.namespace)) == 2, "the namespace's account and certificate")

    def attempt(self, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        homes = {f"HELM_{name}_HOME": str(self._folder / name) for name in ("CACHE", "CONFIG", "DATA")}
        return subprocess.run(
            [self._helm, command, *arguments, f"--namespace={self.namespace}"],
            env=homes | {"HOME": str(self._folder), "KUBECONFIG": str(self.cluster.kubeconfig)},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def helm(self, command: str, *arguments: str) -> str:
        """Run Helm to its end and return what it printed; its failure is the test's."""
        began = time.monotonic()
        result = self.attempt(command, *arguments)
        assert result.returncode == 0, result.stdout + result.stderr
        print(f"{Path(self._helm).name} {command} ({time.monotonic() - began:.0f} s)")
        return result.stdout

    def values(self, **changed: Any) -> str:
        """VALUES with changes, as a file for Helm."""
        path = self._folder / "values.yaml"
        path.write_text(yaml.safe_dump(VALUES | changed), "utf-8")
        return f"--values={path}"

    def install(self, **changed: Any) -> None:
        self.helm("install", "lives", str(CHART), self.values(**changed), "--wait", "--timeout=2m")

    def upgrade(self, **changed: Any) -> None:
        self.helm("upgrade", "lives", str(CHART), self.values(**changed), "--wait", "--timeout=4m")

    def workers(self) -> dict[str, str]:
        """The workers' pods that there are: by uid, the streams that each may have."""
        return {
            pod["metadata"]["uid"]: environ_of(pod)["PRODUCER_MAX_STREAMS"]
            for pod in self.cluster.pods(self.namespace, WORKERS)
        }

    def ready(self) -> int:
        return sum(is_ready(pod) for pod in self.cluster.pods(self.namespace, WORKERS))

    def streamers(self) -> Any:
        """The list that the workers or the Job see."""
        path = "jsonpath={.data.streamers\\.yaml}"
        asked = ("get", "configmap", f"{NAME}-streamers", f"--namespace={self.namespace}", f"--output={path}")
        return yaml.safe_load(self.cluster.kubectl(*asked))["streamers"]

    def completed(self) -> list[str]:
        """The Jobs that came to their end, by name, once for each time."""
        asked = ("get", "events", f"--namespace={self.namespace}", "--output=yaml")
        events = yaml.safe_load(self.cluster.kubectl(*asked))["items"]
        return sorted(
            event["involvedObject"]["name"].removeprefix(f"{NAME}-")
            for event in events
            if event["involvedObject"]["kind"] == "Job" and event["reason"] == "Completed"
        )

    @contextmanager
    def watched(self) -> Iterator[list[int]]:
        """How many workers are ready, again and again for as long as this lasts."""
        seen: list[int] = []
        over = threading.Event()

        def look() -> None:
            while not over.is_set():
                seen.append(self.ready())
                over.wait(0.05)

        thread = threading.Thread(target=look)
        thread.start()
        try:
            yield seen
        finally:
            over.set()
            thread.join()


def environ_of(pod: Mapping[str, Any]) -> dict[str, str]:
    [container] = pod["spec"]["containers"]
    return {entry["name"]: entry.get("value", "") for entry in container["env"]}


def is_ready(pod: Mapping[str, Any]) -> bool:
    conditions: Sequence[Mapping[str, str]] = pod.get("status", {}).get("conditions", ())
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


@pytest.fixture
def release(cluster: ControlPlane, helm: str, tmp_path: Path) -> Release:
    return Release(cluster, helm, tmp_path)


def test_a_release_lives_and_leaves_nothing(release: Release) -> None:
    before = release.cluster.inventory(release.namespace)

    release.install()
    installed = release.workers()
    assert list(installed.values()) == ["400"] * REPLICAS
    assert release.ready() == REPLICAS
    assert release.completed() == ["schemas", "streamers", "topics"]
    assert release.streamers() == ["ann", "bo"]

    tested = release.helm("test", "lives", "--timeout=1m")
    assert [line.split()[-1] for line in tested.splitlines() if line.startswith("Phase:")] == ["Succeeded"]

    release.upgrade(streamers=["ann", "bo", "cai"])
    assert release.streamers() == ["ann", "bo", "cai"]
    assert release.workers() == installed, "an edit of the list replaced pods"
    assert release.completed().count("streamers") == 2

    with release.watched() as seen:
        release.upgrade(settings=VALUES["settings"] | {"max_streams": 500})
    release.cluster.until(lambda: len(release.workers()) == REPLICAS, "the old workers' end")
    changed = release.workers()
    assert list(changed.values()) == ["500"] * REPLICAS
    assert not changed.keys() & installed.keys()
    assert min(seen) >= REPLICAS - 1
    print(f"a changed setting: {len(seen)} looks, at least {min(seen)} and at most {max(seen)} of {REPLICAS} ready")

    release.helm("rollback", "lives", "1", "--wait", "--timeout=4m")
    release.cluster.until(lambda: list(release.workers().values()) == ["400"] * REPLICAS, "the first setting")
    assert release.streamers() == ["ann", "bo"]

    release.helm("uninstall", "lives", "--wait", "--timeout=1m")
    release.cluster.until(lambda: not release.workers(), "the workers' end")
    left = release.cluster.inventory(release.namespace) - before
    assert left == set()


def test_a_worker_may_nothing(release: Release) -> None:
    release.install()
    account = f"--as=system:serviceaccount:{release.namespace}:{NAME}"

    answers = {}
    for verb, resource in ASKED:
        result = release.cluster.attempt("auth", "can-i", verb, resource, account, f"--namespace={release.namespace}")
        answers[f"{verb} {resource}"] = result.stdout.strip()

    print(*(f"  {question}: {answer}" for question, answer in answers.items()), sep="\n")
    assert set(answers.values()) == {"no"}
    for pod in release.cluster.pods(release.namespace, WORKERS):
        assert pod["spec"]["serviceAccountName"] == NAME
        assert not [volume for volume in pod["spec"]["volumes"] if volume["name"].startswith("kube-api-access")]


def test_wrong_values_are_refused_with_a_sentence(release: Release) -> None:
    before = release.cluster.inventory(release.namespace)

    for path in REFUSED:
        reason = path.read_text("utf-8").splitlines()[0].removeprefix("# Refused: ")
        refused = release.attempt("install", "lives", str(CHART), f"--values={path}")
        assert refused.returncode != 0
        assert reason in refused.stderr
        print(f"  {path.stem}: {reason}")

    assert len(REFUSED) >= 10
    assert release.cluster.inventory(release.namespace) == before


def test_pods_that_break_pod_security_never_come_up(release: Release) -> None:
    refused = release.attempt(
        "install",
        "lives",
        str(CHART),
        release.values(prepare={}, streamers=None, podSecurityContext={"runAsNonRoot": False}),
        "--wait",
        "--timeout=8s",
    )

    asked = ("get", "events", f"--namespace={release.namespace}", "--field-selector=reason=FailedCreate")
    assert refused.returncode != 0
    assert release.workers() == {}
    assert 'violates PodSecurity "restricted' in release.cluster.kubectl(*asked)


@pytest.mark.parametrize("values", PROFILES, ids=by_name)
def test_the_api_server_takes_every_object_of_a_profile(values: Path, release: Release, helm: str) -> None:
    objects = [each for each in yaml.safe_load_all(template(helm, values)) if each]
    for each in objects:
        each["metadata"]["namespace"] = release.namespace
        if each["kind"] == "Pod":
            each["spec"]["serviceAccountName"] = "default"  # its own is not there in a dry run
    release.cluster.apply(PRIORITY)
    strictly = ("apply", "--dry-run=server", "--validate=strict", "--filename=-", f"--namespace={release.namespace}")

    taken = release.cluster.attempt(*strictly, given=yaml.safe_dump_all(objects))

    assert taken.returncode == 0, taken.stderr
    assert "Warning" not in taken.stderr
    assert taken.stdout.count("(server dry run)") == len(objects)


def test_the_api_server_refuses_what_is_misspelt(release: Release, helm: str) -> None:
    text = template(helm, PROFILES[0]).replace("minReadySeconds", "minReadySecond")
    strictly = ("apply", "--dry-run=server", "--validate=strict", "--filename=-")

    refused = release.cluster.attempt(*strictly, given=text.replace("namespace: streaming", "namespace: default"))

    assert refused.returncode != 0
    assert 'unknown field "spec.minReadySecond"' in refused.stderr
