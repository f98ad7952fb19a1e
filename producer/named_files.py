"""The files that settings name, read as they are once they are used: so a start is refused, and not a room later.

The list of streamers is not among them: it is read by whoever shares it out.
"""

import errno
import os
import ssl
from collections.abc import Iterator
from pathlib import Path

from producer import authorities
from producer.errors import StartRefused
from producer.settings import SECRETS, TOGETHER, Settings, proxy_list, secret, variable

AUTHORITIES = "ca_file"
CERTIFICATE = "_certificate_file"
PROXIES = "proxies_file"


def named(settings: Settings) -> dict[str, Path]:
    """The files by the settings that name them."""
    return {
        name: path
        for name in Settings.model_fields
        if name.endswith("_file") and name != "assignments_file" and isinstance(path := getattr(settings, name), Path)
    }


def refuse_unusable(settings: Settings) -> None:
    """Raise StartRefused, with a line for each file that cannot be used, be it needed or not."""
    files = named(settings)
    problems = [problem for name, path in files.items() if (problem := unusable(name, path))]
    if problems := problems or list(mismatches(files)):
        raise StartRefused("\n".join(problems))


def unusable(name: str, path: Path) -> str | None:
    """Why the file that a setting names cannot be used, in a line that names both; None where it can."""
    try:
        if name in SECRETS:
            secret(name, path)
        elif name == PROXIES:
            proxy_list(path)
        elif name.endswith(AUTHORITIES):
            authorities.refuse(variable(name), path)
        elif not path.is_file():  # a pipe would be waited for
            raise OSError(errno.EINVAL, "it is no regular file" if path.exists() else os.strerror(errno.ENOENT))
        else:
            path.open("rb").close()
    except StartRefused as refused:
        return str(refused)
    except OSError as problem:
        return f"{variable(name)}={path} cannot be read: {problem.strerror}"
    return None


def mismatches(files: dict[str, Path]) -> Iterator[str]:
    """Say of each certificate that cannot be used with its key why it cannot; both can be read."""
    for certificate, key in TOGETHER:
        if not (certificate.endswith(CERTIFICATE) and certificate in files and key in files):
            continue
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(files[certificate], files[key], password="")
        except OSError as problem:  # an SSLError is one
            why = (getattr(problem, "reason", None) or str(problem)).replace("_", " ").lower()
            yield f"{variable(certificate)} and {variable(key)} cannot be used together: {why}"
