"""producer.delivery.registry: against a transport of ours, for answers that a healthy registry does not give."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest
from structlog.testing import capture_logs

from producer import backoff
from producer.delivery.registry import Access, Registered, Registry, Standing, Strategy
from producer.errors import StartRefused
from producer.events import schemas
from tests import published
from tests.webcast.answers import Pieces

EVENTS = schemas.events()
DAY = "Mon, 23 Nov 2026"
Handler = Callable[[httpx.Request], httpx.Response]


def unread(handler: Handler) -> httpx.MockTransport:
    """A transport whose answers come as from a socket: what the handler made whole, nobody has read yet."""

    def answer(request: httpx.Request) -> httpx.Response:
        made = handler(request)
        if made.is_stream_consumed:
            return httpx.Response(made.status_code, headers=made.headers, stream=Pieces([made.content]))
        return made

    return httpx.MockTransport(answer)


def ids(handler: Handler, *, auto_register: bool = False) -> dict[str, int]:
    async def main() -> dict[str, int]:
        async with Registry("http://registry.test/apis", transport=unread(handler)) as registry:
            return await registry.ids(EVENTS, topic_prefix="p", auto_register=auto_register)

    return asyncio.run(main())


def register(handler: Handler, *, set_compatibility: bool = False) -> Registered:
    async def main() -> Registered:
        async with Registry("http://registry.test/apis", transport=unread(handler)) as registry:
            return await registry.register(EVENTS["comment"], "p.comment.v1", set_compatibility=set_compatibility)

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


def test_each_subject_with_another_schema_is_a_line_with_version_rule_and_fields() -> None:
    with pytest.raises(StartRefused) as refused:
        ids(latest_of(lambda _: httpx.Response(200, json={"id": 1})))

    where = "PRODUCER_SCHEMA_REGISTRY_URL=http://registry.test/apis: "
    comment, gift = str(refused.value).splitlines()
    assert comment.startswith(
        f"{where}p.comment.v1-value: version 4 is incompatible with ours under BACKWARD: user: added; "
    )
    assert comment.endswith(" (READER_FIELD_MISSING)")
    assert gift.startswith(
        f"{where}p.gift.v1-value: version 4 is not ours, and ours would be accepted under BACKWARD: "
    )
    assert gift.endswith("; run `producer schemas register`")


@pytest.mark.parametrize("code", [40401, 40403])
def test_subjects_without_any_schema_are_named_all_at_once(code: int) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if "comment" in request.url.path or "gift.v1" in request.url.path:
            return httpx.Response(404, json={"error_code": code, "message": "not found"})
        return httpx.Response(200, json={"id": 1})

    with pytest.raises(StartRefused) as refused:
        ids(handler)

    assert str(refused.value) == (
        "PRODUCER_SCHEMA_REGISTRY_URL=http://registry.test/apis: schemas not registered: p.comment.v1-value, "
        "p.gift.v1-value; run `producer schemas register`"
    )


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

    found = ids(handler, auto_register=True)

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
        async with Registry("http://registry.test/apis", Access(strategy), transport=unread(handler)) as registry:
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
        async with Registry("http://registry.test/apis", access, transport=unread(handler)) as registry:
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
        httpx.Response(429, json={}, headers={"Retry-After": f"{DAY} 06:02:00 GMT", "Date": f"{DAY} 06:00:00 GMT"}),
        httpx.Response(429, json={}, headers={"Retry-After": f"{DAY} 06:02:00 +99999999999999999999"}),
        httpx.Response(429, json={}, headers=[("Retry-After", "9" * 5_000), ("Retry-After", "8")]),
    )

    assert ask(unwell, Access(patience_seconds=60)).state == "registered"
    assert unwell.answers == []
    assert waits == [None, None, None, 7.0, 120.0, None, None]


def test_patience_ends_and_says_how_often_it_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    waits = iter((0.0, 0.0, 100.0))
    monkeypatch.setattr(backoff, "delay", lambda *_, **__: next(waits))

    with pytest.raises(StartRefused, match=r"cannot be used: ConnectError connection refused \(3 times\)$"):
        ask(unreachable, Access(patience_seconds=60))


def test_an_outage_is_logged_once_an_attempt_however_many_questions_meet_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backoff, "delay", lambda attempt, *_, **__: 0.0 if attempt < 4 else 100.0)

    async def main() -> None:
        async with Registry("http://r.test", Access(patience_seconds=60), transport=unread(unreachable)) as registry:
            await registry.ids(EVENTS, topic_prefix="p", auto_register=False)

    with capture_logs() as lines, pytest.raises(StartRefused):
        asyncio.run(main())
    assert [line["attempt"] for line in lines] == [1, 2, 3]


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

    with pytest.raises(StartRefused, match="its answer cannot be read: it is longer than 4194304 bytes"):
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
    with pytest.raises(StartRefused, match=r"^PRODUCER_SCHEMA_REGISTRY_TOKEN_FILE: .*/token cannot be read: No such"):
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
        (
            unreachable,
            "PRODUCER_SCHEMA_REGISTRY_URL=http://registry.test/apis cannot be used: ConnectError connection refused",
        ),
        (lambda _: httpx.Response(200, text="<html>"), "cannot be used: it answered no JSON object"),
        (lambda _: httpx.Response(200, json={}), "answered without a schema id"),
        (lambda _: httpx.Response(200, json={"id": 2**31}), "answered without a schema id"),
        (lambda _: httpx.Response(200, json={"id": -1}), "answered without a schema id"),
        (lambda _: httpx.Response(200, json={"id": True}), "answered without a schema id"),
        (lambda _: httpx.Response(200, json={"id": [7]}), "answered without a schema id"),
        (lambda _: httpx.Response(401, json={"message": "who are you"}), "401 who are you"),
        (lambda _: httpx.Response(500, json={"error_code": 50001, "message": "store"}), "500 store"),
        (lambda _: httpx.Response(404, json={"message": "no such page"}), "404 no such page"),
    ],
    ids=["refused", "not JSON", "no id", "long id", "id below 0", "true", "ids", "401", "500", "another 404"],
)
def test_a_registry_that_cannot_be_used_refuses_the_start_in_one_line(handler: Handler, sentence: str) -> None:
    with pytest.raises(StartRefused) as refused:
        ids(handler)

    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)


# ------------------------------------------------------------------------------------------------------- registering

NO_SUBJECT = httpx.Response(404, json={"error_code": 40401, "message": "no such subject"})
NO_SCHEMA = httpx.Response(404, json={"error_code": 40403, "message": "no such schema"})
NO_RULE = httpx.Response(404, json={"error_code": 40408, "message": "none of its own"})
NONE = httpx.Response(200, json={"compatibilityLevel": "NONE"})
BACKWARD = httpx.Response(200, json={"compatibilityLevel": "BACKWARD"})
FULL_TRANSITIVE = httpx.Response(200, json={"compatibilityLevel": "FULL_TRANSITIVE"})
ID = httpx.Response(200, json={"id": 42})
FORBIDDEN = httpx.Response(403, json={"error_code": 40301, "message": "not yours"})

LOOK = "POST /subjects/p.comment.v1-value"
OWN, GLOBAL = "GET /config/p.comment.v1-value", "GET /config"
SET = "PUT /config/p.comment.v1-value"
REGISTER = "POST /subjects/p.comment.v1-value/versions"
Script = list[tuple[str, httpx.Response]]


def scripted(script: Script, asked: list[str]) -> Handler:
    """A registry that answers each request in one way, and notes the requests."""

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(f"{request.method} {request.url.path.removeprefix('/apis')}")
        if asked[-1] == SET:
            assert json.loads(request.content) == {"compatibility": "FULL_TRANSITIVE"}
        return dict(script)[asked[-1]]

    return handler


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ([(LOOK, ID)], ""),
        ([(LOOK, NO_SUBJECT), (OWN, NO_RULE), (SET, FULL_TRANSITIVE), (REGISTER, ID)], ""),
        ([(LOOK, NO_SCHEMA), (OWN, NO_RULE), (SET, FULL_TRANSITIVE), (REGISTER, ID)], ""),
        # Apicurio answers with what holds for all.
        ([(LOOK, NO_SUBJECT), (OWN, NONE), (GLOBAL, NONE), (SET, FULL_TRANSITIVE), (REGISTER, ID)], ""),
        ([(LOOK, NO_SUBJECT), (OWN, BACKWARD), (GLOBAL, NONE), (REGISTER, ID)], "BACKWARD"),
        ([(LOOK, NO_SCHEMA), (OWN, BACKWARD), (REGISTER, ID)], "BACKWARD"),
        ([(LOOK, NO_SCHEMA), (OWN, FULL_TRANSITIVE), (REGISTER, ID)], ""),
    ],
    ids=["there already", "new", "no rule of its own", "new, Apicurio", "new with a rule", "a rule", "our rule"],
)
def test_a_subject_keeps_a_rule_of_its_own_and_what_is_registered_is_left_alone(script: Script, expected: str) -> None:
    asked: list[str] = []

    registered = register(scripted(script, asked))

    assert asked == [request for request, _ in script]
    assert registered == Registered("p.comment.v1-value", 42, keeps=expected)
    assert str(registered).endswith(f"keeps its own compatibility, {expected})" if expected else "p.comment.v1-value")


def test_who_says_so_has_the_rule_set_on_every_subject() -> None:
    asked: list[str] = []
    script = [(SET, FULL_TRANSITIVE), (LOOK, ID)]

    assert register(scripted(script, asked), set_compatibility=True).id == 42
    assert asked == [SET, LOOK]


@pytest.mark.parametrize("status", [403, 404, 405, 422])
def test_a_registry_that_lets_nobody_set_a_rule_gets_the_schema_all_the_same(status: int) -> None:
    forbidden = httpx.Response(status, json={"message": "not yours"})
    script = [(LOOK, NO_SUBJECT), (OWN, NO_RULE), (SET, forbidden), (REGISTER, ID)]

    assert register(scripted(script, [])) == Registered("p.comment.v1-value", 42, forbidden=f"{status} not yours")
    with pytest.raises(StartRefused, match=f"{status} not yours"):
        register(scripted([(SET, forbidden)], []), set_compatibility=True)


def test_what_may_not_be_done_is_told_from_who_may_not_come_in() -> None:
    script = [(LOOK, NO_SUBJECT), (OWN, NO_RULE), (SET, FULL_TRANSITIVE), (REGISTER, FORBIDDEN)]

    with pytest.raises(
        StartRefused,
        match=r"^PRODUCER_SCHEMA_REGISTRY_URL=http://registry\.test/apis does not allow POST "
        r"/subjects/p\.comment\.v1-value/versions: 403 not yours \(its error code 40301\)$",
    ):
        register(scripted(script, []))
    with pytest.raises(StartRefused, match="refused our credentials: 401 who; see PRODUCER_SCHEMA_REGISTRY_USERNAME"):
        register(lambda _: httpx.Response(401, json={"message": "who"}))


def test_a_refused_schema_is_in_the_registrys_words_and_ours() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            older = json.loads(EVENTS["comment"].text) | {"fields": []}
            body = {"version": 2, "schema": json.dumps(older), "compatibilityLevel": "FULL_TRANSITIVE"}
            return httpx.Response(200, json=body)
        if not request.url.path.endswith("/versions"):
            return NO_SCHEMA
        return httpx.Response(409, json={"message": "READER_FIELD_MISSING"})

    with pytest.raises(
        StartRefused, match=r"version 2 is incompatible with ours under FULL_TRANSITIVE: user: added; .*\(READER_FIELD"
    ):
        register(handler)
