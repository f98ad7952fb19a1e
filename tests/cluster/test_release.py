"""The chart's life in a namespace with Pod Security `restricted`, on a real API server.

control_plane.py says what of the cluster is not real.

Skipped unless CLUSTER_PROGRAMS names a folder with the programs; `make verify-cluster` runs it. CLUSTER_CRDS may name a
folder with the CustomResourceDefinitions of Prometheus' operator and of KEDA, which some profiles need.
"""

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.control_plane import NODES, ControlPlane, missing
from tests.helm.rendering import CHART, PROFILES, REFUSED, SELECTOR, by_name

PROGRAMS = Path(os.environ.get("CLUSTER_PROGRAMS", ""))
CRDS = os.environ.get("CLUSTER_CRDS")
NAMESPACE = "streaming"
VALUES = CHART / "ci" / "list-values.yaml"
WORKERS = ",".join(f"{name}={value}" for name, value in SELECTOR.items())
BUILT_IN = {("ServiceAccount", "default"), ("ConfigMap", "kube-root-ca.crt")}
"""What every namespace has."""

pytestmark = pytest.mark.skipif(
    "CLUSTER_PROGRAMS" not in os.environ, reason="CLUSTER_PROGRAMS names no folder; `make verify-cluster` runs this"
)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    assert missing(PROGRAMS) == []
    with ControlPlane(tmp_path_factory.mktemp("cluster"), PROGRAMS, Path(CRDS) if CRDS else None) as cluster:
        yield cluster


@pytest.fixture
def namespace(cluster: ControlPlane) -> Iterator[str]:
    cluster.run("kubectl", "create", "namespace", NAMESPACE)
    cluster.run("kubectl", "label", "namespace", NAMESPACE, "pod-security.kubernetes.io/enforce=restricted")
    cluster.until(
        lambda: cluster.attempt("kubectl", "get", "serviceaccount", "default", "-n", NAMESPACE).returncode == 0
    )
    yield NAMESPACE
    cluster.run("kubectl", "delete", "namespace", NAMESPACE, "--wait")


def helm(cluster: ControlPlane, *arguments: str) -> str:
    return cluster.run("helm", *arguments, "--namespace", NAMESPACE)


def upgrade(cluster: ControlPlane, *arguments: str, values: Path = VALUES) -> str:
    wait = ("--wait", "--timeout", "90s", "--set", "minReadySeconds=1")
    return helm(cluster, "upgrade", "--install", "lives", str(CHART), "--values", str(values), *wait, *arguments)


def workers(cluster: ControlPlane) -> list[dict[str, Any]]:
    """The worker pods that nobody has deleted."""
    pods = cluster.get("pods", "--namespace", NAMESPACE, "--selector", WORKERS)
    return [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]


def uids(cluster: ControlPlane) -> set[str]:
    return {pod["metadata"]["uid"] for pod in workers(cluster)}


def left(cluster: ControlPlane) -> set[tuple[str, str]]:
    """Everything in the namespace, but what every namespace has and the events of what happened in it."""
    kinds = cluster.run("kubectl", "api-resources", "--namespaced", "--verbs=list", "--output", "name").split()
    kinds = [kind for kind in kinds if not kind.startswith("events")]
    found = cluster.get(",".join(kinds), "--namespace", NAMESPACE)
    return {(thing["kind"], thing["metadata"]["name"]) for thing in found} - BUILT_IN


class Readiness:
    """Looks, again and again from a thread of its own, how many workers are ready."""

    def __init__(self, cluster: ControlPlane) -> None:
        self._cluster = cluster
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self.seen: list[int] = []

    def __enter__(self) -> "Readiness":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._enough.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._enough.is_set():
            conditions = [pod["status"].get("conditions", ()) for pod in workers(self._cluster)]
            ready = [{"type": "Ready", "status": "True"}.items() <= one.items() for each in conditions for one in each]
            self.seen.append(sum(ready))


