"""The files that settings name: readable, kept from others, certificates that hold and match their keys."""

import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from producer import authorities, named_files
from producer.assignments.claims import is_session
from producer.checks import certificates
from producer.checks.verdict import Verdict, fail, ok, skipped, warn
from producer.named_files import AUTHORITIES, CERTIFICATE, PROXIES
from producer.secret_files import SecretUnusable
from producer.settings import SECRETS, Settings, variable
from producer.webcast.logins import Logins

KEY = "_key_file"
SOON = timedelta(days=14)
MOST_BYTES = 4 * 1024 * 1024
"""Of a file that is looked at: a system's authorities have 220 KB."""


async def check(settings: Settings) -> list[Verdict]:
    """Look at each file that a setting names, but for the list, which has a check of its own."""
    named = named_files.named(settings)
    folder = settings.sessions_directory
    if not named and folder is None:
        return [skipped("no setting names one")]
    problems = [verdict for name, path in named.items() for verdict in _file(name, path, now=datetime.now(UTC))]
    if not any(verdict.state == "fail" for verdict in problems):
        advice = "give the key that the certificate was issued for, without a passphrase"
        problems += [fail(problem, advice) for problem in named_files.mismatches(named)]
    sessions = _sessions(folder) if folder is not None else {}
    problems += [verdict for found in sessions.values() for verdict in found]
    return problems or [ok(f"{len(named) + len(sessions)} can be used")]


async def trusted(_: Settings) -> list[Verdict]:
    """Look at the files of authorities that the environment names to every program."""
    authorities.refuse_unusable(os.environ)
    named = [name for name in (authorities.FILE, authorities.FOLDERS) if os.environ.get(name)]
    return [ok(f"{' and '.join(named)} can be read" if named else "the environment names none")]


def _file(name: str, path: Path, *, now: datetime) -> Iterator[Verdict]:
    if problem := named_files.unusable(name, path):
        yield fail(problem, _remedy(name))
        return
    if (name in SECRETS or name.endswith((KEY, PROXIES))) and path.stat().st_mode & stat.S_IROTH:
        yield warn(f"{variable(name)}={path} may be read by everybody", f"take that away: chmod o-rwx {path}")
    if name.endswith((AUTHORITIES, CERTIFICATE)):
        yield from _validity(name, path, now=now)


def _remedy(name: str) -> str:
    """What to do about a file that cannot be used."""
    if name in SECRETS:
        return "write the secret into it, on one line, for this process's user to read"
    if name == PROXIES:
        return "write the proxies into it, a URL a line, for this process's user to read"
    return "mount the PEM file there, for this process's user to read"


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
        yield warn(f"a session cannot be used: {problem}", "write `sessionid=…; tt-target-idc=…` into it, on one line")
        return
    if not is_session(name):
        yield warn(f"no entry can name the session {path}", "name it with small letters, digits, and . _ -")
    if open_to_all:
        yield warn(f"the session {path} may be read by everybody", f"take that away: chmod o-rwx {path}")


def _validity(name: str, path: Path, *, now: datetime) -> Iterator[Verdict]:
    label = f"{variable(name)}={path}"
    try:
        with path.open("rb") as file:
            ends = certificates.ends(file.read(MOST_BYTES))
    except (OSError, ValueError):
        return  # OpenSSL judges whether it is one
    # A chain is as good as its weakest; of a bundle of authorities, one that holds may be the one that is needed.
    end = max(ends) if name.endswith(AUTHORITIES) else min(ends)
    if end <= now:
        yield fail(f"{label} has expired: {end:%Y-%m-%d %H:%M} UTC", "replace it; workers read it again")
    elif end - now < SOON:
        yield warn(f"{label} expires within {SOON.days} days: {end:%Y-%m-%d %H:%M} UTC", "have it replaced")
