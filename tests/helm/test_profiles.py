"""Each profile in helm/ci: Helm takes it, Kubernetes would, and the program reads what it gets; or it is refused."""

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from producer.assignments import lists
from producer.settings import Settings, from_environ
from tests.helm import rendering
from tests.helm.rendering import PROFILES, REFUSED, by_name, environ_of, pods, read, render
from tests.helm.restricted import violations

each_profile = pytest.mark.parametrize("values", PROFILES, ids=by_name)


@each_profile
def test_helms_strict_lint_finds_nothing(helm: str, values: Path) -> None:
    result = rendering.run(helm, "lint", "--strict", str(rendering.CHART), "--values", str(values))

    assert result.returncode == 0, result.stdout + result.stderr


@each_profile
def test_every_container_has_an_environment_that_the_program_accepts(helm: str, values: Path) -> None:
    for pod in pods(render(helm, values)):
        container = rendering.own_container(pod["spec"])

        settings = from_environ(environ_of(container))

        assert settings.http_host in ("0.0.0.0", "::")
        for name, wanted in read(values)["settings"].items():
            given = getattr(settings, name)
            assert given == (tuple(wanted) if isinstance(given, tuple) else type(given)(wanted))


@each_profile
def test_every_file_that_a_setting_names_is_mounted(helm: str, values: Path) -> None:
    objects = render(helm, values)
    for pod in pods(objects):
        container = rendering.own_container(pod["spec"])
        settings = from_environ(environ_of(container))
        named = {name: getattr(settings, name) for name in Settings.model_fields if name.endswith("_file")}
        if container["args"][0] in ("topics", "schemas"):
            named.pop("assignments_file")  # they look whether there is one, and do not read it

        mounted = files_of(pod["spec"], objects)
        brought = {name for name in read(values)["settings"] if name.endswith("_file")}

        assert {path for name, path in named.items() if path is not None and name not in brought} <= mounted
        assert read(values).get("secretFiles", {}).keys() | brought == {
            name for name, path in named.items() if path is not None and name != "assignments_file"
        }
        assert not any("subPath" in mount for mount in container["volumeMounts"]), "such a file never changes"


def test_files_that_others_bring_are_where_their_volumes_are(helm: str) -> None:
    objects = render(helm, rendering.profile("mounted-secrets"))
    container = rendering.worker(objects)
    settings = from_environ(environ_of(container))
    folders = {mount["name"]: Path(mount["mountPath"]) for mount in container["volumeMounts"]}

    assert settings.kafka_sasl_password_file == folders["kafka"] / "password"
    assert settings.kafka_tls_ca_file == folders["kafka-ca"] / "ca.crt"
    assert settings.schema_registry_token_file == folders["registry-token"] / "token"
    assert settings.sessions_directory == folders["kafka"] / "sessions"


ELSEWHERE = "podAnnotations.vault\\.hashicorp\\.com/secret-volume-path=/run/vault"
UNASKED = "podAnnotations.vault\\.hashicorp\\.com/agent-inject=no"


@pytest.mark.parametrize(
    ("path", "change", "taken"),
    [
        ("/vault/secrets/sign", "replicaCount=3", True),
        ("/vault/secrets/../sign", "replicaCount=3", False),
        ("/vault/secrets-of-others/sign", "replicaCount=3", False),
        ("/run/vault/sign", ELSEWHERE, True),
        ("/vault/secrets/sign", ELSEWHERE, False),
        ("/vault/secrets/sign", UNASKED, False),
        ("/mnt/kafka/sign", UNASKED, True),
    ],
)
def test_a_path_is_taken_where_a_volume_or_vaults_injector_is(helm: str, path: str, change: str, taken: bool) -> None:
    flags = ("--set", f"settings.sign_api_key_file={path}", "--set", change)

    result = rendering.attempt(helm, rendering.profile("mounted-secrets"), *flags)

    assert (result.returncode == 0) == taken
    assert taken or f"settings.sign_api_key_file is {path}, where nothing is mounted" in result.stderr


def test_a_user_name_is_whose_the_secret_says(helm: str) -> None:
    for pod in pods(render(helm, rendering.profile("mounted-secrets"))):
        container = rendering.own_container(pod["spec"])
        sources = {entry["name"]: entry.get("valueFrom") for entry in container["env"]}

        assert sources["PRODUCER_KAFKA_SASL_USERNAME"] == {
            "secretKeyRef": {"name": "kafka-credentials", "key": "username"}
        }


def files_of(pod: dict[str, Any], objects: list[dict[str, Any]]) -> set[Path]:
    """The files of the chart's own volumes, where the pod's container has them."""
    container = rendering.own_container(pod)
    folders = {mount["name"]: Path(mount["mountPath"]) for mount in container["volumeMounts"]}
    works = pod == rendering.worker_pod(objects)
    claims = rendering.workload(objects)["spec"].get("volumeClaimTemplates", []) if works else []
    assert folders.keys() <= {
        *(each["name"] for each in pod["volumes"]),
        *(each["metadata"]["name"] for each in claims),
    }
    files: set[Path] = set()
    for volume in pod["volumes"]:
        if volume["name"] == "streamers":
            made = rendering.list_file(objects)
            assert made is not None and made["metadata"]["name"] == volume["configMap"]["name"]
            files |= {folders["streamers"] / name for name in made["data"]}
        if volume["name"] == "secrets":
            for source in volume["projected"]["sources"]:
                files |= {folders["secrets"] / item["path"] for item in source["secret"]["items"]}
    return files