def test_a_release_from_its_installation_to_its_end(cluster: ControlPlane, namespace: str, tmp_path: Path) -> None:
    upgrade(cluster)
    first = uids(cluster)
    replicas = len(first)
    assert replicas >= 2

    assert "Phase:          Succeeded" in helm(cluster, "test", "lives", "--timeout", "60s")

    # An edited list replaces nobody.
    edited = tmp_path / "edited.yaml"
    edited.write_text("streamers: [somebody.else, another]\n")
    upgrade(cluster, "--values", str(edited))
    assert uids(cluster) == first
    applied = cluster.run("kubectl", "get", "configmaps", "--namespace", namespace, "--output", "yaml")
    assert "somebody.else" in applied

    # A setting replaces everybody, and never are fewer than all but one ready.
    with Readiness(cluster) as readiness:
        upgrade(cluster, "--values", str(edited), "--set", "settings.log_level=debug")
    cluster.until(lambda: len(uids(cluster)) == replicas)
    second = uids(cluster)
    assert second & first == set()
    assert len(readiness.seen) > 3
    assert min(readiness.seen) >= replicas - 1

    # A node that is drained gives up its workers one at a time.
    cluster.run("kubectl", "drain", NODES[0], "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=60s")
    cluster.until(lambda: len(uids(cluster)) == replicas)
    assert {pod["spec"]["nodeName"] for pod in workers(cluster)} == {NODES[1]}
    cluster.run("kubectl", "uncordon", NODES[0])

    helm(cluster, "rollback", "lives", "1", "--wait", "--timeout", "90s")
    levels = [
        variable["value"]
        for pod in workers(cluster)
        for variable in pod["spec"]["containers"][0]["env"]
        if variable["name"] == "PRODUCER_LOG_LEVEL"
    ]
    assert "debug" not in levels
    applied = cluster.run("kubectl", "get", "configmaps", "--namespace", namespace, "--output", "yaml")
    assert "somebody.else" not in applied

    helm(cluster, "uninstall", "lives", "--wait", "--timeout", "90s")
    cluster.until(lambda: not cluster.get("pods", "--namespace", namespace))
    assert left(cluster) == set()


def test_the_workers_account_may_do_nothing(cluster: ControlPlane, namespace: str) -> None:
    upgrade(cluster)
    [account] = {pod["spec"]["serviceAccountName"] for pod in workers(cluster)}
    who = f"system:serviceaccount:{namespace}:{account}"

    granted = cluster.run("kubectl", "auth", "can-i", "--list", "--namespace", namespace, "--as", who, "--no-headers")
    asked = {
        (verb, thing): cluster.attempt(
            "kubectl", "auth", "can-i", verb, thing, "--namespace", namespace, "--as", who
        ).stdout.strip()
        for verb in ("get", "list", "create", "update", "delete")
        for thing in ("secrets", "configmaps", "pods", "leases.coordination.k8s.io")
    }

    assert set(asked.values()) == {"no"}
    # What Kubernetes grants to everybody: to ask for one's own rights, and to read versions and health.
    resources = {line.split()[0] for line in granted.splitlines() if not line.startswith(" ")}
    assert {name for name in resources if not name.endswith(".k8s.io")} == set()
    mounted = {pod["spec"].get("automountServiceAccountToken") for pod in workers(cluster)}
    assert mounted == {False}
    helm(cluster, "uninstall", "lives", "--wait", "--timeout", "90s")


@pytest.mark.parametrize("values", REFUSED, ids=by_name)
def test_what_is_wrong_never_comes_to_the_cluster(cluster: ControlPlane, namespace: str, values: Path) -> None:
    refused = cluster.attempt("helm", "install", "lives", str(CHART), "--values", str(values), "--namespace", namespace)

    assert refused.returncode != 0
    assert refused.stderr.startswith("Error: ")
    assert left(cluster) == set()


@pytest.mark.parametrize("values", PROFILES, ids=by_name)
def test_the_api_server_takes_every_object_of_every_profile(
    cluster: ControlPlane, namespace: str, values: Path
) -> None:
    made = helm(cluster, "template", "lives", str(CHART), "--values", str(values))

    dry = ("apply", "--dry-run=server", "--validate=strict", "--filename", "-")
    said = cluster.run("kubectl", *dry, "--namespace", namespace, stdin=made)

    assert "created (server dry run)" in said


def test_pod_security_is_in_force(cluster: ControlPlane, namespace: str) -> None:
    refused = cluster.attempt("kubectl", "run", "bare", "--image=any", "--namespace", namespace)

    assert 'violates PodSecurity "restricted' in refused.stderr
