"""A real Prometheus that scrapes workers each second, with a real Alertmanager behind it."""

import asyncio
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any, Self

import httpx
import pytest
import yaml

from producer.local.processes import free_ports
from producer.local.programs import Worker
from tests.observability.tools import NAMESPACE, Groups, tool
from tests.system.harness import until

JOB = "tiktok-live-producer"
"""The job that rules are for where the chart is not used."""


def asked_for() -> None:
    """Skip, unless `make verify-monitoring` runs."""
    if "PROMETHEUS" not in os.environ:
        pytest.skip("PROMETHEUS names no Prometheus; `make verify-monitoring` runs this")


class Prometheus:
    """Both servers, with some files of rules, for the workers of each job. Use it as an async context manager."""

    def __init__(self, folder: Path, rules: Sequence[Groups], jobs: Mapping[str, Iterable[Worker]]) -> None:
        self._folder = folder / "prometheus"
        self._rules = {f"rules-{number}.yml": {"groups": groups} for number, groups in enumerate(rules)}
        self._jobs = {job: list(workers) for job, workers in jobs.items()}
        self._port, self._alertmanager = free_ports(2)
        self._stack = AsyncExitStack()
        self._client = httpx.AsyncClient(trust_env=False, timeout=120.0)

    async def __aenter__(self) -> Self:
        self._folder.mkdir()
        await self._stack.enter_async_context(self._client)
        self._write("alertmanager.yml", {"route": {"receiver": "nobody"}, "receivers": [{"name": "nobody"}]})
        for name, document in self._rules.items():
            self._write(name, document)
        self._write(
            "prometheus.yml",
            {
                "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
                "rule_files": [str(self._folder / name) for name in self._rules],
                "alerting": {"alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{self._alertmanager}"]}]}]},
                "scrape_configs": [
                    {
                        "job_name": job,
                        "static_configs": [
                            {
                                "targets": [worker.url.removeprefix("http://")],
                                "labels": {"namespace": NAMESPACE, "pod": worker.name},
                            }
                            for worker in workers
                        ],
                    }
                    for job, workers in self._jobs.items()
                ],
            },
        )
        try:
            await self._start(
                "alertmanager",
                f"--config.file={self._folder / 'alertmanager.yml'}",
                f"--storage.path={self._folder / 'alertmanager'}",
                f"--web.listen-address=127.0.0.1:{self._alertmanager}",
                "--cluster.listen-address=",
            )
            await self._start(
                "prometheus",
                f"--config.file={self._folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={self._folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{self._port}",
            )
            for port in (self._alertmanager, self._port):
                await until(partial(self._ready, port))
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    async def series(self, expression: str) -> list[dict[str, Any]]:
        """What an expression gives now: each series with its labels and value. An expression that is none fails."""
        answer = await self._get(self._port, "/api/v1/query", query=expression)
        assert answer["status"] == "success", f"{expression}: {answer}"
        if answer["data"]["resultType"] != "vector":
            return [answer["data"]]
        result: list[dict[str, Any]] = answer["data"]["result"]
        return result

    async def label_values(self, label: str, selector: str) -> list[str]:
        """The values of a label, as Grafana's variables ask for them."""
        answer = await self._get(self._port, f"/api/v1/label/{label}/values", **{"match[]": selector})
        values: list[str] = answer["data"]
        return values

    async def rules(self) -> list[dict[str, Any]]:
        """Every rule with its health, as Prometheus sees it."""
        answer = await self._get(self._port, "/api/v1/rules")
        return [rule for group in answer["data"]["groups"] for rule in group["rules"]]

    async def alerts(self) -> list[dict[str, Any]]:
        """The alerts that have come to Alertmanager and are active."""
        answer: list[dict[str, Any]] = await self._get(self._alertmanager, "/api/v2/alerts", active="true")
        return answer

    async def sees(self, *names: str) -> list[dict[str, Any]]:
        """Wait until alerts of all these names are at Alertmanager; return them."""

        async def there() -> bool:
            return set(names) <= {alert["labels"]["alertname"] for alert in await self.alerts()}

        try:
            await until(there)
        except TimeoutError:
            found = {alert["labels"]["alertname"] for alert in await self.alerts()}
            pytest.fail(f"not at Alertmanager: {sorted(set(names) - found)}; there are {sorted(found)}")
        return [alert for alert in await self.alerts() if alert["labels"]["alertname"] in names]

    async def _start(self, name: str, *arguments: str) -> None:
        with (self._folder / f"{name}.log").open("wb") as output:
            process = await asyncio.create_subprocess_exec(tool(name), *arguments, stdout=output, stderr=output)
        self._stack.push_async_callback(_end, process)

    async def _ready(self, port: int) -> bool:
        try:
            return (await self._client.get(f"http://127.0.0.1:{port}/-/ready")).status_code == 200
        except httpx.HTTPError:
            return False

    async def _get(self, port: int, path: str, **parameters: str) -> Any:
        return (await self._client.get(f"http://127.0.0.1:{port}{path}", params=parameters)).json()

    def _write(self, name: str, document: object) -> None:
        (self._folder / name).write_text(yaml.safe_dump(document), "utf-8")


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()
    await process.wait()