@each_profile
def test_every_folder_that_the_worker_writes_to_is_writable_and_bounded(helm: str, values: Path) -> None:
    objects = render(helm, values)
    container, settings = rendering.worker(objects), from_environ(environ_of(rendering.worker(objects)))

    writable = {Path(mount["mountPath"]) for mount in container["volumeMounts"] if not mount.get("readOnly")}

    assert {settings.spool_directory, settings.claims_directory} - {None} <= writable
    for volume in rendering.worker_pod(objects)["volumes"]:
        assert "emptyDir" not in volume or volume["emptyDir"]["sizeLimit"]
    assert (settings.spool_directory is None) == (by_name(values) == "minimal")


@each_profile
def test_list_is_one_that_the_program_accepts(helm: str, values: Path) -> None:
    objects = render(helm, values)
    given = read(values).get("streamers")
    made = rendering.list_file(objects)
    if made is None:
        assert given is None
        return

    [[file, text]] = made["data"].items()

    assert lists.read(text, lists.form_of(file), source=file) == lists.read(
        yaml.safe_dump({"streamers": given}), "yaml", source="the profile"
    )


@each_profile
def test_every_pod_passes_the_restricted_security_standard(helm: str, values: Path) -> None:
    found = list(pods(render(helm, values)))

    assert len(found) >= 2
    for pod in found:
        assert list(violations(pod["spec"])) == []
        assert pod["spec"]["automountServiceAccountToken"] is False
        assert pod["spec"]["enableServiceLinks"] is False
        for container in rendering.containers_of(pod["spec"]):
            assert container["securityContext"]["readOnlyRootFilesystem"] is True


@pytest.mark.parametrize(
    ("flag", "violation"),
    [
        ("podSecurityContext.runAsNonRoot=false", "runAsNonRoot"),
        ("podSecurityContext.runAsUser=0", "runAsUser"),
        ("podSecurityContext.seccompProfile.type=Unconfined", "seccompProfile"),
        ("podSecurityContext.seLinuxOptions.user=root", "seLinuxOptions"),
        ("podSecurityContext.appArmorProfile.type=Unconfined", "appArmorProfile"),
        ("securityContext.privileged=true", "privileged"),
        ("securityContext.allowPrivilegeEscalation=true", "allowPrivilegeEscalation"),
        ("securityContext.capabilities.drop=null", "capabilities"),
        ("securityContext.capabilities.add={SYS_ADMIN}", "capabilities"),
        ("securityContext.procMount=Unmasked", "procMount"),
        ("lifecycle.preStop.httpGet.host=example.com", "a probe's or hook's host"),
    ],
)
def test_the_security_standard_notices_a_loosened_container(helm: str, flag: str, violation: str) -> None:
    objects = render(helm, rendering.profile("default"), "--set", flag)

    assert list(violations(rendering.worker_pod(objects))) == [f"producer: {violation}"]


def test_the_security_standard_notices_a_loosened_pod() -> None:
    pod = {"hostPID": True, "volumes": [{"name": "host", "hostPath": {"path": "/"}}], "containers": []}

    assert list(violations(pod)) == ["hostPID", "volume hostPath"]


@each_profile
def test_kubernetes_own_schemas_accept_every_object(helm: str, values: Path) -> None:
    kubeconform = rendering.tool("kubeconform")
    schemas = os.environ.get("KUBECONFORM_SCHEMAS", "")
    if kubeconform is None or not (schemas or os.environ.get("KUBECONFORM")):
        pytest.skip("no kubeconform with schemas of its own; KUBECONFORM and KUBECONFORM_SCHEMAS can name them")
    versions = sorted((Path(schemas) / "k8s").glob("v*-strict"))
    assert versions, f"KUBECONFORM_SCHEMAS={schemas}: no k8s/v...-strict in it, and without them it would ask the net"

    for version in versions:
        result = rendering.run(
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
            given=rendering.template(helm, values),
        )

        assert result.returncode == 0, result.stdout + result.stderr
        assert "Skipped: 0" in result.stdout


@pytest.mark.parametrize("values", REFUSED, ids=by_name)
def test_refused_profile_is_refused_with_its_sentence(helm: str, values: Path) -> None:
    sentence = values.read_text("utf-8").splitlines()[0].removeprefix("# Refused: ")

    result = rendering.attempt(helm, values)

    assert result.returncode != 0
    assert sentence in result.stderr


def test_every_problem_is_told_at_once(helm: str) -> None:
    flags = ("--set", "spool.size=1Mi,networkPolicy.enabled=true")
    result = rendering.run(helm, "template", "lives", str(rendering.CHART), *flags)

    assert "settings.upstream is not set" in result.stderr
    assert "settings.kafka_bootstrap_servers is not set" in result.stderr
    assert "spool.size is 1Mi" in result.stderr
