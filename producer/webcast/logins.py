"""Sessions of accounts, which TikTok wants for rooms that it does not show to everybody: a file each, in one folder.

A file is one line, as a browser shows the header Cookie: `sessionid=…; tt-target-idc=…`. Facts: doors sheet section 5.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

from producer import secret_files
from producer.secret_files import SecretUnusable
from producer.strangers import Unreadable

SESSION_ID, DATA_CENTRE = "sessionid", "tt-target-idc"
TWINS = (SESSION_ID, "sessionid_ss", "sid_tt")
"""Names under which a browser has the same value."""
_ID = re.compile(r"[0-9A-Za-z%._-]{8,256}")
_CENTRE = re.compile(r"[a-z0-9-]{2,32}")


@dataclass(frozen=True, slots=True)
class Login:
    """An account's session, good in one data centre."""

    session_id: str = field(repr=False)
    data_centre: str

    @property
    def pair(self) -> str:
        """The least that it takes, for others to log in with."""
        return f"{SESSION_ID}={self.session_id}; {DATA_CENTRE}={self.data_centre}"

    @property
    def cookie(self) -> str:
        """What stands behind a visitor's cookie."""
        return "; ".join((*(f"{name}={self.session_id}" for name in TWINS), f"{DATA_CENTRE}={self.data_centre}"))


@dataclass(frozen=True, slots=True)
class Logins:
    """Where sessions are, and who is shown them."""

    folder: Path | None = None
    doors: frozenset[str] = frozenset()
    """Doors that may carry one."""

    def read(self, name: str) -> Login:
        """Read a session, each time, since it rotates. Raises SecretUnusable."""
        if self.folder is None:
            raise SecretUnusable(Path(name), "is in no folder: PRODUCER_SESSIONS_DIRECTORY is not set")
        path = self.folder / name
        try:
            return read_login(secret_files.read(path))
        except Unreadable as problem:
            raise SecretUnusable(path, str(problem)) from None


def read_login(line: str) -> Login:
    """Read a session as it stands in its file; other cookies are passed over. Raises Unreadable, quoting nothing."""
    pairs = [(name.strip(), value.strip()) for name, _, value in (each.partition("=") for each in line.split(";"))]
    found: dict[str, str] = {}
    for wanted, form in ((SESSION_ID, _ID), (DATA_CENTRE, _CENTRE)):
        values = {value for name, value in pairs if name == wanted}
        if not values:
            raise Unreadable(f"has no {wanted}: write `{SESSION_ID}=…; {DATA_CENTRE}=…` into it")
        if len(values) > 1:
            raise Unreadable(f"has {wanted} more than once")
        [found[wanted]] = values
        if not form.fullmatch(found[wanted]):
            raise Unreadable(f"has a {wanted} that can be none")
    return Login(found[SESSION_ID], found[DATA_CENTRE])
