"""producer.webcast.doors.visitor: one cookie for all rooms, asked for as rarely as can be."""

import asyncio
from collections.abc import Callable

import httpx
import pytest

from producer.errors import FailedConnection, FailedHTTPRequest, ProducerError, Reason
from producer.webcast.doors.visitor import Book, Visitor, Visitors
from producer.webcast.http import HTTP
from producer.webcast.upstream import Upstream
from tests.webcast.answers import answer

AGENTS = ("first", "second")
BOT = ("Set-Cookie", "ak_bmsc=0~A; Domain=.tiktok.com; Path=/; Expires=Sun, 29 Nov 2026 12:00:00 GMT")
CSRF = ("Set-Cookie", "tt_csrf_token=x-y; Path=/; Secure")


def given(number: int = 1) -> tuple[str, str]:
    return ("Set-Cookie", f"ttwid=1%7Cab%7C179000000{number}%7Cff; Domain=.tiktok.com; Path=/; Max-Age=31536000")


def registered(number: int = 1) -> httpx.Response:
    return answer(b'{"status_code": 0}', headers=[given(number)])


class Site:
    """The web site, which answers as a script says; the last answer goes on for ever."""

    def __init__(self, *answers: httpx.Response | Exception | Callable[[], httpx.Response]) -> None:
        self.requests: list[httpx.Request] = []
        self.now = 1000.0
        self.slept: list[float] = []
        self._answers = list(answers)

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        said = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(said, Exception):
            raise said
        return said if isinstance(said, httpx.Response) else said()

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)

    @property
    def asked(self) -> list[str]:
        return [f"{request.method} {request.url.path}" for request in self.requests]

    def run(self, *, age_seconds: float = 7200.0) -> "Run":
        return Run(self, age_seconds)


class Run:
    """Visitors against that site, within one loop: an async context manager."""

    def __init__(self, site: Site, age_seconds: float) -> None:
        self._client = httpx.AsyncClient(transport=httpx.MockTransport(site.handle))
        self._visitors = Visitors(
            HTTP(self._client, lambda *_: None),
            Upstream.tiktok(),
            clock=lambda: site.now,
            sleep=site.sleep,
            age_seconds=age_seconds,
            user_agents=AGENTS,
        )

    async def __aenter__(self) -> Visitors:
        return self._visitors

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()


def first(site: Site) -> Visitor | ProducerError:
    """What the first who asks gets."""

    async def main() -> Visitor | ProducerError:
        async with site.run() as visitors:
            try:
                return await visitors.visitor()
            except ProducerError as error:
                return error

    return asyncio.run(main())


def test_it_registers_as_the_sites_own_page_does() -> None:
    site = Site(registered())

    visitor = first(site)

    assert visitor == Visitor("1%7Cab%7C1790000001%7Cff", "first")
    [request] = site.requests
    assert (request.method, str(request.url)) == ("POST", "https://www.tiktok.com/ttwid/register/")
    assert request.read() == (
        b'{"aid": 1988, "service": "www.tiktok.com", "union": false, "unionHost": "", "needFid": false, "fid": ""}'
    )
    wanted = ("Content-Type", "Origin", "Referer", "User-Agent")
    assert [request.headers[name] for name in wanted] == [
        "application/x-www-form-urlencoded",
        "https://www.tiktok.com",
        "https://www.tiktok.com/",
        "first",
    ]


@pytest.mark.parametrize(
    "page",
    [
        answer(headers=[given()]),
        answer(headers=[CSRF, given()]),
        answer(headers=[BOT, CSRF, given()]),
        answer(status=302, headers=[BOT, given(), ("Location", "https://elsewhere.test/")]),
    ],
    ids=["alone", "behind another", "behind one that expires", "on a redirect"],
)
def test_a_page_is_looked_at_where_registering_gives_no_cookie(page: httpx.Response) -> None:
    site = Site(answer(b"{}", status=404), page)

    assert first(site) == Visitor("1%7Cab%7C1790000001%7Cff", "first")
    assert site.asked == ["POST /ttwid/register/", "GET /"]
    assert site.requests[1].headers["User-Agent"] == "first"


