"""The files that settings name: readable, kept from others, certificates that hold and match their keys."""

import errno
import os
import ssl
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from producer import authorities
from producer.assignments.claims import is_session
from producer.checks import certificates
from producer.checks.verdict import Verdict, fail, ok, skipped, warn
from producer.errors import StartRefused
from producer.secret_files import SecretUnusable
from producer.settings import SECRETS, TOGETHER, Settings, proxy_list, secret, variable
from producer.webcast.logins import Logins

KEY = "_key_file"
PROXIES = "proxies_file"
AUTHORITIES = "ca_file"
CERTIFICATE = "_certificate_file"
SOON = timedelta(days=14)
MOST_BYTES = 4 * 1024 * 1024
"""Of a file that is looked at: a system's authorities have 220 KB."""


async def check(settings: Settings) -> list[Verdict]:
    """Look at each file that a setting names, but for the list, which has a check of its own."""
    named = {
        name: path
        for name in Settings.model_fields
        if name.endswith("_file") and name != "assignments_file" and isinstance(path := getattr(settings, name), Path)
    }
    folder = settings.sessions_directory
    if not named and folder is None:
        return [skipped("no setting names one")]
    problems = [verdict for name, path in named.items() for verdict in _file(name, path, now=datetime.now(UTC))]
    problems += [verdict for pair in _pairs(named) for verdict in _match(*pair, named)]
    sessions = _sessions(folder) if folder is not None else {}
    problems += [verdict for found in sessions.values() for verdict in found]
    return problems or [ok(f"{len(named) + len(sessions)} can be used")]


async def trusted(_: Settings) -> list[Verdict]:
    """Look at the files of authorities that the environment names to every program."""
    authorities.refuse_unusable(os.environ)
    named = [name for name in (authorities.FILE, authorities.FOLDERS) if os.environ.get(name)]
    return [ok(f"{' and '.join(named)} can be read" if named else "the environment names none")]


def _file(name: str, path: Path, *, now: datetime) -> Iterator[Verdict]:
    label = f"{variable(name)}={path}"
    content = b""
    try:
        if name in SECRETS:
            secret(name, path)
        elif name == PROXIES:
            proxy_list(path)
        else:
            content = _content(path)
        mode = path.stat().st_mode
    except StartRefused as refused:
        how = "a URL a line" if name == PROXIES else "on one line"
        yield fail(str(refused), f"write the secret into it, {how}, for this process's user to read")
        return
    except OSError as problem:
        yield fail(f"{label} cannot be read: {problem.strerror}", "mount it, or let this process's user read it")
        return
    if (name in SECRETS or name.endswith((KEY, PROXIES))) and mode & stat.S_IROTH:
        yield warn(f"{label} may be read by everybody", f"take that away: chmod o-rwx {path}")
    if name.endswith((AUTHORITIES, CERTIFICATE)):
        yield from _validity(name, label, content, now=now)


def _sessions(folder: Path) -> dict[str, list[Verdict]]:
    """What is wrong with each file of the folder of sessions; Kubernetes keeps what begins with a dot to itself."""
    label = f"{variable('sessions_directory')}={folder}"
    try:
        names = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as problem:
        return {
            "": [fail(f"{label} cannot be read: {problem.strerror}", "mount it, or let this process's user read it")]
        }
    return {name: list(_session(folder, name)) for name in names}


def _session(folder: Path, name: str) -> Iterator[Verdict]:
    path = folder / name
    try:
        Logins(folder).read(name)
        open_to_all = path.stat().st_mode & stat.S_IROTH
    except (OSError, SecretUnusable) as problem:
        yield fail(f"a session cannot be used: {problem}", "write `sessionid=…; tt-target-idc=…` into it, on one line")
        return
    if not is_session(name):
        yield warn(f"no entry can name the session {path}", "name it with small letters, digits, and . _ -")
    if open_to_all:
        yield warn(f"the session {path} may be read by everybody", f"take that away: chmod o-rwx {path}")


def _content(path: Path) -> bytes:
    """A file of certificates; what is no file, such as a pipe, would be waited for."""
    if not path.is_file():
        raise OSError(errno.EINVAL, "it is no regular file")
    with path.open("rb") as file:
        return file.read(MOST_BYTES)


def _validity(name: str, label: str, content: bytes, *, now: datetime) -> Iterator[Verdict]:
    try:
        ends = certificates.ends(content)
    except ValueError as problem:
        yield fail(f"{label} is not a certificate in PEM: {problem}", "write the PEM file into it")
        return
    # A chain is as good as its weakest; of a bundle of authorities, one that holds may be the one that is needed.
    end = max(ends) if name.endswith(AUTHORITIES) else min(ends)
    if end <= now:
        yield fail(f"{label} has expired: {end:%Y-%m-%d %H:%M} UTC", "replace it; workers read it again")
    elif end - now < SOON:
        yield warn(f"{label} expires within {SOON.days} days: {end:%Y-%m-%d %H:%M} UTC", "have it replaced")


def _pairs(named: dict[str, Path]) -> list[tuple[str, str]]:
    return [(one, other) for one, other in TOGETHER if one.endswith(CERTIFICATE) and one in named and other in named]


def _match(certificate: str, key: str, named: dict[str, Path]) -> Iterator[Verdict]:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(named[certificate], named[key], password="")
    except ssl.SSLError as problem:
        why = (problem.reason or str(problem)).replace("_", " ").lower()
        yield fail(
            f"{variable(certificate)} and {variable(key)} cannot be used together: {why}",
            "give the key that the certificate was issued for, without a passphrase",
        )
    except OSError:
        pass  # said of the file already
