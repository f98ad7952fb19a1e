"""producer.delivery.registry: against a transport of ours, for answers that a healthy registry does not give."""

import asyncio
import json
from collections.abc import Callable

import httpx
import pytest

from producer.delivery.registry import Registry
from producer.errors import StartRefused
from producer.events import schemas

EVENTS = schemas.events()
Handler = Callable[[httpx.Request], httpx.Response]


def ids(handler: Handler) -> dict[str, int]:
    async def main() -> dict[str, int]:
        async with Registry("http://registry.test/apis", transport=httpx.MockTransport(handler)) as registry:
            return await registry.ids(EVENTS, topic_prefix="p")

    return asyncio.run(main())


def register(handler: Handler) -> int:
    async def main() -> int:
        async with Registry("http://registry.test/apis", transport=httpx.MockTransport(handler)) as registry:
            return await registry.register(EVENTS["comment"], "p.comment.v1")

    return asyncio.run(main())


def test_each_schema_is_looked_up_under_its_topics_subject() -> None:
    asked: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        assert json.loads(request.content)["schema"].startswith('{"type":"record"')
        return httpx.Response(200, json={"id": len(asked)})

    found = ids(handler)

    assert len(asked) == 13
    assert "/apis/subjects/p.viewer_count_update.v1-value" in asked
    assert found["comment"] == asked.index("/apis/subjects/p.comment.v1-value") + 1


@pytest.mark.parametrize("code", [40401, 40403])
def test_missing_schemas_are_named_all_at_once(code: int) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if "comment" in request.url.path or "gift.v1" in request.url.path:
            return httpx.Response(404, json={"error_code": code, "message": "not found"})
        return httpx.Response(200, json={"id": 1})

    with pytest.raises(StartRefused) as refused:
        ids(handler)

    assert "p.comment.v1-value, p.gift.v1-value; run `producer schemas register`" in str(refused.value)


def unreachable(_: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("connection refused")


@pytest.mark.parametrize(
    ("handler", "sentence"),
    [
        (unreachable, "registry at http://registry.test/apis cannot be used: ConnectError connection refused"),
        (lambda _: httpx.Response(200, text="<html>"), "cannot be used: JSONDecodeError"),
        (lambda _: httpx.Response(200, json={}), "answered without a schema id"),
        (lambda _: httpx.Response(401, json={"message": "who are you"}), "401 who are you"),
        (lambda _: httpx.Response(500, json={"error_code": 50001, "message": "store"}), "500 store"),
        (lambda _: httpx.Response(404, json={"message": "no such page"}), "404 no such page"),
    ],
    ids=["refused", "not JSON", "no id", "401", "500", "another 404"],
)
def test_a_registry_that_cannot_be_used_refuses_the_start_in_one_line(handler: Handler, sentence: str) -> None:
    with pytest.raises(StartRefused) as refused:
        ids(handler)

    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)


def test_registering_asks_for_full_compatibility_first() -> None:
    calls: list[tuple[str, str, object]] = []

    def handler(request: httpx.Request) -> httpx.Response:
        calls.append((request.method, request.url.path, json.loads(request.content).get("compatibility")))
        return httpx.Response(200, json={"id": 42})

    assert register(handler) == 42
    assert calls == [
        ("PUT", "/apis/config/p.comment.v1-value", "FULL_TRANSITIVE"),
        ("POST", "/apis/subjects/p.comment.v1-value/versions", None),
    ]


def test_a_refused_schema_is_in_the_registrys_words() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        return httpx.Response(409 if request.method == "POST" else 200, json={"message": "READER_FIELD_MISSING"})

    with pytest.raises(StartRefused, match="409 READER_FIELD_MISSING"):
        register(handler)
