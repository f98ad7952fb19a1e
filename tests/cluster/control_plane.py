"""A real Kubernetes control plane on loopback, with nodes that kwok pretends.

Real are the API's validation, admission, Pod Security, RBAC, the controllers, the scheduler and eviction, and Helm.
Not real, for there is no kubelet: images, containers, probes, logs, NetworkPolicies and metrics for autoscalers. kwok
says that each pod is ready as soon as it is scheduled, and that each Job's pod ended well (stages.yaml).
"""

import json
import os
import secrets
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import trustme
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from producer.local.processes import free_ports

STEP_SECONDS = 120.0
STAGES = Path(__file__).parent / "stages.yaml"
NODES = ("node-1", "node-2")
PROGRAMS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok", "kubectl", "helm")
CAPACITY = {"cpu": "32", "memory": "256Gi", "pods": "110", "ephemeral-storage": "1Ti"}


class Failed(AssertionError):
    """A command that should have succeeded did not."""


class ControlPlane:
    """Use it as a context manager."""

    def __init__(self, folder: Path, programs: Path, crds: Path | None = None) -> None:
        """`programs` is the folder with those that are named above; `crds` has definitions to install."""
        self._folder = folder
        self._programs = programs
        self._crds = crds
        self._stack = ExitStack()
        self._tokens = {name: secrets.token_hex(16) for name in ("admin", "kube-controller-manager", "kube-scheduler")}
        etcd, peer, api, manager, scheduler = free_ports(5)
        self._etcd, self._peer = f"http://127.0.0.1:{etcd}", f"http://127.0.0.1:{peer}"
        self._api, self._manager, self._scheduler = api, manager, scheduler
        self.environ = {
            "PATH": os.environ["PATH"],
            "KUBECONFIG": str(self._kubeconfig("admin")),
            **{f"HELM_{part}_HOME": str(folder / f"helm-{part.lower()}") for part in ("CACHE", "CONFIG", "DATA")},
        }

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._stack = stack
            self._secrets()
            self._start()
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    # ---------------------------------------------------------------------------------------------------- commands

    def run(self, program: str, *arguments: str, stdin: str | None = None) -> str:
        """Run kubectl or helm; return what it printed. Raises Failed with what it said."""
        done = self.attempt(program, *arguments, stdin=stdin)
        if done.returncode != 0:
            raise Failed(f"{program} {' '.join(arguments)}: {done.stdout}{done.stderr}")
        return done.stdout

    def attempt(self, program: str, *arguments: str, stdin: str | None = None) -> "subprocess.CompletedProcess[str]":
        """Run kubectl or helm, whatever becomes of it."""
        return subprocess.run(
            [str(self._programs / program), *arguments],
            env=self.environ,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=STEP_SECONDS,
            check=False,
        )

    def get(self, *arguments: str) -> list[dict[str, Any]]:
        """The objects that kubectl finds."""
        return list(json.loads(self.run("kubectl", "get", *arguments, "--output", "json"))["items"])

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait for what the cluster comes to by itself."""
        deadline = time.monotonic() + STEP_SECONDS
        while not condition():
            if time.monotonic() > deadline:
                raise Failed("it did not come to that in time")
            time.sleep(0.2)

    # ------------------------------------------------------------------------------------------------------- start

    def _secrets(self) -> None:
        self._folder.chmod(0o700)
        authority = trustme.CA()
        authority.cert_pem.write_to_path(self._folder / "ca.crt")
        certificate = authority.issue_cert("127.0.0.1", "localhost")
        certificate.private_key_and_cert_chain_pem.write_to_path(self._folder / "api.pem")
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        private, public = self._folder / "accounts.key", self._folder / "accounts.pub"
        private.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        public.write_bytes(
            key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        )
        rows = [f"{self._tokens['admin']},admin,1,system:masters"]
        rows += [f"{self._tokens[name]},system:{name},{name}" for name in ("kube-controller-manager", "kube-scheduler")]
        (self._folder / "tokens.csv").write_text("\n".join(rows) + "\n")
        for name, token in self._tokens.items():
            self._kubeconfig(name).write_text(json.dumps(self._access(token)))

    def _kubeconfig(self, name: str) -> Path:
        return self._folder / f"{name}.kubeconfig"

    def _access(self, token: str) -> dict[str, Any]:
        server = {"server": f"https://127.0.0.1:{self._api}", "certificate-authority": str(self._folder / "ca.crt")}
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "local", "cluster": server}],
            "users": [{"name": "one", "user": {"token": token}}],
            "contexts": [{"name": "local", "context": {"cluster": "local", "user": "one"}}],
            "current-context": "local",
        }

    def _start(self) -> None:
        self._run(
            "etcd",
            data_dir=self._folder / "etcd",
            listen_client_urls=self._etcd,
            advertise_client_urls=self._etcd,
            listen_peer_urls=self._peer,
            initial_advertise_peer_urls=self._peer,
            initial_cluster=f"default={self._peer}",
            unsafe_no_fsync=True,
        )
        self._run(
            "kube-apiserver",
            etcd_servers=self._etcd,
            bind_address="127.0.0.1",
            advertise_address="127.0.0.1",
            secure_port=self._api,
            endpoint_reconciler_type="none",
            tls_cert_file=self._folder / "api.pem",
            tls_private_key_file=self._folder / "api.pem",
            token_auth_file=self._folder / "tokens.csv",
            authorization_mode="RBAC",
            anonymous_auth=False,
            service_cluster_ip_range="10.96.0.0/24",
            service_account_issuer="https://kubernetes.default.svc",
            service_account_key_file=self._folder / "accounts.pub",
            service_account_signing_key_file=self._folder / "accounts.key",
        )
        self.until(lambda: self.attempt("kubectl", "get", "--raw", "/readyz").returncode == 0)
        common = {"bind_address": "127.0.0.1", "leader_elect": False}
        self._run(
            "kube-controller-manager",
            kubeconfig=self._kubeconfig("kube-controller-manager"),
            secure_port=self._manager,
            cert_dir=self._folder / "manager",
            service_account_private_key_file=self._folder / "accounts.key",
            root_ca_file=self._folder / "ca.crt",
            use_service_account_credentials=True,
            **common,
        )
        self._run(
            "kube-scheduler",
            kubeconfig=self._kubeconfig("kube-scheduler"),
            secure_port=self._scheduler,
            cert_dir=self._folder / "scheduler",
            **common,
        )
        if self._crds is not None:
            self.run("kubectl", "apply", "--server-side", "--filename", str(self._crds))
        self._run("kwok", kubeconfig=self._kubeconfig("admin"), config=STAGES, manage_all_nodes=True)
        for name in NODES:
            self._node(name)
        self.run("kubectl", "wait", "--for=condition=Ready", "nodes", "--all", "--timeout=60s")
        self.until(lambda: self.attempt("kubectl", "get", "serviceaccount", "default").returncode == 0)

    def _node(self, name: str) -> None:
        node = {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {
                "name": name,
                "labels": {"kubernetes.io/hostname": name, "topology.kubernetes.io/zone": f"zone-of-{name}"},
            },
            "status": {"allocatable": CAPACITY, "capacity": CAPACITY},
        }
        self.run("kubectl", "create", "--filename", "-", stdin=json.dumps(node))

    def _run(self, program: str, **flags: object) -> None:
        arguments = [f"--{name.replace('_', '-')}={_flag(value)}" for name, value in flags.items()]
        with (self._folder / f"{program}.log").open("wb") as log:
            process = subprocess.Popen(
                [str(self._programs / program), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._stack.callback(_end, process)


def _flag(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(20.0)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def missing(programs: Path) -> list[str]:
    """Which of the programs the folder lacks."""
    return [name for name in PROGRAMS if not os.access(programs / name, os.X_OK)]
