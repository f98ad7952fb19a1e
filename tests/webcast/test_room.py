"""producer.webcast.room: answers as the protocol sheet (sections 2.2 to 2.4) has them."""

import asyncio
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from producer.errors import FailedFetchGifts, FailedFetchRoomInfo, InvalidSessionId, LiveNotFound, ProducerError, Reason
from producer.webcast.http import HTTP, Answer
from producer.webcast.room import (
    LiveRoom,
    RoomId,
    Rooms,
    Status,
    Verdict,
    read_api_live,
    read_object,
    read_page,
)
from producer.webcast.room_info import KnownBy, RoomInfo
from producer.webcast.upstream import Upstream
from tests.webcast.answers import answer as answered

CAPTURES = Path(__file__).resolve().parents[2].parent / "shared" / "captures"
ROOM = "7300000000000000001"


OWNER = "6800000000000000001"


def api(
    status: int | None, *, room_id: str = ROOM, user_status: int | None = None, owner: object = OWNER
) -> dict[str, Any]:
    user = {"id": owner, "roomId": room_id, "status": user_status if user_status is not None else status}
    return {"statusCode": 0, "message": "", "data": {"user": user, "liveRoom": {"status": status}}}


def page(status: int, *, room_id: str = ROOM) -> bytes:
    info = {"user": {"id": OWNER, "roomId": room_id, "status": status}, "liveRoom": {"status": status}}
    state = json.dumps({"LiveRoom": {"liveRoomUserInfo": info}})
    return f'<html><script id="SIGI_STATE" type="application/json">{state}</script></html>'.encode()


def live(owner_id: int | None, known_by: KnownBy = KnownBy.API_LIVE, **info: Any) -> Verdict:
    return Verdict(Status.LIVE, LiveRoom(RoomId(int(ROOM)), owner_id, None, known_by, RoomInfo(**info)))


LIVE = live(6_800_000_000_000_000_001)
ANYBODYS = live(None)
OFFLINE = Verdict(Status.OFFLINE)


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (api(2), LIVE),
        (api(3), LIVE),
        (api(2, owner=None), ANYBODYS),
        (api(2, owner=["1"]), ANYBODYS),
        (api(4), OFFLINE),
        (api(None, user_status=2), LIVE),
        (api(2, room_id=""), Verdict(Status.UNKNOWN)),
        (api(2, room_id="0"), Verdict(Status.UNKNOWN)),
        (api(1), Verdict(Status.UNKNOWN)),
        ({"statusCode": 4003110, "message": "room_restricted", "data": {}}, Verdict(Status.RESTRICTED)),
        ({"statusCode": 10011, "message": "params_error"}, Verdict(Status.RESTRICTED)),
        ({"statusCode": 0, "data": {"user": [], "liveRoom": 7}}, Verdict(Status.UNKNOWN)),
        ({"statusCode": 19881007, "message": "user_not_found"}, Verdict(Status.NOT_FOUND)),
    ],
)
def test_api_live_is_judged_by_its_status(answer: dict[str, Any], verdict: Verdict) -> None:
    assert read_api_live(answer, "someone") == verdict


@pytest.mark.parametrize(
    ("said", "started_at"),
    [
        (1_790_000_000, 1_790_000_000),
        (1_420_070_399, None),
        (1_790_000_000_000, None),
        (0, None),
        ("1790000000", None),
        (None, None),
    ],
)
def test_when_a_live_began_is_known_where_it_can_be(said: object, started_at: int | None) -> None:
    answer = api(2)
    answer["data"]["liveRoom"]["startTime"] = said
    found = read_api_live(answer, "someone")
    assert found.live is not None
    assert found.live.started_at == started_at


def about(unique_id: object) -> dict[str, Any]:
    answer = api(2)
    answer["data"]["user"]["uniqueId"] = unique_id
    return answer


@pytest.mark.parametrize("named", ["someone", "SomeOne", None, 7])
def test_an_answer_that_names_whom_it_was_asked_about_or_nobody_counts(named: object) -> None:
    name = named if isinstance(named, str) else None
    assert read_api_live(about(named), "someone") == live(6_800_000_000_000_000_001, unique_id=name)


def test_who_has_the_streamers_number_and_another_name_was_renamed() -> None:
    found = read_api_live(about("someone_else"), "someone", 6_800_000_000_000_000_001)

    assert found == live(6_800_000_000_000_000_001, unique_id="someone_else")
    with pytest.raises(FailedFetchRoomInfo, match="about somebody else"):
        read_api_live(about("someone_else"), "someone", 6_800_000_000_000_000_002)


