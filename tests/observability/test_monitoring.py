"""Every query against a real Prometheus, and alerts that fire for real: `make verify-monitoring`.

Kafka, simulator, workers, Prometheus and Alertmanager run as they would elsewhere; only `for` is shortened, through the
chart's own values.
"""

import asyncio
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from producer.local.kafka import Kafka
from producer.local.registry import Registry
from tests.conftest import Background
from tests.observability.prometheus import JOB, Prometheus, asked_for
from tests.observability.tools import NAMESPACE, RELEASE, RULES, alerts, groups_of, rendered
from tests.system.harness import System, connected, metric, until
from tools.dashboards import dashboards

VARIABLES = {
    "$namespace": NAMESPACE,
    "$release": JOB,
    "$pod": ".+",
    "$streamer": ".+",
    "$__rate_interval": "10s",
    "$__range": "1m",
}

EMPTY: dict[str, str] = {
    r"connections_closed_total\b.*> 0": "the lives that are connected may outlast the test",
    r"encode_errors_total\b.*> 0": "every event fits its schema, unless we have a bug",
    r"publish_error(s|_topics)_total\b.*> 0": "Kafka is well",
    r"kafka_connection_errors_total\b.*> 0": "Kafka is well",
    r"claims_moves_total\b.*> 0": "streamers move while workers start, which may be before the first scrape",
    r"door_open\b.*== 0": "every door is open",
    r"door_refusals_total\b.*> 0": "the same",
    r"egress_benched_total\b.*> 0": "there is no proxy",
    r"texts_repaired_total\b.*> 0": "all text is UTF-8",
}
"""What is empty while all is well, by a pattern of the query. All else must give something."""

QUICK = tuple(
    part
    for name in sorted({rule["alert"] for rule in alerts()})
    for part in ("--set", f"prometheusRule.alerts.{name}.for=1s")
)


def queries() -> Iterator[str]:
    """Every query of every dashboard, as Grafana would send it."""
    for dashboard in dashboards().values():
        for panel in dashboard["panels"]:
            for target in panel.get("targets", ()):
                query = target["expr"]
                for variable, value in VARIABLES.items():
                    query = query.replace(variable, value)
                yield query


def allowed_empty(query: str) -> bool:
    return any(re.search(pattern, query) for pattern in EMPTY)


def test_every_query_of_dashboards_and_rules_gives_something(tmp_path: Path, kafka: Kafka, registry: Registry) -> None:
    asked_for()
    spools = [str(tmp_path / name) for name in ("one", "two")]

    async def main() -> None:
        async with System(tmp_path, kafka, registry, shared=True) as system:
            faults = ("--fault", "cut_payload:9999", "--fault", "close_internal@sim_room_01:9999")
            await system.simulator("--rooms", "6", "--rate", "300", *faults)
            workers = [
                await system.worker(name, spool_directory=spool, dead_letters_per_minute="0", metrics_streamers="2")
                for name, spool in zip(("one", "two"), spools, strict=True)
            ]
            async with Prometheus(tmp_path, [groups_of(*RULES)], {JOB: workers}) as prometheus:
                records = [rule["record"] for group in groups_of(*RULES) for rule in group["rules"] if "record" in rule]
                selectors = {
                    selector
                    for group in groups_of(*RULES)
                    for rule in group["rules"]
                    for selector in re.findall(r"\b(?:job:)?\w+(?::\w+)?\{[^}]*\}", rule["expr"])
                }
                wanted = [*queries(), *records, *selectors]
                missing = list(wanted)

                async def all_give() -> bool:
                    nonlocal missing
                    missing = [query for query in missing if not await prometheus.series(query)]
                    return all(allowed_empty(query) for query in missing)

                try:
                    await until(all_give)
                except TimeoutError:
                    pytest.fail("empty: " + "\n".join(query for query in missing if not allowed_empty(query)))
                for rule in (rule["expr"] for rule in alerts()):
                    await prometheus.series(rule)
                health = {(rule["name"], rule["health"], rule.get("lastError")) for rule in await prometheus.rules()}
                pods = await prometheus.label_values("pod", f'tiktok_live_build_info{{job=~"{JOB}"}}')

            print(f"{len(wanted)} queries asked, {len(missing)} empty as they may be:", *missing, sep="\n  ")
            assert {name for name, status, error in health if status != "ok" or error} == set()
            assert pods == ["one", "two"]

    asyncio.run(main())


