"""The workers and the Jobs around them: rolls that hand over, edits that disturb nobody, spools, what runs when."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from producer.local.kafka import Kafka
from producer.local.registry import Registry
from producer.settings import variable
from tests.helm import rendering
from tests.helm.rendering import (
    PROFILES,
    RELEASE,
    SELECTOR,
    by_name,
    environ_of,
    jobs,
    of_kind,
    profile,
    render,
    worker,
    workload,
)

each_profile = pytest.mark.parametrize("values", PROFILES, ids=by_name)


# ------------------------------------------------------------------------------------------------- rolls and edits


def test_a_roll_of_a_deployment_adds_before_it_takes_away(helm: str) -> None:
    deployment = workload(render(helm, profile("default")))

    assert deployment["kind"] == "Deployment"
    assert deployment["spec"]["replicas"] == 2
    assert deployment["spec"]["strategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 0},
    }
    assert deployment["spec"]["minReadySeconds"] == 20


def test_workers_of_a_stateful_set_do_not_wait_for_one_another(helm: str) -> None:
    objects = render(helm, profile("stateful-set"))
    spec, service = workload(objects)["spec"], of_kind(objects, "Service")

    assert service is not None and service["spec"]["clusterIP"] == "None"
    assert service["metadata"]["name"] == spec["serviceName"]
    assert spec["podManagementPolicy"] == "Parallel"
    assert "strategy" not in spec


def test_one_worker_with_the_list_in_its_pod_is_gone_before_the_next_starts(helm: str) -> None:
    objects = render(helm, profile("file-list"))
    spec = workload(objects)["spec"]

    assert spec["replicas"] == 1
    assert spec["strategy"] == {"type": "Recreate"}
    assert "streamers" not in jobs(objects)


@pytest.mark.parametrize("name", ["list", "file-list", "stateful-set"])
def test_an_edited_list_leaves_the_workers_alone_and_an_edited_setting_replaces_them(helm: str, name: str) -> None:
    before = render(helm, profile(name))

    listed = render(helm, profile(name), "--set", "streamers={one,another.one}")
    changed = render(helm, profile(name), "--set", "settings.max_streams=2000000")

    assert rendering.list_file(listed) != rendering.list_file(before)
    assert workload(listed) == workload(before)
    assert workload(changed)["spec"]["template"] != workload(before)["spec"]["template"]
    assert environ_of(worker(changed))[variable("max_streams")] == "2000000"


@each_profile
def test_workers_are_selected_by_what_no_value_changes(helm: str, values: Path) -> None:
    objects = render(helm, values)
    other = render(helm, values, "--set", "podLabels.one=more,commonLabels.two=more,image.tag=other,replicaCount=1")

    assert workload(objects)["spec"]["selector"] == workload(other)["spec"]["selector"] == {"matchLabels": SELECTOR}
    assert SELECTOR.items() <= workload(objects)["spec"]["template"]["metadata"]["labels"].items()
    for claim in workload(objects)["spec"].get("volumeClaimTemplates", []):
        assert claim["metadata"]["labels"] == SELECTOR, "an upgrade could not change a version in it"


@each_profile
def test_jobs_and_the_test_are_no_workers(helm: str, values: Path) -> None:
    objects = render(helm, values)
    others = [
        pod["metadata"]["labels"] for pod in rendering.pods(objects) if pod["spec"] != rendering.worker_pod(objects)
    ]

    assert others
    for labels in others:
        assert RELEASE.items() <= labels.items()
        assert labels["app.kubernetes.io/component"] != "worker"


@each_profile
def test_names_are_short_enough_for_what_kubernetes_appends(helm: str, values: Path) -> None:
    long = "x" * 53
    result = rendering.run(helm, "template", long, str(rendering.CHART), "--values", str(values))

    named = [each for each in yaml.safe_load_all(result.stdout) if each["kind"] in ("StatefulSet", "Deployment", "Job")]
    assert named
    for each in named:
        assert len(each["metadata"]["name"]) <= 52


# ------------------------------------------------------------------------------------------------------- each worker


@each_profile
def test_probes_ask_the_port_that_the_program_listens_on(helm: str, values: Path) -> None:
    container = worker(render(helm, values))

    [port] = container["ports"]
    asked = {name: container[f"{name}Probe"]["httpGet"] for name in ("startup", "readiness", "liveness")}

    assert str(port["containerPort"]) == environ_of(container)[variable("http_port")]
    assert asked == {
        "startup": {"path": "/startupz", "port": port["name"]},
        "readiness": {"path": "/readyz", "port": port["name"]},
        "liveness": {"path": "/livez", "port": port["name"]},
    }


@pytest.mark.parametrize(("name", "seconds", "period"), [("sasl-tls", 180, 1), ("platform", 100, 3)])
def test_start_may_take_as_long_as_it_says(helm: str, name: str, seconds: int, period: int) -> None:
    probe = worker(render(helm, profile(name)))["startupProbe"]

    assert probe["periodSeconds"] == period
    assert seconds <= probe["periodSeconds"] * probe["failureThreshold"] < seconds + period


def test_worker_has_the_name_of_its_pod(helm: str) -> None:
    [name] = (each for each in worker(render(helm, profile("default")))["env"] if each["name"].endswith("WORKER_NAME"))

    assert name["valueFrom"] == {"fieldRef": {"fieldPath": "metadata.name"}}


def test_workers_spread_over_hosts_and_zones_where_they_can(helm: str) -> None:
    spread = rendering.worker_pod(render(helm, profile("default")))["topologySpreadConstraints"]

    assert [each["topologyKey"] for each in spread] == ["kubernetes.io/hostname", "topology.kubernetes.io/zone"]
    for each in spread:
        assert each["whenUnsatisfiable"] == "ScheduleAnyway"
        assert each["labelSelector"] == {"matchLabels": SELECTOR}
        assert each["matchLabelKeys"] == ["pod-template-hash"]


# -------------------------------------------------------------------------------------------------- Jobs and the test


def test_topics_then_schemas_are_prepared_before_the_workers_and_the_list_is_applied_after_them(helm: str) -> None:
    found = jobs(render(helm, profile("list")))
    turns = {name: job["metadata"]["annotations"] for name, job in found.items()}
    runs = {name: job["spec"]["template"]["spec"]["containers"][0]["args"] for name, job in found.items()}

    assert runs == {
        "topics": ["topics", "apply"],
        "schemas": ["schemas", "register"],
        "streamers": ["assign", "apply", "/etc/producer/streamers/streamers.yaml", "--yes"],
    }
    assert turns["topics"]["helm.sh/hook"] == turns["schemas"]["helm.sh/hook"] == "pre-install,pre-upgrade"
    assert int(turns["topics"]["helm.sh/hook-weight"]) < int(turns["schemas"]["helm.sh/hook-weight"])
    assert turns["streamers"]["helm.sh/hook"] == "post-install,post-upgrade,post-rollback"
    assert {turn["helm.sh/hook-delete-policy"] for turn in turns.values()} == {"before-hook-creation,hook-succeeded"}


def test_jobs_before_the_workers_need_nothing_of_the_chart(helm: str) -> None:
    objects = render(helm, profile("sasl-tls"))
    made = {(each["kind"], each["metadata"]["name"]) for each in objects}
    for name in ("topics", "schemas"):
        pod = jobs(objects)[name]["spec"]["template"]["spec"]

        assert ("ServiceAccount", pod["serviceAccountName"]) not in made
        assert {volume["name"] for volume in pod["volumes"]} == {"tmp", "secrets"}


def test_a_list_that_loses_most_is_applied_where_that_is_said(helm: str) -> None:
    [job] = jobs(render(helm, profile("stateful-set"))).values()

    assert "--yes" not in job["spec"]["template"]["spec"]["containers"][0]["args"]


def test_a_list_that_is_not_in_the_values_is_left_alone_and_an_empty_one_is_applied(helm: str) -> None:
    nothing = render(helm, profile("default"))
    empty = render(helm, profile("default"), "--set-json", "streamers=[]")

    assert jobs(nothing) == {}
    assert rendering.list_file(nothing) is None
    assert list(jobs(empty)) == ["streamers"]


@each_profile
def test_the_test_runs_the_programs_own_check_where_a_worker_would_be(helm: str, values: Path) -> None:
    objects = render(helm, values)
    pod = of_kind(objects, "Pod")
    assert pod is not None
    container = rendering.own_container(pod["spec"])

    assert pod["metadata"]["annotations"]["helm.sh/hook"] == "test"
    assert pod["spec"]["restartPolicy"] == "Never"
    assert container["args"] == ["check"]
    for what in ("image", "env", "volumeMounts", "resources", "securityContext"):
        assert container[what] == worker(objects)[what]


def test_the_jobs_commands_leave_topics_schemas_and_the_list(
    helm: str, kafka: Kafka, registry: Registry, tmp_path: Path
) -> None:
    settings = {
        "upstream": "http://127.0.0.1:9",
        "kafka_bootstrap_servers": kafka.bootstrap_servers,
        "schema_registry_url": registry.url,
        "topic_prefix": "chart",
        "topic_partitions": 1,
        "topic_replication_factor": 1,
        "assignment_slots": 8,
    }
    flags = [f"--set-json=settings.{name}={json.dumps(value)}" for name, value in settings.items()]
    objects = render(helm, profile("list"), *flags)
    made = rendering.list_file(objects)
    assert made is not None
    [[file, text]] = made["data"].items()
    (tmp_path / file).write_text(text, "utf-8")
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PRODUCER_")}

    def producer(arguments: list[str], given: dict[str, str]) -> str:
        """Run a container's command with its environment, and the list where its volume is not."""
        arguments = [word.replace("/etc/producer/streamers", str(tmp_path)) for word in arguments]
        result = subprocess.run(
            [sys.executable, "-m", "producer", *arguments],
            env=environ | given,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert result.returncode == 0, result.stderr
        return result.stdout

    for name in ("topics", "schemas", "streamers"):
        [container] = jobs(objects)[name]["spec"]["template"]["spec"]["containers"]
        producer(container["args"], environ_of(container))

    given = environ_of(worker(objects))
    assert producer(["topics", "plan"], given) == ""
    assert producer(["assign", "list"], given).splitlines() == [
        "unique_id,enabled,priority,weight",
        "1_000,true,0,1.0",
        "another,true,0,1.0",
        "important,true,10,2.5",
        "on,true,0,1.0",
        "paused,false,0,1.0",
        "some.streamer,true,0,1.0",
    ]
