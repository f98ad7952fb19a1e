"""docs/asyncapi.yaml: what a catalogue or a code generator would take from it, and that the specification allows it."""

import json
import subprocess
from copy import deepcopy
from functools import cache
from typing import Any

import fastavro.schema
import pytest
import yaml

from producer.delivery import topic_plan
from producer.events import schemas
from tests.consumers.test_consumers import ROOT, environment, needs_node_with

needs_node = needs_node_with("@asyncapi")


@cache
def document() -> Any:
    return yaml.load((ROOT / "docs" / "asyncapi.yaml").read_text("utf-8"), yaml.CSafeLoader)


def problems(document: Any) -> list[str]:
    """What AsyncAPI's own schema has against a document."""
    done = subprocess.run(
        ("node", str(ROOT / "tests" / "consumers" / "validate_asyncapi.js")),
        input=json.dumps(document),
        env=environment(),
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    return list(json.loads(done.stdout))


def test_each_topic_is_there() -> None:
    prefix = "tiktok.live"
    addresses = {channel["address"] for channel in document()["channels"].values()}

    assert addresses == {
        *topic_plan.names(prefix),
        topic_plan.assignments_topic(prefix),
        topic_plan.status_topic(prefix),
    }


@pytest.mark.parametrize("event", schemas.events())
def test_a_schema_means_to_avro_what_the_registered_one_does(event: str) -> None:
    payload = document()["components"]["messages"][event]["payload"]["schema"]

    canonical = fastavro.schema.to_parsing_canonical_form(payload)

    assert canonical == fastavro.schema.to_parsing_canonical_form(json.loads(schemas.events()[event].text))


@needs_node
def test_the_specification_allows_it() -> None:
    assert problems(document()) == []


@needs_node
def test_the_specification_would_refuse_what_is_wrong() -> None:
    wrong = deepcopy(document())
    wrong["operations"]["send_comment"]["action"] = "shout"
    del wrong["components"]["messages"]["gift"]["payload"]["schema"]["fields"]

    found = "\n".join(problems(wrong))

    assert "/operations/send_comment/action must be equal to one of the allowed values" in found
    assert "/components/messages/gift/payload/schema" in found
