"""What a platform wants of every chart: a registry, labels, annotations, a namespace, names, containers beside ours."""

import shutil
from pathlib import Path

import pytest
import yaml

from tests.helm import rendering
from tests.helm.rendering import CHART, RELEASE, Object, jobs, of_kind, pods, profile, render, worker, workload

EVERYTHING = (
    "networkPolicy.enabled=true,prometheusRule.enabled=true,prometheusRule.runbookUrl=https://pages.example/,"
    "dashboard.enabled=true,streamers={ann}"
)


@pytest.fixture(params=["podMonitor", "serviceMonitor"])
def objects(helm: str, request: pytest.FixtureRequest) -> list[Object]:
    return render(helm, profile("platform"), "--set", f"{EVERYTHING},{request.param}.enabled=true")


def test_every_object_is_in_the_namespace_that_is_said(objects: list[Object]) -> None:
    rules = of_kind(objects, "PrometheusRule")

    assert len(objects) > 10
    assert {each["metadata"]["namespace"] for each in objects} == {"live"}
    assert rules is not None and 'namespace="live"' in str(rules) and "streaming" not in str(rules)


def test_every_object_and_pod_has_the_common_labels(objects: list[Object]) -> None:
    for each in (*objects, *pods(objects)):
        assert each["metadata"]["labels"]["example.com/cost-centre"] == "4711"
        assert RELEASE.items() <= each["metadata"]["labels"].items()


def test_an_objects_own_annotations_win_over_the_common_ones(objects: list[Object]) -> None:
    owners = {each["kind"]: each["metadata"]["annotations"]["example.com/owner"] for each in objects}

    assert owners.pop("StatefulSet") == "workers"
    assert set(owners.values()) == {"live"}


def test_annotations_reach_what_they_are_of(objects: list[Object]) -> None:
    service, job, check = of_kind(objects, "Service"), jobs(objects)["topics"], of_kind(objects, "Pod")
    assert service is not None and check is not None

    assert service["metadata"]["annotations"]["example.com/scrape"] == "true"
    assert job["metadata"]["annotations"]["example.com/wave"] == "1"
    assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
    assert job["spec"]["template"]["metadata"]["annotations"] == {"sidecar.istio.io/inject": "false"}
    assert check["metadata"]["annotations"]["sidecar.istio.io/inject"] == "false"
    assert "annotations" not in workload(objects)["spec"]["template"]["metadata"], "they would roll the workers"


def test_every_pod_finds_names_as_it_is_said(objects: list[Object]) -> None:
    for pod in pods(objects):
        assert pod["spec"]["hostAliases"] == [{"ip": "10.0.0.7", "hostnames": ["kafka.example.com"]}]
        assert pod["spec"]["dnsPolicy"] == "ClusterFirst"
        assert pod["spec"]["dnsConfig"] == {"options": [{"name": "ndots", "value": "2"}]}


def test_a_timing_of_a_probe_is_changed_by_itself(objects: list[Object]) -> None:
    container = worker(objects)
    timings = ("periodSeconds", "timeoutSeconds", "failureThreshold")

    assert [container["readinessProbe"][name] for name in timings] == [10, 5, 3]
    assert [container["livenessProbe"][name] for name in timings] == [10, 5, 6]


def test_init_containers_are_in_every_pod_and_further_ones_where_nothing_waits_for_their_end(
    objects: list[Object],
) -> None:
    works = rendering.worker_pod(objects)

    for pod in pods(objects):
        assert [each["name"] for each in pod["spec"]["initContainers"]] == ["token"]
        assert len(pod["spec"]["containers"]) == (2 if pod["spec"] == works else 1)
    assert [each["name"] for each in works["containers"]] == ["producer", "meter"]


# ----------------------------------------------------------------------------------------------- as part of another


@pytest.mark.parametrize(
    ("repository", "image"),
    [
        ("tiktok-live-producer", "mirror.example.com/hub/tiktok-live-producer:0.1.0"),
        ("team/producer", "mirror.example.com/hub/team/producer:0.1.0"),
        ("registry.example.com/team/producer", "mirror.example.com/hub/team/producer:0.1.0"),
        ("registry:5000/producer", "mirror.example.com/hub/producer:0.1.0"),
        ("localhost/producer", "mirror.example.com/hub/producer:0.1.0"),
    ],
)
def test_the_global_registry_takes_the_place_of_the_images_host(helm: str, repository: str, image: str) -> None:
    flags = ("--set", f"global.imageRegistry=mirror.example.com/hub,image.repository={repository}")

    assert worker(render(helm, profile("default"), *flags))["image"] == image


def test_a_chart_that_has_this_one_shares_its_registry_and_pull_secrets(helm: str, tmp_path: Path) -> None:
    parent = tmp_path / "parent"
    shutil.copytree(CHART, parent / "charts" / "tiktok-live-producer")
    (parent / "Chart.yaml").write_text("{apiVersion: v2, name: parent, version: 1.0.0}", "utf-8")
    shared = {"imageRegistry": "mirror.example.com", "imagePullSecrets": ["mirror", {"name": "own"}], "others": 1}
    own = yaml.safe_load(profile("default").read_text("utf-8")) | {"imagePullSecrets": [{"name": "own"}]}
    values = tmp_path / "values.yaml"
    values.write_text(yaml.safe_dump({"global": shared, "tiktok-live-producer": own}), "utf-8")

    result = rendering.attempt(helm, values, chart=parent)

    assert result.returncode == 0, result.stderr
    [made] = (each for each in yaml.safe_load_all(result.stdout) if each and each["kind"] == "Deployment")
    pod = made["spec"]["template"]["spec"]
    assert pod["containers"][0]["image"] == "mirror.example.com/tiktok-live-producer:0.1.0"
    assert pod["imagePullSecrets"] == [{"name": "mirror"}, {"name": "own"}]
