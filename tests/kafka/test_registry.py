"""producer.delivery.registry against a real Apicurio Registry."""

import asyncio
import dataclasses
import json
from itertools import count

import httpx
import pytest

from producer.delivery.registry import Access, Registry, Standing, Strategy
from producer.errors import StartRefused
from producer.events import schemas
from producer.events.schemas import Schema
from producer.local.registry import Registry as Apicurio
from tests import published

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
            given = {name: (await subject.register(schema, schema.topic(prefix))).id for name, schema in events.items()}
            return given, await subject.ids(events, topic_prefix=prefix)

    given, found = asyncio.run(main())

    assert found == given
    assert len(set(given.values())) == len(published.EVENTS)


def test_registering_twice_changes_nothing(registry: Apicurio) -> None:
    topic = f"{next(prefixes)}.comment.v1"

    async def main() -> list[int]:
        async with Registry(registry.url) as subject:
            return [(await subject.register(COMMENT, topic)).id for _ in range(2)]

    first, second = asyncio.run(main())

    assert first == second


@pytest.mark.parametrize(
    ("schema", "differences"),
    [
        (NOT_NULL, ("comment: type long (was [null, string])", "comment: default absent (was null)")),
        (LONGER, ("comment: type [null, string, long] (was [null, string])",)),
    ],
    ids=["another type", "a wider union"],
)
def test_an_incompatible_schema_is_refused_and_named(
    registry: Apicurio, schema: Schema, differences: tuple[str, ...]
) -> None:
    topic = f"{next(prefixes)}.comment.v1"

    async def main() -> Standing:
        async with Registry(registry.url) as subject:
            await subject.register(COMMENT, topic)
            with pytest.raises(
                StartRefused, match=f": {topic}-value: version 1 is incompatible with ours under FULL_TRANS"
            ):
                await subject.register(schema, topic)
            return await subject.check(schema, topic)

    standing = asyncio.run(main())

    assert (standing.subject, standing.state) == (f"{topic}-value", "incompatible")
    assert standing.differences == differences


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


def test_what_backward_forbids_is_refused_with_that_rule(registry: Apicurio) -> None:
    topic = f"{next(prefixes)}.comment.v1"
    more = json.loads(COMMENT.text)
    more["fields"].append({"name": "further", "type": "string"})
    needs_more = dataclasses.replace(COMMENT, text=json.dumps(more), parsed=more)

    async def main() -> Standing:
        async with (
            Registry(registry.url) as subject,
            httpx.AsyncClient(trust_env=False, verify=False, timeout=120) as client,
        ):
            await subject.register(COMMENT, topic)
            rule = {"compatibility": "BACKWARD"}
            (await client.put(f"{registry.url}/config/{topic}-value", json=rule)).raise_for_status()
            return await subject.check(needs_more, topic)

    standing = asyncio.run(main())

    assert (standing.state, standing.rule, standing.version) == ("incompatible", "BACKWARD", 1)
    assert standing.differences == ("further: added without a default",)


@pytest.mark.parametrize("strategy", ["topic_name", "record_name", "topic_record_name"])
def test_an_id_found_by_any_strategy_is_that_of_our_schema(registry: Apicurio, strategy: Strategy) -> None:
    prefix = next(prefixes)

    async def main() -> int:
        async with Registry(registry.url, Access(strategy)) as subject:
            await subject.register(COMMENT, f"{prefix}.comment.v1")
            return (await subject.ids({"comment": COMMENT}, topic_prefix=prefix))["comment"]

    found = httpx.get(f"{registry.url}/schemas/ids/{asyncio.run(main())}", trust_env=False, verify=False).json()

    assert json.loads(found["schema"])["name"].endswith("CommentEvent")


def test_a_new_subject_is_fully_compatible_and_one_with_a_rule_keeps_it(registry: Apicurio) -> None:
    ours, theirs = (f"{next(prefixes)}.comment.v1" for _ in range(2))
    more = json.loads(COMMENT.text)
    more["fields"].append({"name": "further", "type": ["null", "string"], "default": None})
    later = dataclasses.replace(COMMENT, text=json.dumps(more), parsed=more)

    async def main() -> tuple[list[str], list[str]]:
        async with Registry(registry.url) as subject, httpx.AsyncClient(trust_env=False) as client:

            async def rule(topic: str) -> str:
                return str((await client.get(f"{registry.url}/config/{topic}-value")).json()["compatibilityLevel"])

            await subject.register(COMMENT, ours)
            await subject.register(COMMENT, theirs)
            backward = {"compatibility": "BACKWARD"}
            (await client.put(f"{registry.url}/config/{theirs}-value", json=backward)).raise_for_status()
            keeps = [(await subject.register(later, topic)).keeps for topic in (ours, theirs)]
            rules = [await rule(ours), await rule(theirs)]
            await subject.register(later, theirs, set_compatibility=True)
            return keeps, [*rules, await rule(theirs)]

    assert asyncio.run(main()) == (["", "BACKWARD"], ["FULL_TRANSITIVE", "BACKWARD", "FULL_TRANSITIVE"])
