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
from producer.assignments.list_forms import LABEL, Row
from producer.assignments.lists import Form
from producer.configured import KAFKA, configured
from producer.delivery import client, topic_plan
from producer.errors import StartRefused
from producer.settings import Settings, variable
from producer.terminal import WOULD_CHANGE, document, say

assign = typer.Typer(help="The shared list of streamers, where it is a Kafka topic.", no_args_is_help=True)

Priority = Annotated[int | None, typer.Option(help="Higher is claimed first where workers cannot hold all.")]
Weight = Annotated[float | None, typer.Option(help="What it costs beside an ordinary streamer.")]
Doors = Annotated[str | None, typer.Option(help="The doors that it goes by, in their order, with commas.")]
RoomId = Annotated[str | None, typer.Option(help="Of a room that is asked for where the name tells nothing.")]
Session = Annotated[str | None, typer.Option(help="Names the session of an account that may watch it.")]
UserId = Annotated[str | None, typer.Option(help="The number of the account that the name should be of.")]
Labels = Annotated[
    list[str] | None,
    typer.Option("--label", help="What the entry is to carry, as name=value, or name= for no more; may be said again."),
]
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


def shared() -> Settings:
    """The settings, where the list is a Kafka topic. Raises StartRefused."""
    chosen = configured()
    if chosen.assignments_file is not None:
        raise StartRefused(
            f"{variable('assignments_file')}={chosen.assignments_file}: the workers read that file, so edit it; "
            "`assign` and `status` are for a list that is a Kafka topic"
        )
    return configured(KAFKA)  # only now: where the file is the list, Kafka's servers may be missing


@assign.command()
def add(
    names: Names,
    priority: Priority = None,
    weight: Weight = None,
    disabled: Annotated[bool, typer.Option("--disabled", help="List it, and do not stream it.")] = False,
    doors: Doors = None,
    room_id: RoomId = None,
    session: Session = None,
    user_id: UserId = None,
    label: Labels = None,
    dry_run: DryRun = False,
) -> None:
    """Put streamers on the list. Of those that are there only what is said changes."""
    row = _row(priority, weight, doors, room_id, session, user_id, label)
    _put(names, row | ({"enabled": "false"} if disabled else {}), dry_run=dry_run)


@assign.command("set")
def set_options(
    names: Names,
    priority: Priority = None,
    weight: Weight = None,
    doors: Doors = None,
    room_id: RoomId = None,
    session: Session = None,
    user_id: UserId = None,
    label: Labels = None,
    dry_run: DryRun = False,
) -> None:
    """Change what is said of streamers that are on the list; others are refused."""
    row = _row(priority, weight, doors, room_id, session, user_id, label)
    if not row:
        raise StartRefused("say what to set, such as --priority 5; `producer assign set --help` says what there is")
    _put(names, row, dry_run=dry_run, only_listed=True)


@assign.command()
def enable(names: Names, dry_run: DryRun = False) -> None:
    """Have streamers on the list streamed again."""
    _put(names, {"enabled": "true"}, dry_run=dry_run, only_listed=True)


@assign.command()
def disable(names: Names, dry_run: DryRun = False) -> None:
    """Keep streamers on the list, and have nobody stream them."""
    _put(names, {"enabled": "false"}, dry_run=dry_run, only_listed=True)


@assign.command()
def remove(names: Names, dry_run: DryRun = False, yes: Yes = False) -> None:
    """Take streamers off the list."""
    gone = _names(names)

    def without(before: Mapping[Streamer, Wanted]) -> list[Wanted]:
        _refuse_absent(gone, before)
        return [item for item in before.values() if item.streamer not in gone]

    _change(without, dry_run=dry_run, yes=yes)


@assign.command()
def poke(names: Names) -> None:
    """Have streamers looked up at once by the workers that have them: somebody said that they went live.

    It is still within the budget of look-ups. Of who is heard already, or is not waited for, nothing comes.
    """
    asked, target = _names(names), catalogue(shared())

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
def show(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document, which `apply` reads.")] = False,
) -> None:
    """Print the list with its options, a streamer a line."""
    if as_json:
        document(lists.document(_listed()))
    else:
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
    detailed: Annotated[
        bool,
        typer.Option(
            "--detailed-exitcode",
            help="With --dry-run, exit status 0: nothing would change; 2: it would; 1: an error.",
        ),
    ] = False,
) -> None:
    """Make the list what a file says: YAML, CSV or lines. Prints what changes."""
    if detailed and not dry_run:
        raise StartRefused("--detailed-exitcode is for a plan: say --dry-run, too")
    wanted = lists.read(_bytes(file), form or lists.form_of(file.name), source=str(file))
    differs = _change(lambda _: wanted, dry_run=dry_run, yes=yes)
    if detailed and differs:
        raise SystemExit(WOULD_CHANGE)


def _listed() -> Iterable[Wanted]:
    return asyncio.run(catalogue(shared()).wanted()).values()


def _print(form: Form) -> None:
    for line in lists.write(_listed(), form).splitlines():
        say(line)


def _put(names: Iterable[str], row: Row, *, dry_run: bool, only_listed: bool = False) -> None:
    """Write options into the entries of streamers, in the place of those that they had."""
    try:
        new = {name: lists.changed(Wanted(name), row) for name in _names(names)}
    except ValueError as problem:
        raise StartRefused(str(problem)) from problem

    def after(before: Mapping[Streamer, Wanted]) -> Iterable[Wanted]:
        if only_listed:
            _refuse_absent(new, before)
        try:
            return {
                **before,
                **{name: lists.changed(before[name], row) if name in before else new[name] for name in new},
            }.values()
        except ValueError as problem:  # labels that are one too many beside those that are there
            raise StartRefused(str(problem)) from problem

    _change(after, dry_run=dry_run, yes=True)


def _refuse_absent(names: Iterable[Streamer], listed: Mapping[Streamer, Wanted]) -> None:
    if absent := [name for name in names if name not in listed]:
        raise StartRefused("\n".join(f"{name} is not on the list" for name in absent))


def _change(after: Callable[[Mapping[Streamer, Wanted]], Iterable[Wanted]], *, dry_run: bool, yes: bool) -> bool:
    """Print each difference and make it; return whether there is one."""
    target = catalogue(shared())

    async def main() -> bool:
        before = await target.wanted()
        difference = lists.difference(before, after(before))
        for line in difference.lines():
            say(line)
        if dry_run or not difference:
            return bool(difference)
        if difference.drastic and not yes:
            raise StartRefused(
                f"this removes {len(difference.removed)} of {difference.before} streamers, which is more than half; "
                "nothing was changed (--yes does it)"
            )
        await target.edit(difference)
        return True

    return asyncio.run(main())


def _row(
    priority: int | None,
    weight: float | None,
    doors: str | None,
    room_id: str | None,
    session: str | None,
    user_id: str | None,
    labels: list[str] | None,
) -> Row:
    """Those options that were given, as a list has them."""
    given = {
        "priority": priority,
        "weight": weight,
        "doors": doors,
        "room_id": room_id,
        "session": session,
        "user_id": user_id,
    }
    return {name: str(value) for name, value in given.items() if value is not None} | dict(map(_label, labels or ()))


def _label(text: str) -> tuple[str, str]:
    """A label as an option of a row."""
    name, separator, value = (part.strip() for part in text.partition("="))
    if not name or not separator:
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
