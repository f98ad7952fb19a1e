"""producer.simulator.site: what the web site says to who comes for a cookie, in bytes as they were recorded."""

import asyncio
import json
import re
from http.client import HTTPConnection
from typing import Any

import pytest

from producer.simulator.server import Simulator
from tests.simulator.client import simulate

RECORDED = b'{"aid": 1988, "service": "www.tiktok.com", "union": false, "unionHost": "", "needFid": false, "fid": ""}'
BROWSER = {
    "Content-Type": "application/x-www-form-urlencoded",
    "Origin": "https://www.tiktok.com",
    "User-Agent": "Mozilla/5.0",
}
TTWID = re.compile(r"ttwid=1%7C[A-Za-z0-9+/]+%7C[0-9]{10}%7C[0-9a-f]{64}; Path=/; Domain=\.tiktok\.com; .*")


class Said:
    """An answer: its status, each of its headers, and its body."""

    def __init__(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.status = status
        self.headers = dict(headers)
        self.cookies = [value for name, value in headers if name == "Set-Cookie"]
        self.body = body


def ask(*requests: tuple[str, str, dict[str, str], bytes | None], faults: tuple[str, ...] = ()) -> list[Said]:
    """Ask a simulator by the standard library's client, which is nobody's that is tested here."""
    answers: list[Said] = []

    async def act(simulator: Simulator) -> None:
        def one(method: str, path: str, headers: dict[str, str], body: bytes | None) -> Said:
            there = HTTPConnection("127.0.0.1", simulator.port, timeout=120)
            there.request(method, path, body=body, headers=headers)
            response = there.getresponse()
            said = Said(response.status, response.getheaders(), response.read())
            there.close()
            return said

        for request in requests:
            answers.append(await asyncio.to_thread(one, *request))

    truth = simulate(act, *faults)
    fired = [line["name"] for line in truth if line["kind"] == "fault"]
    assert sorted(fired) == sorted(faults)
    return answers


def register(body: bytes | None = RECORDED, **headers: Any) -> tuple[str, str, dict[str, str], bytes | None]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    kept = {name: value for name, value in (BROWSER | named).items() if value is not None}
    return ("POST", "/ttwid/register/", kept, body)


@pytest.mark.parametrize("path", ["/", "/live", "/explore", "/en/", "/@somebody"])
def test_a_page_sets_the_cookie_behind_one_that_expires(path: str) -> None:
    [page] = ask(("GET", path, {}, None))

    assert page.status == 200
    assert [cookie.partition("=")[0] for cookie in page.cookies] == ["ak_bmsc", "tt_csrf_token", "ttwid"]
    assert "Expires=Sun, 29 Nov" in page.cookies[0]
    assert TTWID.fullmatch(page.cookies[2])


def test_who_registers_as_a_browser_does_has_a_cookie_of_their_own() -> None:
    answers = ask(register(), register())

    assert [json.loads(answer.body)["status_code"] for answer in answers] == [0, 0]
    cookies = [cookie for answer in answers for cookie in answer.cookies]
    assert all(TTWID.fullmatch(cookie) for cookie in cookies)
    assert len(set(cookies)) == 2


@pytest.mark.parametrize(
    "request_",
    [
        register(User_Agent=None),
        register(Origin=None),
        register(Content_Type="application/json"),
        register(b""),
        register(b"aid=1988&service=www.tiktok.com"),
        register(RECORDED.replace(b"1988", b"1768")),
        register(b"\xff"),
        ("GET", "/ttwid/register/", BROWSER, None),
    ],
    ids=["no agent", "no origin", "another type", "no body", "a form", "another app", "no text", "no post"],
)
def test_who_registers_otherwise_is_refused(request_: tuple[str, str, dict[str, str], bytes | None]) -> None:
    [answer] = ask(request_)

    assert answer.status == 200
    assert json.loads(answer.body)["status_code"] != 0
    assert answer.cookies == []


def test_a_challenge_is_as_it_was_recorded() -> None:
    page, registering, after = ask(
        ("GET", "/", {}, None), register(), ("GET", "/", {}, None), faults=("site_challenge", "register_challenge")
    )

    for challenge in (page, registering):
        assert (challenge.status, len(challenge.body), challenge.headers["X-TT-System-Error"]) == (200, 1462, "3")
        assert [cookie.partition("=")[0] for cookie in challenge.cookies] == ["ak_bmsc"]
    assert len(after.cookies) == 3


@pytest.mark.parametrize(
    ("fault", "status", "cookies"),
    [("site_no_cookie", 200, 0), ("site_redirect", 302, 3), ("site_rate_limited", 429, 0)],
)
def test_a_page_answers_otherwise_by_a_fault(fault: str, status: int, cookies: int) -> None:
    [page] = ask(("GET", "/", {}, None), faults=(fault,))

    assert (page.status, len(page.cookies)) == (status, cookies)


@pytest.mark.parametrize(
    ("fault", "status", "wait", "code"),
    [
        ("register_refused", 200, None, 1001),
        ("register_no_cookie", 200, None, 0),
        ("register_rate_limited", 429, "2", None),
        ("register_rate_limited_untold", 429, None, None),
    ],
)
def test_registering_is_answered_otherwise_by_a_fault(
    fault: str, status: int, wait: str | None, code: int | None
) -> None:
    [answer] = ask(register(), faults=(fault,))

    assert (answer.status, answer.headers.get("Retry-After"), answer.cookies) == (status, wait, [])
    assert json.loads(answer.body).get("status_code") == code
