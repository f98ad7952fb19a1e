"""Unique id to room id, and whether the room is live.

Two look-ups that fail in different ways (the JSON API, and the page where that cannot tell) give a verdict each. One
that cannot tell is not one that says offline: a captcha is not an empty stage. Facts: protocol sheet sections 2.2 to
2.4.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, NewType

from producer import strangers
from producer.errors import FailedFetchGifts, FailedFetchRoomInfo, InvalidSessionId, LiveNotFound, Reason
from producer.strangers import Unreadable
from producer.webcast.alive import Alive, read_check_alive
from producer.webcast.egress import Egress
from producer.webcast.http import HTTP, SYSTEM_ERROR, Answer
from producer.webcast.logins import Login
from producer.webcast.room_info import (
    LIVE_STATUSES,
    RESTRICTED,
    KnownBy,
    RoomInfo,
    RoomStats,
    read_room_info,
    read_room_stats,
    read_started_at,
)
from producer.webcast.upstream import Upstream, web_parameters

RoomId = NewType("RoomId", int)

ENDED_STATUS = 4
USER_NOT_FOUND = 19881007
NO_ROOM: tuple[object, ...] = (None, "", "0", 0)

SIGI_STATE = "SIGI_STATE"
PAGE_BYTES = 2 * 1024 * 1024
STATE_BYTES = 1024 * 1024
"""Of the JSON in a page."""
GIFT_LIST_BYTES = 4 * 1024 * 1024
"""2.6 MB were reported in 2026."""
GIFT_LIST_VALUES = 200_000
"""Lists of 2023 and 2024 have about 140 a gift, and 673 gifts were reported in 2026."""


class Status(Enum):
    """What a look-up found."""

    LIVE = "live"
    OFFLINE = "offline"
    NOT_FOUND = "not found"
    """No such user, it says; but this is also said of rooms that are live, and of accounts of other regions."""
    RESTRICTED = "restricted"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class LiveRoom:
    """A room that is live, and whose it is."""

    room_id: RoomId
    owner_id: int | None = None
    """None where the look-up did not say."""
    started_at: int | None = None
    """When it went live, in seconds since 1970; None where the look-up did not say, or what cannot be."""
    known_by: KnownBy = KnownBy.ROOM_ID
    info: RoomInfo | None = None
    """None where it was asked for by its id."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One look-up's answer; `live` is set exactly when the status is LIVE."""

    status: Status
    live: LiveRoom | None = None


