"""Schema registry (Confluent's API): registering our schemas, and finding their ids.

What a registry says is a stranger's: bounded, and never trusted to have a shape.
"""

import asyncio
import json
import ssl
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import random
from typing import Any, Literal, TypeVar

import httpx

from producer import backoff, logs
from producer.delivery.schema_diff import differences
from producer.errors import StartRefused
from producer.events.schemas import Schema
from producer.settings import Settings

CONTENT_TYPE = "application/vnd.schemaregistry.v1+json"
COMPATIBILITY = "FULL_TRANSITIVE"
NOT_FOUND = frozenset({40401, 40402, 40403})
INCOMPATIBLE = 409
TIMEOUT_SECONDS = 30.0
"""A registry that wakes up, or reads its own topic, takes its time."""
ANSWER_BYTES = 4 * 1024 * 1024
AT_ONCE = 8

Strategy = Literal["topic_name", "record_name", "topic_record_name"]
Answer = TypeVar("Answer")


def subject(schema: Schema, topic: str, strategy: Strategy = "topic_name") -> str:
    """The subject of a schema's values, as Confluent's TopicName-, RecordName- and TopicRecordNameStrategy have it."""
    record = str(schema.parsed["name"])
    match strategy:
        case "topic_name":
            return f"{topic}-value"
        case "record_name":
            return record
        case "topic_record_name":
            return f"{topic}-{record}"


@dataclass(frozen=True, slots=True)
class Access:
    """How a registry is reached; files are read each time they are used, since secrets rotate."""

    strategy: Strategy = "topic_name"
    username: str | None = None
    password_file: Path | None = None
    token_file: Path | None = None
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None
    patience_seconds: float = 0.0
    """How long a registry that does not answer, or answers 429 or 5xx, is asked again."""


def access(settings: Settings) -> Access:
    """What the settings say of it."""
    return Access(
        strategy=settings.schema_subject_strategy,
        username=settings.schema_registry_username,
        password_file=settings.schema_registry_password_file,
        token_file=settings.schema_registry_token_file,
        ca_file=settings.schema_registry_ca_file,
        certificate_file=settings.schema_registry_certificate_file,
        key_file=settings.schema_registry_key_file,
        patience_seconds=settings.schema_registry_patience_seconds,
    )


@dataclass(frozen=True, slots=True)
class Standing:
    """How one of our schemas stands with a registry."""

    subject: str
    state: Literal["registered", "compatible", "absent", "incompatible"]
    version: int | None = None
    """The latest version there; None where there is none."""
    rule: str = ""
    """The compatibility that is in force; empty where it was not asked for."""
    differences: tuple[str, ...] = ()
    """What of the latest version is otherwise in ours."""
    detail: str = ""
    """The registry's own words."""

    def __str__(self) -> str:
        """Say all of it in one line."""
        if self.state == "registered":
            return f"{self.subject}: registered"
        if self.state == "absent":
            return f"{self.subject}: nothing is registered"
        verdict = (
            "is not ours, and ours would be accepted" if self.state == "compatible" else "is incompatible with ours"
        )
        said = f" ({self.detail})" if self.detail else ""
        changes = "; ".join(self.differences) or "no field"
        return f"{self.subject}: version {self.version} {verdict} under {self.rule}: {changes}{said}"


