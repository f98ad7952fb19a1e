"""What a cluster's programs have in common, tried on the smallest that Java brings: its web server."""

import asyncio
import random
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from producer.local import processes
from producer.local.processes import (
    Answer,
    LocalFailure,
    PortTaken,
    Process,
    free_ports,
    output_of,
    until,
)
from tests.patience import HANGS_SECONDS

SERVER = ("-m", "jdk.httpserver", "-b", "127.0.0.1", "-p")


async def never() -> bool:
    return False


async def listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


@pytest.mark.parametrize(("end", "status"), [(Process.stop, 143), (Process.kill, -9)])
def test_a_program_that_was_stopped_or_killed_is_dead(
    tmp_path: Path, end: Callable[[Process], Awaitable[None]], status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "STOP_SECONDS", HANGS_SECONDS)

    async def main() -> None:
        [port] = free_ports(1)
        server = await Process.start("server", *SERVER, str(port), folder=tmp_path)
        await until(lambda: listens(port), of=[server], timeout_seconds=HANGS_SECONDS)
        server.check()

        await end(server)

        assert not await listens(port)
        with pytest.raises(LocalFailure, match=f"server ended with {status};"):
            server.check()

    asyncio.run(main())


def test_a_program_that_dies_while_awaited_is_reported_in_its_own_words_and_not_waited_for(tmp_path: Path) -> None:
    async def main() -> None:
        server = await Process.start("server", *SERVER, "many", folder=tmp_path)
        with pytest.raises(LocalFailure, match=r"server ended with 1(.|\n)*Error: invalid value"):
            await until(never, of=[server], timeout_seconds=HANGS_SECONDS)

    asyncio.run(main())


def test_a_program_that_does_not_become_ready_is_reported_with_its_words(tmp_path: Path) -> None:
    async def main() -> None:
        server = await Process.start("server", *SERVER, "0", folder=tmp_path)

        async def serves() -> bool:
            return "Serving" in server.tail()

        try:
            await until(serves, of=[server], timeout_seconds=HANGS_SECONDS)
            with pytest.raises(LocalFailure, match=r"not ready after 1 s without a word: server, (.|\n)*Serving"):
                await until(never, of=[server], timeout_seconds=1)
        finally:
            await server.stop()

    asyncio.run(main())


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path, int], Answer]:
    """Make an answer that is no so many times: each look takes a hundred seconds, in which a log grows by a line."""

    def make(log: Path, noes: int) -> Answer:
        loop = asyncio.get_running_loop()
        now = loop.time
        looked = 0
        monkeypatch.setattr(loop, "time", lambda: now() + 100.0 * looked)

        async def look() -> bool:
            nonlocal looked
            looked += 1
            with log.open("a") as more:
                more.write("at work\n")
            return looked > noes

        return look

    return make


def test_a_program_is_waited_for_as_long_as_its_log_grows_but_not_for_ever(
    tmp_path: Path, looks: Callable[[Path, int], Answer]
) -> None:
    async def main(noes: int) -> None:
        server = await Process.start("server", *SERVER, "0", folder=tmp_path)
        try:
            await until(looks(server.log, noes), of=[server], timeout_seconds=HANGS_SECONDS)
        finally:
            await server.kill()

    asyncio.run(main(noes=6))
    with pytest.raises(LocalFailure) as failure:
        asyncio.run(main(noes=60))
    assert failure.value.line == f"not ready after 900 s: server, whose log is {tmp_path / 'log.txt'}"


def test_a_port_that_is_taken_is_told_from_other_ends(tmp_path: Path) -> None:
    async def main() -> None:
        [port] = free_ports(1)
        first = await Process.start("first", *SERVER, str(port), folder=tmp_path / "first")
        await until(lambda: listens(port), of=[first], timeout_seconds=HANGS_SECONDS)
        second = await Process.start("second", *SERVER, str(port), folder=tmp_path / "second")

        with pytest.raises(PortTaken):
            await until(never, of=[second], timeout_seconds=HANGS_SECONDS)

        await first.stop()

    asyncio.run(main())


def test_a_cancelled_run_leaves_no_program_behind(tmp_path: Path) -> None:
    async def main() -> None:
        [port] = free_ports(1)
        output = output_of(*SERVER, str(port), folder=tmp_path, class_path=(), timeout_seconds=60)
        run = asyncio.create_task(output)
        await until(lambda: listens(port), of=(), timeout_seconds=HANGS_SECONDS)

        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run

        assert not await listens(port)

    asyncio.run(main())


STARTERS = {
    "of Java's": f"await Process.start('a server', *{SERVER}, port, folder=folder)",
    "of ours": "await Program('a simulator', ('simulate', '--port', port), {}, folder / 'log.txt').__aenter__()",
}


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with its parent")
@pytest.mark.parametrize("start", STARTERS.values(), ids=STARTERS)
def test_a_program_ends_with_whoever_started_it_though_that_was_killed(tmp_path: Path, start: str) -> None:
    starter = f"""
import asyncio, sys
from pathlib import Path
from producer.local.processes import Process
from producer.local.programs import Program

async def main(port, folder):
    {start}
    await asyncio.Event().wait()

asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
"""

    async def main() -> None:
        [port] = free_ports(1)
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", starter, str(port), str(tmp_path))
        try:
            await until(lambda: listens(port), of=(), timeout_seconds=HANGS_SECONDS)
        finally:
            process.send_signal(signal.SIGKILL)
            await process.wait()

        async def gone() -> bool:
            return not await listens(port)

        await until(gone, of=(), timeout_seconds=HANGS_SECONDS)

    asyncio.run(main())


def test_a_port_that_another_process_was_given_is_not_given_again(monkeypatch: pytest.MonkeyPatch) -> None:
    given = "from producer.local.processes import free_ports; print(*free_ports(1), flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", given], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        theirs = int(other.stdout.readline())
        drawn = iter([theirs, theirs, *range(15_000, 32_000)])
        monkeypatch.setattr(random, "randrange", lambda *_: next(drawn))

        ours = free_ports(2)
        drawn = iter([*ours, *range(15_000, 32_000)])
        more = free_ports(2)
        other.communicate("")

    assert len({theirs, *ours, *more}) == 5
