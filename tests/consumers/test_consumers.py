"""Golden files through decoders that are not ours: Apache's, Confluent's, ClickHouse's and npm's avsc.

All but Apache's need `make consumers` to have been run, and are skipped where it was not.
"""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from producer.delivery.registry import Registry
from producer.events import schemas
from producer.local.registry import Registry as Apicurio

ROOT = Path(__file__).resolve().parent.parent.parent
HERE = Path(__file__).resolve().parent
INSTALLED = ROOT / os.environ.get("CONSUMERS", ".consumers")
PYTHON = INSTALLED / "bin" / "python"
NODE_MODULES = INSTALLED / "node_modules"

Key = tuple[str, str]
GOLDEN: dict[Key, Any] = {
    (file["event"], example["name"]): example["value"]
    for file in (json.loads(path.read_text("ascii")) for path in sorted((ROOT / "golden").glob("*.json")))
    for example in file["examples"]
}

needs_python = pytest.mark.skipif(not PYTHON.exists(), reason=f"there is no {PYTHON}: run `make consumers`")


def needs_node_with(package: str) -> pytest.MarkDecorator:
    """Skip where Node or a package of it is absent: half a gigabyte that `make test` does not fetch."""
    return pytest.mark.skipif(
        shutil.which("node") is None or not (NODE_MODULES / package).is_dir(),
        reason=f"there is no node, or no {package} in {NODE_MODULES}: install Node, run `make consumers`",
    )


needs_node = needs_node_with("avsc")


@pytest.fixture(scope="session")
def ids(registry: Apicurio) -> dict[str, int]:
    """Today's schemas in a real registry."""

    async def main() -> dict[str, int]:
        async with Registry(registry.url) as ours:
            return {
                event: (await ours.register(schema, schema.topic("golden"))).id
                for event, schema in schemas.events().items()
            }

    return asyncio.run(main())


def environment() -> dict[str, str]:
    """Ours, for a reader: with npm's packages, and without a proxy, which is not for a server on this machine."""
    kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    return {**kept, "NODE_PATH": str(NODE_MODULES)}


def read(*command: str) -> dict[Key, dict[str, Any]]:
    """Run a reader; what it printed, by event and example."""
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(lines) == len(GOLDEN)
    return {(line["event"], line["example"]): line for line in lines}


def differences(found: dict[Key, dict[str, Any]]) -> dict[str, tuple[Any, Any]]:
    """Where a reader's values are not the golden ones: what was expected and what came, by path."""
    return {
        path: pair
        for key, value in GOLDEN.items()
        for path, pair in _differences(" ".join(key), value, found[key]["value"])
    }


def _differences(path: str, expected: Any, got: Any) -> Iterator[tuple[str, tuple[Any, Any]]]:
    if isinstance(expected, dict) and isinstance(got, dict) and expected.keys() == got.keys():
        for name, value in expected.items():
            yield from _differences(f"{path}.{name}", value, got[name])
    elif isinstance(expected, list) and isinstance(got, list) and len(expected) == len(got):
        for at, (one, other) in enumerate(zip(expected, got, strict=True)):
            yield from _differences(f"{path}.{at}", one, other)
    elif type(expected) is not type(got) or expected != got:
        yield path, (expected, got)


def longs_above_2_53(node: Any) -> bool:
    if isinstance(node, dict | list):
        return any(map(longs_above_2_53, node.values() if isinstance(node, dict) else node))
    return isinstance(node, int) and abs(node) > 2**53


def test_apaches_library_reads_every_example_as_it_is() -> None:
    found = read(sys.executable, "-m", "tests.consumers.read_apache", "golden")

    assert differences(found) == {}


@needs_python
def test_confluents_deserializer_reads_every_example_as_it_is(registry: Apicurio, ids: dict[str, int]) -> None:
    found = read(str(PYTHON), "-m", "tests.consumers.read_confluent", "golden", registry.url, json.dumps(ids))

    assert differences(found) == {}


@needs_python
def test_clickhouse_reads_every_example_but_takes_an_array_that_is_null_for_an_empty_one(
    registry: Apicurio, ids: dict[str, int]
) -> None:
    found = read(str(PYTHON), "-m", "tests.consumers.read_clickhouse", "golden", registry.url, json.dumps(ids))

    different = differences(found)
    assert {path: pair for path, pair in different.items() if pair != (None, [])} == {}
    assert "gift sparse.gift.extended_gift.icon.url_list" in different


@needs_node
def test_avsc_reads_every_example_as_it_is_where_longs_are_bigints() -> None:
    found = read("node", str(HERE / "read_avsc.cjs"), "golden", "exact")

    assert differences(found) == {}


@needs_node
def test_avsc_as_it_comes_refuses_the_records_that_hold_a_long_above_2_53() -> None:
    found = read("node", str(HERE / "read_avsc.cjs"), "golden", "default")

    refused = {key for key, line in found.items() if line.get("error") == "potential precision loss"}
    assert refused == {key for key, value in GOLDEN.items() if longs_above_2_53(value)}
    assert refused != set()


@needs_node
def test_javascripts_numbers_round_long_ids_and_the_texts_beside_them_stay_exact() -> None:
    found = read("node", str(HERE / "read_avsc.cjs"), "golden", "unchecked")

    different = differences(found)
    assert "gift full.user.userId" in different
    assert [path for path, (expected, _) in different.items() if not longs_above_2_53(expected)] == []