def test_pages_are_tried_eight_times_and_three_quarters_of_a_second_apart() -> None:
    site = Site(lambda: answer(b"<html>", headers=[BOT]))

    error = first(site)

    pages = ["GET /", "GET /live", "GET /explore"]
    assert site.asked == ["POST /ttwid/register/", *pages, *pages, *pages[:2]]
    assert site.slept == [0.75] * 7
    assert isinstance(error, FailedConnection)
    assert (error.reason, error.retry_after_seconds) == (Reason.INCOMPLETE, 60.0)


def test_a_page_that_is_a_challenge_says_so_in_the_end() -> None:
    site = Site(lambda: answer(b"<html>", headers=[("X-TT-System-Error", "3"), BOT]))

    error = first(site)

    assert isinstance(error, FailedConnection)
    assert (error.reason, error.retry_after_seconds, len(site.requests)) == (Reason.CAPTCHA, 60.0, 9)


@pytest.mark.parametrize(
    ("said", "reason", "wait"),
    [
        (answer(b'{"status_code": 1001}', headers=[given()]), Reason.BLOCKED, 300.0),
        (answer(b'{"status_code": -1}'), Reason.BLOCKED, 300.0),
        (answer(status=403), Reason.BLOCKED, 300.0),
        (answer(status=429, headers={"Retry-After": "17"}), Reason.RATE_LIMITED, 17.0),
        (answer(status=429), Reason.RATE_LIMITED, 60.0),
        (httpx.ConnectError("refused"), Reason.NETWORK, 5.0),
        (httpx.ReadTimeout("late"), Reason.TIMEOUT, 5.0),
    ],
    ids=["refused", "refused otherwise", "forbidden", "too many", "too many, untold", "no network", "late"],
)
def test_a_refusal_is_final_and_holds_everybody(said: httpx.Response | Exception, reason: Reason, wait: float) -> None:
    site = Site(said, registered())

    async def main() -> list[ProducerError]:
        found: list[ProducerError] = []
        async with site.run() as visitors:
            for left in (wait, 1.0):
                with pytest.raises((FailedConnection, FailedHTTPRequest)) as refused:
                    await visitors.visitor()
                found.append(refused.value)
                site.now += wait - 1.0 if left == wait else 1.0
            await visitors.visitor()
        return found

    errors = asyncio.run(main())

    assert [error.reason for error in errors] == [reason, reason]
    assert [error.retry_after_seconds for error in errors] == [wait, 1.0]
    assert site.asked == ["POST /ttwid/register/"] * 2
    assert site.slept == []


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"status_code": null}', b'{"status_code": "1"}'])
def test_a_cookie_counts_beside_whatever_is_no_refusal(body: bytes) -> None:
    assert isinstance(first(Site(answer(body, headers=[given()]))), Visitor)


def test_a_thousand_rooms_that_ask_at_once_cause_one_request() -> None:
    site = Site(registered())

    async def main() -> set[Visitor]:
        async with site.run() as visitors:
            return set(await asyncio.gather(*(visitors.visitor() for _ in range(1000))))

    assert asyncio.run(main()) == {Visitor("1%7Cab%7C1790000001%7Cff", "first")}
    assert len(site.requests) == 1


def test_a_thousand_rooms_that_ask_at_once_are_refused_by_one_request() -> None:
    site = Site(answer(b'{"status_code": 7}'))

    async def main() -> list[object]:
        async with site.run() as visitors:
            return list(await asyncio.gather(*(visitors.visitor() for _ in range(1000)), return_exceptions=True))

    errors = asyncio.run(main())

    assert all(isinstance(error, FailedConnection) and error.reason is Reason.BLOCKED for error in errors)
    assert len(site.requests) == 1