class Registry:
    """One registry; use it as an async context manager. Every method raises StartRefused where it cannot be used."""

    def __init__(
        self, url: str, access: Access | None = None, *, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._url = url
        self._access = access or Access()
        self._client = httpx.AsyncClient(
            base_url=url.rstrip("/"),
            timeout=TIMEOUT_SECONDS,
            headers={"Accept": CONTENT_TYPE},
            transport=transport,
            verify=_trust(self._access) if url.startswith("https") else False,
            limits=httpx.Limits(max_connections=AT_ONCE),
        )

    async def __aenter__(self) -> "Registry":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    def subject(self, schema: Schema, topic: str) -> str:
        """The subject of a schema here."""
        return subject(schema, topic, self._access.strategy)

    async def each(
        self, schemas: Iterable[Schema], topic_prefix: str, ask: Callable[[Schema, str], Awaitable[Answer]]
    ) -> list[Answer]:
        """Ask about many schemas and their topics, a few at once; answers in the same order."""
        few = asyncio.Semaphore(AT_ONCE)

        async def one(schema: Schema) -> Answer:
            async with few:
                return await ask(schema, schema.topic(topic_prefix))

        tasks = [asyncio.ensure_future(one(schema)) for schema in schemas]
        try:
            return await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()

    async def register(self, schema: Schema, topic: str) -> int:
        """Register a schema under its subject, compatible with all before it; return its id.

        Raises StartRefused, with the registry's own words and what differs, where it refuses.
        """
        name = self.subject(schema, topic)
        await self._call("PUT", f"/config/{name}", {"compatibility": COMPATIBILITY})
        status, answer = await self._ask("POST", f"/subjects/{name}/versions", {"schema": schema.text})
        if status == INCOMPATIBLE:
            raise StartRefused(str(await self._standing(name, schema, "incompatible", _message(answer))))
        return self._id(self._accepted("POST", f"/subjects/{name}/versions", status, answer))

    async def check(self, schema: Schema, topic: str) -> Standing:
        """Compare a schema with what stands under its subject; change nothing."""
        name = self.subject(schema, topic)
        if await self._call("POST", f"/subjects/{name}", {"schema": schema.text}, absent_is_none=True):
            return Standing(name, "registered")
        path = f"/compatibility/subjects/{name}/versions?verbose=true"
        answer = await self._call("POST", path, {"schema": schema.text}, absent_is_none=True)
        accepted = answer is None or answer.get("is_compatible") is True
        words = "" if accepted else "; ".join(map(str, answer.get("messages") or ()))
        return await self._standing(name, schema, "compatible" if accepted else "incompatible", words)

    async def date(self) -> str | None:
        """The time of day there, as the Date header of any answer has it; None where it does not say."""
        try:
            _, headers, _ = await self._once("GET", "/config", None)
        except httpx.TransportError as cause:
            raise StartRefused(f"the schema registry at {self._url} cannot be used: {type(cause).__name__}") from cause
        date: str | None = headers.get("date")
        return date

    async def ids(
        self, schemas: Mapping[str, Schema], *, topic_prefix: str, auto_register: bool = False
    ) -> dict[str, int]:
        """Find the id of each schema by event name; with `auto_register`, register those that are missing.

        Raises StartRefused, with a line for every subject that lacks its schema.
        """

        async def one(schema: Schema, topic: str) -> int | Standing:
            path = f"/subjects/{self.subject(schema, topic)}"
            answer = await self._call("POST", path, {"schema": schema.text}, absent_is_none=True)
            if answer is not None:
                return self._id(answer)
            return await (self.register if auto_register else self.check)(schema, topic)

        found = dict(zip(schemas, await self.each(schemas.values(), topic_prefix, one), strict=True))
        problems = [str(standing) for standing in found.values() if isinstance(standing, Standing)]
        if problems:
            raise StartRefused(
                "\n".join(
                    (*problems, f"the registry at {self._url} lacks our schemas: run `producer schemas register`")
                )
            )
        return {event: schema_id for event, schema_id in found.items() if isinstance(schema_id, int)}

    async def _standing(
        self, name: str, schema: Schema, state: Literal["compatible", "incompatible"], detail: str
    ) -> Standing:
        latest = await self._call("GET", f"/subjects/{name}/versions/latest", absent_is_none=True)
        if latest is None:
            return Standing(name, "absent")
        config = await self._call("GET", f"/config/{name}?defaultToGlobal=true", absent_is_none=True) or {}
        rule = config.get("compatibilityLevel") or config.get("compatibility") or "the registry's default"
        try:
            changes = tuple(differences(json.loads(latest["schema"]), schema.parsed))
        except (KeyError, TypeError, ValueError, RecursionError):
            changes = ("the schema there cannot be read",)
        return Standing(name, state, latest.get("version"), str(rule), changes, detail)

    async def _call(
        self, method: str, path: str, body: Mapping[str, str] | None = None, *, absent_is_none: bool = False
    ) -> Any:
        """An object that the registry answers; what is not there raises StartRefused, or is None."""
        status, answer = await self._ask(method, path, body)
        if absent_is_none and isinstance(answer, dict) and answer.get("error_code") in NOT_FOUND:
            return None
        return self._accepted(method, path, status, answer)

    def _accepted(self, method: str, path: str, status: int, answer: Any) -> Any:
        if status in (401, 403):
            raise StartRefused(
                f"the schema registry at {self._url} refused our credentials: {status} {_message(answer)}; "
                "see PRODUCER_SCHEMA_REGISTRY_USERNAME, _PASSWORD_FILE and _TOKEN_FILE"
            )
        if not 200 <= status < 300:
            raise StartRefused(f"the schema registry refused {method} {path}: {status} {_message(answer)}")
        if not isinstance(answer, dict):
            raise StartRefused(f"the schema registry at {self._url} cannot be used: it answered no JSON object")
        return answer

    async def _ask(self, method: str, path: str, body: Mapping[str, str] | None = None) -> tuple[int, Any]:
        """Ask once, and again while it is only unwell; return status and JSON, None where the answer is no JSON."""
        clock = asyncio.get_running_loop().time
        give_up = clock() + self._access.patience_seconds
        attempt = 0
        while True:
            attempt += 1
            problem: str
            asked_to_wait = None
            try:
                status, headers, answer = await self._once(method, path, body)
            except httpx.TransportError as cause:
                status, problem = 0, f"cannot be used: {type(cause).__name__} {cause}".rstrip()
            else:
                if status != 429 and status < 500:
                    return status, answer
                problem = f"refused {method} {path}: {status} {_message(answer)}"
                asked_to_wait = float(after) if (after := headers.get("retry-after", "")).isdecimal() else None
            wait = backoff.delay(attempt, random(), retry_after_seconds=asked_to_wait)
            if clock() + wait > give_up:
                tries = f" ({attempt} times)" if attempt > 1 else ""
                raise StartRefused(f"the schema registry at {self._url} {problem}{tries}")
            logs.get().warning("schema registry asked again", problem=problem, attempt=attempt, seconds=round(wait, 1))
            await asyncio.sleep(wait)

    async def _once(self, method: str, path: str, body: Mapping[str, str] | None) -> tuple[int, httpx.Headers, Any]:
        headers = {"Content-Type": CONTENT_TYPE} | _credentials(self._access)
        async with self._client.stream(method, path, json=body, headers=headers) as response:
            data = bytearray()
            async for chunk in response.aiter_bytes(64 * 1024):
                data += chunk
                if len(data) > ANSWER_BYTES:
                    raise StartRefused(
                        f"the schema registry at {self._url} cannot be used: it answered more than {ANSWER_BYTES} bytes"
                    )
        try:
            return response.status_code, response.headers, json.loads(data)
        except (ValueError, RecursionError):
            return response.status_code, response.headers, None

    def _id(self, answer: Any) -> int:
        if type(answer.get("id")) is int:
            return int(answer["id"])
        raise StartRefused(f"the schema registry at {self._url} answered without a schema id")


def _message(answer: Any) -> str:
    return str(answer.get("message", ""))[:500] if isinstance(answer, dict) else "without a word"


def _credentials(access: Access) -> dict[str, str]:
    """The header that says who we are."""
    try:
        if access.token_file is not None:
            return {"Authorization": f"Bearer {access.token_file.read_text('utf-8').strip()}"}
        if access.username is not None and access.password_file is not None:
            password = access.password_file.read_text("utf-8").strip()
            request = httpx.Request("GET", "http://registry")
            next(httpx.BasicAuth(access.username, password).auth_flow(request))
            return {"Authorization": request.headers["Authorization"]}
    except (OSError, UnicodeDecodeError) as cause:
        raise StartRefused(f"a file that the registry's settings name cannot be used: {cause}") from cause
    return {}


def _trust(access: Access) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=access.ca_file)
        if access.certificate_file is not None:
            context.load_cert_chain(access.certificate_file, access.key_file)
    except (OSError, ssl.SSLError) as cause:
        raise StartRefused(f"a file that the registry's settings name cannot be used: {cause}") from cause
    return context
