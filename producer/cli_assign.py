"""`producer assign`: the shared list of streamers, edited as people keep it."""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Annotated

import typer

from producer.assignments import lists
from producer.assignments.catalogue import Catalogue
from producer.assignments.claims import Streamer, Wanted
from producer.assignments.list_forms import LABEL
from producer.assignments.lists import Form
from producer.configured import configured
from producer.delivery import client, topic_plan
from producer.errors import StartRefused
from producer.settings import Settings, variable
from producer.terminal import say

assign = typer.Typer(help="The shared list of streamers, where it is a Kafka topic.", no_args_is_help=True)

Names = Annotated[list[str], typer.Argument(help="Unique ids, with or without @, or addresses of their pages.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")]
Yes = Annotated[bool, typer.Option("--yes", help="Remove more than half of the list, too.")]
STANDARD_INPUT = Path("-")
AsForm = Annotated[Form, typer.Option("--as", help="How it is written.")]


def catalogue(chosen: Settings) -> Catalogue:
    """The shared list that the settings mean."""
    return Catalogue(
        lambda: client.options(chosen),
        list_topic=topic_plan.assignments_topic(chosen.topic_prefix),
        status_topic=topic_plan.status_topic(chosen.topic_prefix),
    )


@assign.command()
def add(
    names: Names,
    priority: Annotated[int, typer.Option(help="Higher is claimed first where workers cannot hold all.")] = 0,
    weight: Annotated[float, typer.Option(help="What it costs beside an ordinary streamer.")] = 1.0,
    disabled: Annotated[bool, typer.Option("--disabled", help="List it, and do not stream it.")] = False,
    doors: Annotated[str, typer.Option(help="The doors that it goes by, in their order, with commas.")] = "",
    room_id: Annotated[str, typer.Option(help="Of a room that is asked for where the name tells nothing.")] = "",
    session: Annotated[str, typer.Option(help="Names the session of an account that may watch it.")] = "",
    user_id: Annotated[str, typer.Option(help="The number of the account that the name should be of.")] = "",
    label: Annotated[
        list[str] | None, typer.Option(help="What the entry is to carry, as name=value; may be said again.")
    ] = None,
    dry_run: DryRun = False,
) -> None:
    """Put streamers on the list, or change those that are there."""
    row = {"doors": doors, "room_id": room_id, "session": session, "user_id": user_id}
    row |= dict(map(_label, label or ()))
    try:
        more = lists.more(row)
    except ValueError as problem:
        raise StartRefused(str(problem)) from problem
    given = {name: Wanted(name, not disabled, priority, weight, **more) for name in _names(names)}
    _change(lambda before: (dict(before) | given).values(), dry_run=dry_run, yes=True)


@assign.command()
def remove(names: Names, dry_run: DryRun = False, yes: Yes = False) -> None:
    """Take streamers off the list."""
    gone = _names(names)

    def without(before: Mapping[Streamer, Wanted]) -> list[Wanted]:
        if absent := [name for name in gone if name not in before]:
            raise StartRefused("\n".join(f"{name} is not on the list" for name in absent))
        return [item for item in before.values() if item.streamer not in gone]

    _change(without, dry_run=dry_run, yes=yes)


@assign.command()
def poke(names: Names) -> None:
    """Have streamers looked up at once by the workers that have them: somebody said that they went live.

    It is still within the budget of look-ups. Of who is heard already, or is not waited for, nothing comes.
    """
    chosen = configured()
    if chosen.assignments_file is not None:
        raise StartRefused(
            f"{variable('assignments_file')}={chosen.assignments_file}: workers of a list in a file can be told "
            "nothing; they look each streamer up as its time comes"
        )
    asked, target = _names(names), catalogue(chosen)

    async def main() -> None:
        wanted = await target.wanted()
        if vain := [_why_vain(name, wanted.get(name)) for name in asked if not _is_streamed(wanted.get(name))]:
            raise StartRefused("\n".join(vain))
        await target.poke(asked, at=int(time.time() * 1000))

    asyncio.run(main())
    for name in asked:
        say(f"! {name}")


def _is_streamed(entry: Wanted | None) -> bool:
    return entry is not None and entry.enabled


def _why_vain(name: Streamer, entry: Wanted | None) -> str:
    return f"{name} is not on the list" if entry is None else f"{name} is on the list and not enabled, so nobody has it"


@assign.command("list")
def show() -> None:
    """Print the list with its options, a streamer a line."""
    _print("csv")


@assign.command()
def export(form: AsForm = "yaml") -> None:
    """Print the list as a file that `apply` reads again."""
    _print(form)


@assign.command("apply")
def apply_list(
    file: Annotated[Path, typer.Argument(help="The list; - reads standard input.")],
    form: Annotated[Form | None, typer.Option("--as", help="How it is written; by its suffix if not said.")] = None,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Make the list what a file says: YAML, CSV or lines. Prints what changes."""
    wanted = lists.read(_bytes(file), form or lists.form_of(file.name), source=str(file))
    _change(lambda _: wanted, dry_run=dry_run, yes=yes)


def _print(form: Form) -> None:
    for line in lists.write(asyncio.run(catalogue(configured()).wanted()).values(), form).splitlines():
        say(line)


def _change(after: Callable[[Mapping[Streamer, Wanted]], Iterable[Wanted]], *, dry_run: bool, yes: bool) -> None:
    """Print each difference and make it."""
    target = catalogue(configured())

    async def main() -> None:
        before = await target.wanted()
        difference = lists.difference(before, after(before))
        for line in difference.lines():
            say(line)
        if dry_run or not difference:
            return
        if difference.drastic and not yes:
            raise StartRefused(
                f"this removes {len(difference.removed)} of {difference.before} streamers, which is more than half; "
                "nothing was changed (--yes does it)"
            )
        await target.edit(difference)

    asyncio.run(main())


def _label(text: str) -> tuple[str, str]:
    """A label as an option of a row."""
    name, _, value = (part.strip() for part in text.partition("="))
    if not value:
        raise StartRefused(f"--label wants name=value, not {text!r:.100}")
    return f"{LABEL}{name}", value


def _names(names: Iterable[str]) -> list[Streamer]:
    return [item.streamer for item in lists.read("\n".join(names), "lines", source="the command line")]


def _bytes(file: Path) -> bytes:
    """What a file holds, or standard input: no more of it than a list may have, and one byte."""
    try:
        with open(0 if file == STANDARD_INPUT else file, "rb", closefd=file != STANDARD_INPUT) as source:
            return source.read(lists.MOST_BYTES + 1)
    except OSError as cause:
        raise StartRefused(f"the list {file} cannot be read: {cause.strerror}") from cause
