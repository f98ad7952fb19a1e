"""Where a worker's spool is, what of a node's disk is asked for it, and what a drain of nodes may take of a fleet."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from producer.settings import from_environ
from tests.helm import rendering
from tests.helm.rendering import PROFILES, SELECTOR, by_name, environ_of, jobs, of_kind, profile, render, worker

MI = 1 << 20
UNITS = {"Mi": MI, "Gi": 1 << 30, "Ti": 1 << 40}

each_profile = pytest.mark.parametrize("values", PROFILES, ids=by_name)


def bytes_of(quantity: str) -> int:
    return int(quantity[:-2]) * UNITS[quantity[-2:]]


def volumes(objects: list[rendering.Object]) -> dict[str, rendering.Object]:
    return {volume["name"]: volume for volume in rendering.worker_pod(objects)["volumes"]}


# -------------------------------------------------------------------------------------------------- where the spool is


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet"])
def test_spool_is_a_folder_of_the_pod_unless_it_is_to_persist(helm: str, kind: str) -> None:
    objects = render(helm, profile("default"), "--set", f"workload.kind={kind}")

    assert volumes(objects)["spool"] == {"name": "spool", "emptyDir": {"sizeLimit": "2Gi"}}
    assert "volumeClaimTemplates" not in rendering.workload(objects)["spec"]


def test_spool_that_persists_is_a_claim_of_a_stateful_set(helm: str) -> None:
    objects = render(helm, profile("stateful-set"))
    spec = rendering.workload(objects)["spec"]
    [claim] = spec["volumeClaimTemplates"]

    assert claim["metadata"] == {
        "name": "spool",
        "labels": SELECTOR,
        "annotations": {"example.com/backup": "none"},
    }
    assert claim["spec"] == {
        "accessModes": ["ReadWriteOncePod"],
        "storageClassName": "fast",
        "resources": {"requests": {"storage": "100Gi"}},
    }
    assert spec["persistentVolumeClaimRetentionPolicy"] == {"whenDeleted": "Delete", "whenScaled": "Retain"}
    assert "spool" not in volumes(objects), "a volume of the pod would hide the claim"


def test_spool_that_persists_is_a_volume_of_a_deployments_pod(helm: str) -> None:
    objects = render(helm, profile("ephemeral-spool"))
    claim = volumes(objects)["spool"]["ephemeral"]["volumeClaimTemplate"]

    assert claim["metadata"]["labels"] == SELECTOR
    assert claim["spec"] == {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "fast",
        "resources": {"requests": {"storage": "20Gi"}},
    }
    assert "persistentVolumeClaimRetentionPolicy" not in rendering.workload(objects)["spec"]


@each_profile
def test_spool_is_where_the_program_looks_for_it(helm: str, values: Path) -> None:
    container = worker(render(helm, values))
    folder = from_environ(environ_of(container)).spool_directory

    mounted = [Path(mount["mountPath"]) for mount in container["volumeMounts"] if mount["name"] == "spool"]

    assert mounted == ([] if folder is None else [folder])


# ------------------------------------------------------------------------------------------------------ a node's disk


@each_profile
def test_a_worker_asks_its_node_for_all_that_its_folders_may_hold(helm: str, values: Path) -> None:
    objects = render(helm, values)
    resources = worker(objects)["resources"]
    held = sum(
        bytes_of(volume["emptyDir"]["sizeLimit"]) for volume in volumes(objects).values() if "emptyDir" in volume
    )
    logs = 5 * 10 * MI  # the kubelet's own containerLogMaxFiles and containerLogMaxSize

    assert bytes_of(resources["requests"]["ephemeral-storage"]) >= held + logs
    assert bytes_of(resources["limits"]["ephemeral-storage"]) >= held + logs


@pytest.mark.parametrize("name", ["stateful-set", "ephemeral-spool"])
def test_a_spool_of_its_own_volume_is_not_asked_of_the_node(helm: str, name: str) -> None:
    requests = worker(render(helm, profile(name)))["resources"]["requests"]

    assert requests["ephemeral-storage"] == "256Mi"


def test_jobs_ask_for_no_spool(helm: str) -> None:
    for job in jobs(render(helm, profile("list"))).values():
        [container] = job["spec"]["template"]["spec"]["containers"]

        assert container["resources"]["limits"]["ephemeral-storage"] == "256Mi"


def test_what_the_values_ask_for_stands(helm: str) -> None:
    resources = worker(render(helm, profile("ephemeral-spool")))["resources"]

    assert resources["limits"] == {"memory": "512Mi", "ephemeral-storage": "1Gi"}


# --------------------------------------------------------------------------------------------------- a drain of nodes


def budget_of(helm: str, name: str, *flags: str) -> Mapping[str, Any]:
    budget = of_kind(render(helm, profile(name), *flags), "PodDisruptionBudget")
    assert budget is not None
    assert budget["spec"]["selector"] == {"matchLabels": SELECTOR}
    spec: Mapping[str, Any] = budget["spec"]
    return spec


def may_evict(budget: Mapping[str, Any], *, workers: int, ready: int, this_is_ready: bool) -> bool:
    """Whether the API server lets one running pod be evicted, by Kubernetes' documentation of the budget's fields."""
    most = budget["maxUnavailable"]
    unavailable = math.ceil(workers * int(most[:-1]) / 100) if isinstance(most, str) else most
    desired = max(0, workers - unavailable)
    if not this_is_ready:
        if budget["unhealthyPodEvictionPolicy"] == "AlwaysAllow":
            return True
        if ready >= desired > 0:
            return True
    return ready > desired


@pytest.mark.parametrize("workers", [1, 2, 3, 50])
@pytest.mark.parametrize("name", ["default", "stateful-set", "list", "file-list"])
def test_without_kafka_a_drain_takes_no_worker_and_no_spool(helm: str, name: str, workers: int) -> None:
    budget = budget_of(helm, name)

    assert not may_evict(budget, workers=workers, ready=0, this_is_ready=False)


@pytest.mark.parametrize("workers", [2, 3, 50])
def test_one_broken_worker_keeps_no_node_from_being_drained(helm: str, workers: int) -> None:
    budget = budget_of(helm, "default")

    assert may_evict(budget, workers=workers, ready=workers - 1, this_is_ready=False)
    assert not may_evict(budget, workers=workers, ready=workers - 1, this_is_ready=True)


@pytest.mark.parametrize("workers", [1, 2, 3, 50])
def test_a_drain_takes_the_workers_of_a_sound_fleet_one_after_the_other(helm: str, workers: int) -> None:
    budget = budget_of(helm, "default")

    assert may_evict(budget, workers=workers, ready=workers, this_is_ready=True)
    assert not may_evict(budget, workers=workers, ready=workers - 1, this_is_ready=True)


def test_a_drain_takes_any_worker_that_is_not_ready_where_that_is_said(helm: str) -> None:
    budget = budget_of(helm, "ephemeral-spool")

    assert may_evict(budget, workers=3, ready=0, this_is_ready=False)
