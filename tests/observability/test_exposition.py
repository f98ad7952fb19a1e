"""producer.observability: through a real HTTP server."""

import asyncio
import os
import re
import socket
import sys
import threading
from collections.abc import Mapping

import httpx
import pytest

from producer.errors import FailedFetchRoomInfo, Fault, LiveNotFound, Reason, StartRefused
from producer.observability import exposition
from producer.observability.metrics import Metrics
from producer.observability.sharing import SharingCollector
from producer.webcast.frames import Stage
from tools.metrics_page import Nobody, worker_metrics


def ask(
    metrics: Metrics, *paths: str, ready: Mapping[str, bool] | None = None, accept: str = ""
) -> list[httpx.Response]:
    async def main() -> list[httpx.Response]:
        async with (
            exposition.serve(
                host="127.0.0.1",
                port=0,
                registry=metrics.registry,
                readiness=lambda: ready or {"kafka": True},
                status=lambda: {"worker": "w"},
            ) as port,
            httpx.AsyncClient(
                base_url=f"http://127.0.0.1:{port}", trust_env=False, verify=False, timeout=120
            ) as client,
        ):
            return [await client.get(path, headers={"Accept": accept}) for path in paths]

    return asyncio.run(main())


def metrics() -> Metrics:
    return Metrics(topics=("t.comment.v1",), version="1.2.3")


def test_every_path_answers() -> None:
    live, ready, status, scrape, missing = ask(metrics(), "/livez", "/readyz", "/status", "/metrics", "/nothing")

    assert (live.status_code, live.text) == (200, "ok\n")
    assert (ready.status_code, ready.json()) == (200, {"kafka": True})
    assert status.json() == {"worker": "w"}
    assert scrape.headers["content-type"].startswith("text/plain")
    assert missing.status_code == 404


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "::1"])
def test_a_container_can_ask_by_the_program_itself(host: str) -> None:
    async def health(port: int) -> tuple[int | None, str, str]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "producer", "health"),
            env={
                **os.environ,
                "PRODUCER_UPSTREAM": "tiktok",
                "PRODUCER_KAFKA_BOOTSTRAP_SERVERS": "nowhere:9092",
                "PRODUCER_HTTP_HOST": host,
                "PRODUCER_HTTP_PORT": str(port),
                "http_proxy": "http://127.0.0.1:1",
            },
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        return process.returncode, out.decode(), err.decode()

    async def main() -> None:
        async with exposition.serve(
            host=host, port=0, registry=metrics().registry, readiness=lambda: {"kafka": False}, status=dict
        ) as port:
            assert await health(port) == (0, "ok\n", "")
        code, out, err = await health(port)
        assert (code, out) == (1, "")
        assert re.fullmatch(rf"producer: no answer from http://\S+:{port}/livez: .+\n", err)

    asyncio.run(main())


def test_not_ready_says_why() -> None:
    [ready] = ask(metrics(), "/readyz", ready={"kafka": False, "assignments": True})

    assert (ready.status_code, ready.json()) == (503, {"kafka": False, "assignments": True})


@pytest.mark.parametrize("seen_by", ["/readyz", "/startupz"])
def test_what_was_ready_once_has_started_for_good(seen_by: str) -> None:
    conditions = {"kafka": True, "assignments": False}

    async def main() -> list[tuple[int, dict[str, bool]]]:
        answers = []
        async with (
            exposition.serve(
                host="127.0.0.1", port=0, registry=metrics().registry, readiness=lambda: conditions, status=dict
            ) as port,
            httpx.AsyncClient(
                base_url=f"http://127.0.0.1:{port}", trust_env=False, verify=False, timeout=120
            ) as client,
        ):
            answers.append(await client.get("/startupz"))
            conditions["assignments"] = True
            await client.get(seen_by)
            conditions["kafka"] = False
            answers.append(await client.get("/startupz"))
            answers.append(await client.get("/readyz"))
        return [(answer.status_code, answer.json()) for answer in answers]

    before, after, ready = asyncio.run(main())

    assert before == (503, {"kafka": True, "assignments": False})
    assert after == (200, {"kafka": False, "assignments": True})
    assert ready == (503, {"kafka": False, "assignments": True})


