"""The three forms of a list, as people and their programs save them, to rows of text; pure.

Nothing is guessed: a row has the letters that stand there, and `lists` says what they mean. YAML is read as events: its
types, tags and aliases would make a number of the streamer 12345 and gigabytes of nine lines.
"""

import codecs
import csv
import io
import re
from collections.abc import Iterator
from typing import Any, Literal, get_args

import yaml

Form = Literal["yaml", "csv", "lines"]
"""How a list is written."""
FORMS: tuple[Form, ...] = get_args(Form)
OPTIONS = ("unique_id", "enabled", "priority", "weight", "doors", "room_id", "session", "user_id")
"""What a row may have, beside labels."""
LABELS = "labels"
"""The mapping of them in YAML."""
LABEL = "label."
"""What stands before a label's name in a row, and in a table's header."""
Row = dict[str, str]

MOST_BYTES = 4 * 1024 * 1024
"""Of a list: the 100,000 streamers that it may have, with their options written out."""
MOST_DEPTH = 16
"""Of YAML that is skipped: the time that its parser takes is quadratic in the depth."""

_NO_LETTER = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
"""What no list is written with, and every parser takes for something else: for a line break, an end, an error."""
_SURROGATES = re.compile(r"(?<!\\)((?:\\\\)*)\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")
"""How JSON writes a letter beyond 16 bits, which YAML does not know."""
_SEPARATORS = (",", ";", "\t")
"""Excel writes the one that its language has in lists."""
_PARSER: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
"""libyaml's, where it is there: fifteen times as fast."""
_TEXT_TAGS = (None, "!", "tag:yaml.org,2002:str")
_NO_LIST = "expected a mapping with a list `streamers`"


def text(data: bytes | str) -> str:
    """The text of a list: UTF-8, with or without a byte order mark, its lines ended by LF, CRLF or CR.

    Raises ValueError, saying what is wrong and in which line.
    """
    if len(data) > MOST_BYTES:
        raise ValueError(f"it is larger than {MOST_BYTES // 1024 // 1024} MiB")
    content = _decoded(data) if isinstance(data, bytes) else data
    if found := _NO_LETTER.search(content):
        line = content.count("\n", 0, found.start()) + 1
        raise ValueError(f"line {line} has a control letter in it: {found[0]!a}")
    return content


def _decoded(data: bytes) -> str:
    data = data.removeprefix(codecs.BOM_UTF8).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    try:
        return data.decode()
    except UnicodeDecodeError as cause:
        line = data.count(b"\n", 0, cause.start) + 1
        raise ValueError(f"line {line} is not UTF-8: save it as UTF-8") from cause


def rows(content: str, form: Form) -> Iterator[tuple[int, Row | str]]:
    """Yield each row with its line, from 1. A text in a row's place is what is wrong there."""
    try:
        match form:
            case "lines":
                yield from _lines(content)
            case "csv":
                yield from _csv(content)
            case "yaml":
                yield from _yaml(content)
    except _Broken as broken:
        yield broken.line, broken.problem


