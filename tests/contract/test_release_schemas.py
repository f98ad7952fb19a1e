"""tools.release_schemas: what was released stays, and what may not follow it is not released."""

import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hatchling.builders.wheel import WheelBuilder

from producer.events import schemas
from producer.events.schemas import JSON
from tools.release_schemas import RELEASED, NotReleasable, against, release, released_in

ROOT = Path(__file__).resolve().parent.parent.parent


def test_a_release_holds_every_event_as_it_is_registered(tmp_path: Path) -> None:
    files = release("1.2.3", tmp_path)

    texts = {file.relative_to(tmp_path).as_posix(): file.read_text("utf-8") for file in files}
    together = json.loads(texts.pop("1.2.3/tiktok.live.v1.avsc"))
    assert sorted(record["name"] for record in together) == sorted(schemas.records())
    assert texts == {f"1.2.3/events/{event}.avsc": f"{schema.text}\n" for event, schema in schemas.events().items()}
    assert set(files) == {path for path in tmp_path.rglob("*") if path.is_file()}


def test_a_release_is_read_back_by_version_and_event(tmp_path: Path) -> None:
    release("1.2.3", tmp_path)
    release("1.10.0", tmp_path)

    found = released_in(tmp_path)

    assert set(found) == {"1.2.3", "1.10.0"}
    assert found["1.2.3"] == {event: schema.parsed for event, schema in schemas.events().items()}


def test_a_released_version_is_never_written_again(tmp_path: Path) -> None:
    (tmp_path / "1.2.3").mkdir()

    with pytest.raises(NotReleasable, match=r"^1\.2\.3 is released and stays as it is; raise __version__"):
        release("1.2.3", tmp_path)

    assert list((tmp_path / "1.2.3").iterdir()) == []


def test_schemas_that_may_not_follow_any_one_earlier_release_are_not_released(tmp_path: Path) -> None:
    first, *_ = release("1.0.0", tmp_path)
    release("1.1.0", tmp_path)
    before = json.loads(first.read_text("utf-8"))
    before["fields"][0]["name"] = "since_gone"
    first.write_text(json.dumps(before), "utf-8")
    record = before["name"].rpartition(".")[2]

    with pytest.raises(NotReleasable, match=rf"1\.0\.0: {record}\.since_gone: was removed or renamed"):
        release("1.2.0", tmp_path)

    assert set(released_in(tmp_path)) == {"1.0.0", "1.1.0"}
    assert against(tmp_path)["1.1.0"] == []


@pytest.mark.parametrize("version", released_in(RELEASED))
def test_a_release_has_one_file_at_its_top_with_the_records_of_its_events(version: str) -> None:
    """Compilers of classes are given the folder: what they make is what is on the topics."""
    within: dict[str, JSON] = {}
    together: dict[str, JSON] = {}

    for schema in released_in(RELEASED)[version].values():
        take_apart(schema, within)
    [file] = (RELEASED / version).glob("*.avsc")
    take_apart(json.loads(file.read_text("utf-8")), together)

    assert together == within


def take_apart(node: Any, found: dict[str, JSON]) -> Any:
    """Put each record of a schema into `found` by full name, with names for the records in it."""
    match node:
        case list():
            return [take_apart(each, found) for each in node]
        case {"type": "array", "items": items}:
            return {**node, "items": take_apart(items, found)}
        case {"type": "record", "name": str(name), "fields": fields}:
            full = f"{node['namespace']}.{name}" if "namespace" in node else name
            named = [field | {"type": take_apart(field["type"], found)} for field in fields]
            plain = {key: value for key, value in node.items() if key != "namespace"} | {"name": full, "fields": named}
            assert found.setdefault(full, plain) == plain
            return full
        case str() if node[0].isupper():
            return f"tiktok.live.v1.{node}"
    return node


def test_before_the_first_release_there_is_nothing_to_compare_with(tmp_path: Path) -> None:
    assert against(tmp_path / "none") == {}


def test_the_wheel_has_todays_records_and_no_released_ones(tmp_path: Path) -> None:
    for part in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / part, tmp_path)
    for folder in ("producer", "schemas"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    release("99.0.0", tmp_path / "schemas" / "released")

    [wheel] = WheelBuilder(str(tmp_path)).build(directory=str(tmp_path / "dist"), versions=["standard"])

    packed = {name for name in zipfile.ZipFile(wheel).namelist() if name.endswith(".avsc")}
    assert packed == {f"producer/schemas/records/{record}.avsc" for record in schemas.records()}