def test_a_page_about_somebody_else_tells_nothing_either() -> None:
    state = {"LiveRoom": {"liveRoomUserInfo": about("someone_else")["data"]}}
    body = f'<script id="SIGI_STATE" type="application/json">{json.dumps(state)}</script>'.encode()

    with pytest.raises(FailedFetchRoomInfo, match="page answered about somebody else"):
        read_page(body, "someone")
    assert read_page(body, "someone", 6_800_000_000_000_000_001).status is Status.LIVE


@pytest.mark.parametrize("named", ["someone_else", ""])
def test_an_answer_about_somebody_else_tells_nothing(named: str) -> None:
    with pytest.raises(FailedFetchRoomInfo) as failure:
        read_api_live(about(named), "someone")

    assert failure.value.reason is Reason.MALFORMED


@pytest.mark.parametrize(
    "answer",
    [
        api(2, room_id="9999999999999999999999999"),
        api(2, room_id="9" * 5_000),
        api(2, room_id="-7"),
        {"statusCode": 0, "data": {"user": {"roomId": [7], "status": 2}}},
        {"statusCode": 0, "data": {"user": {"roomId": ROOM, "status": []}}},
        {"statusCode": 0, "data": {"user": {"roomId": ROOM, "status": 2}, "liveRoom": {"status": {}}}},
        {"statusCode": 0, "data": {"user": {"roomId": ROOM, "status": "2"}}},
        {"statusCode": 0, "data": {"user": {"roomId": ROOM, "status": True}}},
        {"statusCode": 0, "data": {"user": {"roomId": ROOM, "status": 2**63}}},
    ],
)
def test_values_of_another_kind_are_malformed(answer: dict[str, Any]) -> None:
    with pytest.raises(FailedFetchRoomInfo) as failure:
        read_api_live(answer, "someone")

    assert failure.value.reason is Reason.MALFORMED


@pytest.mark.parametrize("state", [b"1", b"null", b"true", b"1.5", b'"a"', b"[]"])
def test_a_pages_state_that_is_no_object_is_malformed(state: bytes) -> None:
    with pytest.raises(FailedFetchRoomInfo) as failure:
        read_page(b'<script id="SIGI_STATE" type="application/json">' + state + b"</script>", "someone")

    assert failure.value.reason is Reason.MALFORMED


def test_what_an_api_error_says_is_shown_and_moves_no_cursor() -> None:
    with pytest.raises(FailedFetchRoomInfo, match=r"\(\\x1b\[31mno\)"):
        read_api_live({"statusCode": 7, "message": "\x1b[31mno"}, "someone")


def test_an_api_error_is_not_a_verdict() -> None:
    with pytest.raises(FailedFetchRoomInfo):
        read_api_live({"statusCode": 10012, "message": "another_error"}, "someone")


@pytest.mark.parametrize(
    "answer", [{}, {"statusCode": 0, "data": {}}, {"statusCode": 0}, {"statusCode": 0, "data": None}]
)
def test_an_answer_with_nothing_in_it_is_a_block(answer: dict[str, Any]) -> None:
    with pytest.raises(FailedFetchRoomInfo) as failure:
        read_api_live(answer, "someone")

    assert failure.value.reason is Reason.BLOCKED


@pytest.mark.parametrize(
    ("headers", "body", "reason"),
    [
        ({}, b"", Reason.BLOCKED),
        ({}, b" \n", Reason.BLOCKED),
        ({}, b"\n<!DOCTYPE html><title>Please wait...</title>", Reason.CAPTCHA),
        ({"x-tt-system-error": "3"}, b"", Reason.CAPTCHA),
        ({"X-TT-System-Error": "3"}, b'{"statusCode": 0}', Reason.CAPTCHA),
        ({}, b"{", Reason.MALFORMED),
        ({}, b"[]", Reason.MALFORMED),
    ],
)
def test_why_an_answer_is_no_object(headers: dict[str, str], body: bytes, reason: Reason) -> None:
    with pytest.raises(FailedFetchRoomInfo) as failure:
        read_object(Answer(200, httpx.Headers(headers), body))

    assert failure.value.reason is reason


def test_an_offline_page_with_a_stale_room_id_is_offline() -> None:
    assert read_page(page(4), "someone") == OFFLINE


def test_a_live_page_gives_the_room() -> None:
    assert read_page(page(2), "someone") == live(6_800_000_000_000_000_001, KnownBy.PAGE)


