"""What the chart makes for those around the workers: autoscalers, Prometheus, Grafana, the network, anybody else."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.helm.rendering import CHART, PROFILES, RELEASE, SELECTOR, by_name, of_kind, profile, render, worker, workload

# ------------------------------------------------------------------------------------------------------------- scaling


@pytest.mark.parametrize(
    ("name", "kind", "least", "most"),
    [
        ("hpa", "HorizontalPodAutoscaler", ("minReplicas", 3), ("maxReplicas", 30)),
        ("keda", "ScaledObject", ("minReplicaCount", 2), ("maxReplicaCount", 10)),
    ],
)
def test_autoscaler_alone_says_how_many_workers_there_are(
    helm: str, name: str, kind: str, least: tuple[str, int], most: tuple[str, int]
) -> None:
    objects = render(helm, profile(name))
    scaler = of_kind(objects, kind)

    assert scaler is not None
    assert "replicas" not in workload(objects)["spec"]
    assert scaler["spec"]["scaleTargetRef"] == {
        "apiVersion": "apps/v1",
        "kind": workload(objects)["kind"],
        "name": workload(objects)["metadata"]["name"],
    }
    assert (scaler["spec"][least[0]], scaler["spec"][most[0]]) == (least[1], most[1])


def behavior(helm: str, name: str) -> Any:
    objects = render(helm, profile(name))
    if scaler := of_kind(objects, "HorizontalPodAutoscaler"):
        return scaler["spec"]["behavior"]
    scaler = of_kind(objects, "ScaledObject")
    assert scaler is not None
    return scaler["spec"]["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]


@pytest.mark.parametrize("name", ["hpa", "keda"])
def test_workers_go_slowly(helm: str, name: str) -> None:
    down = behavior(helm, name)["scaleDown"]

    assert down["stabilizationWindowSeconds"] >= 600
    assert down["policies"] == [{"type": "Pods", "value": 1, "periodSeconds": 300}]


def test_workers_are_scaled_by_processor_time_and_streams(helm: str) -> None:
    scaler = of_kind(render(helm, profile("hpa")), "HorizontalPodAutoscaler")
    assert scaler is not None
    by_pod, by_streams = scaler["spec"]["metrics"]

    assert by_pod["containerResource"]["container"] == worker(render(helm, profile("hpa")))["name"]
    assert by_pod["containerResource"]["target"] == {"type": "AverageValue", "averageValue": "700m"}
    assert by_streams["pods"]["metric"]["name"] == "tiktok_live_assigned_streams"
    assert by_streams["pods"]["target"] == {"type": "AverageValue", "averageValue": "1000000"}


def test_keda_asks_prometheus_for_the_streams_of_this_release(helm: str) -> None:
    scaler = of_kind(render(helm, profile("keda")), "ScaledObject")
    assert scaler is not None
    by_pod, by_streams = scaler["spec"]["triggers"]

    assert by_pod["metadata"] == {"containerName": "producer", "value": "700m"}
    assert by_streams["metadata"] == {
        "serverAddress": "http://prometheus-operated.monitoring:9090",
        "query": 'sum(tiktok_live_assigned_streams{job="lives-tiktok-live-producer",namespace="streaming"})',
        "threshold": "400",
    }


# --------------------------------------------------------------------------------------------- monitoring and network


OWN_JOB = {"targetLabel": "job", "replacement": "lives-tiktok-live-producer"}
"""What tells a release's samples from those of another one in its namespace."""


@pytest.mark.parametrize("values", PROFILES, ids=by_name)
def test_monitoring_is_made_where_asked_for_alone(helm: str, values: Path) -> None:
    objects = render(helm, values)

    assert (of_kind(objects, "PodMonitor") is not None) == (by_name(values) in ("monitoring", "keda"))
    assert (of_kind(objects, "ServiceMonitor") is not None) == (by_name(values) == "service-monitor")
    assert of_kind(objects, "Secret") is None


