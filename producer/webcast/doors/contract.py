"""What a door is, and what it gives: an address, at which a socket is opened once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from producer.errors import ProducerError
from producer.strangers import URL
from producer.webcast.doors.places import ANYBODY, Rank
from producer.webcast.logins import Login
from producer.webcast.room import RoomId
from producer.webcast.wire import FetchResult


@dataclass(frozen=True, slots=True)
class Manners:
    """How one speaks at an address: what whoever is there waits for from a client."""

    enters: bool = True
    """To be asked for the room (`im_enter_room`); otherwise it is sent unasked."""
    heartbeats: bool = True
    acknowledges: bool = True


USUAL = Manners()
"""What TikTok itself waits for."""


class Between(Protocol):
    """Who passes TikTok's frames on to us, and has things of their own to say on the same socket."""

    def passes(self, data: bytes | str) -> bool:
        """Whether a WebSocket message is a frame of TikTok's; otherwise it is their own, and done with."""
        ...

    def closing(self, code: int) -> ProducerError | None:
        """What they mean by a close code; None where they mean no more than that the socket is closed."""
        ...


@dataclass(frozen=True, slots=True)
class Address:
    """Where and how to open one socket, once and soon: a signed URL lives for about 30 seconds."""

    url: URL
    cookie: str = field(repr=False)
    """The Cookie header; empty where none is sent."""
    door: str
    """Through which door it leads."""
    logged_in: bool = False
    """Whether the streamer's session goes with it."""
    cursor: str = ""
    first_batch: FetchResult | None = field(default=None, repr=False)
    """Messages that came with the address; they are the room's as much as those of the socket."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Further headers of the handshake. A User-Agent among them goes before the worker's own."""
    manners: Manners = USUAL
    between: Between | None = field(default=None, repr=False)
    """Who passes the frames on; None where TikTok itself is at the address."""


class Door(Protocol):
    """A way to obtain addresses."""

    @property
    def name(self) -> str:
        """How settings, metrics and logs call it."""

    async def obtain(self, room_id: RoomId, streamer: str, login: Login | None = None, rank: Rank = ANYBODY) -> Address:
        """Obtain a fresh address for a streamer's room, with its session where one is given. Raises ProducerError.

        Where rooms wait there, `rank` says who goes first.
        """
        ...

    def told(self, address: Address, error: ProducerError, *, lived_seconds: float) -> None:
        """Hear what became of a socket: `error` ended it after so long, or did not let it open (0)."""
        ...
