"""`producer check`: whether `producer run` with these settings would work, a line for each thing looked at."""

import json
import sys
from collections.abc import AsyncIterator
from dataclasses import asdict

from rich.console import Console
from rich.text import Text

from producer.checks import rounds
from producer.checks.verdict import Verdict, fail, ok
from producer.configured import configured
from producer.errors import StartRefused

STYLES = {"ok": "green", "warn": "yellow", "fail": "bold red", "skipped": "bright_black"}
NAME_WIDTH = 14


async def check(*, as_json: bool, upstream: bool) -> bool:
    """Check, and print what is found as it is found, or all of it as JSON; return whether nothing failed."""
    console = Console(soft_wrap=True, highlight=False)
    found: list[tuple[str, Verdict]] = []
    async for name, verdict in _findings(upstream=upstream):
        found.append((name, verdict))
        if not as_json:
            _print(console, name, verdict)
    passed = all(verdict.state != "fail" for _, verdict in found)
    if as_json:
        document = {"passed": passed, "checks": [{"name": name, **asdict(verdict)} for name, verdict in found]}
        sys.stdout.write(json.dumps(document, indent=2) + "\n")
    return passed


async def _findings(*, upstream: bool) -> AsyncIterator[tuple[str, Verdict]]:
    try:
        chosen = configured()
    except StartRefused as refused:
        for line in str(refused).splitlines():
            yield "settings", fail(line, "correct it: nothing else was checked")
        return
    yield "settings", ok("all can be read")
    async for name, verdict in rounds.make(chosen, upstream=upstream):
        yield name, verdict


def _print(console: Console, name: str, verdict: Verdict) -> None:
    """One line; on a terminal in colours, and wrapped by the terminal."""
    found = _plain(verdict.found)
    line = Text.assemble((f"{verdict.state:<8}", STYLES[verdict.state]), f"{name:<{NAME_WIDTH}}  {found}")
    if verdict.advice:
        line.append(f"; {_plain(verdict.advice)}", "bright_black" if verdict.state == "skipped" else "bold")
    console.print(line)


def _plain(text: str) -> str:
    """A registry's or a broker's words are a stranger's: nothing in them moves the cursor."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)
