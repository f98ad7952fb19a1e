"""producer.delivery.registry: against a transport of ours, for answers that a healthy registry does not give."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest

from producer import backoff
from producer.delivery.registry import Access, Registry, Standing, Strategy
from producer.errors import StartRefused
from producer.events import schemas
from tests import published

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
        assert json.loads(json.loads(request.content)["schema"])["type"] == "record"
        return httpx.Response(200, json={"id": len(asked)})

    found = ids(handler)

    assert len(asked) == len(published.EVENTS)
    assert "/apis/subjects/p.viewer_count_update.v1-value" in asked
    assert set(found) == set(EVENTS)


def latest_of(handler: Handler) -> Handler:
    """A registry where comment and gift stand in other schemas; `handler` answers about the others."""

    def answer(request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if "comment" not in path and "gift.v1" not in path:
            return handler(request)
        if path.endswith("/versions/latest"):
            older = json.loads(EVENTS["comment"].text) | {"fields": []}
            return httpx.Response(200, json={"version": 4, "schema": json.dumps(older)})
        if "/config/" in path:
            return httpx.Response(200, json={"compatibilityLevel": "BACKWARD"})
        if "/compatibility/" in path:
            return httpx.Response(200, json={"is_compatible": "gift" in path, "messages": ["READER_FIELD_MISSING"]})
        return httpx.Response(404, json={"error_code": 40403, "message": "not found"})

    return answer


def test_each_schema_that_is_not_there_is_a_line_with_version_rule_and_fields() -> None:
    with pytest.raises(StartRefused) as refused:
        ids(latest_of(lambda _: httpx.Response(200, json={"id": 1})))

    comment, gift, last = str(refused.value).splitlines()
    assert comment.startswith("p.comment.v1-value: version 4 is incompatible with ours under BACKWARD: user: added; ")
    assert comment.endswith(" (READER_FIELD_MISSING)")
    assert gift.startswith("p.gift.v1-value: version 4 is not ours, and ours would be accepted under BACKWARD: ")
    assert last == "the registry at http://registry.test/apis lacks our schemas: run `producer schemas register`"


@pytest.mark.parametrize("code", [40401, 40403])
def test_subjects_without_any_schema_are_named_all_at_once(code: int) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if "comment" in request.url.path or "gift.v1" in request.url.path:
            return httpx.Response(404, json={"error_code": code, "message": "not found"})
        return httpx.Response(200, json={"id": 1})

    with pytest.raises(StartRefused) as refused:
        ids(handler)

    assert str(refused.value).splitlines()[:2] == [
        "p.comment.v1-value: nothing is registered",
        "p.gift.v1-value: nothing is registered",
    ]


def test_what_is_missing_is_registered_where_that_is_asked_for() -> None:
    registered: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path.endswith("/versions"):
            registered.append(path)
            return httpx.Response(200, json={"id": 7})
        if "comment" in path and "/config/" not in path:
            return httpx.Response(404, json={"error_code": 40403, "message": "not found"})
        return httpx.Response(200, json={"id": 1})

    async def main() -> dict[str, int]:
        async with Registry("http://registry.test/apis", transport=httpx.MockTransport(handler)) as registry:
            return await registry.ids(EVENTS, topic_prefix="p", auto_register=True)

    found = asyncio.run(main())

    assert registered == ["/apis/subjects/p.comment.v1-value/versions"]
    assert (found["comment"], found["gift"]) == (7, 1)


@pytest.mark.parametrize(
    ("strategy", "path"),
    [
        ("topic_name", "/apis/subjects/p.comment.v1-value"),
        ("record_name", "/apis/subjects/tiktok.live.v1.CommentEvent"),
        ("topic_record_name", "/apis/subjects/p.comment.v1-tiktok.live.v1.CommentEvent"),
    ],
)
def test_subjects_are_named_as_the_strategy_says(strategy: Strategy, path: str) -> None:
    asked: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return httpx.Response(200, json={"id": 1})

    async def main() -> None:
        transport = httpx.MockTransport(handler)
        async with Registry("http://registry.test/apis", Access(strategy), transport=transport) as registry:
            await registry.check(EVENTS["comment"], "p.comment.v1")

    asyncio.run(main())

    assert asked == [path]


# ------------------------------------------------------------------------------------------- a registry that is unwell


class Unwell:
    """Answers in turn, then well."""

    def __init__(self, *answers: httpx.Response | httpx.TransportError) -> None:
        self.answers = list(answers)

    def __call__(self, _: httpx.Request) -> httpx.Response:
        answer = self.answers.pop(0) if self.answers else httpx.Response(200, json={"id": 9})
        if isinstance(answer, Exception):
            raise answer
        return answer


def ask(handler: Handler, access: Access) -> Standing:
    async def main() -> Standing:
        async with Registry("http://registry.test/apis", access, transport=httpx.MockTransport(handler)) as registry:
            return await registry.check(EVENTS["comment"], "p.comment.v1")

    return asyncio.run(main())


def test_a_registry_that_is_unwell_for_a_while_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float | None] = []

    def delay(attempt: int, random: float, *, retry_after_seconds: float | None = None) -> float:
        waits.append(retry_after_seconds)
        return 0.0

    monkeypatch.setattr(backoff, "delay", delay)
    unwell = Unwell(
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("slow"),
        httpx.Response(503, text="<html>"),
        httpx.Response(429, json={}, headers={"Retry-After": "7"}),
    )

    assert ask(unwell, Access(patience_seconds=60)).state == "registered"
    assert unwell.answers == []
    assert waits == [None, None, None, 7.0]


def test_patience_ends_and_says_how_often_it_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    waits = iter((0.0, 0.0, 100.0))
    monkeypatch.setattr(backoff, "delay", lambda *_, **__: next(waits))

    with pytest.raises(StartRefused, match=r"cannot be used: ConnectError connection refused \(3 times\)$"):
        ask(unreachable, Access(patience_seconds=60))


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_what_will_not_pass_by_waiting_is_not_asked_again(status: int) -> None:
    unwell = Unwell(httpx.Response(status, json={"message": "no"}))

    with pytest.raises(StartRefused, match=f"{status} no"):
        ask(unwell, Access(patience_seconds=60))


def test_an_answer_without_end_is_cut_off() -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1
            yield b" " * 1_000_000

    with pytest.raises(StartRefused, match="answered more than 4194304 bytes"):
        ask(lambda _: httpx.Response(200, content=endless()), Access())
    assert sent == 5


# --------------------------------------------------------------------------------------------------------- who we are


@pytest.mark.parametrize(
    ("access", "header"),
    [
        (Access(), None),
        (Access(username="ann", password_file=Path("secret")), "Basic YW5uOm9wZW4gc2VzYW1l"),
        (Access(token_file=Path("secret")), "Bearer open sesame"),
    ],
    ids=["nobody", "basic", "bearer"],
)
def test_credentials_are_read_from_their_file_at_each_request(
    access: Access, header: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("secret").write_text("open sesame\n")
    headers: list[str | None] = []

    def handler(request: httpx.Request) -> httpx.Response:
        headers.append(request.headers.get("Authorization"))
        return httpx.Response(200, json={"id": 1})

    ask(handler, access)

    assert headers == [header]


def test_a_secret_that_is_not_there_is_named_and_a_refused_one_is_not_shown(tmp_path: Path) -> None:
    secret = tmp_path / "token"
    with pytest.raises(StartRefused, match="a file that the registry's settings name cannot be used"):
        ask(unreachable, Access(token_file=secret))
    secret.write_text("open sesame")

    with pytest.raises(StartRefused, match="refused our credentials: 401 who are you; see PRODUCER_") as refused:
        ask(lambda _: httpx.Response(401, json={"message": "who are you"}), Access(token_file=secret))

    assert "sesame" not in str(refused.value)


def unreachable(_: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("connection refused")


@pytest.mark.parametrize(
    ("handler", "sentence"),
    [
        (unreachable, "registry at http://registry.test/apis cannot be used: ConnectError connection refused"),
        (lambda _: httpx.Response(200, text="<html>"), "cannot be used: it answered no JSON object"),
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


def test_a_refused_schema_is_in_the_registrys_words_and_ours() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            older = json.loads(EVENTS["comment"].text) | {"fields": []}
            body = {"version": 2, "schema": json.dumps(older), "compatibilityLevel": "FULL_TRANSITIVE"}
            return httpx.Response(200, json=body)
        return httpx.Response(409 if request.method == "POST" else 200, json={"message": "READER_FIELD_MISSING"})

    with pytest.raises(
        StartRefused, match=r"version 2 is incompatible with ours under FULL_TRANSITIVE: user: added; .*\(READER_FIELD"
    ):
        register(handler)
