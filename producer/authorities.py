"""Whom TLS trusts: by a file of the operator's, or by the environment's SSL_CERT_FILE and SSL_CERT_DIR.

OpenSSL and httpx read the latter by themselves. OpenSSL passes over what it cannot read and then trusts nobody, without
a word; httpx raises. So both are looked at before there is a client.
"""

import os
import ssl
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from producer.errors import StartRefused

FILE, FOLDERS = "SSL_CERT_FILE", "SSL_CERT_DIR"


def refuse_unusable(environ: Mapping[str, str]) -> None:
    """Raise StartRefused, with a line each, where one names what cannot be used; an empty one names nothing."""
    if problems := list(_problems(environ)):
        raise StartRefused("\n".join(problems))


def refuse(name: str, file: Path) -> None:
    """Raise StartRefused where the file that `name` names has no authorities that can be read."""
    if problem := _of_file(str(file)):
        raise StartRefused(f"{name} names {file}, {problem}")


def context(file: Path | None) -> ssl.SSLContext:
    """Trust the authorities in a file alone; without one, those of the system. Raises StartRefused."""
    if file is not None:
        refuse("PRODUCER_CA_FILE", file)
    made = ssl.create_default_context(cafile=file)
    made.set_alpn_protocols(["http/1.1"])  # as httpx does with a context that it is given
    return made


def _problems(environ: Mapping[str, str]) -> Iterator[str]:
    if (file := environ.get(FILE)) and (problem := _of_file(file)):
        yield f"{FILE} names {file}, {problem}"
    for folder in environ.get(FOLDERS, "").split(os.pathsep):
        if folder and (problem := _of_folder(folder)):
            yield f"{FOLDERS} names {folder}, {problem}"


def _of_file(path: str) -> str | None:
    try:
        if not stat.S_ISREG(Path(path).stat().st_mode):  # a pipe would be waited for
            return "which is no regular file"
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=path)
    except ssl.SSLError:
        return "which has no certificate in PEM that can be read"
    except OSError as problem:
        return f"which cannot be read: {problem.strerror}"
    return None


def _of_folder(path: str) -> str | None:
    try:
        next(Path(path).iterdir(), None)
    except OSError as problem:
        return f"which cannot be read: {problem.strerror}"
    return None