def test_a_wedged_loop_does_not_answer_that_it_lives() -> None:
    """The loop stands still as one that a bug of ours blocks; whoever asks from outside gets no answer."""
    ports: list[int] = []
    serving, wedged, freed = threading.Event(), threading.Event(), threading.Event()

    def wedge() -> None:
        wedged.set()
        freed.wait()

    async def main() -> None:
        over = asyncio.Event()
        loops.append((asyncio.get_running_loop(), over))
        async with exposition.serve(
            host="127.0.0.1", port=0, registry=metrics().registry, readiness=dict, status=dict
        ) as port:
            ports.append(port)
            serving.set()
            await over.wait()

    loops: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []
    thread = threading.Thread(target=lambda: asyncio.run(main()))
    thread.start()
    serving.wait()
    [(loop, over)] = loops
    try:
        with httpx.Client(
            base_url=f"http://127.0.0.1:{ports[0]}", trust_env=False, verify=False, timeout=0.5
        ) as client:
            loop.call_soon_threadsafe(wedge)
            wedged.wait()
            with pytest.raises(httpx.ReadTimeout):
                client.get("/livez")
            freed.set()
            assert client.get("/livez", timeout=120).status_code == 200
    finally:
        freed.set()
        loop.call_soon_threadsafe(over.set)
        thread.join()


def test_openmetrics_is_negotiated() -> None:
    [scrape] = ask(metrics(), "/metrics", accept="application/openmetrics-text; version=1.0.0")

    assert scrape.headers["content-type"].startswith("application/openmetrics-text")
    assert scrape.text.endswith("# EOF\n")


def test_a_port_in_use_is_one_clear_line() -> None:
    async def main(port: int) -> None:
        async with exposition.serve(
            host="127.0.0.1", port=port, registry=metrics().registry, readiness=dict, status=dict
        ):
            pass

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StartRefused, match=f"cannot listen on 127.0.0.1:{port} .*Address already in use$"):
            asyncio.run(main(port))


def scraped(subject: Metrics) -> str:
    [scrape] = ask(subject, "/metrics")
    return scrape.text


@pytest.mark.parametrize(
    "label",
    [
        "AlreadyConnected",
        "AlreadyConnecting",
        "ChatMessageRepeat",
        "ChatMessageSendFailure",
        "FailedConnection",
        "FailedFetchGifts",
        "FailedFetchRoomInfo",
        "FailedHTTPRequest",
        "FailedRoomPolling",
        "InvalidSessionId",
        "LiveNotFound",
    ],
)
def test_every_documented_error_stands_at_zero_from_the_start(label: str) -> None:
    assert f'tiktok_live_connection_errors_total{{error="{label}"}} 0.0' in scraped(metrics())


def test_a_failure_is_counted_once_under_its_class_and_its_reason() -> None:
    subject = metrics()

    subject.failed(FailedFetchRoomInfo("captcha", reason=Reason.CAPTCHA))
    subject.failed(LiveNotFound(reason=Reason.OFFLINE))

    text = scraped(subject)
    assert 'tiktok_live_connection_errors_total{error="FailedFetchRoomInfo"} 1.0' in text
    assert 'tiktok_live_connection_errors_total{error="FailedHTTPRequest"} 0.0' in text
    assert 'tiktok_live_connection_errors_total{error="LiveNotFound"} 1.0' in text
    assert 'tiktok_live_connection_error_reasons_total{reason="captcha"} 1.0' in text


def test_a_method_that_nobody_knows_makes_no_series() -> None:
    subject = metrics()
    before = scraped(subject).count("\n")

    for number in range(1000):
        subject.message_received(f"WebcastMadeUp{number}")

    text = scraped(subject)
    assert 'tiktok_live_events_received_total{method="unknown"} 1000.0' in text
    assert text.count("\n") == before


def test_a_method_without_its_prefix_is_counted_as_the_kind_that_it_is() -> None:
    subject = metrics()

    subject.message_received("SystemMessage")
    subject.message_received("WebcastSystemMessage")

    assert 'tiktok_live_events_received_total{method="WebcastSystemMessage"} 2.0' in scraped(subject)


