"""How a schema registry is reached: who we are, whom we trust, and how often it is asked while it is unwell.

What a registry says is a stranger's: bounded in time and in size, and never trusted to have a shape.
"""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from random import random
from typing import Any, Literal, NoReturn, Self

import httpx

from producer import answers, backoff, logs, strangers
from producer.errors import StartRefused
from producer.settings import Settings, secret
from producer.strangers import Unreadable

CONTENT_TYPE = "application/vnd.schemaregistry.v1+json"
ANSWER_SECONDS = 30.0
"""For a whole answer: a registry that wakes up, or reads its own topic, takes its time."""
ANSWER_BYTES = 4 * 1024 * 1024
AT_ONCE = 8
UNAUTHORIZED, FORBIDDEN, MISSING, TOO_MANY, UNWELL = 401, 403, 404, 429, 500
NOT_FOUND = frozenset({40401, 40402, 40403, 40408})
"""Its error codes for a subject, version, schema or a subject's own compatibility that is not there."""

Strategy = Literal["topic_name", "record_name", "topic_record_name"]


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
class Answer:
    """What a registry answered: its status, and the JSON object in it, which is empty where there is none."""

    status: int
    said: Mapping[str, Any]
    is_object: bool
    date: str | None
    asked_to_wait: float | None

    @classmethod
    def read(cls, answer: answers.Answer) -> Self:
        """Read what was answered, whatever it is."""
        said = answer.object()
        after, date = answer.header("retry-after"), answer.header("date")
        wait = strangers.decimal_seconds(after)
        return cls(
            answer.status,
            said or {},
            said is not None,
            date,
            wait if wait is not None else strangers.seconds_between(after, date),
        )

    @property
    def fine(self) -> bool:
        """Whether it is what was asked for."""
        return 200 <= self.status < 300 and self.is_object

    @property
    def absent(self) -> bool:
        """Whether it says that there is no such thing."""
        return self.status == MISSING and self.code in NOT_FOUND

    @property
    def code(self) -> int | None:
        """Its own code for what is wrong; None where it names none."""
        return strangers.integer(self.said.get("error_code")) if self.status >= 400 else None

    @property
    def message(self) -> str:
        """What it says is wrong, as it may be shown."""
        return strangers.shown(strangers.text(self.said.get("message")) or "without a word", most=500)

    @property
    def words(self) -> str:
        """The same with its status and its code."""
        return f"{self.status} {self.message}" + (f" (its error code {self.code})" if self.code is not None else "")


class Door:
    """One registry's HTTP; use it as an async context manager. Every method raises StartRefused."""

    def __init__(self, url: str, access: Access, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.url = url
        self._access = access
        self._said = 0
        """The attempt that was logged last, since there was an answer."""
        self._web = answers.client(
            trust=_trust(access) if url.startswith("https") else False,
            at_once=AT_ONCE,
            transport=transport,
        )

    async def close(self) -> None:
        """Close its connections."""
        await self._web.aclose()

    async def ask(self, method: str, path: str, body: Mapping[str, str] | None = None) -> Answer:
        """Ask, and again while it is only unwell; whatever it answers otherwise is returned."""
        clock = asyncio.get_running_loop().time
        give_up = clock() + self._access.patience_seconds
        attempt = 0
        while True:
            attempt += 1
            asked_to_wait = None
            try:
                answer = await self.once(method, path, body)
            except answers.NoAnswer as cause:
                problem = f"cannot be used: {cause}"
            else:
                if answer.status != TOO_MANY and answer.status < UNWELL:
                    self._said = 0
                    return answer
                problem, asked_to_wait = f"refused {method} {path}: {answer.words}", answer.asked_to_wait
            wait = backoff.delay(attempt, random(), retry_after_seconds=asked_to_wait)
            if clock() + wait > give_up:
                tries = f" ({attempt} times)" if attempt > 1 else ""
                raise StartRefused(f"PRODUCER_SCHEMA_REGISTRY_URL={self.url} {problem}{tries}")
            if attempt > self._said:  # the other questions under way meet the same
                self._said = attempt
                logs.get().warning(
                    "schema registry asked again", problem=problem, attempt=attempt, seconds=round(wait, 1)
                )
            await asyncio.sleep(wait)

    async def once(self, method: str, path: str, body: Mapping[str, str] | None = None) -> Answer:
        """Ask once. Raises answers.NoAnswer, too."""
        headers = {"Accept": CONTENT_TYPE, "Content-Type": CONTENT_TYPE} | _credentials(self._access)
        try:
            answer = await answers.ask(
                self._web,
                method,
                f"{self.url.rstrip('/')}{path}",
                headers=headers,
                json=body,
                most_bytes=ANSWER_BYTES,
                seconds=ANSWER_SECONDS,
            )
        except Unreadable as cause:
            raise StartRefused(
                f"PRODUCER_SCHEMA_REGISTRY_URL={self.url} cannot be used, for its answer cannot be read: {cause}"
            ) from cause
        return Answer.read(answer)

    def refuse(self, method: str, path: str, answer: Answer) -> NoReturn:
        """Say why an answer cannot be gone on with."""
        if answer.status == UNAUTHORIZED:
            raise StartRefused(
                f"PRODUCER_SCHEMA_REGISTRY_URL={self.url} refused our credentials: {answer.words}; "
                "see PRODUCER_SCHEMA_REGISTRY_USERNAME, _PASSWORD_FILE and _TOKEN_FILE"
            )
        if answer.status == FORBIDDEN:
            raise StartRefused(
                f"PRODUCER_SCHEMA_REGISTRY_URL={self.url} does not allow {method} {path}: {answer.words}"
            )
        if not 200 <= answer.status < 300:
            raise StartRefused(f"PRODUCER_SCHEMA_REGISTRY_URL={self.url} refused {method} {path}: {answer.words}")
        raise StartRefused(f"PRODUCER_SCHEMA_REGISTRY_URL={self.url} cannot be used: it answered no JSON object")


def _credentials(access: Access) -> dict[str, str]:
    """The header that says who we are."""
    if access.token_file is not None:
        token = secret("schema_registry_token_file", access.token_file)
        return {"Authorization": f"Bearer {token}"}
    if access.username is not None and access.password_file is not None:
        password = secret("schema_registry_password_file", access.password_file)
        request = httpx.Request("GET", "http://registry")
        next(httpx.BasicAuth(access.username, password).auth_flow(request))
        return {"Authorization": request.headers["Authorization"]}
    return {}


def _trust(access: Access) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=access.ca_file)
        if access.certificate_file is not None:
            context.load_cert_chain(access.certificate_file, access.key_file, password="")
    except OSError as cause:  # an SSLError is one
        raise StartRefused(f"a file that the registry's settings name cannot be used: {cause}") from cause
    return context