class Rooms:
    """Look-ups against one upstream."""

    def __init__(
        self,
        http: HTTP,
        upstream: Upstream,
        user_agent: str,
        *,
        clock: Callable[[], float] = time.monotonic,
        held: Callable[[bool], None] = lambda _: None,
        egress: str | None = None,
        spent: Callable[[], None] = lambda: None,
    ) -> None:
        """`held` is told when all look-ups wait since the address is blocked, and when they go on.

        `egress` is told in the log. `spent` is told of each request that is made beside a look-up's first.
        """
        self._egress = Egress(clock, held, egress)
        self._spent = spent
        self._alive = Alive(self._check_alive)
        self._http = http
        self._upstream = upstream
        self._parameters = web_parameters(user_agent)

    def held(self) -> float:
        """For how many seconds look-ups wait, since the address is blocked; 0 while they do not."""
        return self._egress.wait()

    async def resolve(self, unique_id: str, login: Login | None = None, *, owner_id: int | None = None) -> LiveRoom:
        """Find the live room of a streamer, as its session is shown it where there is one.

        `owner_id`: the streamer's number, where it is known; by it a streamer is known that was renamed.

        Raises LiveNotFound when the streamer is offline, or unknown here (reason `elsewhere`), InvalidSessionId where
        only those are told who logged in (reason `login`, or `credentials` where the session does not do),
        FailedFetchRoomInfo when nothing could be learnt, with the reason of the look-up that failed.
        """
        headers = {} if login is None else {"Cookie": login.cookie}
        self._egress.admit(unique_id)
        verdicts: list[Verdict] = []
        failures: list[FailedFetchRoomInfo] = []
        for look_up in (self._api_live, self._page):
            if look_up == self._page:
                self._spent()
            try:
                verdict = await look_up(unique_id, headers, owner_id)
            except FailedFetchRoomInfo as failure:
                if failure.reason is Reason.PROXY:
                    self._egress.failed(unique_id, failure)
                    raise  # nothing gets out this way
                failures.append(failure)
                continue
            if verdict.live is not None:
                self._egress.answered(unique_id)
                return verdict.live
            verdicts.append(verdict)
            if verdict.status is Status.OFFLINE:
                break  # the page would cost as much again, and is challenged more often
        if verdicts:
            self._egress.answered(unique_id)
        else:
            self._egress.failed(unique_id, failures[0])  # the page is challenged often, and holds nobody by itself
        statuses = {verdict.status for verdict in verdicts}
        if Status.OFFLINE in statuses:
            raise LiveNotFound(f"@{unique_id} is not live", reason=Reason.OFFLINE)
        if Status.RESTRICTED in statuses:
            if login is not None:
                problem = f"@{unique_id} is not shown to its session: it is over, or of another data centre"
                raise InvalidSessionId(problem, reason=Reason.CREDENTIALS)
            raise InvalidSessionId(f"@{unique_id} is shown only to those who logged in", reason=Reason.LOGIN)
        if statuses == {Status.NOT_FOUND} and not failures:
            raise LiveNotFound(
                f"@{unique_id} is not known here: another region's, or misspelt", reason=Reason.ELSEWHERE
            )
        raise _worst(failures) or FailedFetchRoomInfo(f"no look-up could tell whether @{unique_id} is live")

    async def is_live(self, room_id: RoomId) -> bool:
        """Ask whether a room known by its id is still live. Raises FailedFetchRoomInfo."""
        return await self._alive.is_live(room_id)

    async def _check_alive(self, room_ids: Sequence[int]) -> Mapping[int, bool]:
        self._spent()
        answer = await self._http.get(
            "room_info",
            f"{self._upstream.webcast_url}/room/check_alive/",
            params=self._parameters | {"room_ids": ",".join(map(str, room_ids))},
            error=FailedFetchRoomInfo,
        )
        return read_check_alive(read_object(answer), room_ids)

    async def stats(self, room_id: RoomId) -> RoomStats:
        """Fetch the totals of a room that is heard (section 2.2 d); its turn among look-ups has come.

        Raises as `room_info.read_room_stats` does.
        """
        answer = await self._http.get(
            "room_info",
            f"{self._upstream.webcast_url}/room/info/",
            params=self._parameters | {"room_id": str(room_id)},
            error=FailedFetchRoomInfo,
        )
        return read_room_stats(read_object(answer), room_id)

    async def gift_list(self) -> dict[str, object]:
        """Fetch the answer of /gift/list/ (section 2.2 e), of no room in particular. Raises FailedFetchGifts."""
        answer = await self._http.get(
            "gift_list",
            f"{self._upstream.webcast_url}/gift/list/",
            params=self._parameters,
            error=FailedFetchGifts,
            most_bytes=GIFT_LIST_BYTES,
        )
        # Half a megabyte in 2023, and a stranger's: too long for the event loop.
        return await asyncio.to_thread(answer.json, FailedFetchGifts, most_values=GIFT_LIST_VALUES)

    async def _api_live(self, unique_id: str, headers: Mapping[str, str], owner_id: int | None) -> Verdict:
        answer = await self._http.get(
            "room_id",
            f"{self._upstream.web_url}/api-live/user/room/",
            params=self._parameters | {"uniqueId": unique_id, "sourceType": "54"},
            headers=headers,
            error=FailedFetchRoomInfo,
        )
        return read_api_live(read_object(answer), unique_id, owner_id)

    async def _page(self, unique_id: str, headers: Mapping[str, str], owner_id: int | None) -> Verdict:
        answer = await self._http.get(
            "room_id",
            f"{self._upstream.web_url}/@{unique_id}/live",
            params={},
            headers=headers,
            error=FailedFetchRoomInfo,
            most_bytes=PAGE_BYTES,
        )
        return read_page(answer.body, unique_id, owner_id)


def read_object(answer: Answer) -> dict[str, Any]:
    """The object that a look-up answered. Raises FailedFetchRoomInfo, by the reason for which there is none."""
    if answer.header(SYSTEM_ERROR) or answer.body.lstrip()[:1] == b"<":
        raise FailedFetchRoomInfo("a challenge stands in for the answer", reason=Reason.CAPTCHA)
    if not answer.body.strip():
        raise FailedFetchRoomInfo("the answer is empty", reason=Reason.BLOCKED)
    return answer.json(FailedFetchRoomInfo)


