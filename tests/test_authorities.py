"""producer.authorities: SSL_CERT_FILE and SSL_CERT_DIR, which OpenSSL passes over where it cannot read them."""

import os
import ssl
import subprocess
import sys
from pathlib import Path

import pytest
import trustme

from producer.authorities import context, refuse_unusable
from producer.errors import StartRefused
from producer.local.programs import without_settings

NOWHERE = "127.0.0.1:9"


def test_what_can_be_read_is_no_problem(tmp_path: Path) -> None:
    bundle, folder = tmp_path / "ca.pem", tmp_path / "certs"
    trustme.CA().cert_pem.write_to_path(bundle)
    folder.mkdir()

    refuse_unusable({})
    refuse_unusable({"SSL_CERT_FILE": "", "SSL_CERT_DIR": ""})
    refuse_unusable({"SSL_CERT_FILE": str(bundle), "SSL_CERT_DIR": f"{folder}:{tmp_path}"})


def test_each_problem_is_a_line_with_the_variable_and_the_path(tmp_path: Path) -> None:
    none, pipe, text, loop = (tmp_path / name for name in ("none", "pipe", "text", "loop"))
    os.mkfifo(pipe)
    text.write_text("no certificate")
    loop.symlink_to(loop)
    said = {
        ("SSL_CERT_FILE", none): "which cannot be read: No such file or directory",
        ("SSL_CERT_FILE", loop): "which cannot be read: Too many levels of symbolic links",
        ("SSL_CERT_FILE", pipe): "which is no regular file",
        ("SSL_CERT_FILE", tmp_path): "which is no regular file",
        ("SSL_CERT_FILE", text): "which has no certificate in PEM that can be read",
        ("SSL_CERT_DIR", none): "which cannot be read: No such file or directory",
        ("SSL_CERT_DIR", text): "which cannot be read: Not a directory",
    }

    found = {}
    for name, path in said:
        with pytest.raises(StartRefused) as refused:
            refuse_unusable({name: f"{path}"})
        found[name, path] = str(refused.value)

    assert found == {(name, path): f"{name} names {path}, {why}" for (name, path), why in said.items()}


def test_each_folder_of_several_is_looked_at(tmp_path: Path) -> None:
    with pytest.raises(StartRefused) as refused:
        refuse_unusable({"SSL_CERT_FILE": "/none/a", "SSL_CERT_DIR": f"{tmp_path}:/none/b:/none/c"})

    assert [line.split(",")[0] for line in str(refused.value).splitlines()] == [
        "SSL_CERT_FILE names /none/a",
        "SSL_CERT_DIR names /none/b",
        "SSL_CERT_DIR names /none/c",
    ]


def test_openssl_would_trust_nobody_and_say_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Why it is looked at. Where this fails, OpenSSL has learnt to say it."""
    monkeypatch.setenv("SSL_CERT_FILE", "/none")

    assert ssl.create_default_context().get_ca_certs() == []


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_a_start_is_refused_and_a_check_fails_in_one_sentence(name: str, tmp_path: Path) -> None:
    listed = tmp_path / "list.yaml"
    listed.write_text("streamers: [someone]\n")
    environ = without_settings(os.environ) | {
        "PRODUCER_UPSTREAM": "tiktok",
        "PRODUCER_KAFKA_BOOTSTRAP_SERVERS": NOWHERE,
        "PRODUCER_ASSIGNMENTS_FILE": str(listed),
        "PRODUCER_HTTP_PORT": "0",
        "SSL_CERT_FILE": "",
        "SSL_CERT_DIR": "",
        "HTTPS_PROXY": f"http://{NOWHERE}",  # in case that it asks the upstream after all
        name: "/none",
    }
    sentence = f"{name} names /none, which cannot be read: No such file or directory"

    run, check = (
        subprocess.run(
            [sys.executable, "-m", "producer", *command], env=environ, capture_output=True, timeout=120, check=False
        )
        for command in (["run"], ["check", "--upstream"])
    )

    assert (run.returncode, run.stdout, run.stderr.decode()) == (1, b"", f"producer: {sentence}\n")
    lines = check.stdout.decode().splitlines()
    assert check.returncode == 1
    assert [line for line in lines if "SSL_CERT" in line] == [
        f"fail    authorities     {sentence}; mount it, or unset the variable: nobody would be trusted"
    ]
    assert "skipped upstream        needs authorities, which failed" in lines
    assert check.stderr == b""


def test_a_file_of_authorities_is_trusted_alone(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    authority = trustme.CA()
    authority.cert_pem.write_to_path(file)

    trusted = context(file).get_ca_certs(binary_form=True)

    assert trusted == [ssl.PEM_cert_to_DER_cert(authority.cert_pem.bytes().decode())]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "which has no certificate in PEM that can be read"),
        (b"no certificate", "which has no certificate in PEM that can be read"),
        (None, "which cannot be read: No such file or directory"),
    ],
)
def test_a_file_without_authorities_refuses_the_start(tmp_path: Path, content: bytes | None, problem: str) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(StartRefused) as refused:
        context(file)

    assert str(refused.value) == f"PRODUCER_CA_FILE names {file}, {problem}"
