"""producer.delivery.registry against a real Apicurio Registry."""

import asyncio
import dataclasses
import json
from itertools import count

import pytest

from producer.delivery.registry import Registry, Standing
from producer.errors import StartRefused
from producer.events import schemas
from producer.events.schemas import Schema
from producer.local.registry import Registry as Apicurio

COMMENT = schemas.events()["comment"]
prefixes = (f"registry{number}" for number in count())


def changed(field: dict[str, object]) -> Schema:
    """The comment's schema with another first field."""
    parsed = json.loads(COMMENT.text)
    parsed["fields"][1] = field
    return dataclasses.replace(COMMENT, text=json.dumps(parsed), parsed=parsed)


LONGER = changed({"name": "comment", "type": ["null", "string", "long"], "default": None})
NOT_NULL = changed({"name": "comment", "type": "long"})


def test_ids_are_those_that_were_registered(registry: Apicurio) -> None:
    prefix = next(prefixes)

    async def main() -> tuple[dict[str, int], dict[str, int]]:
        async with Registry(registry.url) as subject:
            events = schemas.events()
            given = {name: await subject.register(schema, schema.topic(prefix)) for name, schema in events.items()}
            return given, await subject.ids(events, topic_prefix=prefix)

    given, found = asyncio.run(main())

    assert found == given
    assert len(set(given.values())) == 13


def test_registering_twice_changes_nothing(registry: Apicurio) -> None:
    topic = f"{next(prefixes)}.comment.v1"

    async def main() -> list[int]:
        async with Registry(registry.url) as subject:
            return [await subject.register(COMMENT, topic) for _ in range(2)]

    first, second = asyncio.run(main())

    assert first == second


@pytest.mark.parametrize("schema", [NOT_NULL, LONGER], ids=["another type", "a wider union"])
def test_an_incompatible_schema_is_refused_and_named(registry: Apicurio, schema: Schema) -> None:
    topic = f"{next(prefixes)}.comment.v1"

    async def main() -> Standing:
        async with Registry(registry.url) as subject:
            await subject.register(COMMENT, topic)
            with pytest.raises(StartRefused, match=f"refused POST /subjects/{topic}-value/versions: 409 "):
                await subject.register(schema, topic)
            return await subject.check(schema, topic)

    standing = asyncio.run(main())

    assert (standing.subject, standing.state) == (f"{topic}-value", "incompatible")


def test_a_check_tells_what_is_there_from_what_is_not(registry: Apicurio) -> None:
    topic = f"{next(prefixes)}.comment.v1"
    more = json.loads(COMMENT.text)
    more["fields"].append({"name": "further", "type": ["null", "string"], "default": None})
    later = dataclasses.replace(COMMENT, text=json.dumps(more), parsed=more)

    async def main() -> list[str]:
        async with Registry(registry.url) as subject:
            before = await subject.check(COMMENT, topic)
            await subject.register(COMMENT, topic)
            return [
                before.state,
                (await subject.check(COMMENT, topic)).state,
                (await subject.check(later, topic)).state,
            ]

    assert asyncio.run(main()) == ["absent", "registered", "compatible"]