class _Broken(Exception):
    """What stands there makes the rest unreadable."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(problem)
        self.line = line
        self.problem = problem


def _lines(content: str) -> Iterator[tuple[int, Row]]:
    for number, line in enumerate(content.split("\n"), 1):
        if name := line.partition("#")[0].strip():
            yield number, {"unique_id": name}


def _csv(content: str) -> Iterator[tuple[int, Row | str]]:
    separator = _separator(content)
    table = csv.reader(io.StringIO(content), delimiter=separator, skipinitialspace=True, strict=True)
    names: list[str] | None = None
    while True:
        line = table.line_num + 1
        try:
            values = [value.strip() for value in next(table)]
        except StopIteration:
            break
        except csv.Error as cause:
            raise _Broken(line, f"it is not CSV: {cause}") from cause
        if not any(values):
            continue  # Excel ends a table with a row of separators
        if names is None:
            names = [value.lower() for value in values]
            yield from ((line, problem) for problem in _header_problems(names, line))
        elif any(values[len(names) :]):
            yield line, f"it has {len(values)} fields, and the header {len(names)}"
        else:
            row = {name: value for name, value in zip(names, values, strict=False) if value and is_option(name)}
            if separator == ";" and "weight" in row:
                row["weight"] = row["weight"].replace(",", ".")  # there a comma is what stands before the decimals
            yield line, row
    if names is None:
        raise _Broken(1, "the first line must be a header with a column unique_id")


def _separator(content: str) -> str:
    """What stands between the fields of the header."""
    first = re.search(r"[^\s,;]", content)
    header = content[content.rfind("\n", 0, first.start()) + 1 :].partition("\n")[0] if first else ""
    for separator in _SEPARATORS:
        if "unique_id" in (name.strip(' "').lower() for name in header.split(separator)):
            return separator
    return ","


def _header_problems(names: list[str], line: int) -> Iterator[str]:
    if "unique_id" not in names:
        raise _Broken(line, "the first line must be a header with a column unique_id")
    for name in dict.fromkeys(names):
        if name and not is_option(name):
            yield f"unknown column {name!r:.100}; there are {', '.join((*OPTIONS, LABEL + 'NAME'))}"
        elif name and names.count(name) > 1:
            yield f"the column {name} is there twice"


def is_option(name: str) -> bool:
    """Whether a row may have it."""
    return name in OPTIONS or name.startswith(LABEL)


def _yaml(content: str) -> Iterator[tuple[int, Row | str]]:
    events = _Events(_SURROGATES.sub(_joined, content))
    events.next()  # the stream begins
    if isinstance(events.next(), yaml.StreamEndEvent):
        raise _Broken(1, _NO_LIST)
    if not isinstance(root := events.next(), yaml.MappingStartEvent):
        raise _Broken(_line(root), _NO_LIST)
    listed = False
    for key, line, value in _pairs(events):
        if key != "streamers":
            yield line, f"unknown key {key!r:.100}"
            events.skip(value)
        elif not isinstance(value, yaml.SequenceStartEvent):
            raise _Broken(line, _NO_LIST)
        else:
            listed = True
            while not isinstance(entry := events.next(), yaml.SequenceEndEvent):
                yield _line(entry), _entry(entry, events)
    if not listed:
        raise _Broken(_line(root), _NO_LIST)
    events.next()  # the document ends
    if not isinstance(after := events.next(), yaml.StreamEndEvent):
        raise _Broken(_line(after), "a second document begins, and a list is one")


def _joined(pair: re.Match[str]) -> str:
    high, low = int(pair[2], 16), int(pair[3], 16)
    return pair[1] + chr(0x10000 + ((high & 0x3FF) << 10 | low & 0x3FF))


def _entry(entry: Any, events: "_Events") -> Row | str:
    if isinstance(entry, yaml.ScalarEvent):
        return {"unique_id": entry.value}
    if not isinstance(entry, yaml.MappingStartEvent):
        events.skip(entry)
        return "a list in the list: an entry is a unique id, or a mapping with one"
    row: Row = {}
    problem = ""
    for key, _, value in _pairs(events):
        if isinstance(value, yaml.ScalarEvent):
            row[key] = value.value
        elif key == "doors" and isinstance(value, yaml.SequenceStartEvent):
            names = []
            while not isinstance(item := events.next(), yaml.SequenceEndEvent):
                names.append(item.value if isinstance(item, yaml.ScalarEvent) else "")
                events.skip(item)
            row[key] = ",".join(names)
        elif key == LABELS and isinstance(value, yaml.MappingStartEvent):
            for name, _, item in _pairs(events):
                if isinstance(item, yaml.ScalarEvent):
                    row[LABEL + name] = item.value
                else:
                    problem = f"the label {name!r:.100} must be a single value"
                    events.skip(item)
        else:
            problem = f"{key!r:.100} must be a single value"
            events.skip(value)
    return problem or row


def _pairs(events: "_Events") -> Iterator[tuple[str, int, Any]]:
    """The keys of a mapping that has begun, with their lines and the events that begin their values."""
    seen: dict[str, int] = {}
    while not isinstance(key := events.next(), yaml.MappingEndEvent):
        line = _line(key)
        if not isinstance(key, yaml.ScalarEvent):
            raise _Broken(line, "a key must be a single value")
        if key.value in seen:
            raise _Broken(line, f"{key.value!r:.100} is there twice, here and in line {seen[key.value]}")
        seen[key.value] = line
        yield key.value, line, events.next()


class _Events:
    """The events of a YAML text. What would need more than its letters to be understood is refused."""

    def __init__(self, content: str) -> None:
        self._content = content
        self._events = yaml.parse(content, Loader=_PARSER)
        self._depth = 0

    def next(self) -> Any:
        try:
            event: Any = next(self._events)
        except yaml.YAMLError as cause:
            mark = getattr(cause, "problem_mark", None)
            line = min(mark.line, self._content.rstrip().count("\n")) + 1 if mark is not None else 1
            raise _Broken(line, f"it is not YAML: {getattr(cause, 'problem', None) or cause}") from cause
        if isinstance(event, yaml.AliasEvent):
            raise _Broken(_line(event), "it has an alias (*), which is not read: write out what it stands for")
        if isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent) and event.tag not in _TEXT_TAGS:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            raise _Broken(_line(event), f"it has the tag {tag!r:.100}, which is not read: leave it out")
        self._depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if self._depth > MOST_DEPTH:
            raise _Broken(_line(event), f"it is nested deeper than {MOST_DEPTH}")
        return event

    def skip(self, begun: Any) -> None:
        """Pass over what an event begins."""
        outside = self._depth - isinstance(begun, yaml.CollectionStartEvent)
        while self._depth > outside:
            self.next()


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1