def read_api_live(answer: dict[str, object], unique_id: str, owner_id: int | None = None) -> Verdict:
    """Read an answer of /api-live/user/room/ (protocol sheet section 2.2 b). Raises FailedFetchRoomInfo.

    One that names somebody else is no answer: another's room must not be published under this name. Who has the number
    `owner_id` is nobody else, and was renamed.
    """
    if answer.get("statusCode") == USER_NOT_FOUND or answer.get("message") == "user_not_found":
        return Verdict(Status.NOT_FOUND)
    code = strangers.integer(answer.get("statusCode"))
    if code in RESTRICTED:
        return Verdict(Status.RESTRICTED)
    if not answer or (code == 0 and not answer.get("data")):
        raise FailedFetchRoomInfo("api-live answered nothing", reason=Reason.BLOCKED)
    if code != 0:
        said = strangers.shown(strangers.text(answer.get("message")) or "no message")
        raise FailedFetchRoomInfo(f"api-live answered another status code ({said})", reason=Reason.STATUS)
    return _verdict(strangers.at(answer, "data"), unique_id, owner_id, KnownBy.API_LIVE)


def read_page(page: bytes, unique_id: str, owner_id: int | None = None) -> Verdict:
    """Read a streamer's page (protocol sheet section 2.3, method 1), as `read_api_live` does."""
    state = strangers.script(page, SIGI_STATE)
    if state is None:
        captcha = b"tiktok-verify-page" in page or b"Verify to continue" in page
        reason = Reason.CAPTCHA if captcha else Reason.BLOCKED
        raise FailedFetchRoomInfo("the page carries no SIGI_STATE", reason=reason)
    try:
        value = strangers.json_value(state, most_bytes=STATE_BYTES)
    except Unreadable as cause:
        raise FailedFetchRoomInfo(f"the page's SIGI_STATE cannot be read: {cause}", reason=Reason.CAPTCHA) from cause
    if not isinstance(value, dict):
        raise FailedFetchRoomInfo("the page's SIGI_STATE is no object", reason=Reason.MALFORMED)
    if "LiveRoom" not in value:
        return Verdict(Status.NOT_FOUND)
    return _verdict(strangers.at(value, "LiveRoom", "liveRoomUserInfo"), unique_id, owner_id, KnownBy.PAGE)


def _verdict(said_of: dict[str, object], unique_id: str, owner_id: int | None, known_by: KnownBy) -> Verdict:
    """Judge by status alone: an offline host keeps the room id of the last live (measured in 2026)."""
    user, live_room, stats = (strangers.at(said_of, name) for name in ("user", "liveRoom", "stats"))
    named, number = strangers.text(user.get("uniqueId")), strangers.identifier(user.get("id"))
    if named is not None and named.lower() != unique_id.lower() and (number is None or number != owner_id):
        raise FailedFetchRoomInfo(f"{known_by} answered about somebody else", reason=Reason.MALFORMED)
    said = [status for status in (live_room.get("status"), user.get("status")) if status is not None]
    statuses = {strangers.integer(status) for status in said}
    if None in statuses:
        raise FailedFetchRoomInfo("the status of the room is no number", reason=Reason.MALFORMED)
    if statuses & LIVE_STATUSES and user.get("roomId") not in NO_ROOM:
        room_id = strangers.identifier(user["roomId"])
        if room_id is None:
            raise FailedFetchRoomInfo("the id of the room is none", reason=Reason.MALFORMED)
        info, started_at = read_room_info(user, live_room, stats), read_started_at(live_room, now=time.time())
        return Verdict(Status.LIVE, LiveRoom(RoomId(room_id), number, started_at, known_by, info))
    return Verdict(Status.OFFLINE if ENDED_STATUS in statuses else Status.UNKNOWN)


def _worst(failures: list[FailedFetchRoomInfo]) -> FailedFetchRoomInfo | None:
    """Of several failures the one that asks for the longest wait, so that it is honoured."""
    return max(failures, key=lambda failure: failure.retry_after_seconds or 0.0, default=None)
