"""producer.stopping: real signals, at every moment of a start and behind it."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import pytest
from structlog.testing import capture_logs

from producer.stopping import Stop, Stopped

ROOT = Path(__file__).resolve().parent.parent
LONG = 3600.0
SIGNALS = (signal.SIGTERM, signal.SIGINT)

Result = TypeVar("Result")


def with_stop(main: Callable[[Stop], Awaitable[Result]], *, grace_seconds: float = LONG) -> Result:
    """Run something with signals taken over, and give them back."""

    async def run() -> Result:
        stop = Stop(grace_seconds=grace_seconds)
        try:
            return await main(stop)
        finally:
            for number in SIGNALS:
                asyncio.get_running_loop().remove_signal_handler(number)

    return asyncio.run(run())


def send(number: signal.Signals = signal.SIGTERM) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_cancels_the_step_that_is_being_taken(number: signal.Signals) -> None:
    cleaned = []

    async def patient() -> None:
        try:
            send(number)
            await asyncio.sleep(LONG)
        finally:
            await asyncio.sleep(0)
            cleaned.append(True)

    async def main(stop: Stop) -> str | None:
        with pytest.raises(Stopped):
            await stop.step(patient())
        await stop.wait()
        return stop.signal

    with capture_logs() as lines:
        assert with_stop(main) == number.name
    assert cleaned == [True]
    assert [(line["event"], line["signal"]) for line in lines] == [("stopping", number.name)]


def test_a_step_that_swallows_its_cancellation_is_the_last() -> None:
    async def deaf() -> None:
        send()
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(LONG)

    async def main(stop: Stop) -> None:
        with pytest.raises(Stopped):
            await stop.step(deaf())

    with_stop(main)


def test_a_step_that_fails_in_being_stopped_is_stopped() -> None:
    async def broken() -> None:
        send()
        try:
            await asyncio.sleep(LONG)
        finally:
            raise OSError("closed from within")

    async def main(stop: Stop) -> None:
        with pytest.raises(Stopped):
            await stop.step(broken())

    with_stop(main)


@pytest.mark.parametrize("error", [TimeoutError("its own"), OSError("broken")])
def test_what_a_step_gives_or_raises_passes_without_a_signal(error: Exception) -> None:
    async def good() -> int:
        await asyncio.sleep(0)
        return 5

    async def bad() -> None:
        raise error

    async def main(stop: Stop) -> None:
        assert await stop.step(good()) == 5
        with pytest.raises(type(error)) as raised:
            await stop.step(bad())
        assert raised.value is error
        assert stop.signal is None

    with_stop(main)


def test_between_steps_and_behind_them_a_signal_interrupts_nobody() -> None:
    async def main(stop: Stop) -> None:
        await stop.step(asyncio.sleep(0))
        send()
        await stop.wait()
        await asyncio.sleep(0)
        with pytest.raises(Stopped):
            await stop.step(asyncio.sleep(0))

    with_stop(main)


def test_the_grace_begins_once_and_runs_out() -> None:
    async def main(stop: Stop) -> None:
        while stop.left():  # for ever, if it began anew each time
            await asyncio.sleep(0)

    with_stop(main, grace_seconds=0.01)


def test_tasks_are_cancelled_once_and_waited_for_even_by_one_who_is_cancelled() -> None:
    told: list[str] = []
    may_leave = asyncio.Event()

    async def slow() -> None:
        try:
            await asyncio.sleep(LONG)
        finally:
            told.append("cancelled")
            await may_leave.wait()
            told.append("left")

    async def main(stop: Stop) -> None:
        task = asyncio.create_task(slow())
        await asyncio.sleep(0)
        ending = asyncio.create_task(stop.end([task], what="it"))
        while not told:
            await asyncio.sleep(0)
        ending.cancel()
        for _ in range(10):
            await asyncio.sleep(0)
        assert not ending.done()
        may_leave.set()
        with pytest.raises(asyncio.CancelledError):
            await ending
        assert task.done()

    with_stop(main)
    assert told == ["cancelled", "left"]


def test_tasks_that_do_not_end_within_the_grace_are_left_and_named() -> None:
    async def main(stop: Stop) -> None:
        over = asyncio.Event()

        async def stubborn() -> None:
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(LONG)
            await over.wait()

        task = asyncio.create_task(stubborn())
        await asyncio.sleep(0)
        await stop.end([task], what="sessions")
        assert not task.done()
        over.set()
        await task

    with capture_logs() as lines:
        with_stop(main, grace_seconds=0.01)
    assert [(line["event"], line["what"]) for line in lines] == [("not ended within the grace; going on", "sessions")]


def ended(code: str) -> tuple[int, str]:
    """How a process ends that does this within its loop."""
    lines = (
        "import asyncio, os, signal, sys",
        "from contextlib import suppress",
        "from producer import logs, stopping",
        "from producer.stopping import Stop",
        "stopping.OVERDUE_SECONDS = 0.0",
        "logs.detach()",
        "logs.configure(form='json', level='info')",
        "async def main():",
        *(f"    {line}" for line in code.splitlines()),
        "asyncio.run(main())",
    )
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stderr


def test_a_second_signal_ends_the_process_at_once() -> None:
    status, _ = ended(
        "stop = Stop(grace_seconds=3600.0)\n"
        "os.kill(os.getpid(), signal.SIGTERM)\n"
        "await stop.wait()\n"
        "os.kill(os.getpid(), signal.SIGINT)\n"
        "await asyncio.sleep(3600.0)"
    )

    assert status == 128 + signal.SIGINT


def test_a_step_that_does_not_clean_up_within_the_grace_is_left_behind() -> None:
    status, said = ended(
        "stop = Stop(grace_seconds=0.01)\n"
        "async def hanging():\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    with suppress(asyncio.CancelledError):\n"
        "        await asyncio.sleep(3600.0)\n"
        "    await asyncio.sleep(3600.0)\n"
        "await stop.step(hanging())"
    )

    assert status == 1
    assert "not ended within the grace; ending now" in said
