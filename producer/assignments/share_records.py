"""How workers share out a key's calls, as records of the status topic; pure.

`share:` and the budget's name is the last grant; `need:`, that name, `@` and a worker's is what this worker says of
itself. They are no unique ids, so an older worker passes them over as ones that it cannot use. Values are JSON of
`shares.Grant` and `shares.Need`; no value: nothing is said.

Whoever may write to the topic is a stranger: what a record says is a value within bounds, or a ValueError.
"""

import json
import re
from dataclasses import asdict

from producer.assignments.doors import LATEST
from producer.assignments.shares import MOST_WORKERS, Grant, Need, Share
from producer.strangers import integer, json_object, text

GRANT = re.compile(rb"share:([a-z][a-z0-9_]{0,31})")
NEED = re.compile(rb"need:([a-z][a-z0-9_]{0,31})@([a-zA-Z0-9._-]{1,255})")
NEEDS = b"need:"
"""How the keys of what workers say of themselves begin; those of grants begin with another word."""
MOST = 2**31 - 1
MOST_NEED_BYTES = 4 * 1024
MOST_GRANT_BYTES = 1024 * 1024
MOST_MEMBER_LETTERS = 400


def grant_key(budget: str) -> bytes:
    """The key of a budget's grants."""
    return f"share:{budget}".encode()


def need_key(budget: str, worker: str) -> bytes:
    """The key of what a worker says of itself."""
    return f"need:{budget}@{worker}".encode()


def is_share(key: bytes | None) -> bool:
    """Whether a record of the status topic is of these."""
    return key is not None and key.startswith((b"share:", NEEDS))


def encode_grant(grant: Grant) -> bytes:
    """The value of a grant."""
    shares = {member: [share.calls, share.bound, share.number] for member, share in grant.shares.items()}
    return json.dumps({"number": grant.number, "at": grant.at, "shares": shares}, separators=(",", ":")).encode()


def encode_need(need: Need) -> bytes:
    """The value of what a worker says of itself."""
    return json.dumps(asdict(need), separators=(",", ":")).encode()


def decode_grant(key: bytes | None, value: bytes | None) -> tuple[str, Grant | None]:
    """Read a grant: of which budget, and what, if anything. Raises ValueError, saying what is wrong."""
    named = GRANT.fullmatch(key or b"")
    if named is None:
        raise ValueError(f"the key {(key or b'')[:64]!r} is no budget's")
    if value is None:
        return named[1].decode(), None
    said = json_object(value, most_bytes=MOST_GRANT_BYTES)
    number, at, found = (
        integer(said.get("number"), least=1),
        integer(said.get("at"), least=0, most=LATEST),
        said.get("shares"),
    )
    if number is None or at is None or not isinstance(found, dict) or len(found) > MOST_WORKERS:
        raise ValueError("not a grant: it lacks what each has")
    shares = {}
    for member, share in found.items():
        counts = [integer(each, least=0) for each in share] if isinstance(share, list) else []
        if not text(member, most=MOST_MEMBER_LETTERS) or len(counts) != 3:
            raise ValueError("not a grant: a share is none")
        calls, bound, since = counts
        if calls is None or bound is None or since is None or max(calls, bound) > MOST:
            raise ValueError("not a grant: a share is none")
        shares[member] = Share(calls, bound, since)
    return named[1].decode(), Grant(number, at, shares)


def decode_need(key: bytes | None, value: bytes | None) -> tuple[str, str, Need | None]:
    """Read what a worker says: of which budget, which worker, and what, if anything. Raises ValueError."""
    named = NEED.fullmatch(key or b"")
    if named is None:
        raise ValueError(f"the key {(key or b'')[:64]!r} is no worker's")
    budget, worker = named[1].decode(), named[2].decode()
    if value is None:
        return budget, worker, None
    said = json_object(value, most_bytes=MOST_NEED_BYTES)
    member, was = (text(said.get(name), most=MOST_MEMBER_LETTERS) for name in ("member", "was"))
    number, *counts = (integer(said.get(name), least=0) for name in ("number", "wants", "in_a_hurry", "holds"))
    held_until, gone = integer(said.get("held_until"), least=0, most=LATEST), said.get("gone")
    if not member or number is None or not isinstance(gone, bool):
        raise ValueError("not a worker's: it lacks what each has")
    wants, in_a_hurry, holds = (-1 if each is None else each for each in counts)
    if not 0 <= min(wants, in_a_hurry, holds) <= max(wants, in_a_hurry, holds) <= MOST:
        raise ValueError("not a worker's: it counts what cannot be counted")
    for name, found in (("was", was), ("held_until", held_until)):
        if found is None and said.get(name) is not None:
            raise ValueError(f"not a worker's: {name} is none")
    return budget, worker, Need(member, number, wants, in_a_hurry, holds, held_until, was, gone)
