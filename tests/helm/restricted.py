"""Kubernetes' Pod Security Standard `restricted`, a rule a field, with all of `baseline` in it.

https://kubernetes.io/docs/concepts/security/pod-security-standards/
"""

from collections.abc import Iterator, Mapping
from typing import Any

VOLUMES = frozenset(
    {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
)
SYSCTLS = frozenset(
    {
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.tcp_syncookies",
        "net.ipv4.ping_group_range",
    }
)
PROFILES = ("RuntimeDefault", "Localhost")


def violations(pod: Mapping[str, Any]) -> Iterator[str]:
    """What a pod's spec has that the standard forbids."""
    security = pod.get("securityContext", {})
    yield from (name for name in ("hostNetwork", "hostPID", "hostIPC") if pod.get(name))
    yield from (f"sysctl {each['name']}" for each in security.get("sysctls", []) if each["name"] not in SYSCTLS)
    for volume in pod.get("volumes", []):
        yield from (f"volume {kind}" for kind in volume.keys() - {"name"} - VOLUMES)
    for kind in ("initContainers", "containers", "ephemeralContainers"):
        for container in pod.get(kind, []):
            own = container.get("securityContext", {})
            yield from (f"{container['name']}: {what}" for what in _container(container, own, {**security, **own}))


def _container(container: Mapping[str, Any], own: Mapping[str, Any], both: Mapping[str, Any]) -> Iterator[str]:
    """Of one container: `own` is its security context, `both` is that over the pod's."""
    capabilities = own.get("capabilities", {})
    if own.get("privileged"):
        yield "privileged"
    if own.get("allowPrivilegeEscalation") is not False:
        yield "allowPrivilegeEscalation"
    if "ALL" not in capabilities.get("drop", []) or set(capabilities.get("add", [])) - {"NET_BIND_SERVICE"}:
        yield "capabilities"
    if own.get("procMount", "Default") != "Default":
        yield "procMount"
    if both.get("runAsNonRoot") is not True:
        yield "runAsNonRoot"
    if both.get("runAsUser") == 0:
        yield "runAsUser"
    if both.get("seccompProfile", {}).get("type") not in PROFILES:
        yield "seccompProfile"
    if both.get("appArmorProfile", {}).get("type", "RuntimeDefault") not in PROFILES:
        yield "appArmorProfile"
    if both.get("windowsOptions", {}).get("hostProcess"):
        yield "hostProcess"
    if set(both.get("seLinuxOptions", {})) & {"user", "role"}:
        yield "seLinuxOptions"
    if any(port.get("hostPort") for port in container.get("ports", [])):
        yield "hostPort"
    hooks = (container.get("lifecycle", {}).get(name, {}) for name in ("postStart", "preStop"))
    probes = (container.get(f"{name}Probe", {}) for name in ("startup", "readiness", "liveness"))
    for handler in (*hooks, *probes):
        if any("host" in handler.get(kind, {}) for kind in ("httpGet", "tcpSocket")):
            yield "a probe's or hook's host"
