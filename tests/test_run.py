"""`producer run` as a process, and whatever its standard streams are; without Kafka (tests/without_kafka.py)."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import httpx
import pytest

from producer.local.processes import free_ports
from producer.local.programs import STEP_SECONDS, without_settings

ROOT = Path(__file__).resolve().parent.parent


class Running:
    """The process, and how it is asked."""

    def __init__(self, process: "subprocess.Popen[bytes]", port: int) -> None:
        self.process = process
        self._url = f"http://127.0.0.1:{port}"

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"{self._url}{path}", trust_env=False, timeout=STEP_SECONDS)

    def until(self, condition: Callable[[], bool]) -> None:
        give_up = time.monotonic() + STEP_SECONDS
        while True:
            assert self.process.poll() is None, f"it ended with status {self.process.returncode}"
            if time.monotonic() > give_up:
                pytest.fail("in vain")
            try:
                if condition():
                    return
            except httpx.ConnectError:
                pass  # not yet
            time.sleep(0.05)

    def backing_off(self, count: int) -> None:
        """Wait until so many streamers were looked up in vain, each of which is two lines of the log."""
        self.until(
            lambda: [each["state"] for each in self.get("/status").json()["streamers"]].count("backing_off") >= count
        )

    def terminated(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STEP_SECONDS)


@contextmanager
def running(
    folder: Path,
    *,
    streamers: int = 3,
    planted: str = "",
    stdin: int = subprocess.DEVNULL,
    stderr: int | IO[bytes] = subprocess.DEVNULL,
    first: Callable[[], None] | None = None,
) -> Iterator[Running]:
    """`first` is done in the process before anything else."""
    [port] = free_ports(1)
    listed = folder / "list.yaml"
    listed.write_text("streamers: [" + ", ".join(f"streamer{number}" for number in range(streamers)) + "]\n")
    settings = {
        "PRODUCER_UPSTREAM": "http://127.0.0.1:9",
        "PRODUCER_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9",
        "PRODUCER_ASSIGNMENTS_FILE": str(listed),
        "PRODUCER_LOOKUPS_PER_SECOND": "1000",
        "PRODUCER_HTTP_PORT": str(port),
        "PRODUCER_GIFT_LIST_REFRESH_SECONDS": "0",
        "PRODUCER_LOG_FORMAT": "json",
        "PRODUCER_GRACE_SECONDS": "600",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.without_kafka", "run"],
        env=without_settings(os.environ) | settings | {"PYTHONPATH": str(ROOT), "PLANTED": planted},
        cwd=ROOT,
        stdin=stdin,
        stdout=subprocess.DEVNULL,
        stderr=stderr,
        preexec_fn=first,
    )
    with process:
        try:
            yield Running(process, port)
        finally:
            process.kill()


@contextmanager
def pipe() -> Iterator[tuple[IO[bytes], int]]:
    """A small one: 4 KiB."""
    read, write = os.pipe()
    fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, 4096)
    try:
        with os.fdopen(read, "rb") as reader:
            yield reader, write
    finally:
        os.close(write)


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def waiting(reader: IO[bytes]) -> int:
    """The bytes in a pipe."""
    return int.from_bytes(fcntl.ioctl(reader, termios.FIONREAD, b"\0" * 4), sys.byteorder)


def test_a_log_that_nobody_reads_stops_neither_the_work_nor_the_answers_nor_the_end(tmp_path: Path) -> None:
    with pipe() as (reader, writer), running(tmp_path, streamers=50, stderr=writer) as worker:
        worker.backing_off(50)
        assert waiting(reader) > 3_000  # another line does not fit
        assert worker.get("/livez").status_code == 200

        assert worker.terminated() == 0


def test_a_log_whose_reader_is_gone_ends_nobody_and_its_lines_are_counted(tmp_path: Path) -> None:
    with pipe() as (reader, writer), running(tmp_path, stderr=writer) as worker:
        reader.readline()
        reader.close()
        worker.backing_off(3)

        def counted() -> bool:
            text = worker.get("/metrics").text
            return "tiktok_live_log_lines_dropped_total 0.0\n" not in text

        worker.until(counted)
        assert worker.terminated() == 0


def test_a_worker_without_standard_streams_runs(tmp_path: Path) -> None:
    def close_all() -> None:
        os.closerange(0, 3)

    with running(tmp_path, first=close_all) as worker:
        worker.backing_off(3)
        descriptors = Path(f"/proc/{worker.process.pid}/fd")
        if descriptors.exists():
            assert {(descriptors / str(number)).readlink() for number in range(3)} == {Path(os.devnull)}

        assert worker.terminated() == 0


def test_a_bug_is_one_line_with_its_traceback_and_status_1(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("wb") as output, running(tmp_path, planted="bug", stdin=subprocess.PIPE, stderr=output) as worker:
        worker.backing_off(3)
        assert worker.process.stdin is not None
        worker.process.stdin.close()

        assert worker.process.wait(STEP_SECONDS) == 1

    said = lines(log)
    [bug] = [line for line in said if "exception" in line]
    assert bug is said[-1]
    assert (said[-2]["event"], said[-2]["balanced"]) == ("stopped", True)
    assert (bug["event"], bug["level"]) == ("ended by a bug of ours", "critical")
    assert "ValueError: planted" in bug["exception"]
    assert [line["event"] for line in said].count("released") == 3


def test_a_thread_that_hangs_does_not_hold_up_the_end(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("wb") as output, running(tmp_path, planted="thread", stderr=output) as worker:
        worker.until(lambda: worker.get("/livez").status_code == 200)
        assert worker.get("/startupz").status_code == 503

        assert worker.terminated() == 0

    assert [line["event"] for line in lines(log)] == ["starting", "stopping", "stopped"]
    assert lines(log)[-1]["balanced"] is True


@pytest.mark.parametrize("moment", ["before", "behind"])
def test_a_refusal_is_a_line_on_standard_error_and_status_1(moment: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    wrong = {"before": {"PRODUCER_MAX_STREAMS": "none"}, "behind": {"PRODUCER_HTTP_HOST": "a..b"}}[moment]
    with log.open("wb") as output:
        done = subprocess.run(
            [sys.executable, "-m", "tests.without_kafka", "run"],
            env=without_settings(os.environ)
            | {"PRODUCER_UPSTREAM": "tiktok", "PRODUCER_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9"}
            | {"PYTHONPATH": str(ROOT), "PRODUCER_LOG_FORMAT": "json"}
            | wrong,
            cwd=ROOT,
            stderr=output,
            timeout=STEP_SECONDS,
            check=False,
        )

    assert done.returncode == 1
    [line] = log.read_text().splitlines()
    assert line.startswith("producer: ")