def test_a_page_without_a_live_room_is_not_found() -> None:
    assert read_page(b'<script id="SIGI_STATE" type="application/json">{"App":{}}</script>', "someone") == Verdict(
        Status.NOT_FOUND
    )


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"<html>tiktok-verify-page</html>", Reason.CAPTCHA),
        (b"<title>Verify to continue</title>", Reason.CAPTCHA),
        (b"<html>nothing here</html>", Reason.BLOCKED),
        (b'<script id="SIGI_STATE">not json</script>', Reason.CAPTCHA),
    ],
)
def test_a_page_that_does_not_tell_is_not_offline(body: bytes, reason: Reason) -> None:
    with pytest.raises(FailedFetchRoomInfo) as failure:
        read_page(body, "someone")

    assert failure.value.reason is reason


def test_the_captured_page_of_an_offline_host_is_offline() -> None:
    captured = CAPTURES / "sigi-state-offline-2026.condensed.html"
    if not captured.exists():
        pytest.skip("the captures are not beside this checkout")

    assert read_page(captured.read_bytes(), "(redacted)") == OFFLINE


def resolve(api_answer: object, page_answer: object, asked: list[str] | None = None) -> LiveRoom:
    """Resolve against two look-ups that answer with a body, or with a status; `asked` is told their paths."""

    def answer(value: object) -> httpx.Response:
        if isinstance(value, int):
            return answered(status=value, headers={"Retry-After": "9"})
        return answered(value if isinstance(value, bytes) else json.dumps(value).encode())

    def handler(request: httpx.Request) -> httpx.Response:
        if asked is not None:
            asked.append(request.url.path)
        return answer(api_answer if request.url.path.startswith("/api-live") else page_answer)

    async def main() -> LiveRoom:
        async with httpx.AsyncClient(transport=httpx.MockTransport(handler)) as client:
            rooms = Rooms(HTTP(client, lambda *_: None), Upstream.at("http://sim.test"), "Mozilla/5.0")
            return await rooms.resolve("someone")

    return asyncio.run(main())


NOT_FOUND = {"statusCode": 19881007, "message": "user_not_found"}
LOGIN = {"statusCode": 4003110, "message": "room_restricted", "data": {}}
CAPTCHA = b"<html>tiktok-verify-page</html>"
NO_LIVE_ROOM = b'<script id="SIGI_STATE">{}</script>'


@pytest.mark.parametrize(
    ("first", "second"), [(api(2), CAPTCHA), (NOT_FOUND, page(2)), (LOGIN, page(2)), (500, page(2))]
)
def test_one_look_up_that_sees_the_live_suffices(first: object, second: object) -> None:
    assert resolve(first, second).room_id == int(ROOM)


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        (api(4), page(4), Reason.OFFLINE),
        (api(4), CAPTCHA, Reason.OFFLINE),
        (500, page(4), Reason.OFFLINE),
        (NOT_FOUND, page(4), Reason.OFFLINE),
        (LOGIN, page(4), Reason.OFFLINE),
        (NOT_FOUND, NO_LIVE_ROOM, Reason.ELSEWHERE),
    ],
)
def test_offline_needs_a_look_up_that_says_so(first: object, second: object, reason: Reason) -> None:
    with pytest.raises(LiveNotFound) as found:
        resolve(first, second)

    assert found.value.reason is reason


@pytest.mark.parametrize("first", [api(2), api(4)])
def test_the_page_is_not_asked_where_the_api_can_tell(first: object) -> None:
    asked: list[str] = []
    with suppress(LiveNotFound):
        resolve(first, page(2), asked)

    assert asked == ["/api-live/user/room/"]


@pytest.mark.parametrize("second", [CAPTCHA, NO_LIVE_ROOM, 500])
def test_who_is_shown_only_to_those_who_logged_in_needs_a_session(second: object) -> None:
    with pytest.raises(InvalidSessionId) as failure:
        resolve(LOGIN, second)

    assert failure.value.reason is Reason.LOGIN


@pytest.mark.parametrize(
    ("first", "second"), [(500, CAPTCHA), (NOT_FOUND, CAPTCHA), (NOT_FOUND, 500), (api(1), NO_LIVE_ROOM)]
)
def test_what_nobody_could_tell_is_not_offline(first: object, second: object) -> None:
    with pytest.raises(FailedFetchRoomInfo):
        resolve(first, second)


def test_of_two_failures_the_one_with_the_longer_wait_is_raised() -> None:
    with pytest.raises(FailedFetchRoomInfo) as failure:
        resolve(429, CAPTCHA)

    assert failure.value.retry_after_seconds == 9.0


def gift_list(body: bytes) -> dict[str, object]:
    async def main() -> dict[str, object]:
        async with httpx.AsyncClient(transport=httpx.MockTransport(lambda _: answered(body))) as client:
            return await Rooms(HTTP(client, lambda *_: None), Upstream.at("http://sim.test"), "Mozilla/5.0").gift_list()

    return asyncio.run(main())


