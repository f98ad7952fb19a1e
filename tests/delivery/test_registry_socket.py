"""producer.delivery.registry over real sockets: TLS both ways, and a registry that takes its time."""

import asyncio
import os
import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

from producer.delivery.registry import Access, Registry
from producer.errors import StartRefused
from producer.events import schemas

SLOW_SECONDS = float(os.environ.get("SLOW_REGISTRY_SECONDS", "0.1"))
ANSWER = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 8\r\nConnection: close\r\n\r\n{"id":7}'


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for this machine, its own authority, and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not here to make a certificate")
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=127.0.0.1",
            "-addext",
            "subjectAltName=IP:127.0.0.1",
            "-keyout",
            "key.pem",
            "-out",
            "certificate.pem",
        ],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    return folder / "certificate.pem", folder / "key.pem"


def ids(access: Access, context: ssl.SSLContext | None = None) -> dict[str, int]:
    """The ids of all our schemas, from a server that answers everything alike, slowly."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await reader.readexactly(int(length.split(b":")[1]))
        await asyncio.sleep(SLOW_SECONDS)
        writer.write(ANSWER)
        await writer.drain()
        writer.close()

    async def main() -> dict[str, int]:
        async with await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context) as server:
            port = server.sockets[0].getsockname()[1]
            async with Registry(f"http{'s' if context else ''}://127.0.0.1:{port}", access) as registry:
                return await registry.ids(schemas.events(), topic_prefix="p")

    return asyncio.run(main())


def test_a_slow_registry_is_waited_for() -> None:
    assert set(ids(Access())) == set(schemas.events())


def test_a_registry_is_trusted_by_its_authority(certificate: tuple[Path, Path]) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)

    assert ids(Access(ca_file=certificate[0]), context)["comment"] == 7
    with pytest.raises(StartRefused, match=r"cannot be used: ConnectError .*CERTIFICATE_VERIFY_FAILED"):
        ids(Access(), context)


def test_a_registry_may_ask_for_our_certificate(certificate: tuple[Path, Path]) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(certificate[0]))
    context.load_cert_chain(*certificate)
    context.verify_mode = ssl.CERT_REQUIRED
    known = Access(ca_file=certificate[0], certificate_file=certificate[0], key_file=certificate[1])

    assert ids(known, context)["comment"] == 7
    with pytest.raises(StartRefused, match="cannot be used: "):
        ids(Access(ca_file=certificate[0]), context)


def test_a_file_that_is_no_certificate_is_named(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")

    with pytest.raises(StartRefused, match="a file that the registry's settings name cannot be used"):
        Registry("https://127.0.0.1:1", Access(ca_file=tmp_path / "ca.pem"))