def test_pod_monitor_selects_the_workers_and_their_port(helm: str) -> None:
    monitor = of_kind(render(helm, profile("monitoring")), "PodMonitor")

    assert monitor is not None
    assert monitor["spec"]["selector"]["matchLabels"] == SELECTOR
    assert monitor["spec"]["podMetricsEndpoints"] == [
        {
            "port": "http",
            "path": "/metrics",
            "interval": "15s",
            "scrapeTimeout": "12s",
            "relabelings": [
                OWN_JOB,
                {"sourceLabels": ["__meta_kubernetes_pod_node_name"], "targetLabel": "node"},
            ],
            "metricRelabelings": [{"sourceLabels": ["__name__"], "regex": "python_gc_.+", "action": "drop"}],
        }
    ]


def test_service_monitor_selects_the_service_which_selects_the_workers(helm: str) -> None:
    objects = render(helm, profile("service-monitor"))
    monitor, service = of_kind(objects, "ServiceMonitor"), of_kind(objects, "Service")

    assert monitor is not None and service is not None
    assert monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    assert monitor["spec"]["endpoints"] == [
        {"port": "http", "path": "/metrics", "interval": "1m", "relabelings": [OWN_JOB]}
    ]
    assert [port["name"] for port in service["spec"]["ports"]] == ["http"]
    assert service["spec"]["selector"] == SELECTOR
    assert service["spec"]["clusterIP"] == "None"
    assert service["spec"]["publishNotReadyAddresses"] is True


def test_dashboards_come_through_helm_as_they_are(helm: str) -> None:
    objects = render(helm, profile("monitoring"))
    made = [each for each in objects if "grafana_dashboard" in each["metadata"].get("labels", {})]

    found = [json.loads(text) for each in made for text in each["data"].values()]

    files = sorted((CHART / "dashboards").glob("*.json"))
    assert found == [json.loads(file.read_text("utf-8")) for file in files]


@pytest.mark.parametrize(
    ("name", "ports"),
    [
        ("network-policy", [9092, 80, 443, 8081]),
        ("oauth", [9095, 443, 8443]),
        ("sasl-tls", [9093, 9094, 443]),
    ],
)
def test_network_policy_opens_the_ports_of_the_settings_addresses(helm: str, name: str, ports: list[int]) -> None:
    policy = of_kind(render(helm, profile(name), "--set", "networkPolicy.enabled=true"), "NetworkPolicy")
    assert policy is not None
    resolver, addresses, *_ = policy["spec"]["egress"]

    assert policy["spec"]["podSelector"] == {"matchLabels": RELEASE}
    assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert resolver == {"ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]}
    assert addresses == {"ports": [{"port": port} for port in ports]}


def test_network_policy_lets_scrapes_in_and_what_is_said_beside_out(helm: str) -> None:
    policy = of_kind(render(helm, profile("network-policy")), "NetworkPolicy")
    assert policy is not None
    [scrapes] = policy["spec"]["ingress"]

    assert scrapes["ports"] == [{"port": "http"}]
    assert [list(peer) for peer in scrapes["from"]] == [["namespaceSelector", "podSelector"]]
    assert policy["spec"]["egress"][2:] == [{"to": [{"ipBlock": {"cidr": "10.20.0.0/16"}}], "ports": [{"port": 3128}]}]


def test_network_policy_of_nobody_lets_nobody_in(helm: str) -> None:
    objects = render(helm, profile("network-policy"), "--set-json", "networkPolicy.metricsFrom=[]")
    policy = of_kind(objects, "NetworkPolicy")

    assert policy is not None
    assert "ingress" not in policy["spec"] and "Ingress" in policy["spec"]["policyTypes"]


def test_further_objects_are_templates(helm: str) -> None:
    names = {each["metadata"]["name"]: each for each in render(helm, profile("extras")) if each["kind"] == "ConfigMap"}

    assert {"lives-proxy", "lives-tiktok-live-producer-text"} < names.keys()
    assert names["lives-tiktok-live-producer-text"]["data"] == {"streamers": "1"}