def of_bytes(count: int) -> bytes:
    return b'{"a": 1}'.ljust(count)


def of_values(count: int) -> bytes:
    """An object, a list in it, and numbers in that."""
    return b'{"data": [' + b",".join([b"0"] * (count - 2)) + b"]}"


@pytest.mark.parametrize("body", [of_bytes(4_194_304), of_values(200_000)], ids=["4 MiB", "200,000 values"])
def test_a_gift_list_of_as_much_as_may_be_is_read(body: bytes) -> None:
    assert gift_list(body).keys() in ({"a"}, {"data"})


@pytest.mark.parametrize("body", [of_bytes(4_194_305), of_values(200_001)], ids=["4 MiB and one", "200,001 values"])
def test_a_gift_list_of_more_is_malformed(body: bytes) -> None:
    with pytest.raises(FailedFetchGifts) as failure:
        gift_list(body)

    assert failure.value.reason is Reason.MALFORMED


class Address:
    """Look-ups of many rooms from one address, at a clock of its own, of which some answers are the site's blocks."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.answers: dict[str, object] = {}
        """By name, and by `page`; otherwise the site answers that a room is live."""
        self.asked: list[str] = []
        self.held: list[bool] = []

    def run(self, *rounds: tuple[float, str, str]) -> None:
        """Let a name be looked up at a time, each, and say how it must end."""

        def handler(request: httpx.Request) -> httpx.Response:
            name = dict(request.url.params).get("uniqueId", "page")
            self.asked.append(name)
            value = self.answers.get(name, api(2) if name != "page" else CAPTCHA)
            if isinstance(value, int):
                return answered(status=value, headers={"Retry-After": "300"})
            return answered(value if isinstance(value, bytes) else json.dumps(value).encode())

        async def main() -> None:
            async with httpx.AsyncClient(transport=httpx.MockTransport(handler)) as client:
                http = HTTP(client, lambda *_: None)
                upstream = Upstream.at("http://sim.test")
                rooms = Rooms(http, upstream, "Mozilla/5.0", clock=lambda: self.now, held=self.held.append)
                for at, name, outcome in rounds:
                    self.now = 1000.0 + at
                    try:
                        await rooms.resolve(name)
                        ended = "live"
                    except ProducerError as error:
                        wait = "" if error.retry_after_seconds is None else f" {error.retry_after_seconds:g}"
                        ended = f"{error.reason}{wait}"
                    assert (at, name, ended) == (at, name, outcome)

        asyncio.run(main())


@pytest.mark.parametrize(
    ("block", "reason"),
    [(b"", "blocked"), ({}, "blocked"), (b"<html>wait</html>", "captcha"), (403, "blocked")],
)
def test_a_block_holds_the_look_ups_of_all_rooms_and_one_of_them_tries_each_minute(block: object, reason: str) -> None:
    subject = Address()
    subject.answers = dict.fromkeys(("ann", "bo", "cy"), block)

    subject.run(
        (0, "ann", reason),
        (1, "bo", f"{reason} 59"),
        (1, "cy", f"{reason} 59"),
        (60, "bo", reason),
        (61, "cy", f"{reason} 59"),
        (120, "dee", "live"),
        (120, "eve", "live"),
        (120, "ann", reason),
    )

    assert [name for name in subject.asked if name != "page"] == ["ann", "bo", "dee", "eve", "ann"]
    assert subject.held == [True, False]


def test_a_block_of_one_room_holds_nobody_while_others_are_answered() -> None:
    subject = Address()
    subject.answers = {"ann": b""}

    subject.run((0, "bo", "live"), (1, "ann", "blocked"), (2, "bo", "live"), (3, "ann", "blocked"), (4, "bo", "live"))

    assert subject.held == []


@pytest.mark.parametrize("told", [500, NOT_FOUND, {"statusCode": 7}, api(1)])
def test_a_challenge_in_the_place_of_the_page_holds_nobody_by_itself(told: object) -> None:
    subject = Address()
    subject.answers = dict.fromkeys(("ann", "bo"), told)
    reason = "status" if told in (500, {"statusCode": 7}) else "captcha"

    subject.run((0, "ann", reason), (1, "bo", reason), (2, "cy", "live"))

    assert subject.held == []


def test_a_429_holds_the_look_ups_for_as_long_as_it_says() -> None:
    subject = Address()
    subject.answers = {"ann": 429}

    subject.run((0, "ann", "rate_limited 300"), (299, "bo", "rate_limited 1"), (300, "bo", "live"))

    assert subject.held == [True, False]