def test_silent_rooms_and_too_few_workers_ring(tmp_path: Path, kafka: Kafka, registry: Registry) -> None:
    asked_for()

    async def main() -> None:
        async with System(tmp_path, kafka, registry, shared=True, silence_seconds="600", max_streams="1") as system:
            await system.simulator("--rooms", "9", "--rate", "50", "--fault", "silence:9")
            workers = [await system.worker(name) for name in ("one", "two")]

            async def both_silent() -> bool:
                return len(system.truth("fault")) >= 2

            await until(both_silent)
            async with Prometheus(tmp_path, [rendered(*QUICK)], {RELEASE: workers}) as prometheus:
                found = await prometheus.sees("TikTokLiveStreamersUnassigned", "TikTokLiveNoEvents")

        unassigned = next(alert for alert in found if alert["labels"]["alertname"] == "TikTokLiveStreamersUnassigned")
        assert unassigned["annotations"]["summary"] == "7 streamers have no worker."
        assert unassigned["labels"]["namespace"] == NAMESPACE
        assert "no value" not in str(found)

    asyncio.run(main())


def test_two_releases_in_one_namespace_ring_each_for_its_own(tmp_path: Path, kafka: Kafka, registry: Registry) -> None:
    asked_for()
    other = "shows-tiktok-live-producer"
    for release in (RELEASE, other):
        (tmp_path / release).mkdir()

    async def main() -> None:
        async with (
            System(tmp_path / RELEASE, kafka, registry, shared=True, max_streams="1") as too_small,
            System(tmp_path / other, kafka, registry, shared=True) as well,
        ):
            await too_small.simulator("--steady", "--rooms", "3", "--rate", "50")
            await well.simulator("--steady", "--rooms", "2", "--rate", "50")
            workers = {RELEASE: [await too_small.worker("lives-0")], other: [await well.worker("shows-0")]}
            await connected(workers[RELEASE][0], 1)
            await connected(workers[other][0], 2)
            rules = [rendered(*QUICK), rendered(*QUICK, release="shows")]
            async with Prometheus(tmp_path, rules, workers) as prometheus:
                # Both together hold as many as the longer list wants: that would hide what one of them lacks.
                await prometheus.sees("TikTokLiveStreamersUnassigned")
                for job, held in ((RELEASE, "1"), (other, "2")):
                    [series] = await prometheus.series(f'job:tiktok_live_streams_held:sum{{job="{job}"}}')
                    assert series["value"][1] == held
                found = {(alert["labels"]["alertname"], alert["labels"]["job"]) for alert in await prometheus.alerts()}

        assert found == {("TikTokLiveStreamersUnassigned", RELEASE)}

    asyncio.run(main())


def test_a_sign_server_over_its_quota_and_rooms_that_cannot_be_read_ring(
    tmp_path: Path, kafka: Kafka, registry: Registry
) -> None:
    asked_for()

    async def main() -> None:
        async with System(tmp_path, kafka, registry) as system:
            faults = ("--fault", "sign_rate_limited@sim_room_02:9999", "--fault", "cut_payload:9999")
            await system.simulator("--rooms", "2", "--rate", "50", *faults)
            worker = await system.worker(
                doors="sign",
                sign_url=system.upstream,
                sign_calls_per_minute="6000",
                dead_letters_per_minute="1",
            )
            await connected(worker, 1)
            async with Prometheus(tmp_path, [rendered(*QUICK)], {RELEASE: [worker]}) as prometheus:
                found = await prometheus.sees(
                    "TikTokLiveSignRateLimited",
                    "TikTokLiveDecodeErrors",
                    "TikTokLiveDeadLettersCapped",
                )

        assert system.truth("fault")
        assert "no value" not in str(found)

    asyncio.run(main())


def test_kafka_away_a_full_spool_and_a_dead_worker_ring(
    tmp_path: Path, registry: Registry, background: Background
) -> None:
    asked_for()

    async def main() -> None:
        async with (
            Kafka(tmp_path / "kafka") as kafka,
            System(
                tmp_path,
                kafka,
                registry,
                spool_directory=str(tmp_path / "spool"),
                spool_max_bytes=str(1024 * 1024),
                spool_patience_seconds="1",
                kafka_delivery_timeout_seconds="2",
            ) as system,
        ):
            await system.simulator("--rooms", "4", "--rate", "400")
            worker = await system.worker()
            await connected(worker, 1)
            async with Prometheus(tmp_path, [rendered(*QUICK)], {RELEASE: [worker]}) as prometheus:

                async def scraped() -> bool:
                    return bool(await prometheus.series("job:tiktok_live_events_lost:ratio_rate5m"))

                await until(scraped)
                assert await prometheus.alerts() == []
                await kafka.kill(1)
                found = await prometheus.sees(
                    "TikTokLiveKafkaDisconnected", "TikTokLiveSpoolNearFull", "TikTokLiveEventsDropped"
                )
                dropped = await metric(worker, 'tiktok_live_events_dropped_total{reason="spool_full"}')
                await worker.end(signal.SIGKILL)
                found += await prometheus.sees("TikTokLiveDown", "TikTokLiveWorkerDown")

        assert dropped > 0
        assert {alert["labels"]["severity"] for alert in found} == {"page", "warning"}
        assert "no value" not in str(found)

    asyncio.run(main())
