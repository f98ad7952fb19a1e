"""The chart in the eyes of kube-score and helm-unittest, where there are such."""

from pathlib import Path

import pytest

from tests.helm.rendering import CHART, PROFILES, by_name, named, run, template

IGNORED = {
    "container-image-pull-policy": "tags are versions and never move; a digest can be given",
    "container-resources": "a processor limit would hold back heartbeats; the request keeps the share",
    "container-ephemeral-storage-request-and-limit": "each emptyDir has its own limit, the spool's being a value",
    "deployment-has-host-podantiaffinity": "topology spread constraints stand for it",
    "statefulset-has-host-podantiaffinity": "topology spread constraints stand for it",
}
"""kube-score's checks that we do not follow, and why."""
NO_POLICY = {"pod-networkpolicy": "off by default: only the operator knows where Kafka is"}
OWN_USER = {"container-security-context-user-group-id": "the cluster chooses the user"}


@pytest.mark.parametrize("values", PROFILES, ids=by_name)
def test_kube_score_finds_nothing(helm: str, values: Path) -> None:
    kube_score = named("kube-score")
    ignored = IGNORED | (NO_POLICY if by_name(values) != "network-policy" else {})
    ignored |= OWN_USER if by_name(values) == "openshift" else {}
    flags = [part for name in ignored for part in ("--ignore-test", name)]

    result = run(
        kube_score,
        *("score", "--kubernetes-version=v1.36", "--output-format=ci", "--exit-one-on-warning", *flags, "-"),
        given=template(helm, values),
    )

    assert result.returncode == 0, result.stdout + result.stderr
    assert "[OK]" in result.stdout


def test_helm_unittest_passes() -> None:
    result = run(named("helm-unittest"), "--strict", str(CHART))

    assert result.returncode == 0, result.stdout + result.stderr
