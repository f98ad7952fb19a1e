"""Lists of streamers as people keep them, and the difference between two; pure.

Three forms: YAML (`streamers:` with unique ids, or mappings of `unique_id` and options), CSV (a header with `unique_id`
and options, separated by commas, semicolons or tabs), and lines (a unique id each; what follows # is a comment). In all
of them a value is the text that stands there: 12345 is a name where a name belongs. docs/list.md is for who writes one.
"""

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, TypeVar

import yaml

from producer import strangers
from producer.assignments import list_forms
from producer.assignments.claims import (
    MOST_LABEL_LETTERS,
    MOST_LABELS,
    MOST_PRIORITY,
    MOST_WEIGHT,
    Streamer,
    Wanted,
    is_doors,
    is_labels,
    is_priority,
    is_session,
    is_weight,
    normalise,
    sorted_labels,
)
from producer.assignments.list_forms import FORMS, LABEL, LABELS, MOST_BYTES, Form, Row, is_option
from producer.errors import StartRefused

__all__ = [
    "FORMS",
    "MOST_BYTES",
    "Difference",
    "Form",
    "changed",
    "difference",
    "document",
    "form_of",
    "read",
    "write",
]

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
            written = {item: _row(item) for item in ordered}
            said = {name for row in written.values() for name in row}
            columns = [*(name for name in MORE if name in said), *sorted(filter(_is_label, said))]
            table.writerow(("unique_id", "enabled", "priority", "weight", *columns))
            for item, row in written.items():
                rest = (row.get(name, "") for name in columns)
                table.writerow((item.streamer, str(item.enabled).lower(), item.priority, item.weight, *rest))
            return rows.getvalue()
        case "yaml":
            entries = [
                {"unique_id": str(item.streamer), **options} if (options := _options(item)) else str(item.streamer)
                for item in ordered
            ]
            return str(yaml.dump({"streamers": entries}, Dumper=_DUMPER, sort_keys=False))


def document(items: Iterable[Wanted]) -> dict[str, Any]:
    """The same as JSON, which is YAML too."""
    ordered = sorted(items, key=lambda item: item.streamer)
    return {
        "streamers": [
            {"unique_id": item.streamer, "enabled": item.enabled, "priority": item.priority, "weight": item.weight}
            | {name: str(value) if name in NUMBERS else value for name, value in _options(item).items()}
            for item in ordered
        ]
    }


def changed(item: Wanted, row: Row) -> Wanted:
    """An item with the options of a row in the place of its own; an empty one takes its own away.

    Raises ValueError saying what is wrong.
    """
    whole = {name: value for name, value in {**_row(item), **row}.items() if value}
    return replace(_wanted({"unique_id": item.streamer, **whole}), unusable=item.unusable)


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
    if unknown := [name for name in row if not is_option(name)]:
        raise ValueError(f"{streamer}: unknown option {', '.join(f'{name!r:.100}' for name in islice(unknown, 5))}")
    try:
        return Wanted(
            streamer,
            enabled=_option(row, "enabled", _enabled, default=True),
            priority=_option(row, "priority", _priority, default=0),
            weight=_option(row, "weight", _weight, default=1.0),
            **_more(row),
        )
    except ValueError as problem:
        raise ValueError(f"{streamer}: {problem}") from None


def _more(row: Row) -> dict[str, Any]:
    """What a row says of the way into the streamer's rooms, and who that is. Raises ValueError saying what is wrong."""
    said = {name: _option(row, name, reader, default=None) for name, reader in MORE.items() if row.get(name)}
    labels = {name.removeprefix(LABEL): value for name, value in row.items() if _is_label(name) and value}
    if not is_labels(labels):
        raise ValueError(
            f"labels must be {MOST_LABELS} at the most, with names of small letters, digits and _, "
            f"and values of one line and {MOST_LABEL_LETTERS} letters at the most, not {labels!r:.100}"
        )
    return said | ({LABELS: sorted_labels(labels)} if labels else {})


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


def _doors(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(","))
    if not is_doors(names):
        raise ValueError("names of doors, each once, with commas")
    return names


def _number_of(what: str) -> Callable[[str], int]:
    def number(text: str) -> int:
        found = strangers.identifier(text)
        if found is None:
            raise ValueError(f"the number of {what}")
        return found

    return number


def _session(text: str) -> str:
    if not is_session(text):
        raise ValueError("the name of a session: letters, digits, and . _ - behind the first")
    return text


MORE: Mapping[str, Callable[[str], Any]] = {
    "doors": _doors,
    "room_id": _number_of("a room"),
    "session": _session,
    "user_id": _number_of("a user"),
}
"""Of the way into a streamer's rooms, and who that is; a table has their columns only where somebody has them."""

NUMBERS = ("room_id", "user_id")
"""Of 64 bits, which many a reader of JSON rounds."""


def _options(item: Wanted) -> dict[str, Any]:
    """What an item says beside its name."""
    default = Wanted(item.streamer)
    options = {
        name: getattr(item, name)
        for name in ("enabled", "priority", "weight", *MORE)
        if getattr(item, name) != getattr(default, name)
    }
    if item.doors:
        options["doors"] = list(item.doors)
    if item.labels:
        options[LABELS] = dict(item.labels)
    return options


def _row(item: Wanted) -> Row:
    """The same as texts, a label each by its own name."""
    said = {name: value for name, value in _options(item).items() if name != LABELS}
    said |= {f"{LABEL}{name}": value for name, value in item.labels}
    return {name: ",".join(value) if isinstance(value, list) else str(value) for name, value in said.items()}


def _is_label(name: str) -> bool:
    return name.startswith(LABEL)


def _sentence(item: Wanted) -> str:
    return " ".join((str(item.streamer), *(f"{name}={value}" for name, value in _row(item).items())))
