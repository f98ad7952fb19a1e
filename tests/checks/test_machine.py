"""`producer check` where settings, files, disk, limits or what is reached by HTTP are broken; no Kafka is needed."""

import asyncio
import os
import pty
import re
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme

from producer.checks import machine
from producer.checks.verdict import Verdict
from producer.delivery.spool_folder import SpoolFolder
from producer.local.programs import without_settings
from producer.settings import Settings
from tests.checks.doctor import NOWHERE, Found, amiss, assert_named, check, document, web_server
from tests.kafka.certificates import Authority

NO_KAFKA = Found("kafka", "fail", f"{NOWHERE} refuses connections")
UNWRITABLE = "/proc/sys" if os.geteuid() == 0 else "/"
"""Where not even we may make a file."""


def least(folder: Path) -> dict[str, Any]:
    """Settings of which everything is right but Kafka, where nobody listens."""
    names = folder / "list.yaml"
    names.write_text("streamers: [someone]\n")
    return {
        "upstream": f"http://{NOWHERE}",
        "kafka_bootstrap_servers": NOWHERE,
        "assignments_file": names,
        "max_streams": 10,
        "http_port": 0,
    }


def test_no_settings_at_all_are_named_one_by_one() -> None:
    assert_named(
        [
            Found("settings", "fail", "PRODUCER_KAFKA_BOOTSTRAP_SERVERS is not set"),
            Found("settings", "fail", "PRODUCER_UPSTREAM is not set"),
        ],
        settings={},
    )


def test_an_unknown_setting_is_named_with_the_one_that_was_meant(tmp_path: Path) -> None:
    assert_named(
        [Found("settings", "fail", "PRODUCER_MAX_STREAM is not a setting; did you mean PRODUCER_MAX_STREAMS?")],
        settings=least(tmp_path) | {"max_stream": 3},
    )


def test_what_needs_kafka_is_left_out_and_says_so(tmp_path: Path) -> None:
    status, whole = document(settings=least(tmp_path))

    states = {line["name"]: (line["state"], line["found"]) for line in whole["checks"]}
    assert status == 1
    assert [line.name for line in amiss(whole)] == ["kafka"]
    for name in ("brokers", "idempotence", "topics", "topic settings", "replication", "rights"):
        assert states[name] == ("skipped", "needs kafka, which failed")
    assert states["list"] == ("ok", "streamers: 1, enabled: 1")
    assert states["look-ups"][0] == "ok"
    assert not (tmp_path / "claims").exists()


@pytest.mark.parametrize(
    ("streamers", "settings", "state", "words"),
    [
        (
            30,
            {},
            "ok",
            "asks for each every 60 s while it knows nothing of them, and finds a live 30 s after its",
        ),
        (485, {}, "ok", "every 500 s while it knows nothing of them, and finds a live 250 s after"),
        (970, {}, "warn", "every 1000 s"),
        (970, {"lookups_per_second": 10}, "ok", "every 100 s"),
        (97, {"lookups_per_hour": 360}, "warn", "every 1000 s"),
        (97, {"lookups_per_hour": 360, "lookup_longest_seconds": 1000}, "ok", "every 1000 s"),
    ],
)
def test_how_soon_lives_are_found_is_said(
    tmp_path: Path, streamers: int, settings: dict[str, Any], state: str, words: str
) -> None:
    given = least(tmp_path) | {"max_streams": 1_000} | settings
    (tmp_path / "list.yaml").write_text("\n".join(["streamers:", *(f"- streamer_{n}" for n in range(streamers))]))

    _, whole = document(settings=given)

    [said] = [line for line in whole["checks"] if line["name"] == "look-ups"]
    assert said["state"] == state
    assert words in said["found"]


def expired(folder: Path) -> dict[str, Any]:
    certificate, key = Authority(folder / "ca").issue("worker", expired=True)
    key.chmod(0o600)
    return {"kafka_tls_certificate_file": certificate, "kafka_tls_key_file": key}


def expiring(folder: Path) -> dict[str, Any]:
    certificate = folder / "registry.pem"
    issued = trustme.CA().issue_cert("localhost", not_after=datetime.now(UTC) + timedelta(days=13))
    certificate.write_bytes(issued.cert_chain_pems[0].bytes())
    key = folder / "registry.key"
    key.write_bytes(issued.private_key_pem.bytes())
    key.chmod(0o600)
    return {"schema_registry_certificate_file": certificate, "schema_registry_key_file": key}


def of_another_key(folder: Path) -> dict[str, Any]:
    authority = Authority(folder / "ca")
    certificate, _ = authority.issue("worker")
    _, key = authority.issue("other")
    key.chmod(0o600)
    return {"kafka_tls_certificate_file": certificate, "kafka_tls_key_file": key, "kafka_tls_ca_file": authority.ca}


def no_certificate(folder: Path) -> dict[str, Any]:
    file = folder / "ca.pem"
    file.write_text("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n")
    return {"kafka_tls_ca_file": file}


def open_to_all(folder: Path) -> dict[str, Any]:
    file = folder / "key"
    file.write_text("an api key")
    file.chmod(0o644)
    return {"sign_api_key_file": file}


