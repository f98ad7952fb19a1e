"""`producer doors`: the ways into a room, and a try of each, step by step."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer

from producer import terminal
from producer.assignments.claims import normalise
from producer.configured import UPSTREAM, configured
from producer.errors import StartRefused
from producer.settings import DOORS, Settings, variable

doors = typer.Typer(help="The ways into a room: list them, try them.")

SECONDS = 20
"""How long messages are waited for: a quiet room still says every few seconds who watches it."""
NAME_WIDTH = 9

AsJSON = Annotated[bool, typer.Option("--json", help="Print one JSON document: the steps of each door.")]


@doors.callback(invoke_without_command=True)
def show(context: typer.Context) -> None:
    """The ways into a room: list them with what they need, or try them."""
    if context.invoked_subcommand is not None:
        return
    chosen = configured()
    for name in sorted(DOORS, key=lambda name: _place(name, chosen)):
        used = f"number {_place(name, chosen) + 1}" if name in chosen.doors else "not used"
        terminal.say(f"{name:<{NAME_WIDTH}} {used:<{NAME_WIDTH}} {_need(name, chosen)}")


@doors.command()
def test(
    streamer: Annotated[
        str | None, typer.Argument(metavar="URL", help="A streamer's page, or unique id, who is live.")
    ] = None,
    room: Annotated[int | None, typer.Option(min=1, max=2**63 - 1, help="The room's id; nothing is looked up.")] = None,
    door: Annotated[str | None, typer.Option(help="Try this door alone, be it in PRODUCER_DOORS or not.")] = None,
    seconds: Annotated[int, typer.Option(min=1, max=600, help="How long messages are waited for.")] = SECONDS,
    as_json: AsJSON = False,
) -> None:
    """Enter a room by each door of PRODUCER_DOORS, step by step, and say what was answered. No secret is printed.

    The exit status is 0 if messages of the room came by one of them, 1 otherwise.
    """
    from producer import trial  # what speaks to TikTok; the other commands start faster without it

    if streamer is None and room is None:
        raise StartRefused("say whose room: a streamer's page or unique id, or --room with the id of one")
    chosen = configured(UPSTREAM)
    names = _named(door, chosen) if door is not None else chosen.doors
    subject = trial.Subject(_unique_id(streamer), room)
    told: list[tuple[str | None, trial.Step]] = []

    def tell(name: str | None, step: trial.Step) -> None:
        told.append((name, step))
        if not as_json:
            state = "ok" if step.passed else "fail"
            place = f"{name or '':<{NAME_WIDTH}} {step.step:<{NAME_WIDTH}}"
            terminal.say(f"{state:<5} {place}  {step.said}  ({step.seconds:.2f} s)")

    found = asyncio.run(trial.attempt(chosen, subject, names, seconds=seconds, tell=tell))
    if as_json:
        steps = {each: [asdict(step) for name, step in told if name == each] for each in (None, *names)}
        tried = [{"door": name, "heard": found[name], "steps": steps[name]} for name in names]
        terminal.document({"heard": any(found.values()), "room": steps[None], "doors": tried})
    if not any(found.values()):
        raise SystemExit(1)


def _place(name: str, chosen: Settings) -> int:
    return chosen.doors.index(name) if name in chosen.doors else len(DOORS)


def _need(name: str, chosen: Settings) -> str:
    if not DOORS[name]:
        return "needs nothing"
    return f"needs {_words(name)}, which is {'not set' if _lacks(name, chosen) else 'set'}"


def _words(name: str) -> str:
    return " or ".join(map(variable, DOORS[name]))


def _lacks(name: str, chosen: Settings) -> bool:
    return bool(DOORS[name]) and all(getattr(chosen, setting) is None for setting in DOORS[name])


def _named(name: str, chosen: Settings) -> Sequence[str]:
    if name not in DOORS:
        raise StartRefused(f"there is no door {name!r:.100}; there are {', '.join(DOORS)}")
    if _lacks(name, chosen):
        raise StartRefused(f"the door {name} needs {_words(name)}, which is not set")
    return (name,)


def _unique_id(given: str | None) -> str:
    """A unique id, as it was given or out of a page's address, wherever that page is."""
    if given is None:
        return ""
    try:
        return normalise(given.rpartition("/@")[2])
    except ValueError as problem:
        raise StartRefused(str(problem)) from None
