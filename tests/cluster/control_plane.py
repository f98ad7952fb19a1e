"""A Kubernetes control plane on loopback: etcd, API server, controller manager and scheduler, with kwok for its nodes.

Real are validation, admission with Pod Security, authorization, controllers and scheduling. There is no kubelet: no
image is pulled, no container, probe or hook of one runs, no NetworkPolicy stops anything; kwok writes the pods' status.
"""

import json
import secrets
import ssl
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import yaml

from producer.local.processes import free_ports

READY_SECONDS = 120.0
STAGES = Path(__file__).parent / "kwok.yaml"
NODES = 3
ROLES = {"admin": "system:masters", "system:kube-controller-manager": "", "system:kube-scheduler": ""}

Object = dict[str, Any]


class ControlPlane:
    """All of it, its data in `folder`. Use it as a context manager."""

    def __init__(self, binaries: Path, folder: Path, crds: Path | None) -> None:
        self._binaries = binaries
        self._folder = folder
        self._crds = crds
        self._stack = ExitStack()
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._tokens = {role: secrets.token_hex(16) for role in ROLES}
        self._peer, self._etcd, self._api, self._controllers, self._scheduler = free_ports(5)

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def kubeconfig(self) -> Path:
        return self._folder / "admin.kubeconfig"

    def kubectl(self, *arguments: str, given: str = "") -> str:
        """Run kubectl to its end and return what it printed; its failure is the test's."""
        result = self.attempt(*arguments, given=given)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    def attempt(self, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
        """Run kubectl to its end."""
        command = [str(self._binaries / "kubectl"), f"--kubeconfig={self.kubeconfig}", *arguments]
        return subprocess.run(command, input=given, capture_output=True, text=True, timeout=120, check=False)

    def apply(self, *objects: Mapping[str, Any]) -> None:
        self.kubectl("apply", "--filename=-", given=yaml.safe_dump_all(objects))

    def pods(self, namespace: str, selector: str) -> list[Object]:
        """The pods that a selector finds, those that are about to go left out."""
        answer = self._client.get(f"/api/v1/namespaces/{namespace}/pods", params={"labelSelector": selector})
        answer.raise_for_status()
        return [pod for pod in answer.json()["items"] if "deletionTimestamp" not in pod["metadata"]]

    def inventory(self, namespace: str) -> set[str]:
        """Every object of a namespace that outlasts its release's past: all but events."""
        kinds = self.kubectl("api-resources", "--namespaced", "--verbs=list", "--output=name").split()
        asked = ",".join(kind for kind in kinds if not kind.startswith("events"))
        return set(self.kubectl("get", asked, f"--namespace={namespace}", "--output=name").split())

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait for the cluster to come to a state; raise what its programs said where it does not."""
        end = time.monotonic() + READY_SECONDS
        while not condition():
            ended = [name for name, process in self._processes.items() if process.poll() is not None]
            if ended or time.monotonic() > end:
                logs = (f"{path.name}: {path.read_text('utf-8', 'replace')[-800:]}" for path in self._logs())
                raise AssertionError("\n".join((f"never came: {what}; ended: {ended}", *logs)))
            time.sleep(0.1)

    def _logs(self) -> list[Path]:
        return sorted(self._folder.glob("*.log"))

    def _start(self) -> None:
        self._folder.mkdir()
        certificates = self._folder / "certificates"
        etcd = f"http://127.0.0.1:{self._etcd}"
        peer = f"http://127.0.0.1:{self._peer}"
        lines = [f'{token},{role},{role},"{ROLES[role]}"' for role, token in self._tokens.items()]
        (self._folder / "tokens.csv").write_text("\n".join(lines), "utf-8")
        key = self._key()
        self._run(
            "etcd",
            f"--data-dir={self._folder / 'etcd'}",
            f"--listen-client-urls={etcd}",
            f"--advertise-client-urls={etcd}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
            "--unsafe-no-fsync",
            "--log-level=warn",
        )
        self._run(
            "kube-apiserver",
            f"--etcd-servers={etcd}",
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            f"--secure-port={self._api}",
            "--endpoint-reconciler-type=none",
            f"--cert-dir={certificates}",
            f"--token-auth-file={self._folder / 'tokens.csv'}",
            "--authorization-mode=Node,RBAC",
            "--anonymous-auth=false",
            "--service-cluster-ip-range=10.96.0.0/24",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={key}",
            f"--service-account-signing-key-file={key}",
        )
        authority = certificates / "apiserver.crt"
        self.until(authority.exists, "the API server's certificate")
        configs = {role: self._kubeconfig(role, authority) for role in ROLES}
        self.until(lambda: self.attempt("get", "--raw=/readyz").returncode == 0, "the API server")
        self._client = self._stack.enter_context(
            httpx.Client(
                base_url=f"https://127.0.0.1:{self._api}",
                headers={"Authorization": f"Bearer {self._tokens['admin']}"},
                verify=ssl.create_default_context(cafile=authority),
                trust_env=False,
            )
        )
        controllers = configs["system:kube-controller-manager"]
        scheduler = configs["system:kube-scheduler"]
        self._run(
            "kube-controller-manager",
            f"--kubeconfig={controllers}",
            f"--authentication-kubeconfig={controllers}",
            f"--authorization-kubeconfig={controllers}",
            "--bind-address=127.0.0.1",
            f"--secure-port={self._controllers}",
            f"--cert-dir={certificates / 'controllers'}",
            f"--service-account-private-key-file={key}",
            f"--root-ca-file={authority}",
            "--use-service-account-credentials",
            "--leader-elect=false",
        )
        self._run(
            "kube-scheduler",
            f"--kubeconfig={scheduler}",
            f"--authentication-kubeconfig={scheduler}",
            f"--authorization-kubeconfig={scheduler}",
            "--bind-address=127.0.0.1",
            f"--secure-port={self._scheduler}",
            f"--cert-dir={certificates / 'scheduler'}",
            "--leader-elect=false",
        )
        self._run(
            "kwok",
            f"--kubeconfig={self.kubeconfig}",
            f"--config={STAGES}",
            "--manage-all-nodes",
            "--node-lease-duration-seconds=40",  # without leases, nodes and their pods are unready after a while
        )
        self.apply(*(_node(f"node-{number}") for number in range(NODES)))
        self.until(lambda: self.kubectl("get", "nodes", "--no-headers").count(" Ready ") == NODES, "the nodes")
        if self._crds is not None:
            self.kubectl("apply", "--server-side", f"--filename={self._crds}")
            self.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")

    def _run(self, name: str, *arguments: str) -> None:
        with (self._folder / f"{name}.log").open("wb") as output:
            process = subprocess.Popen(  # ended by the stack
                [str(self._binaries / name), *arguments], stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
        self._processes[name] = process
        self._stack.callback(_end, process)

    def _key(self) -> Path:
        """The key that service accounts' tokens are signed with."""
        path = self._folder / "service-accounts.key"
        subprocess.run(["openssl", "genrsa", "-out", str(path), "2048"], capture_output=True, check=True)
        return path

    def _kubeconfig(self, role: str, authority: Path) -> Path:
        path = self._folder / f"{role.rpartition(':')[2]}.kubeconfig"
        server = {"server": f"https://127.0.0.1:{self._api}", "certificate-authority": str(authority)}
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "local", "cluster": server}],
            "users": [{"name": role, "user": {"token": self._tokens[role]}}],
            "contexts": [{"name": "local", "context": {"cluster": "local", "user": role}}],
            "current-context": "local",
        }
        path.write_text(json.dumps(document), "utf-8")
        return path


def _node(name: str) -> Object:
    room = {"cpu": "32", "memory": "256Gi", "pods": "110", "ephemeral-storage": "1Ti"}
    labels = {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "topology.kubernetes.io/zone": name}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels},
        "status": {"allocatable": room, "capacity": room},
    }


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=120)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
