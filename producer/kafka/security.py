"""How Kafka's connections are secured: certificates and secrets from files that may be replaced while we run.

A password is read for each new client, a token for each connection, a certificate for each handshake after its file
changed. Whoever rotates one keeps the old one valid until then.
"""

import asyncio
import re
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from aiokafka.abc import AbstractTokenProvider
from aiokafka.errors import KafkaError

from producer import addresses, answers, logs, strangers
from producer.errors import StartRefused
from producer.settings import Settings, secret
from producer.strangers import Unreadable

TOKEN_SECONDS = 10.0
"""How long the token endpoint may take."""
TOKEN_BYTES = 64 * 1024
"""Of the endpoint's answer."""
TOKEN_PART = 0.8
"""A token is used for this part of its life, so that the clocks of three machines may differ a little."""
TOKEN_DEFAULT_SECONDS = 300.0
"""The life of a token whose endpoint does not say (RFC 6749, section 5.1, only recommends expires_in)."""
LONGEST_LIFE_SECONDS = 10**9
TOKEN_LETTERS = re.compile(r"[A-Za-z0-9._~+/-]+=*")
"""RFC 6750, section 2.1."""


class NoToken(KafkaError):  # type: ignore[misc]  # the base has no types
    """No OAuth token could be had, so nothing was said to Kafka."""

    def __str__(self) -> str:
        return str(self.args[0])  # the base puts the type's name before it


def options(settings: Settings) -> dict[str, Any]:
    """What aiokafka's clients are given. Reads the files that the settings name; raises StartRefused."""
    chosen: dict[str, Any] = {"security_protocol": settings.kafka_security_protocol}
    try:
        if settings.kafka_security_protocol.endswith("SSL"):
            chosen["ssl_context"] = _Trust.of(settings)
        if settings.kafka_security_protocol.startswith("SASL"):
            chosen["sasl_mechanism"] = settings.kafka_sasl_mechanism
            if settings.kafka_sasl_mechanism == "OAUTHBEARER":
                chosen["sasl_oauth_token_provider"] = _tokens(settings)
            elif settings.kafka_sasl_password_file is not None:
                chosen["sasl_plain_username"] = settings.kafka_sasl_username
                chosen["sasl_plain_password"] = secret("kafka_sasl_password_file", settings.kafka_sasl_password_file)
    except OSError as cause:  # an SSLError is one
        raise StartRefused(f"a file that the Kafka settings name cannot be used: {cause}") from cause
    return chosen


class _Trust(ssl.SSLContext):
    """A context that reads its files again, for the next handshake, once one of them has changed."""

    _files: tuple[Path, ...]
    _read: Callable[[], ssl.SSLContext]
    _current: ssl.SSLContext
    _seen: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, settings: Settings) -> "_Trust":
        def read() -> ssl.SSLContext:
            context = ssl.create_default_context(cafile=settings.kafka_tls_ca_file)
            if settings.kafka_tls_certificate_file is not None:
                context.load_cert_chain(settings.kafka_tls_certificate_file, settings.kafka_tls_key_file, password="")
            return context

        files = (settings.kafka_tls_ca_file, settings.kafka_tls_certificate_file, settings.kafka_tls_key_file)
        trust = cls(ssl.PROTOCOL_TLS_CLIENT)
        trust._files = tuple(file for file in files if file is not None)
        trust._read = read
        trust._seen = trust._look()
        trust._current = read()
        return trust

    def wrap_bio(self, *arguments: Any, **more: Any) -> ssl.SSLObject:
        """Begin a handshake: this is how asyncio asks."""
        try:
            seen = self._look()
            if seen != self._seen:
                self._current = self._read()
                self._seen = seen
                logs.get().info("TLS files read again", files=[str(file) for file in self._files])
        except OSError as problem:
            # Half of a pair may be in place already; the next handshake looks again.
            logs.get().warning("TLS files cannot be used; the former ones are", problem=str(problem))
        return self._current.wrap_bio(*arguments, **more)

    def _look(self) -> tuple[tuple[int, int], ...]:
        """Through links too: Kubernetes replaces a mounted secret by moving a link."""
        return tuple((found.st_mtime_ns, found.st_ino) for found in (file.stat() for file in self._files))


