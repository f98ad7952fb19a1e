"""A control plane for the whole run, and the Helms to use on it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.control_plane import ControlPlane
from tests.helm import rendering


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    if not os.environ.get("CLUSTER_BIN"):
        pytest.skip("CLUSTER_BIN names no folder with kube-apiserver and the like; `make verify-cluster` runs this")
    crds = Path(os.environ["CLUSTER_CRDS"])
    folder = tmp_path_factory.mktemp("cluster") / "control-plane"
    with ControlPlane(Path(os.environ["CLUSTER_BIN"]), folder, crds) as running:
        yield running


@pytest.fixture(params=["helm", "helm3"])
def helm(request: pytest.FixtureRequest) -> str:
    return rendering.named(request.param)
