"""golden/: examples of every event, as values and as bytes, for consumers' own tests; golden/README.md tells how.

The values come from the schema alone and the bytes from fastavro, so neither knows our mapping nor our writers.
"""

import base64
import io
import json
import re
import zlib
from enum import Enum
from pathlib import Path
from typing import Any

import fastavro

from producer.events import schemas
from producer.events.encoding import single_object_prefix
from producer.events.schemas import JSON, Schema

FOLDER = Path("golden")

TEXT = "e\N{COMBINING ACUTE ACCENT} \N{ROSE}"
"""What readers get wrong: two code points that show as one, and one that UTF-16 needs two units for."""
ID = 7_312_345_678_901_234_000
TIME_MS = 1_700_000_000_000


class Fill(Enum):
    """How much of an example is there."""

    FULL = "full"
    """Nothing is null, and each array has two items."""
    SPARSE = "sparse"
    """Every record is there; whatever else can be null is, and arrays are empty."""
    EMPTY = "empty"
    """Whatever can be null is, and arrays are empty."""


def golden(into: Path) -> list[Path]:
    """Write one file an event below `into`; return their places in the repository."""
    (into / FOLDER).mkdir(parents=True, exist_ok=True)
    places = []
    for schema in schemas.events().values():
        place = FOLDER / f"{schema.event}.json"
        # Escapes only: nothing on the way to a consumer can normalise the text, and a reader sees its code points.
        (into / place).write_text(json.dumps(_examples(schema), indent=2) + "\n", "ascii")
        places.append(place)
    return places


def _examples(schema: Schema) -> dict[str, Any]:
    avro = fastavro.parse_schema(json.loads(schema.text))
    examples = []
    for fill in Fill:
        value = example(schema.parsed, fill)
        body = io.BytesIO()
        fastavro.schemaless_writer(body, avro, value, strict=True)
        examples.append({"name": fill.value, "value": plain(value), "body": _base64(body.getvalue())})
    return {
        "event": schema.event,
        "record": schema.parsed["name"],
        "single_object_prefix": _base64(single_object_prefix(schema)),
        "schema": schema.text,
        "examples": examples,
    }


def example(schema: JSON, fill: Fill) -> Any:
    """Make a value of a self-contained record schema."""
    return _Example(fill).value(schema, "", "")


def plain(node: Any) -> Any:
    """A value, or part of one, with its bytes as JSON has them: in base64."""
    if isinstance(node, dict):
        return {name: plain(value) for name, value in node.items()}
    if isinstance(node, list):
        return [plain(item) for item in node]
    return _base64(node) if isinstance(node, bytes) else node


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


class _Example:
    def __init__(self, fill: Fill) -> None:
        self._fill = fill
        self._records: dict[str, JSON] = {}

    def value(self, schema: Any, name: str, path: str) -> Any:
        """The value of one place, known by its field's name and by the whole way to it."""
        if isinstance(schema, list):
            return self._nullable(schema[1], name, path)
        if isinstance(schema, str) and schema in self._records:
            return self._record(self._records[schema], path)
        if isinstance(schema, dict):
            match schema["type"]:
                case "record":
                    return self._record(schema, path)
                case "array":
                    return self._array(schema["items"], name, path)
                case "long" if schema.get("logicalType") == "timestamp-millis":
                    return _time(path)
                case primitive:
                    return self.value(primitive, name, path)
        return self._primitive(schema, name, path)

    def _nullable(self, other: Any, name: str, path: str) -> Any:
        # Made even where it is not used: a record that is written out here may be meant by name further on.
        value = self.value(other, name, path)
        match self._fill:
            case Fill.FULL:
                return value
            case Fill.SPARSE:
                return value if isinstance(value, dict) else None
            case Fill.EMPTY:
                return None

    def _record(self, schema: JSON, path: str) -> dict[str, Any]:
        self._records[schema["name"]] = schema
        return {
            # A text that has a default other than "" is a constant, such as an event's name.
            field["name"]: (field["type"] == "string" and field.get("default"))
            or self.value(field["type"], field["name"], f"{path}.{field['name']}".lstrip("."))
            for field in schema["fields"]
        }

    def _array(self, items: Any, name: str, path: str) -> list[Any]:
        made = [self.value(items, f"{name}_{at}", f"{path}.{at}") for at in range(2)]
        return made if self._fill is Fill.FULL else []

    def _primitive(self, schema: str, name: str, path: str) -> Any:
        words = [word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[0-9]+", name)]
        identifies = not {"id", "ids"}.isdisjoint(words)
        match schema:
            case "string":
                return str(_id(words)) if identifies else f"{path} {TEXT}"
            case "bytes":
                return b"\x00\xff" + path.encode()
            case "boolean":
                return self._fill is Fill.FULL
            case "long" if identifies:
                return _id(words)
            case "long" if not {"at", "time", "timestamp"}.isdisjoint(words):
                return _time(path)
            case "long":
                return 1 + zlib.crc32(path.encode()) % 100_000
        raise ValueError(f"no example for {schema!r} at {path}; teach tools/golden.py")


def _id(words: list[str]) -> int:
    """An id past 2^53, odd so that no double holds it; the same for a long and the text that is its twin."""
    stem = "".join(word for word in words if word != "str")
    return ID + zlib.crc32(stem.encode()) % 1000 | 1


def _time(path: str) -> int:
    return TIME_MS + zlib.crc32(path.encode()) % 1_000_000