def bad_list(folder: Path) -> dict[str, Any]:
    file = folder / "bad.csv"
    file.write_text("unique_id,weight\nsomeone,heavy\n")
    return {"assignments_file": file}


def list_that_is_a_pipe(folder: Path) -> dict[str, Any]:
    os.mkfifo(folder / "pipe.yaml")
    return {"assignments_file": folder / "pipe.yaml"}


def file_for_a_folder(folder: Path) -> dict[str, Any]:
    (folder / "file").touch()
    return {"claims_directory": folder / "file"}


def planted_claims(folder: Path) -> dict[str, Any]:
    (folder / "claims").mkdir()
    (folder / "claims" / "someone.claim").symlink_to(folder / "list.yaml")
    os.mkfifo(folder / "claims" / "somebody.claim")
    return {"claims_directory": folder / "claims"}


def newer_spool(folder: Path) -> dict[str, Any]:
    spool = SpoolFolder(folder / "spool", max_bytes=1 << 24).own()
    spool.close()
    with closing(sqlite3.connect(spool.path)) as file:
        file.execute("PRAGMA user_version = 99")
    return {"spool_directory": folder / "spool"}


@dataclass(frozen=True, slots=True)
class Broken:
    """One thing that is wrong, and the line that must say so."""

    settings: Callable[[Path], dict[str, Any]]
    line: Found


