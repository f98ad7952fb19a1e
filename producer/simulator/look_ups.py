"""What a client is told that looks streamers and rooms up, and when it is told nothing but a challenge.

Facts: protocol sheet sections 2.2 to 2.4; doors sheet section 6, rows 28 to 34.
"""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace

from producer.simulator import pages
from producer.simulator.adults import Adults
from producer.simulator.faults import Fault
from producer.simulator.limit import Limit
from producer.simulator.pages import Page, Shown
from producer.simulator.room import Room
from producer.simulator.truth import Truth

PATHS = re.compile(r"/@[^/]*/live|/api-live/user/room/|/webcast/room/(?:check_alive|info)/")
API_ODD = {
    Fault.API_EMPTY: pages.of_json({}),
    Fault.API_NO_BODY: Page(200, b""),
    Fault.API_CHALLENGE: pages.challenge(),
    Fault.API_RESTRICTED: pages.restricted(),
    Fault.API_PARAMETERS: pages.api_parameters(),
    Fault.API_OTHER_USER: pages.api_live(
        pages.Shown("somebody_else", 6_700_000_000_000_000_001, 7_200_000_000_000_000_001, True, 1_790_000_000)
    ),
}
"""What api-live says in the place of an answer (doors sheet section 6, rows 30 to 34)."""


class LookUps:
    """Those of one simulator."""

    def __init__(
        self,
        rooms: Mapping[str, Room],
        *,
        fires: Callable[[Fault, str], bool],
        truth: Truth,
        adults: Adults,
        limit: Limit | None,
    ) -> None:
        """`limit`: beyond it each is answered with a challenge."""
        self._rooms = rooms
        self._fires = fires
        self._truth = truth
        self._adults = adults
        self._limit = limit

    def page(self, path: str, query: Mapping[str, str], cookie: str) -> Page | None:
        """The answer to a look-up; None where it is none."""
        if not PATHS.fullmatch(path):
            return None
        if self._blocked():
            return pages.challenge()
        match path.strip("/").split("/"):
            case [name, "live"]:
                return self._streamer_page(name[1:], cookie)
            case ["api-live", "user", "room"]:
                return self._api_live(query.get("uniqueId", ""), cookie)
            case ["webcast", "room", "check_alive"] if query.get("room_ids"):
                live = {str(room.last_room_id) for room in self._rooms.values() if room.live is not None}
                return pages.check_alive({each: each in live for each in query["room_ids"].split(",")})
            case ["webcast", "room", "info"] if query.get("room_id"):
                return self._room_info(query["room_id"], cookie)
        return pages.bad_parameters()

    def _blocked(self) -> bool:
        """Whether a look-up is one too many."""
        if self._limit is None:
            return False
        before, blocked = self._limit.blocks, self._limit.asked(time.monotonic())
        if self._limit.blocks > before:
            self._truth.write("blocked", "")
        return blocked

    def _streamer_page(self, unique_id: str, cookie: str) -> Page:
        if self._fires(Fault.PAGE_CAPTCHA, unique_id):
            return pages.captcha()
        if self._fires(Fault.PAGE_NOT_JSON, unique_id):
            return pages.html('<script id="SIGI_STATE" type="application/json">{"LiveRoom":</script>')
        room = self._rooms.get(unique_id)
        if room is None or self._fires(Fault.PAGE_NOT_FOUND, unique_id):
            return pages.no_such_streamer_page()
        if self._adults.keep_out(unique_id, cookie):
            return pages.streamer_page(replace(room.shown, room_id=0, is_live=True))
        return pages.streamer_page(self._shown(room, "page"))

    def _api_live(self, unique_id: str, cookie: str) -> Page:
        if self._fires(Fault.API_BLOCKED, unique_id):
            return pages.of_json({"message": "blocked"}, 403)
        if (odd := next((page for fault, page in API_ODD.items() if self._fires(fault, unique_id)), None)) is not None:
            return odd
        room = self._rooms.get(unique_id)
        if room is None or (room.live is not None and self._fires(Fault.API_USER_NOT_FOUND, unique_id)):
            return pages.user_not_found()
        if self._adults.keep_out(unique_id, cookie):
            return pages.restricted()
        return pages.api_live(self._shown(room, "api_live"))

    def _room_info(self, room_id: str, cookie: str) -> Page:
        room = next((room for room in self._rooms.values() if str(room.last_room_id) == room_id), None)
        if room is None:
            return pages.bad_parameters()
        if self._adults.keep_out(room.unique_id, cookie):
            return pages.restricted()
        return pages.room_info(self._shown(room, "room_info"))

    def _shown(self, room: Room, by: str) -> Shown:
        """What a room shows of itself, which is written down while it is live."""
        shown = room.shown
        if shown.is_live and self._fires(Fault.RENAMED, room.unique_id):
            shown = replace(shown, unique_id=f"{shown.unique_id}.new")
        if shown.is_live:
            said = {"nickname": shown.nickname, "title": shown.title} | asdict(shown)
            del said["room_id"]
            said["named"] = said.pop("unique_id")
            self._truth.write("shown", room.unique_id, shown.room_id, by=by, **said)
        return shown
