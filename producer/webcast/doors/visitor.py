"""Who we are to the web site: one anonymous visitor, shared by all rooms of a worker.

A socket is opened by a cookie, `ttwid`, and the browser that it was given to. The site gives one to whoever registers;
its pages give one too, most of the time. Facts: doors sheet sections 0 (2, 3) and 1a, and section 6, rows 1 to 7.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from producer import strangers
from producer.errors import FailedConnection, FailedHTTPRequest, ProducerError, Reason
from producer.webcast.doors.hold import Hold
from producer.webcast.http import HTTP, SYSTEM_ERROR, Answer, refuse_status
from producer.webcast.upstream import USER_AGENTS, Upstream

AGE_SECONDS = 7200.0
"""How long a visitor is kept. Its cookie says a year; whoever keeps one for so long keeps a burnt one too."""
RENEWAL_SECONDS = 60.0
"""A visitor that is refused so soon after it took another's place is kept: a third would fare no better."""
HOLD_SECONDS = {Reason.BLOCKED: 300.0, Reason.NETWORK: 5.0, Reason.PROXY: 5.0, Reason.TIMEOUT: 5.0}
"""How long nobody asks again, by why there is no cookie, where the site does not say it."""
OTHER_HOLD_SECONDS = 60.0
FINAL = frozenset({Reason.BLOCKED, Reason.NETWORK, Reason.PROXY, Reason.RATE_LIMITED, Reason.TIMEOUT})
"""Problems after which no further page is tried."""

REGISTER = "/ttwid/register/"
REGISTRATION = json.dumps(
    {"aid": 1988, "service": "www.tiktok.com", "union": False, "unionHost": "", "needFid": False, "fid": ""}
).encode()
FORM = "application/x-www-form-urlencoded"
"""What the site's own page calls that JSON."""
PAGES = ("/", "/live", "/explore")
PAGE_TRIES = 8
PAGE_SECONDS = 0.75

GIVES = frozenset({200, 301, 302, 303, 307, 308})
"""Statuses whose cookies count. A redirect is not followed, and its cookie is as good as any."""
BODY_OF = frozenset({200})
NO_BODY: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Visitor:
    """An anonymous visitor: a cookie, and the browser that it was given to. One without the other is refused."""

    ttwid: str = field(repr=False)
    user_agent: str

    @property
    def cookie(self) -> str:
        """The Cookie header."""
        return f"ttwid={self.ttwid}"


class Book:
    """Who our visitor is, since when, and until when nobody may ask for another; pure, times of one monotonic clock."""

    def __init__(self, *, age_seconds: float, user_agents: Sequence[str]) -> None:
        self.visitor: Visitor | None = None
        """None before the first, and once it was flagged."""
        self._age_seconds = age_seconds
        self._user_agents = user_agents
        self._since = 0.0
        self._agent = 0
        self._flagged = False
        self._renewed_at: float | None = None
        self._hold = Hold()

    @property
    def user_agent(self) -> str:
        """The browser that the next visitor goes by: another one after a visitor that was flagged."""
        return self._user_agents[self._agent % len(self._user_agents)]

    def fresh(self, now: float) -> Visitor | None:
        """The visitor, while it is not too old."""
        return self.visitor if now - self._since < self._age_seconds else None

    def admit(self, visitor: Visitor, now: float) -> None:
        """Take a visitor in the place of the last one."""
        if self._flagged:
            self._flagged, self._renewed_at = False, now
        self.visitor, self._since = visitor, now
        self._hold.end()

    def flag(self, cookie: str, now: float) -> None:
        """A socket with this cookie was refused for it, or died young: let another visitor be asked for.

        Not where that visitor is gone already, or took another's place a moment ago.
        """
        if self.visitor is None or self.visitor.cookie != cookie:
            return
        if self._renewed_at is not None and now - self._renewed_at < RENEWAL_SECONDS:
            return
        self.visitor, self._flagged = None, True
        self._agent += 1

    def hold(self, problem: ProducerError, now: float) -> None:
        """There is no visitor to be had: let nobody ask for a while, as long as the site said, where it did."""
        usual = HOLD_SECONDS.get(problem.reason, OTHER_HOLD_SECONDS)
        self._hold.begin(problem, problem.retry_after_seconds or usual, now)

    def refusal(self, now: float) -> ProducerError | None:
        """What whoever asks now is told, with the time that is left; None where one may ask the site."""
        return self._hold.refusal(now)


