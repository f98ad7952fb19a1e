"""The files that settings name, as `producer check` and whoever uses them look at them: the same, in the same words."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from traceback import format_exception
from typing import Any

import pytest
import trustme
from cryptography.hazmat.primitives import serialization

from producer import backoff, entrance
from producer.checks import files
from producer.delivery.clients import Clients
from producer.delivery.registry import Access, Registry
from producer.errors import StartRefused
from producer.events import schemas
from producer.kafka import security
from producer.settings import Settings, from_environ

LEAST = {"PRODUCER_UPSTREAM": "http://127.0.0.1:8100", "PRODUCER_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9092"}
SASL = {"KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT"}
PASSWORD = SASL | {"KAFKA_SASL_MECHANISM": "PLAIN", "KAFKA_SASL_USERNAME": "worker"}
TOKEN = SASL | {"KAFKA_SASL_MECHANISM": "OAUTHBEARER"}
OIDC = TOKEN | {"KAFKA_OAUTH_TOKEN_URL": "https://idp.test/", "KAFKA_OAUTH_CLIENT_ID": "worker"}


def connect(chosen: Settings) -> None:
    """As each Kafka client begins."""
    security.options(chosen)


def ask(chosen: Settings) -> None:
    """As each question to the registry begins."""

    async def main() -> None:
        access = Access(
            username=chosen.schema_registry_username,
            password_file=chosen.schema_registry_password_file,
            token_file=chosen.schema_registry_token_file,
        )
        async with Registry("http://127.0.0.1:9", access) as registry:
            await registry.check(schemas.events()["gift"], "t")

    asyncio.run(main())


@pytest.mark.parametrize(
    ("name", "more", "use", "in_header"),
    [
        ("KAFKA_SASL_PASSWORD_FILE", PASSWORD, connect, False),
        ("KAFKA_OAUTH_TOKEN_FILE", TOKEN, connect, True),
        ("KAFKA_OAUTH_CLIENT_SECRET_FILE", OIDC, connect, False),
        ("SCHEMA_REGISTRY_TOKEN_FILE", {}, ask, True),
        ("SCHEMA_REGISTRY_PASSWORD_FILE", {"SCHEMA_REGISTRY_USERNAME": "worker"}, ask, False),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_secret_that_cannot_be_used_is_said_alike_and_never_quoted(
    name: str, more: dict[str, str], use: Callable[[Settings], None], in_header: bool, tmp_path: Path
) -> None:
    secret = "yranac"[::-1]
    file = tmp_path / "secret"
    os.mkfifo(tmp_path / "pipe")
    given = {f"PRODUCER_{key}": value for key, value in more.items()}
    said = {"": "is empty", f"{secret}\nX: 1": "cannot be used: letter 7 is a line break"}
    if in_header:
        said[f"{secret}ü"] = "cannot be used: letter 7 is not ASCII"
    places: list[tuple[Path, str | None, str]] = [(file, content, problem) for content, problem in said.items()]
    places += [(tmp_path / "pipe", None, "is no regular file"), (tmp_path / "none", None, "cannot be read: No such")]

    for path, content, problem in places:
        if content is not None:
            file.write_text(content)
            file.chmod(0o600)
        chosen = from_environ(LEAST | given | {f"PRODUCER_{name}": str(path)})
        with pytest.raises(StartRefused) as refused:
            use(chosen)
        [found, *_] = asyncio.run(files.check(chosen))

        assert str(refused.value).startswith(f"PRODUCER_{name}: {path} {problem}")
        assert secret not in "".join(format_exception(refused.value))
        assert (found.state, found.found) == ("fail", str(refused.value))


def test_a_secret_that_can_be_used_is_no_finding_and_one_that_others_may_read_is(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("key\n")
    chosen = from_environ(LEAST | {"PRODUCER_SIGN_API_KEY_FILE": str(file)})

    file.chmod(0o600)
    assert [verdict.state for verdict in asyncio.run(files.check(chosen))] == ["ok"]
    file.chmod(0o604)
    assert [verdict.state for verdict in asyncio.run(files.check(chosen))] == ["warn"]


def test_a_pipe_is_no_certificate_and_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    chosen = from_environ(LEAST | {"PRODUCER_KAFKA_TLS_CA_FILE": str(tmp_path / "pipe")})

    [verdict] = asyncio.run(files.check(chosen))

    assert (verdict.state, verdict.found.endswith("pipe, which is no regular file")) == ("fail", True)


def test_a_secret_that_is_bad_for_a_moment_is_read_again_while_a_worker_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backoff, "delay", lambda *_: 0.0)
    file = tmp_path / "password"
    file.write_text("half\nwritten")
    given = {f"PRODUCER_{key}": value for key, value in PASSWORD.items()}
    chosen = from_environ(LEAST | given | {"PRODUCER_KAFKA_SASL_PASSWORD_FILE": str(file)})
    met: list[str] = []

    def not_reached(cause: str) -> None:
        met.append(cause)
        if len(met) == 2:
            file.write_text("whole")

    async def connect() -> Any:
        return security.options(chosen)["sasl_plain_password"]

    async def main() -> object:
        clients = Clients(connect, connected=lambda _: None, not_reached=not_reached, patience_seconds=5)
        return (await clients.get(apart=False)).client

    assert asyncio.run(main()) == "whole"
    assert met == ["other", "other"]


def test_a_key_with_a_passphrase_is_refused_and_nobody_is_asked_for_it(tmp_path: Path) -> None:
    """OpenSSL would ask on the terminal, and wait."""
    issued = trustme.CA().issue_cert("worker")
    key = serialization.load_pem_private_key(issued.private_key_pem.bytes(), None)
    (tmp_path / "certificate").write_bytes(issued.cert_chain_pems[0].bytes())
    (tmp_path / "key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"open sesame"),
        )
    )
    (tmp_path / "key").chmod(0o600)
    tls = {f"PRODUCER_KAFKA_TLS_{name.upper()}_FILE": str(tmp_path / name) for name in ("certificate", "key")}
    chosen = from_environ(LEAST | tls | {"PRODUCER_KAFKA_SECURITY_PROTOCOL": "SSL"})

    with pytest.raises(StartRefused, match="a file that the Kafka settings name cannot be used"):
        security.options(chosen)
    [verdict] = asyncio.run(files.check(chosen))

    assert (verdict.state, verdict.advice.endswith("without a passphrase")) == ("fail", True)


def test_each_session_is_read_as_a_worker_reads_it_and_never_quoted(tmp_path: Path) -> None:
    for name, content, mode in (
        ("adults.one", "sessionid=yranac0011; tt-target-idc=useast2a", 0o600),
        ("no_centre", "sessionid=yranac0011", 0o600),
        ("open", "sessionid=yranac0011; tt-target-idc=useast2a", 0o604),
        ("Upper", "sessionid=yranac0011; tt-target-idc=useast2a", 0o600),
    ):
        (tmp_path / name).write_text(content)
        (tmp_path / name).chmod(mode)
    (tmp_path / "..data").mkdir()
    chosen = from_environ(LEAST | {"PRODUCER_SESSIONS_DIRECTORY": str(tmp_path)})

    found = asyncio.run(files.check(chosen))

    assert [(verdict.state, verdict.found) for verdict in found] == [
        ("warn", f"no entry can name the session {tmp_path}/Upper"),
        (
            "warn",
            f"a session cannot be used: {tmp_path}/no_centre has no tt-target-idc: write "
            "`sessionid=…; tt-target-idc=…` into it",
        ),
        ("warn", f"the session {tmp_path}/open may be read by everybody"),
    ]
    for name in ("no_centre", "open", "Upper"):
        (tmp_path / name).unlink()
    assert [(each.state, each.found) for each in asyncio.run(files.check(chosen))] == [("ok", "1 can be used")]


def test_a_folder_of_sessions_that_is_not_there_is_a_finding_and_refuses_the_start(tmp_path: Path) -> None:
    chosen = from_environ(LEAST | {"PRODUCER_SESSIONS_DIRECTORY": str(tmp_path / "none")})

    [verdict] = asyncio.run(files.check(chosen))

    assert (verdict.state, verdict.found.endswith("none cannot be read: No such file or directory")) == ("fail", True)
    with pytest.raises(StartRefused, match="none is no folder that can be read"):
        entrance.logins(chosen)
