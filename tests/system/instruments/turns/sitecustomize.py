"""An instrument: the longest turn of the loop in CPU time, written to the file TURNS whenever one is longer.

It needs asyncio's own loop, so uvloop is hidden. With KEEP_UVLOOP it is not: a callback that the loop is given again in
each turn measures what lies between two, without knowing of what it consists, and the loop never sleeps. What a turn
waits for is no CPU time, however busy the machine is.
SIGUSR1 makes it forget what was longest. ADDRESS_SPACE bounds the process's memory, in bytes. Where TRACED is set, what
Python's objects take is traced, and SIGUSR1 has it told, after a collection.
"""

import asyncio.base_events
import asyncio.events
import gc
import json
import os
import resource
import signal
import sys
import time
import tracemalloc
from pathlib import Path
from typing import Any

_keeps_uvloop = bool(os.environ.get("KEEP_UVLOOP"))
if not _keeps_uvloop:
    _modules: dict[str, Any] = sys.modules
    _modules["uvloop"] = None  # importing it now raises ModuleNotFoundError

_loop: Any = asyncio.base_events.BaseEventLoop
_once = _loop._run_once
_file = Path(os.environ["TURNS"])
_said: dict[str, Any] = {"longest_ms": 0.0, "running": False, "pid": os.getpid(), "forgotten": 0}

if os.environ.get("TRACED"):
    tracemalloc.start()
if _bound := int(os.environ.get("ADDRESS_SPACE", "0")):
    resource.setrlimit(resource.RLIMIT_AS, (_bound, _bound))

_collections: list[float] = []


def _collected(phase: str, info: dict[str, int]) -> None:
    """Note how long the longest collection took, which is part of some turn."""
    if phase == "start":
        _collections[:] = [time.thread_time()]
    elif _collections:
        taken = (time.thread_time() - _collections[0]) * 1000
        if _said["running"] and taken > _said.get("longest_collection_ms", 0.0):
            _said.update(longest_collection_ms=round(taken, 1), longest_collection_of=info["generation"])


gc.callbacks.append(_collected)

_handle: Any = asyncio.events.Handle
_run = _handle._run
_steps: list[tuple[float, str]] = []
"""What the turn did so far: milliseconds, and the callback."""


def _turn(self: Any) -> None:
    before = time.thread_time()
    _steps.clear()
    _once(self)
    _turned(before)


def _turned(before: float) -> None:
    """Note a turn that began at this CPU time."""
    taken = (time.thread_time() - before) * 1000
    if _said["running"] and taken > _said["longest_ms"]:
        steps = sorted(_steps, reverse=True)[:3]
        _said.update(
            longest_ms=round(taken, 1), steps=len(_steps), longest_steps=[f"{ms:.1f} {of}" for ms, of in steps]
        )
        _write()


def _step(self: Any) -> None:
    before = time.thread_time()
    _run(self)
    taken = (time.thread_time() - before) * 1000
    of = getattr(self._callback, "__self__", self._callback)
    _steps.append((taken, f"{of!r:.200}" if taken > 5.0 else ""))


def _write() -> None:
    _next = _file.with_suffix(".next")
    _next.write_text(json.dumps(_said))
    _next.replace(_file)


def _forget(*_: object) -> None:
    """Begin anew; the turn that goes on now counts as a whole."""
    if tracemalloc.is_tracing():
        gc.collect()
        _said.update(traced=tracemalloc.get_traced_memory()[0])
    _said.update(longest_ms=0.0, longest_steps=[], forgotten=_said["forgotten"] + 1)
    _write()


signal.signal(signal.SIGUSR1, _forget)

_runner: Any = asyncio.Runner
_run_whole = _runner.run


def _run_measured(self: Any, main: Any, **more: Any) -> Any:
    """Run as ever, with the callback that measures."""
    loop = self.get_loop()

    def measure(before: float) -> None:
        _turned(before)
        loop.call_soon(measure, time.thread_time())

    loop.call_soon(measure, time.thread_time())
    return _run_whole(self, main, **more)


if _keeps_uvloop:
    _runner.run = _run_measured
else:
    _loop._run_once = _turn
    _handle._run = _step

from producer.observability import metrics  # noqa: E402  # after uvloop was hidden

_held, _requested = metrics.Metrics.claims_held, metrics.Metrics.requested


def _claims_held(self: metrics.Metrics, count: int) -> None:
    """The worker has its first claims: what comes before is its start."""
    if count and not _said["running"]:
        _said.update(running=True, claimed_at_cpu=time.process_time())
        _write()
    _held(self, count)


def _first_requested(self: metrics.Metrics, endpoint: str, code: str) -> None:
    if "answered_at_cpu" not in _said and endpoint == "room_id":
        _said["answered_at_cpu"] = time.process_time()
        _write()
    _requested(self, endpoint, code)


metrics.Metrics.claims_held = _claims_held  # type: ignore[method-assign]
metrics.Metrics.requested = _first_requested  # type: ignore[method-assign]