def test_states_move() -> None:
    subject = metrics()

    subject.session_moved(None, "offline")
    subject.session_moved("offline", "connected")

    text = scraped(subject)
    assert 'tiktok_live_streams{state="offline"} 0.0' in text
    assert 'tiktok_live_streams{state="connected"} 1.0' in text


def test_refusals_are_counted_by_stage_and_fault() -> None:
    subject = metrics()

    subject.refused(Stage.DECOMPRESS, Fault.TOO_LARGE)

    assert 'tiktok_live_decode_errors_total{fault="too_large",stage="decompress"} 1.0' in scraped(subject)


def test_nothing_that_is_counted_creates_a_series_later() -> None:
    """Every label value exists before its first count, so that `rate` sees the first step."""
    subject = metrics()
    series = {line.rpartition(" ")[0] for line in scraped(subject).splitlines() if not line.startswith("#")}

    subject.requested("sign", "429")
    subject.connection_closed("live_ended", seconds=1.0)
    subject.connection_closed("silence", seconds=1.0)
    subject.publish_failed("out_of_order", "t.comment.v1")
    subject.published("t.comment.v1", 0, records=1, size=1, seconds=0.1)
    subject.encoding_failed("comment")
    subject.list_read(wanted=None)
    subject.session_moved(None, "failed")

    after = {line.rpartition(" ")[0] for line in scraped(subject).splitlines() if not line.startswith("#")}
    assert after == series


@pytest.mark.parametrize(("current", "value"), [(True, "1.0"), (False, "0.0")])
def test_whether_claims_are_certain_is_asked_at_each_scrape(current: bool, value: str) -> None:
    subject = metrics()
    subject.registry.register(SharingCollector(Nobody(current=current)))

    assert f"tiktok_live_claims_current {value}\n" in scraped(subject)


def streamers_of(subject: Metrics) -> dict[str, float]:
    found = re.findall(r'^tiktok_live_stream_connected\{streamer="(\w+)"\} (\S+)$', scraped(subject), flags=re.M)
    return {streamer: float(value) for streamer, value in found}


def test_streamers_have_no_series_unless_asked_for() -> None:
    subject = metrics()

    subject.streamer_moved("one", "connected")
    subject.streamer_heard("one", at=5.0)

    assert 'streamer="' not in scraped(subject)


def test_so_many_streamers_as_allowed_have_series_until_they_are_let_go() -> None:
    subject = Metrics(topics=(), version="1.2.3", most_streamers=2)
    for streamer in ("one", "two", "three"):
        subject.streamer_moved(streamer, "offline")
    subject.streamer_moved("two", "connected")
    subject.streamer_heard("two", at=5.0)
    subject.streamer_heard("three", at=5.0)

    assert streamers_of(subject) == {"one": 0.0, "two": 1.0}
    assert 'tiktok_live_stream_last_event_timestamp_seconds{streamer="two"} 5.0' in scraped(subject)
    assert '"three"' not in scraped(subject)

    subject.streamer_moved("two", None)
    subject.streamer_moved("three", "connected")

    assert streamers_of(subject) == {"one": 0.0, "three": 1.0}
    assert '"two"' not in scraped(subject)


def test_a_slow_batch_can_be_traced_to_its_partition() -> None:
    subject = metrics()
    subject.published("t.comment.v1", 3, records=2, size=10, seconds=0.3)
    subject.published("x" * 249, 5, records=1, size=10, seconds=40.0)

    [scrape] = ask(subject, "/metrics", accept="application/openmetrics-text; version=1.0.0")
    lines = scrape.text.splitlines()

    [slow] = [line for line in lines if line.startswith('tiktok_live_publish_duration_seconds_bucket{le="0.5"}')]
    assert re.search(r'} 1.0 # {partition="3",topic="t.comment.v1"} 0.3 ', slow)
    assert any('partition="5"' in line for line in lines)


def test_a_worker_exports_at_most_700_series() -> None:
    assert sum(len(family.samples) for family in worker_metrics().registry.collect()) <= 700