def _tokens(settings: Settings) -> AbstractTokenProvider:
    if settings.kafka_oauth_token_file is not None:
        secret("kafka_oauth_token_file", settings.kafka_oauth_token_file)
        return _FileToken(settings.kafka_oauth_token_file)
    url, client_id, secret_file = (
        settings.kafka_oauth_token_url,
        settings.kafka_oauth_client_id,
        settings.kafka_oauth_client_secret_file,
    )
    if url is None or client_id is None or secret_file is None:
        raise StartRefused("OAUTHBEARER has neither a token file nor a token endpoint")
    return EndpointToken(
        url,
        client_id=client_id,
        secret=secret("kafka_oauth_client_secret_file", secret_file),
        scope=settings.kafka_oauth_scope,
        trust=ssl.create_default_context(cafile=settings.kafka_oauth_ca_file),
    )


class _FileToken(AbstractTokenProvider):  # type: ignore[misc]  # the base has no types
    """A token that somebody else keeps fresh, as Kubernetes does with a projected service account's."""

    def __init__(self, file: Path) -> None:
        self._file = file

    async def token(self) -> str:
        try:
            return secret("kafka_oauth_token_file", self._file)
        except StartRefused as refused:
            raise NoToken(str(refused)) from None


class EndpointToken(AbstractTokenProvider):  # type: ignore[misc]  # the base has no types
    """Tokens by the client credentials grant (RFC 6749, section 4.4), each kept for a part of its life."""

    def __init__(
        self,
        url: str,
        *,
        client_id: str,
        secret: str,
        scope: str | None,
        trust: ssl.SSLContext | bool,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._url = url
        self._shown = addresses.without_query(url)
        self._client = client_id, secret
        self._form = {"grant_type": "client_credentials"} | ({"scope": scope} if scope else {})
        self._trust = trust
        self._transport = transport
        self._token = ""
        self._until = float("-inf")
        self._lock = asyncio.Lock()

    async def token(self) -> str:
        """Give the token that lives, or fetch another. Raises NoToken."""
        async with self._lock:
            if time.monotonic() >= self._until:
                self._token, seconds = await self.fetch()
                self._until = time.monotonic() + TOKEN_PART * seconds
            return self._token

    async def fetch(self) -> tuple[str, float]:
        """Fetch a token, and the seconds for which it lives. Raises NoToken."""
        try:
            async with answers.client(trust=self._trust, at_once=1, transport=self._transport) as web:
                answer = await answers.ask(
                    web,
                    "POST",
                    self._url,
                    most_bytes=TOKEN_BYTES,
                    seconds=TOKEN_SECONDS,
                    data=self._form,
                    auth=self._client,
                )
        except (answers.NoAnswer, Unreadable) as problem:
            raise NoToken(f"the token endpoint {self._shown} cannot be used: {problem}") from problem
        return read_token(self._shown, answer)


def read_token(endpoint: str, answer: answers.Answer) -> tuple[str, float]:
    """The token in an endpoint's answer, and the seconds for which it lives. Raises NoToken."""
    said = answer.object() or {}
    if answer.status != httpx.codes.OK:
        # The error code (RFC 6749, section 5.2); the rest of its answer may be anything.
        code = strangers.text(said.get("error"), most=80)
        why = f" ({strangers.shown(code)})" if code else ""
        raise NoToken(f"the token endpoint {endpoint} answered {answer.status}{why}")
    token = said.get("access_token")
    if not isinstance(token, str) or not TOKEN_LETTERS.fullmatch(token):
        raise NoToken(f"the token endpoint {endpoint} gave no access token")
    return token, _life(said.get("expires_in"))


def _life(expires_in: object) -> float:
    """Seconds for which a token lives: a number, which some send as digits."""
    stated: float | None
    match expires_in:
        case str():
            stated = strangers.decimal_seconds(expires_in)
        case float():
            stated = expires_in if 0 <= expires_in < LONGEST_LIFE_SECONDS else None
        case _:
            stated = strangers.integer(expires_in, least=0, most=LONGEST_LIFE_SECONDS)
    return TOKEN_DEFAULT_SECONDS if stated is None else float(stated)
