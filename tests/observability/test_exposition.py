"""producer.observability: through a real HTTP server."""

import asyncio
import errno
import os
import re
import socket
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import httpx
import pytest
from prometheus_client.metrics_core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector
from structlog.testing import capture_logs

from producer.errors import FailedFetchRoomInfo, Fault, LiveEnded, LiveNotFound, Reason, StartRefused
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
            ) as surface,
            httpx.AsyncClient(
                base_url=f"http://127.0.0.1:{surface.port}", trust_env=False, verify=False, timeout=120
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


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "::1", "::"])
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
        ) as surface:
            port = surface.port
            assert await health(port) == (0, "ok\n", "")
        if host == "127.0.0.1":
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
            ) as surface,
            httpx.AsyncClient(
                base_url=f"http://127.0.0.1:{surface.port}", trust_env=False, verify=False, timeout=120
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
        ) as surface:
            ports.append(surface.port)
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


@pytest.mark.parametrize("version", ["1.x", "one", "1." + "9" * 5_000, "-1", "1.0.0.0.0", '"1.0.0"'])
def test_a_version_of_openmetrics_that_nobody_knows_is_answered(version: str) -> None:
    [scrape] = ask(metrics(), "/metrics", accept=f"application/openmetrics-text; version={version}")

    assert scrape.status_code == 200
    assert "tiktok_live_streams" in scrape.text


class Account(Collector):
    """What a busy worker counts: each message twice, the second time a moment later."""

    def __init__(self) -> None:
        self.received = self.mapped = 0

    def status(self) -> dict[str, int]:
        return {"received": self.received, "mapped": self.mapped}

    def collect(self) -> Iterator[Metric]:
        yield CounterMetricFamily("received", "", value=self.received)
        yield CounterMetricFamily("mapped", "", value=self.mapped)

    async def work(self) -> None:
        while True:
            for _ in range(20):
                self.received += 1
                sum(range(2_000))
                self.mapped += 1
            await asyncio.sleep(0)


@pytest.fixture
def restless() -> Iterator[None]:
    """Threads that take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("restless")
def test_the_sums_agree_in_every_sample_of_a_busy_worker() -> None:
    subject, account = metrics(), Account()
    subject.registry.register(account)

    def sample(port: int) -> list[tuple[float, float]]:
        found = []
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60) as client:
            for _ in range(20):
                told = client.get("/status").json()
                found.append((told["received"], told["mapped"]))
                text = client.get("/metrics").text
                received, mapped = (re.findall(rf"^{name}_total (\S+)$", text, re.M) for name in told)
                found.append((float(*received), float(*mapped)))
        return found

    async def main() -> list[tuple[float, float]]:
        async with exposition.serve(
            host="127.0.0.1", port=0, registry=subject.registry, readiness=dict, status=account.status
        ) as surface:
            working = asyncio.create_task(account.work())
            found = await asyncio.to_thread(sample, surface.port)
            working.cancel()
        return found

    found = asyncio.run(main())

    assert [pair for pair in found if pair[0] != pair[1]] == []
    assert len(found) == 40
    assert found[0][0] < found[-1][0]


def test_the_text_of_the_metrics_is_made_beside_the_loop_and_what_it_says_is_read_on_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    threads: dict[str, int] = {}
    alive = threading.Event()

    class Witness(Collector):
        def collect(self) -> Iterator[Metric]:
            threads["read"] = threading.get_ident()
            return iter(())

    def encode(registry: Collector) -> bytes:
        threads["made"] = threading.get_ident()
        assert alive.wait(60)
        return b"".join(family.name.encode() + b"\n" for family in registry.collect())

    subject = metrics()
    monkeypatch.setattr(exposition, "choose_encoder", lambda _: (encode, "text/plain"))

    async def main() -> httpx.Response:
        threads["loop"] = threading.get_ident()
        async with (
            exposition.serve(
                host="127.0.0.1", port=0, registry=subject.registry, readiness=dict, status=dict
            ) as surface,
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{surface.port}", trust_env=False, timeout=60) as client,
        ):
            subject.registry.register(Witness())
            scrape = asyncio.create_task(client.get("/metrics"))
            while "made" not in threads:
                await asyncio.sleep(0)
            assert (await client.get("/livez")).status_code == 200
            alive.set()
            return await scrape

    scrape = asyncio.run(main())

    assert "tiktok_live_streams\n" in scrape.text
    assert threads["read"] == threads["loop"] != threads["made"]


def test_a_bug_in_what_is_told_is_one_answer_and_one_line() -> None:
    def broken() -> dict[str, Any]:
        raise ValueError("not foreseen")

    async def main() -> httpx.Response:
        async with (
            exposition.serve(
                host="127.0.0.1", port=0, registry=metrics().registry, readiness=dict, status=broken
            ) as surface,
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{surface.port}", trust_env=False) as client,
        ):
            return await client.get("/status")

    with capture_logs() as lines:
        answer = asyncio.run(main())

    assert answer.status_code == 500
    [line] = lines
    assert (line["path"], str(line["exc_info"])) == ("/status", "not foreseen")


def test_a_connection_is_one_request_long() -> None:
    async def main() -> bytes:
        async with exposition.serve(
            host="127.0.0.1", port=0, registry=metrics().registry, readiness=dict, status=dict
        ) as surface:
            reader, writer = await asyncio.open_connection("127.0.0.1", surface.port)
            writer.write(b"GET /livez HTTP/1.1\r\nHost: w\r\n\r\n" * 2)
            answer = await reader.read()
            writer.close()
            return answer

    answer = asyncio.run(main()).lower()

    assert answer.count(b"http/1.1 200 ok\r\n") == 1
    assert b"\r\nconnection: close\r\n" in answer


SILENT, DRIPPING, DEAF = b"", b"GET /livez HTT", b"GET /status HTTP/1.1\r\nHost: w\r\n\r\n"


def open_files() -> int:
    return len(os.listdir("/dev/fd"))  # noqa: PTH208 - a Path would be one more


@pytest.mark.parametrize("said", [SILENT, DRIPPING, DEAF], ids=["says nothing", "drips", "reads nothing"])
def test_a_client_that_takes_longer_than_a_request_may_is_let_go(said: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exposition, "CONNECTION_SECONDS", 0.2)

    async def main() -> None:
        async with exposition.serve(
            host="127.0.0.1",
            port=0,
            registry=metrics().registry,
            readiness=dict,
            status=lambda: {"long": "x" * 20_000_000},  # more than the kernel takes for a client that does not read
        ) as surface:
            before = open_files()
            with socket.create_connection(("127.0.0.1", surface.port)) as client:
                client.sendall(said)
                async with asyncio.timeout(60):
                    while open_files() < before + 2:
                        await asyncio.sleep(0.01)
                    while open_files() > before + 1:  # the client's own
                        if said == DRIPPING:
                            with suppress(OSError):
                                client.sendall(b"P")
                        await asyncio.sleep(0.01)

    asyncio.run(main())


def test_a_thousand_clients_that_say_nothing_keep_nobody_out_and_take_no_descriptors() -> None:
    """In a process of their own, since each takes a descriptor there too."""
    crowd = """
