"""schemas/tiktok.live.v1.avsc: every record in one file, each after those that it refers to.

Compilers of classes read a folder's files by name, each once, without its subfolders, and know a record only from
before. So this file is the only schema at the top of its folder, here and in each release.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from producer.events import schemas

NAME = "tiktok.live.v1.avsc"
FOLDER = Path("schemas")


def text() -> str:
    """The file's text: a union of all records, a line each."""
    found: dict[str, str] = {}
    for name in schemas.records():
        _take(name, found)
    return "[\n" + ",\n".join(found.values()) + "\n]\n"


def page(into: Path) -> list[Path]:
    """Write the file below `into`; return its place in the repository."""
    place = FOLDER / NAME
    (into / place).parent.mkdir(parents=True, exist_ok=True)
    (into / place).write_text(text(), "utf-8")
    return [place]


def _take(name: str, found: dict[str, str]) -> None:
    if name in found:
        return
    record = schemas.records()[name]
    for field in record["fields"]:
        for other in _names(field["type"]):
            _take(other, found)
    found[name] = json.dumps(record, ensure_ascii=False)


def _names(avro: Any) -> Iterator[str]:
    """The records that a type names."""
    match avro:
        case list():
            for each in avro:
                yield from _names(each)
        case {"type": "array", "items": items}:
            yield from _names(items)
        case str() if avro in schemas.records():
            yield avro
