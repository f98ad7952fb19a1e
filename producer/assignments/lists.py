"""Lists of streamers as people keep them, and the difference between two; pure.

Three forms: YAML (`streamers:` with unique ids, or mappings of `unique_id` and options), CSV (a header with `unique_id`
and options), and lines (a unique id each; what follows # is a comment).
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal, get_args

import yaml

from producer.assignments.claims import Streamer, Wanted, is_weight, normalise
from producer.errors import StartRefused

Form = Literal["yaml", "csv", "lines"]
"""How a list is written."""
FORMS: tuple[Form, ...] = get_args(Form)

SUFFIXES: Mapping[str, Form] = {"yaml": "yaml", "yml": "yaml", "json": "yaml", "csv": "csv"}

TRUTHS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def form_of(name: str) -> Form:
    """How a file of this name is written. JSON is YAML too; any other name has lines."""
    return SUFFIXES.get(name.rpartition(".")[2].lower(), "lines")


def read(text: str, form: Form, *, source: str) -> tuple[Wanted, ...]:
    """Read a list. Raises StartRefused with every problem, a line each, each with `source` and its place."""
    entries, problems = _entries(text, form, source)
    wanted: dict[Streamer, Wanted] = {}
    for place, entry in entries:
        try:
            item = _wanted(entry)
        except ValueError as problem:
            problems.append(f"{place}: {problem}")
            continue
        if item.streamer in wanted:
            problems.append(f"{place}: {item.streamer} is listed twice")
        wanted[item.streamer] = item
    if problems:
        raise StartRefused("\n".join(f"{source}: {problem}" for problem in problems))
    return tuple(wanted.values())


def write(items: Iterable[Wanted], form: Form) -> str:
    """Write a list, sorted by name, so that reading it gives the same. Lines have no options."""
    ordered = sorted(items, key=lambda item: item.streamer)
    match form:
        case "lines":
            return "".join(f"{item.streamer}\n" for item in ordered)
        case "csv":
            rows = io.StringIO()
            table = csv.writer(rows, lineterminator="\n")
            table.writerow(("unique_id", "enabled", "priority", "weight"))
            table.writerows((item.streamer, str(item.enabled).lower(), item.priority, item.weight) for item in ordered)
            return rows.getvalue()
        case "yaml":
            entries = [_options(item) or str(item.streamer) for item in ordered]
            return str(yaml.safe_dump({"streamers": entries}, sort_keys=False))


@dataclass(frozen=True, slots=True)
class Difference:
    """What makes one list the other."""

    added: tuple[Wanted, ...]
    changed: tuple[tuple[Wanted, Wanted], ...]
    """Before and after."""
    removed: tuple[Wanted, ...]
    before: int
    """How many there were."""

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)

    @property
    def drastic(self) -> bool:
        """Whether more than half of what was there goes: more likely a wrong file than a wish."""
        return 2 * len(self.removed) > self.before

    def lines(self) -> Iterator[str]:
        """One line a streamer."""
        for item in self.added:
            yield f"+ {_sentence(item)}"
        for before, after in self.changed:
            yield f"~ {_sentence(after)} (was {_sentence(before)})"
        for item in self.removed:
            yield f"- {item.streamer}"


def difference(before: Mapping[Streamer, Wanted], after: Iterable[Wanted]) -> Difference:
    """Compare what is there with what should be."""
    wanted = {item.streamer: item for item in after}
    return Difference(
        added=tuple(wanted[name] for name in sorted(wanted.keys() - before.keys())),
        changed=tuple(
            (before[name], wanted[name])
            for name in sorted(wanted.keys() & before.keys())
            if wanted[name] != before[name]
        ),
        removed=tuple(before[name] for name in sorted(before.keys() - wanted.keys())),
        before=len(before),
    )


def _entries(text: str, form: Form, source: str) -> tuple[list[tuple[str, Any]], list[str]]:
    """The entries with their places, and what is wrong with the list as a whole."""
    match form:
        case "lines":
            names = ((number, line.partition("#")[0].strip()) for number, line in enumerate(text.splitlines(), 1))
            return [(f"line {number}", name) for number, name in names if name], []
        case "csv":
            table = csv.DictReader(io.StringIO(text), skipinitialspace=True)
            if "unique_id" not in (table.fieldnames or ()):
                raise StartRefused(f"{source}: the first line must be a header with a column unique_id")
            return [(f"line {table.line_num}", _row(row)) for row in table], []
        case "yaml":
            return _document(text, source)


def _document(text: str, source: str) -> tuple[list[tuple[str, Any]], list[str]]:
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as cause:
        raise StartRefused(f"{source} is not YAML: {' '.join(str(cause).split())}") from cause
    entries = document.get("streamers") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise StartRefused(f"{source}: expected a mapping with a list `streamers`")
    problems = [f"unknown key {key!r}" for key in document if key != "streamers"]
    return [(f"entry {number}", entry) for number, entry in enumerate(entries, 1)], problems


def _row(row: dict[Any, Any]) -> dict[str, Any]:
    """A row's options as YAML would have them; what cannot be read stays a text, and is refused as one."""
    entry = {str(name): value for name, value in row.items() if value not in (None, "")}
    if "enabled" in entry:
        entry["enabled"] = TRUTHS.get(entry["enabled"].lower(), entry["enabled"])
    for name, number in (("priority", int), ("weight", float)):
        with suppress(KeyError, ValueError):
            entry[name] = number(entry[name])
    return entry


def _wanted(entry: Any) -> Wanted:
    if isinstance(entry, str):
        return Wanted(normalise(entry))
    if not isinstance(entry, dict):
        raise ValueError(f"{entry!r} is neither a unique id nor a mapping (quote a name that YAML reads otherwise)")
    options = dict(entry)
    name = options.pop("unique_id", None)
    if not isinstance(name, str):
        raise ValueError("unique_id is missing or not a text")
    enabled, priority, weight = options.pop("enabled", True), options.pop("priority", 0), options.pop("weight", 1.0)
    if not isinstance(enabled, bool):
        raise ValueError(f"{name}: enabled must be true or false, not {enabled!r}")
    if not isinstance(priority, int) or isinstance(priority, bool):
        raise ValueError(f"{name}: priority must be a whole number, not {priority!r}")
    if not is_weight(weight):
        raise ValueError(f"{name}: weight must be a number above 0, not {weight!r}")
    if options:
        raise ValueError(f"{name}: unknown option {', '.join(map(repr, options))}")
    return Wanted(normalise(name), enabled, priority, float(weight))


def _options(item: Wanted) -> dict[str, Any] | None:
    """The mapping of an item that is more than its name."""
    default = Wanted(item.streamer)
    options = {
        name: getattr(item, name)
        for name in ("enabled", "priority", "weight")
        if getattr(item, name) != getattr(default, name)
    }
    return {"unique_id": str(item.streamer), **options} if options else None


def _sentence(item: Wanted) -> str:
    options = _options(item) or {}
    return " ".join((str(item.streamer), *(f"{name}={options[name]}" for name in options if name != "unique_id")))