BROKEN = {
    "a file that is not there": Broken(
        lambda folder: {"sign_api_key_file": folder / "none"},
        Found("files", "fail", "/none cannot be read: No such file or directory"),
    ),
    "an expired certificate": Broken(expired, Found("files", "fail", "has expired: ")),
    "a certificate that expires soon": Broken(expiring, Found("files", "warn", "expires within 14 days: ")),
    "a key of another certificate": Broken(
        of_another_key,
        Found(
            "files",
            "fail",
            "PRODUCER_KAFKA_TLS_CERTIFICATE_FILE and PRODUCER_KAFKA_TLS_KEY_FILE cannot be used together: "
            "key values mismatch",
        ),
    ),
    "no certificate": Broken(
        no_certificate, Found("files", "fail", "which has no certificate in PEM that can be read")
    ),
    "a secret that everybody may read": Broken(open_to_all, Found("files", "warn", "may be read by everybody")),
    "too few descriptors": Broken(
        lambda _: {"max_streams": 1_000_000_000},
        Found("descriptors", "warn", "PRODUCER_MAX_STREAMS=1000000000 takes 2000000000"),
    ),
    "a spool directory that is read-only": Broken(
        lambda _: {"spool_directory": f"{UNWRITABLE}/spool"},
        Found("spool", "warn", f"PRODUCER_SPOOL_DIRECTORY={UNWRITABLE}/spool cannot be written to"),
    ),
    "a spool of a newer version": Broken(newer_spool, Found("spool", "warn", "spool-0.db: format 99")),
    "a disk without room": Broken(
        lambda folder: {"spool_directory": folder, "spool_max_bytes": 10**18},
        Found("spool", "warn", "lower PRODUCER_SPOOL_MAX_BYTES"),
    ),
    "a bad list": Broken(bad_list, Found("list", "fail", "bad.csv: line 2: someone: weight must be a number above 0")),
    "claims where nobody may write": Broken(
        lambda _: {"claims_directory": f"{UNWRITABLE}/claims"}, Found("claims", "fail", "claims cannot be written")
    ),
    "a list that is a pipe": Broken(
        list_that_is_a_pipe, Found("list", "fail", "pipe.yaml cannot be read: it is no regular file")
    ),
    "a claims folder that is a file": Broken(file_for_a_folder, Found("claims", "fail", "claims cannot be written: ")),
    "claims that are none": Broken(
        planted_claims,
        Found(
            "claims",
            "warn",
            "has what cannot be a claim: somebody.claim: it is a pipe, someone.claim: it is a symbolic link; remove it",
        ),
    ),
    "a registry that is down": Broken(
        lambda _: {"schema_registry_url": f"http://{NOWHERE}"},
        Found("registry", "fail", f"PRODUCER_SCHEMA_REGISTRY_URL=http://{NOWHERE} cannot be used: ConnectError"),
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_broken_is_named_and_nothing_else(case: str, tmp_path: Path) -> None:
    broken = BROKEN[case]

    # In the order of the checks: what concerns this machine alone comes first.
    first = broken.line.name in ("files", "descriptors", "spool")
    expected = [broken.line, NO_KAFKA] if first else [NO_KAFKA, broken.line]
    assert_named(expected, settings=least(tmp_path) | broken.settings(tmp_path))


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        assert_named(
            [Found("port", "fail", f"cannot listen on 127.0.0.1:{port}"), NO_KAFKA],
            settings=least(tmp_path) | {"http_port": port},
        )


def test_a_default_port_in_use_is_no_trouble(tmp_path: Path) -> None:
    chosen = least(tmp_path) | {"http_host": "127.94.6.4"}  # an address of this machine's own that nobody uses
    del chosen["http_port"]

    with socket.create_server(("127.94.6.4", 9464)):
        [verdict] = asyncio.run(machine.port(Settings.model_validate(chosen)))

    assert verdict == Verdict(
        "ok", "port 9464 of 127.94.6.4 is in use; PRODUCER_HTTP_PORT is not set, so `run` takes a free one"
    )


@pytest.mark.parametrize(("off", "words"), [(-3600, "ahead of the registry's"), (3600, "behind the registry's")])
def test_a_clock_that_is_off_is_named(off: int, words: str, tmp_path: Path) -> None:
    with web_server([], clock_off=timedelta(seconds=off)) as url:
        assert_named(
            [
                NO_KAFKA,
                Found("registry", "fail", "run `producer schemas register`"),
                Found("clock", "warn", words),
            ],
            settings=least(tmp_path) | {"schema_registry_url": url},
        )


def test_the_upstream_is_asked_once_and_only_if_asked_for(tmp_path: Path) -> None:
    asked: list[str] = []
    with web_server(asked) as url:
        chosen = least(tmp_path) | {"upstream": url}
        assert_named([NO_KAFKA], settings=chosen)
        before = list(asked)
        assert_named([NO_KAFKA], "--upstream", settings=chosen)

    assert before == []
    assert asked == ["GET /"]


def test_an_upstream_a_sign_server_and_a_broker_that_cannot_be_reached_are_named(tmp_path: Path) -> None:
    assert_named(
        [
            NO_KAFKA,
            Found("upstream", "fail", f"http://{NOWHERE} cannot be reached"),
            Found("upstream", "fail", f"http://{NOWHERE}/sign cannot be reached"),
            Found("upstream", "fail", f"http://{NOWHERE}/broker cannot be reached"),
        ],
        "--upstream",
        settings=least(tmp_path)
        | {"doors": "sign,lease", "sign_url": f"http://{NOWHERE}/sign", "lease_url": f"http://{NOWHERE}/broker"},
    )


def test_the_upstream_is_asked_by_each_proxy_and_one_that_is_dead_is_named(tmp_path: Path) -> None:
    asked: list[str] = []
    file = tmp_path / "proxies"
    with web_server(asked) as url:
        file.write_text(f"http://me:yranac@{NOWHERE}\n{url}\n")  # a server that is asked for a whole URL is a proxy
        file.chmod(0o600)
        assert_named(
            [NO_KAFKA, Found("upstream", "fail", f"http://{NOWHERE} cannot be reached by {NOWHERE}: ConnectError")],
            "--upstream",
            settings=least(tmp_path) | {"proxies_file": file},
        )

    assert asked == [f"GET http://{NOWHERE}/"]


def test_a_list_of_proxies_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    file = tmp_path / "proxies"
    file.write_text("http://yranac@gate:1\n")
    file.chmod(0o600)
    assert_named(
        [
            Found("files", "fail", f"PRODUCER_PROXIES_FILE: {file}: line 1 names a user without a password"),
            NO_KAFKA,
        ],
        settings=least(tmp_path) | {"proxies_file": file},
    )


def test_no_secret_is_printed(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hunter2")
    chosen = least(tmp_path) | {
        "kafka_security_protocol": "SASL_PLAINTEXT",
        "kafka_sasl_mechanism": "PLAIN",
        "kafka_sasl_username": "somebody",
        "kafka_sasl_password_file": secret,
        "schema_registry_url": f"http://{NOWHERE}",
        "schema_registry_username": "somebody",
        "schema_registry_password_file": secret,
        "log_level": "debug",
    }

    for arguments in ((), ("--json",)):
        result = check(*arguments, settings=chosen)
        assert result.returncode == 1
        assert "hunter2" not in result.stdout + result.stderr


def test_elsewhere_than_on_a_terminal_a_finding_is_a_plain_line(tmp_path: Path) -> None:
    result = check(settings=least(tmp_path))

    lines = result.stdout.splitlines()
    assert lines[0] == "ok      settings        all can be read"
    assert all(re.match(r"(ok|warn|fail|skipped) +\w", line) for line in lines)
    assert [line for line in lines if line.startswith("fail")] == [
        f"fail    kafka           Kafka cannot be used: {NOWHERE} refuses connections, so nobody listens there, now "
        "or at all: look at PRODUCER_KAFKA_BOOTSTRAP_SERVERS; see docs/kafka-security.md"
    ]


def test_on_a_terminal_what_failed_is_in_colour(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    given = {f"PRODUCER_{name.upper()}": str(value) for name, value in least(tmp_path).items()}
    environ = without_settings(os.environ) | given | {"TERM": "xterm-256color", "NO_COLOR": ""}
    with os.fdopen(ours, "rb", buffering=0) as screen:
        process = subprocess.Popen([sys.executable, "-m", "producer", "check"], env=environ, stdout=theirs)
        os.close(theirs)
        shown = b""
        try:
            while part := screen.read(65536):
                shown += part
        except OSError:
            pass  # how Linux says that nobody writes any more
        assert process.wait(60) == 1

    assert b"\x1b[1;31mfail" in shown
