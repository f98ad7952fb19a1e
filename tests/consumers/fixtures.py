"""What the readers in Python share: golden files in, a line of JSON an example out. Nothing of the producer is used."""

import base64
import json
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple


class Example(NamedTuple):
    event: str
    name: str
    schema: str
    body: bytes


def examples(golden: str) -> Iterator[Example]:
    """Every example of every event, from the golden folder."""
    for path in sorted(Path(golden).glob("*.json")):
        file = json.loads(path.read_text("utf-8"))
        for each in file["examples"]:
            yield Example(file["event"], each["name"], file["schema"], base64.b64decode(each["body"]))


def confluent(schema_id: int, body: bytes) -> bytes:
    """A record's value as it is on the topic where there is a registry."""
    return b"\x00" + schema_id.to_bytes(4, "big") + body


def report(example: Example, value: Any) -> None:
    """Print what a decoder made of an example, in the form that golden files have values in."""
    line = {"event": example.event, "example": example.name, "value": value}
    sys.stdout.write(json.dumps(line, default=_plain) + "\n")


def _plain(value: object) -> object:
    match value:
        case bytes():
            return base64.b64encode(value).decode()
        case datetime():
            return round(value.timestamp() * 1000)
    raise TypeError(f"no JSON for {value!r}")
