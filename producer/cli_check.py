"""`producer check`: whether `producer run` with these settings would work, a line for each thing looked at."""

from collections.abc import AsyncIterator
from dataclasses import asdict

from rich.text import Text

from producer import terminal
from producer.checks import rounds
from producer.checks.verdict import Verdict, fail, ok
from producer.configured import KAFKA, UPSTREAM, configured
from producer.errors import StartRefused
from producer.strangers import shown

STYLES = {"ok": "green", "warn": "yellow", "fail": "bold red", "skipped": "bright_black"}
NAME_WIDTH = 14


async def check(*, as_json: bool, upstream: bool) -> bool:
    """Check, and print what is found as it is found, or all of it as JSON; return whether nothing failed."""
    found: list[tuple[str, Verdict]] = []
    async for name, verdict in _findings(upstream=upstream):
        found.append((name, verdict))
        if not as_json:
            _print(name, verdict)
    passed = all(verdict.state != "fail" for _, verdict in found)
    if as_json:
        checks = [{"name": name, **asdict(verdict)} for name, verdict in found]
        terminal.document({"passed": passed, "checks": checks})
    return passed


async def _findings(*, upstream: bool) -> AsyncIterator[tuple[str, Verdict]]:
    try:
        chosen = configured(KAFKA, UPSTREAM)
    except StartRefused as refused:
        for line in str(refused).splitlines():
            yield "settings", fail(line, "correct it: nothing else was checked")
        return
    yield "settings", ok("all can be read")
    async for name, verdict in rounds.make(chosen, upstream=upstream):
        yield name, verdict


def _print(name: str, verdict: Verdict) -> None:
    """One line; on a terminal in colours, and wrapped by the terminal."""
    found = shown(verdict.found, most=None)
    line = Text.assemble((f"{verdict.state:<8}", STYLES[verdict.state]), f"{name:<{NAME_WIDTH}}  {found}")
    if verdict.advice:
        line.append(f"; {shown(verdict.advice, most=None)}", "bright_black" if verdict.state == "skipped" else "bold")
    terminal.draw(line, soft_wrap=True)
