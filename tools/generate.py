"""Make the generated files that are checked in; `tests/test_generated.py` proves them current."""

import sys
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

from grpc_tools import protoc

from producer.events import schemas
from tools.asyncapi import page as asyncapi
from tools.chart import chart
from tools.configure_page import page as configure_page
from tools.events_page import page
from tools.golden import golden
from tools.metrics_page import page as metrics_page
from tools.privacy_page import page as privacy_page
from tools.schema_union import page as schema_union

ROOT = Path(__file__).resolve().parent.parent
WIRE = Path("producer/webcast/wire")
PROTOCOLS = ("personal", "webcast", "kinds")
RECORDS = Path("producer/events/records.py")
PYTHON_TYPES = {"string": "str", "bytes": "bytes", "long": "int", "boolean": "bool"}


def generate(into: Path) -> list[Path]:
    """Write every generated file below `into`, at its place in the repository; return those places."""
    return [
        *wire(into),
        *records(into),
        *chart(into),
        *page(into),
        *metrics_page(into),
        *privacy_page(into),
        *configure_page(into),
        *asyncapi(into),
        *golden(into),
        *schema_union(into),
    ]


def wire(into: Path) -> list[Path]:
    """Compile the .proto files to their Python modules and those modules' type stubs."""
    (into / WIRE).mkdir(parents=True, exist_ok=True)
    sources = [str(ROOT / WIRE / f"{name}.proto") for name in PROTOCOLS]
    paths = [f"--proto_path={ROOT}", f"--proto_path={files('grpc_tools') / '_proto'}"]  # Google's own are in the latter
    status = protoc.main(["protoc", *paths, f"--python_out={into}", f"--pyi_out={into}", *sources])
    if status != 0:
        raise SystemExit(f"protoc refused {' or '.join(sources)} (status {status})")
    return [WIRE / f"{name}_pb2.{suffix}" for name in PROTOCOLS for suffix in ("py", "pyi")]


def records(into: Path) -> list[Path]:
    """Write one TypedDict a schema, a record after those that it refers to."""
    written: dict[str, str] = {}
    for name in schemas.records():
        _record(name, written)
    target = into / RECORDS
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(
        '"""One typed record per schema. Generated from schemas/ by `make generate`; do not edit."""\n\n'
        "from typing import TypedDict\n\n\n" + "\n\n".join(written.values()),
        "utf-8",
    )
    return [RECORDS]


def _record(name: str, written: dict[str, str]) -> None:
    if name in written:
        return
    schema = schemas.records()[name]
    lines = [f"class {name}(TypedDict):", f'    """{schema["doc"].partition(". ")[0].rstrip(".")}."""', ""]
    for field in schema["fields"]:
        python_type = _python_type(field["type"], written)
        lines += [f"    {field['name']}: {python_type}"]
    written[name] = "\n".join(lines) + "\n"


def _python_type(avro: object, written: dict[str, str]) -> str:
    match avro:
        case ["null", other]:
            return f"{_python_type(other, written)} | None"
        case {"type": "array", "items": items}:
            return f"list[{_python_type(items, written)}]"
        case {"type": str(primitive)}:
            return PYTHON_TYPES[primitive]
        case str(name) if name in PYTHON_TYPES:
            return PYTHON_TYPES[name]
        case str(name):
            _record(name, written)
            return name
    raise SystemExit(f"no Python type for {avro!r}")


def main() -> None:
    """Replace the checked-in files by fresh ones."""
    with TemporaryDirectory() as folder:
        for place in generate(Path(folder)):
            (ROOT / place).parent.mkdir(parents=True, exist_ok=True)
            (ROOT / place).write_bytes((Path(folder) / place).read_bytes())
            sys.stdout.write(f"{place}\n")


if __name__ == "__main__":
    main()
