"""Fleets as Prometheus sees them: workers that share a list, what a roll does to them, and what then rings."""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from tests.observability.tools import NAMESPACE, Groups, run, tool

STEP_SECONDS = 30
SHARE = 20
"""Streamers that each worker of a fleet holds while all is well."""

Pod = tuple[str, str]
"""The name of a pod, and the address that it is scraped at."""


class Fleet:
    """The samples of one fleet's workers, a step apart."""

    def __init__(self, job: str, workers: int) -> None:
        self.job = job
        self.wanted = SHARE * workers
        self.steps = 0
        self._shared_out = 0
        self._samples: dict[tuple[str, Pod], dict[int, float]] = defaultdict(dict)
        self.pods: dict[Pod, dict[str, float]] = {}
        for number in range(workers):
            self.joins((f"{job}-{number}", f"10.0.0.{number}"), started=-3600, held=SHARE)

    def joins(self, pod: Pod, *, started: float | None = None, held: int = 0) -> None:
        """A worker starts: it begins its own count of assignments, and all are assigned anew."""
        self.pods[pod] = {
            "up": 1,
            "process_start_time_seconds": self.steps * STEP_SECONDS if started is None else started,
            "tiktok_live_assigned_streams": held,
            "tiktok_live_claims_handing_over": 0,
            "tiktok_live_claims_current": 1,
            "tiktok_live_claims_statuses_written": 1,
            "tiktok_live_claims_rebalances_total": 0,
        }
        self.shares_out()

    def leaves(self, pod: Pod, heir: Pod) -> None:
        """A worker drains: it hands over while it streams on, and then it is gone."""
        held = self.pods[pod]["tiktok_live_assigned_streams"]
        self.pods[pod]["tiktok_live_claims_handing_over"] = held
        self.pods[heir]["tiktok_live_assigned_streams"] += held
        self.shares_out()
        self.passes(1)
        del self.pods[pod]
        self.shares_out()

    def shares_out(self) -> None:
        """The group assigns the list once more."""
        for worker in self.pods.values():
            worker["tiktok_live_claims_rebalances_total"] += 1

    def passes(self, steps: int) -> None:
        """Time in which nothing happens but scrapes."""
        for _ in range(steps):
            for pod, worker in self.pods.items():
                for name, value in (worker | {"tiktok_live_catalog_streams": self.wanted}).items():
                    self._samples[name, pod][self.steps] = value
            self.steps += 1

    def series(self, steps: int) -> list[dict[str, str]]:
        """What promtool wants to be given; a target that goes is marked as gone."""
        found = []
        for (name, (pod, address)), samples in self._samples.items():
            values = [str(samples.get(step, "stale" if step - 1 in samples else "_")) for step in range(steps)]
            selector = _selector(job=self.job, namespace=NAMESPACE, pod=pod, instance=address)
            found.append({"series": f"{name}{selector}", "values": " ".join(values)})
        return found


def run_rules(
    folder: Path, rules: Iterable[Groups], fleets: Iterable[Fleet], expected: Iterable[tuple[str, str, str]]
) -> None:
    """Let promtool run rule files over these fleets' samples: exactly the expected alerts fire, at whatever time.

    An alert is its name, its job and its pod; one of a whole fleet has no pod. Raises AssertionError.
    """
    fleets = list(fleets)
    steps = max(fleet.steps for fleet in fleets)
    files: dict[str, Any] = {f"rules-{number}.yaml": {"groups": groups} for number, groups in enumerate(rules)}
    test = {
        "interval": f"{STEP_SECONDS}s",
        "input_series": [each for fleet in fleets for each in fleet.series(steps)],
        "promql_expr_test": [
            {
                "expr": 'max by (alertname, job, pod) (present_over_time(ALERTS{alertstate="firing"}[1d]))',
                "eval_time": f"{steps * STEP_SECONDS}s",
                "exp_samples": [
                    {"labels": _selector(alertname=name, job=job, pod=pod), "value": 1} for name, job, pod in expected
                ],
            }
        ],
    }
    files["test.yaml"] = {"rule_files": list(files), "evaluation_interval": "1m", "tests": [test]}
    for name, document in files.items():
        (folder / name).write_text(yaml.safe_dump(document), "utf-8")
    run(tool("promtool"), "test", "rules", str(folder / "test.yaml"))


def _selector(**labels: str) -> str:
    return "{" + ",".join(f'{name}="{value}"' for name, value in labels.items() if value) + "}"
