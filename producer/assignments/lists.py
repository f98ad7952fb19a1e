"""Lists of streamers as people keep them, and the difference between two; pure.

Three forms: YAML (`streamers:` with unique ids, or mappings of `unique_id` and options), CSV (a header with `unique_id`
and options, separated by commas, semicolons or tabs), and lines (a unique id each; what follows # is a comment). In all
of them a value is the text that stands there: 12345 is a name where a name belongs.
"""

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

import yaml

from producer.assignments import list_forms
from producer.assignments.claims import MOST_PRIORITY, MOST_WEIGHT, Streamer, Wanted, is_priority, is_weight, normalise
from producer.assignments.list_forms import FORMS, MOST_BYTES, OPTIONS, Form, Row
from producer.errors import StartRefused

__all__ = ["FORMS", "MOST_BYTES", "Difference", "Form", "difference", "form_of", "read", "write"]

SUFFIXES: Mapping[str, Form] = {"yaml": "yaml", "yml": "yaml", "json": "yaml", "csv": "csv", "tsv": "csv"}
MOST_STREAMERS = 100_000
MOST_PROBLEMS = 20
"""That are said of one list."""

TRUTHS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
Value = TypeVar("Value")
_DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def form_of(name: str) -> Form:
    """How a file of this name is written. JSON is YAML too; any other name has lines."""
    return SUFFIXES.get(name.rpartition(".")[2].lower(), "lines")


def read(data: bytes | str, form: Form, *, source: str) -> tuple[Wanted, ...]:
    """Read a list. Raises StartRefused with what is wrong, a line each, each with `source` and its place."""
    try:
        content = list_forms.text(data)
    except ValueError as problem:
        raise StartRefused(f"{source}: {problem}") from problem
    wanted: dict[Streamer, Wanted] = {}
    lines: dict[Streamer, int] = {}
    problems: list[str] = []
    for line, row in list_forms.rows(content, form):
        try:
            item = _wanted(row)
            if item.streamer in wanted:
                raise ValueError(f"{item.streamer} is listed twice, here and in line {lines[item.streamer]}")
            if len(wanted) == MOST_STREAMERS:
                raise ValueError(f"there are more than {MOST_STREAMERS} streamers")
        except ValueError as problem:
            problems.append(f"{source}: line {line}: {problem}")
            if len(problems) > MOST_PROBLEMS:
                problems[-1] = f"{source}: and more, from line {line} on"
                break
        else:
            wanted[item.streamer], lines[item.streamer] = item, line
    if problems:
        raise StartRefused("\n".join(problems))
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
            return str(yaml.dump({"streamers": entries}, Dumper=_DUMPER, sort_keys=False))


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


def _wanted(row: Row | str) -> Wanted:
    """What a row says. Raises ValueError, saying what is wrong."""
    if isinstance(row, str):
        raise ValueError(row)
    if not row.get("unique_id"):
        raise ValueError("unique_id is missing")
    streamer = normalise(row["unique_id"])
    if unknown := [name for name in row if name not in OPTIONS]:
        raise ValueError(f"{streamer}: unknown option {', '.join(f'{name!r:.100}' for name in islice(unknown, 5))}")
    try:
        return Wanted(
            streamer,
            enabled=_option(row, "enabled", _enabled, default=True),
            priority=_option(row, "priority", _priority, default=0),
            weight=_option(row, "weight", _weight, default=1.0),
        )
    except ValueError as problem:
        raise ValueError(f"{streamer}: {problem}") from None


def _option(row: Row, name: str, reader: Callable[[str], Value], *, default: Value) -> Value:
    if name not in row:
        return default
    try:
        return reader(row[name].strip().lower())
    except ValueError as expected:
        raise ValueError(f"{name} must be {expected}, not {row[name]!r:.100}") from None


def _enabled(text: str) -> bool:
    if text not in TRUTHS:
        raise ValueError("true or false")
    return TRUTHS[text]


def _priority(text: str) -> int:
    number = int(text) if re.fullmatch(r"[+-]?[0-9]{1,20}", text) else None
    if number is None or not is_priority(number):
        raise ValueError(f"a whole number, {MOST_PRIORITY} at the most")
    return number


def _weight(text: str) -> float:
    number = 0.0
    with suppress(ValueError):
        number = float(text)
    if not is_weight(number):
        raise ValueError(f"a number above 0, {MOST_WEIGHT:.0f} at the most")
    return number


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