def test_who_is_let_go_while_it_asks_fails_nobody_else() -> None:
    site = Site(answer(b"{}"), answer(b"<html>"), registered())

    async def main() -> Visitor:
        async with site.run() as visitors:
            asking = asyncio.create_task(visitors.visitor())
            waiting = asyncio.create_task(visitors.visitor())
            while not site.slept:
                await asyncio.sleep(0)
            asking.cancel()
            visitor = await waiting
            assert asking.cancelled()
            return visitor

    assert asyncio.run(main()) == Visitor("1%7Cab%7C1790000001%7Cff", "first")
    assert site.asked == ["POST /ttwid/register/", "GET /", "POST /ttwid/register/"]


def test_a_visitor_that_is_too_old_is_renewed_with_the_same_browser() -> None:
    site = Site(registered(1), registered(2))

    async def main() -> list[Visitor]:
        async with site.run(age_seconds=100.0) as visitors:
            found = []
            for _ in range(3):
                found.append(await visitors.visitor())
                site.now += 60.0
            return found

    young, older, renewed = asyncio.run(main())

    assert young == older
    assert renewed == Visitor("1%7Cab%7C1790000002%7Cff", "first")
    assert len(site.requests) == 2


def test_a_visitor_that_is_only_too_old_serves_on_where_there_is_no_other() -> None:
    site = Site(registered(), answer(status=429, headers={"Retry-After": "30"}))

    async def main() -> list[Visitor]:
        async with site.run(age_seconds=100.0) as visitors:
            found = [await visitors.visitor()]
            site.now += 200.0
            found += [await visitors.visitor() for _ in range(10)]
            return found

    assert len(set(asyncio.run(main()))) == 1
    assert len(site.requests) == 2


def test_a_visitor_that_was_flagged_is_renewed_once_with_another_browser() -> None:
    site = Site(registered(1), registered(2), registered(3))

    async def main() -> list[Visitor]:
        async with site.run() as visitors:
            old = await visitors.visitor()
            for _ in range(1000):
                visitors.flag(old.cookie)
            new = await visitors.visitor()
            site.now += 59.0
            visitors.flag(new.cookie)
            kept = await visitors.visitor()
            site.now += 1.0
            visitors.flag(new.cookie)
            return [old, new, kept, await visitors.visitor()]

    old, new, kept, last = asyncio.run(main())

    assert (old.user_agent, new.user_agent, last.user_agent) == ("first", "second", "first")
    assert kept == new
    assert len({old.ttwid, new.ttwid, last.ttwid}) == 3
    assert len(site.requests) == 3


def test_a_report_about_an_older_visitor_is_no_news() -> None:
    site = Site(registered(1), registered(2))

    async def main() -> None:
        async with site.run(age_seconds=100.0) as visitors:
            old = await visitors.visitor()
            site.now += 100.0
            new = await visitors.visitor()
            visitors.flag(old.cookie)
            assert await visitors.visitor() == new

    asyncio.run(main())

    assert len(site.requests) == 2


def test_a_flagged_visitor_does_not_serve_on_while_the_site_holds_us_back() -> None:
    book = Book(age_seconds=100.0, user_agents=AGENTS)
    visitor = Visitor("x", "first")
    book.admit(visitor, 0.0)
    book.flag(visitor.cookie, 5.0)
    book.hold(FailedConnection("refused", reason=Reason.BLOCKED), 6.0)

    refusal = book.refusal(7.0)

    assert (book.visitor, book.user_agent) == (None, "second")
    assert refusal is not None
    assert (refusal.reason, refusal.retry_after_seconds) == (Reason.BLOCKED, 299.0)
    assert book.refusal(306.0) is None


def test_a_visitors_cookie_is_in_no_repr() -> None:
    assert "canary" not in repr(Visitor("canary", "agent"))
