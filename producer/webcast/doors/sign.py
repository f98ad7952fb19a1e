"""The door of a sign server: it signs an address, and sends a room's first messages along.

Facts: protocol sheet sections 4 (sign server), 5.1 (URL); doors sheet section 1b.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

from producer import secret_files, strangers
from producer.errors import FailedConnection, FailedHTTPRequest, ProducerError, Reason
from producer.strangers import Unreadable
from producer.webcast import frames
from producer.webcast.doors.contract import Address
from producer.webcast.http import HTTP
from producer.webcast.room import RoomId
from producer.webcast.upstream import Upstream, socket_parameters


class Budget:
    """Calls spread evenly over time, and none before the moment that the other side named.

    One for the whole worker: a 429 is about the key, not about the room that happened to meet it.
    """

    def __init__(self, *, calls_per_minute: float) -> None:
        self._interval = 60.0 / calls_per_minute
        self._next = 0.0

    def reserve(self, now: float) -> float:
        """Take the next place; return the seconds to wait for it."""
        place = max(now, self._next)
        self._next = place + self._interval
        return place - now

    def hold(self, until: float) -> None:
        """Let nobody call before `until`."""
        self._next = max(self._next, until)


class Signed:
    """Ask a sign server for a signed socket and the first batch (GET {sign}/webcast/fetch)."""

    name = "sign"

    def __init__(
        self,
        http: HTTP,
        upstream: Upstream,
        *,
        sign_url: str,
        api_key_file: Path | None,
        user_agent: str,
        budget: Budget,
        clock: Callable[[], float],
    ) -> None:
        self._http = http
        self._upstream = upstream
        self._sign_url = sign_url.rstrip("/")
        self._api_key_file = api_key_file
        self._user_agent = user_agent
        self._budget = budget
        self._clock = clock

    async def obtain(self, room_id: RoomId, streamer: str) -> Address:
        """Obtain a signed address.

        Raises FailedHTTPRequest, FailedConnection where the answer lacks a part or leads elsewhere, or SecretUnusable.
        """
        await asyncio.sleep(self._budget.reserve(self._clock()))
        try:
            answer = await self._http.get(
                "sign",
                f"{self._sign_url}/webcast/fetch",
                params={
                    "client": "tiktok-live-producer",
                    "client_enter": "true",
                    "platform": "web",
                    "room_id": str(room_id),
                    "user_agent": self._user_agent,
                },
                headers=self._key(),
            )
        except FailedHTTPRequest as error:
            if error.retry_after_seconds is not None:
                self._budget.hold(self._clock() + error.retry_after_seconds)
            raise
        address = read_sign_answer(answer.body, answer.header("x-set-tt-cookie"), room_id, self._user_agent)
        self._upstream.check_socket(address.url)
        return address

    def told(self, address: Address, error: ProducerError, *, lived_seconds: float) -> None:
        """Nothing follows for the next address: each is signed anew."""

    def _key(self) -> dict[str, str]:
        # Read each time, so that a rotated key needs no restart.
        return {"X-Api-Key": secret_files.read(self._api_key_file)} if self._api_key_file else {}


def read_sign_answer(body: bytes, cookie: str | None, room_id: RoomId, user_agent: str) -> Address:
    """Make an address out of a sign server's answer. Raises FailedConnection naming the part that is missing."""
    try:
        batch = frames.parse_batch(body)
    except frames.FrameRefused as refused:
        raise FailedConnection("the sign server's answer is not a batch", reason=Reason.MALFORMED) from refused
    cookie = strangers.cookie_header(cookie)
    parts = {
        "cookie (X-Set-TT-Cookie)": cookie,
        "cursor": batch.cursor,
        "push server": batch.push_server,
        "route parameters": batch.route_params,
    }
    missing = [name for name, value in parts.items() if not value]
    if missing:
        raise FailedConnection(f"the sign server's answer lacks: {', '.join(missing)}", reason=Reason.INCOMPLETE)
    parameters = (
        socket_parameters(room_id, user_agent)
        | {
            "cursor": batch.cursor,
            "internal_ext": batch.internal_ext.decode(errors="replace"),
            "ws_direct": "0",
        }
        | dict(batch.route_params)
    )
    try:
        server = strangers.url(batch.push_server)
        url = strangers.url(f"{server.text}{'&' if server.query else '?'}{urlencode(parameters)}")
    except Unreadable as cause:
        problem = f"the sign server's push server is no URL to follow: {cause}"
        raise FailedConnection(problem, reason=Reason.MALFORMED) from cause
    return Address(url, cookie=cookie or "", door=Signed.name, cursor=batch.cursor, first_batch=batch)
