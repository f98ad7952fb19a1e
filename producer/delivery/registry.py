"""Schema registry (Confluent's API): registering our schemas, and finding their ids."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar

import httpx

from producer import answers, strangers
from producer.delivery.registry_access import AT_ONCE, UNAUTHORIZED, Access, Answer, Door, Strategy, access
from producer.delivery.schema_diff import differences
from producer.errors import StartRefused
from producer.events.schemas import Schema

__all__ = ["Access", "Registered", "Registry", "Standing", "Strategy", "access", "subject"]

COMPATIBILITY = "FULL_TRANSITIVE"
NO_SUBJECT = 40401
INCOMPATIBLE = 409
MOST_NAMED = 5
"""Of the subjects that lack our schemas: a fresh registry lacks all."""
MOST_ID = 2**31 - 1
"""An id has four bytes before each record."""
SCHEMA_BYTES = 1024 * 1024
"""Of a schema there; our longest has 20 KB."""

Said = TypeVar("Said")


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
class Registered:
    """What registering one schema came to."""

    subject: str
    id: int
    keeps: str = ""
    """The subject's own compatibility, which is not ours and was left alone."""
    forbidden: str = ""
    """Why its compatibility could not be set, in the registry's words; it was registered all the same."""

    def __str__(self) -> str:
        """Say it in one line."""
        return f"{self.id:>6}  {self.subject}" + (
            f"  (keeps its own compatibility, {self.keeps})" if self.keeps else ""
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
        version = "the latest version" if self.version is None else f"version {self.version}"
        return f"{self.subject}: {version} {verdict} under {self.rule}: {changes}{said}"


class Registry:
    """One registry; use it as an async context manager. Every method raises StartRefused where it cannot be used."""

    def __init__(
        self, url: str, access: Access | None = None, *, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._access = access or Access()
        self._door = Door(url, self._access, transport=transport)

    async def __aenter__(self) -> "Registry":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._door.close()

    def subject(self, schema: Schema, topic: str) -> str:
        """The subject of a schema here."""
        return subject(schema, topic, self._access.strategy)

    async def each(
        self, schemas: Iterable[Schema], topic_prefix: str, ask: Callable[[Schema, str], Awaitable[Said]]
    ) -> list[Said]:
        """Ask about many schemas and their topics, a few at once; answers in the same order."""
        few = asyncio.Semaphore(AT_ONCE)

        async def one(schema: Schema) -> Said:
            async with few:
                return await ask(schema, schema.topic(topic_prefix))

        tasks = [asyncio.ensure_future(one(schema)) for schema in schemas]
        try:
            return await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()

    async def register(self, schema: Schema, topic: str, *, set_compatibility: bool = False) -> Registered:
        """Register a schema under its subject, where it is not registered yet.

        A subject that is new, or has no compatibility of its own, is given FULL_TRANSITIVE first; any other keeps its
        own, unless `set_compatibility`. Raises StartRefused, with the registry's own words and what differs, where it
        refuses the schema.
        """
        name = self.subject(schema, topic)
        if set_compatibility:
            await self._call("PUT", f"/config/{name}", {"compatibility": COMPATIBILITY})
        there = await self._look("POST", f"/subjects/{name}", {"schema": schema.text})
        if there.fine:
            return Registered(name, self._id(there))
        keeps, forbidden = "", ""
        if not set_compatibility:
            own = await self._own_compatibility(name, is_new=there.code == NO_SUBJECT)
            if own is None:
                forbidden = await self._set_compatibility(name)
            elif own != COMPATIBILITY:
                keeps = own
        path = f"/subjects/{name}/versions"
        answer = await self._door.ask("POST", path, {"schema": schema.text})
        if answer.status == INCOMPATIBLE:
            standing = await self._standing(name, schema, "incompatible", answer.message)
            raise StartRefused(f"PRODUCER_SCHEMA_REGISTRY_URL={self._door.url}: {standing}")
        if not answer.fine:
            self._door.refuse("POST", path, answer)
        return Registered(name, self._id(answer), keeps, forbidden)

    async def check(self, schema: Schema, topic: str) -> Standing:
        """Compare a schema with what stands under its subject; change nothing."""
        name = self.subject(schema, topic)
        if (await self._look("POST", f"/subjects/{name}", {"schema": schema.text})).fine:
            return Standing(name, "registered")
        path = f"/compatibility/subjects/{name}/versions?verbose=true"
        answer = await self._look("POST", path, {"schema": schema.text})
        accepted = not answer.fine or answer.said.get("is_compatible") is True
        words = "" if accepted else _words(answer.said.get("messages"))
        return await self._standing(name, schema, "compatible" if accepted else "incompatible", words)

    async def date(self) -> str | None:
        """The time of day there, as the Date header of any answer has it; None where it does not say."""
        try:
            return (await self._door.once("GET", "/config")).date
        except answers.NoAnswer as cause:
            raise StartRefused(f"PRODUCER_SCHEMA_REGISTRY_URL={self._door.url} cannot be used: {cause}") from cause

    async def ids(
        self, schemas: Mapping[str, Schema], *, topic_prefix: str, auto_register: bool = False
    ) -> dict[str, int]:
        """Find the id of each schema by event name; with `auto_register`, register those that are missing.

        Raises StartRefused, as `refusals` says it.
        """

        async def one(schema: Schema, topic: str) -> int | Standing:
            if auto_register:
                return (await self.register(schema, topic)).id
            answer = await self._look("POST", f"/subjects/{self.subject(schema, topic)}", {"schema": schema.text})
            return self._id(answer) if answer.fine else await self.check(schema, topic)

        found = dict(zip(schemas, await self.each(schemas.values(), topic_prefix, one), strict=True))
        if problems := list(refusals(item for item in found.values() if isinstance(item, Standing))):
            raise StartRefused("\n".join(f"PRODUCER_SCHEMA_REGISTRY_URL={self._door.url}: {line}" for line in problems))
        return {event: schema_id for event, schema_id in found.items() if isinstance(schema_id, int)}

    async def _own_compatibility(self, name: str, *, is_new: bool) -> str | None:
        """What a subject has been given of its own; None where it has been given nothing.

        Confluent's registry says so. Apicurio's answers with what holds for all, so that this, of a new subject, is
        nothing of its own either.
        """
        own = _level(await self._look("GET", f"/config/{name}"))
        if not is_new or own is None:
            return own
        return None if own == _level(await self._look("GET", "/config")) else own

    async def _set_compatibility(self, name: str) -> str:
        """Set a subject's compatibility; return the registry's words where it forbids that, and nothing otherwise."""
        path = f"/config/{name}"
        answer = await self._door.ask("PUT", path, {"compatibility": COMPATIBILITY})
        if answer.fine:
            return ""
        if answer.status == UNAUTHORIZED or answer.status < 400:
            self._door.refuse("PUT", path, answer)
        return answer.words

    async def _standing(
        self, name: str, schema: Schema, state: Literal["compatible", "incompatible"], detail: str
    ) -> Standing:
        latest = await self._look("GET", f"/subjects/{name}/versions/latest")
        if not latest.fine:
            return Standing(name, "absent")
        rule = _level(await self._look("GET", f"/config/{name}?defaultToGlobal=true")) or "the registry's default"
        try:
            theirs = strangers.json_value(
                strangers.text(latest.said.get("schema"), most=SCHEMA_BYTES) or "", most_bytes=SCHEMA_BYTES
            )
            changes = tuple(differences(theirs, schema.parsed))
        except ValueError:
            changes = ("the schema there cannot be read",)
        version = strangers.integer(latest.said.get("version"), least=1, most=MOST_ID)
        return Standing(name, state, version, rule, changes, detail)

    async def _look(self, method: str, path: str, body: Mapping[str, str] | None = None) -> Answer:
        """Ask for what may be absent; the answer is fine, or says that it is."""
        answer = await self._door.ask(method, path, body)
        if not answer.fine and not answer.absent:
            self._door.refuse(method, path, answer)
        return answer

    async def _call(self, method: str, path: str, body: Mapping[str, str]) -> None:
        """Ask for what must be done."""
        answer = await self._door.ask(method, path, body)
        if not answer.fine:
            self._door.refuse(method, path, answer)

    def _id(self, answer: Answer) -> int:
        schema_id = strangers.integer(answer.said.get("id"), least=0, most=MOST_ID)
        if schema_id is None:
            raise StartRefused(f"PRODUCER_SCHEMA_REGISTRY_URL={self._door.url} answered without a schema id")
        return schema_id


def _level(answer: Answer) -> str | None:
    """The compatibility in an answer; None where there is none, or none that can be read."""
    level = strangers.text(answer.said.get("compatibilityLevel") or answer.said.get("compatibility"), most=40)
    return strangers.shown(level) if level and answer.fine else None


def refusals(standings: Iterable[Standing]) -> Iterator[str]:
    """Say what is amiss: a line for each subject that has another schema than ours, and one for all without any."""
    register = "run `producer schemas register`"
    lacking = []
    for standing in standings:
        match standing.state:
            case "incompatible":
                yield str(standing)
            case "compatible":
                yield f"{standing}; {register}"
            case "absent":
                lacking.append(standing.subject)
    if lacking:
        more = f" and {len(lacking) - MOST_NAMED} more" if len(lacking) > MOST_NAMED else ""
        yield f"schemas not registered: {', '.join(lacking[:MOST_NAMED])}{more}; {register}"


def _words(messages: object) -> str:
    """What a registry finds incompatible, as far as it is text."""
    listed = messages if isinstance(messages, list) else []
    return strangers.shown("; ".join(text for text in map(strangers.text, listed[:10]) if text), most=1_000)