class Visitors:
    """Gets a visitor, keeps it, and gets another when it is too old or was flagged. One for each egress."""

    def __init__(
        self,
        http: HTTP,
        upstream: Upstream,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        age_seconds: float = AGE_SECONDS,
        user_agents: Sequence[str] = USER_AGENTS,
    ) -> None:
        self._http = http
        self._web_url = upstream.web_url
        self._clock = clock
        self._sleep = sleep
        self._book = Book(age_seconds=age_seconds, user_agents=user_agents)
        self._turn = asyncio.Lock()

    async def visitor(self) -> Visitor:
        """The visitor that all share. One room asks for it; the others wait for what it gets, be that an error.

        Raises FailedHTTPRequest or FailedConnection, at once while the site holds us back. One that is only too old
        goes on being used for as long as there is no other.
        """
        if self._turn.locked() and self._book.visitor is not None:
            return self._book.visitor
        async with self._turn:
            now = self._clock()
            fresh = self._book.fresh(now)
            if fresh is None and self._book.refusal(now) is None:
                await self._renew()
            if self._book.visitor is not None:
                return self._book.visitor
            refusal = self._book.refusal(self._clock())
            assert refusal is not None  # `_renew` leaves the one or the other
            raise refusal

    def flag(self, cookie: str) -> None:
        """Say that a socket opened with this cookie was refused for it, or died young."""
        self._book.flag(cookie, self._clock())

    async def _renew(self) -> None:
        try:
            visitor = await self._ask(self._book.user_agent)
        except (FailedConnection, FailedHTTPRequest) as problem:
            self._book.hold(problem, self._clock())
        else:
            self._book.admit(visitor, self._clock())

    async def _ask(self, user_agent: str) -> Visitor:
        """Register; where that gives no cookie and no refusal, look at some pages."""
        problem = FailedConnection("the web site issued no ttwid cookie", reason=Reason.INCOMPLETE)
        for number in range(1 + PAGE_TRIES):
            if number > 1:
                await self._sleep(PAGE_SECONDS)
            try:
                ttwid = await (self._look(number, user_agent) if number else self._register(user_agent))
            except FailedHTTPRequest as failure:
                if failure.reason in FINAL:
                    raise
                problem = FailedConnection(f"no ttwid cookie: {failure}", reason=failure.reason)
            else:
                if ttwid is not None:
                    return Visitor(ttwid, user_agent)
        raise problem

    async def _register(self, user_agent: str) -> str | None:
        answer = await self._http.ask(
            "ttwid",
            "POST",
            f"{self._web_url}{REGISTER}",
            headers={
                "Content-Type": FORM,
                "Origin": self._web_url,
                "Referer": f"{self._web_url}/",
                "User-Agent": user_agent,
            },
            content=REGISTRATION,
            bodies_of=BODY_OF,
        )
        return read_registration(answer)

    async def _look(self, number: int, user_agent: str) -> str | None:
        url = f"{self._web_url}{PAGES[(number - 1) % len(PAGES)]}"
        answer = await self._http.ask("ttwid", "GET", url, headers={"User-Agent": user_agent}, bodies_of=NO_BODY)
        return read_cookie(answer)


def read_registration(answer: Answer) -> str | None:
    """The cookie that registering gave; None where it gave none.

    Raises FailedConnection where the site refuses, FailedHTTPRequest for a status that is no answer.
    """
    _refuse(answer)
    said = (answer.object() or {}).get("status_code")  # none is a challenge; a cookie beside it is one all the same
    if strangers.integer(said) not in (None, 0):
        raise FailedConnection(
            f"the web site registers no visitor from here (status_code {said})",
            reason=Reason.BLOCKED,
        )
    return _ttwid(answer)


def read_cookie(answer: Answer) -> str | None:
    """The cookie that a page set; None where it set none. Raises FailedHTTPRequest where it is not the page."""
    _refuse(answer)
    ttwid = _ttwid(answer)
    if ttwid is None and answer.header(SYSTEM_ERROR):
        raise FailedHTTPRequest("ttwid: the page is a challenge", reason=Reason.CAPTCHA)
    return ttwid


def _refuse(answer: Answer) -> None:
    if answer.status not in GIVES:
        refuse_status("ttwid", answer.status, answer.headers, FailedHTTPRequest)


def _ttwid(answer: Answer) -> str | None:
    return answer.cookies().get("ttwid") or None