import contextlib, socket, sys
clients = [socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=60) for _ in range(500)]
for client in clients[::2]:
    with contextlib.suppress(OSError):
        client.sendall(b"GET ")
print("here", flush=True)
sys.stdin.read()
"""

    async def main() -> None:
        async with exposition.serve(
            host="127.0.0.1", port=0, registry=metrics().registry, readiness=dict, status=dict
        ) as surface:
            before = open_files()
            processes = [
                await asyncio.create_subprocess_exec(
                    *(sys.executable, "-c", crowd, str(surface.port)),
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                )
                for _ in range(2)
            ]
            own = open_files() - before
            for process in processes:
                assert process.stdout is not None
                assert await process.stdout.readline() == b"here\n"
            async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
                for _ in range(3):
                    answer = await client.get(f"http://127.0.0.1:{surface.port}/livez")
                    assert answer.status_code == 200
                    assert open_files() <= before + own + exposition.MOST_CONNECTIONS + 2
            for process in processes:
                await process.communicate(b"")

    asyncio.run(main())


def test_both_families_are_heard_where_every_address_of_ipv6_is() -> None:
    async def main() -> list[int]:
        async with (
            exposition.serve(host="::", port=0, registry=metrics().registry, readiness=dict, status=dict) as surface,
            httpx.AsyncClient(trust_env=False) as client,
        ):
            hosts = ("127.0.0.1", "[::1]")
            return [(await client.get(f"http://{host}:{surface.port}/livez")).status_code for host in hosts]

    assert asyncio.run(main()) == [200, 200]


@pytest.mark.parametrize("host", ["::", "::1"])
def test_a_system_without_ipv6_is_told_so(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object, **__: object) -> socket.socket:
        raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")

    monkeypatch.setattr(socket, "create_server", none)

    with pytest.raises(StartRefused) as refused:
        exposition.listen(host, 9464)

    assert str(refused.value) == (
        f"cannot listen on [{host}]:9464 (PRODUCER_HTTP_HOST, PRODUCER_HTTP_PORT): this system has no such address "
        "(Address family not supported by protocol); 0.0.0.0 is every one of IPv4, 127.0.0.1 its own"
    )


def test_a_host_that_is_none_is_one_clear_line() -> None:
    with pytest.raises(StartRefused, match=r"cannot listen on a\.\.b:9464 "):
        exposition.listen("a..b", 9464)


def test_a_port_in_use_is_one_clear_line() -> None:
    async def main(port: int) -> None:
        async with exposition.serve(
            host="127.0.0.1", port=port, registry=metrics().registry, readiness=dict, status=dict
        ):
            pass

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StartRefused, match=f"cannot listen on 127.0.0.1:{port} .*Address already in use; "):
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
    ],
)
def test_every_documented_error_stands_at_zero_from_the_start(label: str) -> None:
    assert f'tiktok_live_connection_errors_total{{error="{label}"}} 0.0' in scraped(metrics())


def test_a_failure_is_counted_once_under_its_class_and_its_reason() -> None:
    subject = metrics()

    subject.failed(FailedFetchRoomInfo("captcha", reason=Reason.CAPTCHA))

    text = scraped(subject)
    assert 'tiktok_live_connection_errors_total{error="FailedFetchRoomInfo"} 1.0' in text
    assert 'tiktok_live_connection_errors_total{error="FailedHTTPRequest"} 0.0' in text
    assert 'tiktok_live_connection_error_reasons_total{reason="captcha"} 1.0' in text


def test_that_there_is_no_live_is_counted_and_no_failure() -> None:
    subject = metrics()

    subject.failed(LiveNotFound(reason=Reason.OFFLINE))
    subject.failed(LiveNotFound(reason=Reason.ELSEWHERE))
    subject.failed(LiveEnded(reason=Reason.OFFLINE))

    text = scraped(subject)
    assert 'tiktok_live_lives_not_found_total{reason="offline"} 2.0' in text
    assert 'tiktok_live_lives_not_found_total{reason="elsewhere"} 1.0' in text
    assert 'error="LiveNotFound"' not in text
    assert 'tiktok_live_connection_error_reasons_total{reason="offline"} 0.0' in text


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


def test_a_worker_exports_at_most_850_series() -> None:
    assert sum(len(family.samples) for family in worker_metrics().registry.collect()) <= 850
