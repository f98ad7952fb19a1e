"""Rooms that are shown to one account alone, and what is told of a session. Facts: doors sheet section 5; pure."""

from collections.abc import Collection
from hashlib import sha256

TWINS = ("sessionid", "sessionid_ss", "sid_tt")
"""Cookies that have the same value."""


class Adults:
    """Streamers whose rooms are for adults, and the account that is known to be one."""

    def __init__(self, names: Collection[str] = (), session: str = "") -> None:
        """`session` is a Cookie header with `sessionid` and `tt-target-idc`; empty where nobody is shown them."""
        self._names = frozenset(names)
        self._session = cookies(session)

    def keep_out(self, unique_id: str, cookie: str) -> bool:
        """Whether a room is not for who sends this Cookie header: the session, to its data centre."""
        if unique_id not in self._names:
            return False
        sent, session, centre = cookies(cookie), self._session.get("sessionid"), self._session.get("tt-target-idc")
        told = {sent.get(name) for name in TWINS}
        return session is None or told != {session} or sent.get("tt-target-idc") != centre


def hashes(*headers: str) -> set[str]:
    """The sessions in some Cookie headers, each as its hash."""
    found = {value for header in headers for name, value in cookies(header).items() if name in TWINS}
    return {sha256(session.encode()).hexdigest() for session in found}


def cookies(header: str) -> dict[str, str]:
    """The cookies of a header."""
    pairs = (pair.strip().partition("=") for pair in header.split(";"))
    return {name: value for name, equals, value in pairs if equals}
