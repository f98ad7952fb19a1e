"""`producer doors`, as a person runs it, against a simulator."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from producer import trial
from producer.settings import from_environ
from producer.simulator.server import Simulator
from producer.simulator.world import World
from producer.strangers import url
from producer.trial import Step, Subject, describe
from producer.webcast.doors.contract import Address
from tests.forward_proxy import PASSWORD, ForwardProxy
from tests.lease_broker import Broker
from tests.serving import saying, serving
from tests.simulator.client import room_id, simulate
from tests.system.stranger import Front, Odd, answer

ROOM = "sim_room_01"


async def run(simulator: Simulator, *arguments: str, **settings: str) -> tuple[int | None, str, str]:
    """Run a command of ours; return its exit status and what it printed."""
    given = {"upstream": simulator.url, "kafka_bootstrap_servers": "127.0.0.1:9"} | settings
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "producer", "doors", *arguments),
        env={"PATH": os.environ["PATH"]} | {f"PRODUCER_{name.upper()}": value for name, value in given.items()},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, problems = await process.communicate()
    return process.returncode, out.decode(), problems.decode()


async def attempt(
    simulator: Simulator,
    *names: str,
    seconds: float = 60.0,
    url: str | None = None,
    lease_url: str = "http://127.0.0.1:1",
) -> tuple[dict[str, bool], list[tuple[str | None, Step]]]:
    """Try doors of these names in this process; return what was heard, and what was told."""
    environ = {"PRODUCER_UPSTREAM": url or simulator.url, "PRODUCER_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9"}
    doors = {"DOORS": "direct,sign,lease", "SIGN_URL": simulator.url, "LEASE_URL": lease_url}
    settings = from_environ(environ | {f"PRODUCER_{name}": value for name, value in doors.items()})
    told: list[tuple[str | None, Step]] = []
    found = await trial.attempt(
        settings, Subject(ROOM, None), names, seconds=seconds, tell=lambda door, step: told.append((door, step))
    )
    return found, told


def test_a_room_is_tried_by_the_proxy_that_it_goes_by(tmp_path: Path) -> None:
    async def act(simulator: Simulator) -> None:
        await room_id(simulator)
        async with ForwardProxy("http", password=PASSWORD).serve() as proxy:
            (tmp_path / "proxies").write_text(proxy.url)
            more = {"proxies_file": str(tmp_path / "proxies")}
            status, out, problems = await run(simulator, "test", ROOM, **more)

            assert status == 0, problems
            assert f"is live, by {proxy.name}" in out
            assert proxy.targets.total() > 1

            (tmp_path / "proxies").write_text(proxy.url.replace(PASSWORD, f"{PASSWORD}-of-old"))
            status, out, problems = await run(simulator, "test", ROOM, **more)

            assert status == 1
            assert f"the proxy {proxy.name} failed: it answered 407" in out
            assert PASSWORD not in out + problems

    simulate(act)


def passes(told: list[tuple[str | None, Step]], door: str) -> list[tuple[str, bool]]:
    return [(step.step, step.passed) for name, step in told if name == door]


def steps(document: Any, door: str) -> list[tuple[str, bool]]:
    [found] = [each for each in document["doors"] if each["door"] == door]
    return [(step["step"], step["passed"]) for step in found["steps"]]


PASSED = [("address", True), ("handshake", True), ("entered", True), ("messages", True)]


def test_a_room_is_entered_by_each_door_step_by_step_and_no_secret_is_printed(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("s3cr3t-of-the-sign-server")
    printed: list[str] = []

    async def act(simulator: Simulator) -> None:
        await room_id(simulator)
        doors = {"doors": "direct,sign", "sign_url": simulator.url, "sign_api_key_file": str(key)}
        status, out, problems = await run(simulator, "test", f"{simulator.url}/@{ROOM}/live", "--json", **doors)
        printed.append(out + problems)
        document = json.loads(out)
        assert (status, document["heard"]) == (0, True)
        assert [step["passed"] for step in document["room"]] == [True]
        assert steps(document, "direct") == steps(document, "sign") == PASSED
        assert simulator.requests["/webcast/fetch"] == 1

        status, out, problems = await run(simulator, "test", "--room", str(simulator.room_id(ROOM)), "--door", "direct")
        printed.append(out + problems)
        assert status == 0
        assert [line.split()[:3] for line in out.splitlines()][1:] == [
            ["ok", "direct", step] for step in ("address", "handshake", "entered", "messages")
        ]

    simulate(act)

    assert not any(secret in text for text in printed for secret in ("s3cr3t", "ttwid=", "%7C"))


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("handshake_rejected", "(unsigned): the handshake was answered with 200 (417 illegal secret key)"),
        ("handshake_device_blocked", "(device_blocked): the handshake was answered with 200 (415 DEVICE_BLOCKED)"),
        ("handshake_forbidden", "(blocked): the handshake was answered with 403; to be left alone for 300 s"),
    ],
)
def test_a_handshake_that_is_refused_says_with_what(fault: str, said: str) -> None:
    async def act(simulator: Simulator) -> None:
        await room_id(simulator)
        found, told = await attempt(simulator, "direct")
        assert found == {"direct": False}
        assert [(step.step, step.passed) for _, step in told] == [
            ("room", True),
            ("address", True),
            ("handshake", False),
        ]
        assert told[-1][1].said == f"FailedConnection {said}"

    truth = simulate(act, fault)

    assert [line["name"] for line in truth if line["kind"] == "fault"] == [fault]


LEASE: dict[str, Any] = {
    "version": 1,
    "url": "ws://127.0.0.1:1/webcast/im/ws_proxy/ws_reuse_supplement/?aid=1988",
    "cookie": "ttwid=s3cr3t",
    "user_agent": "Mozilla/5.0",
    "issued_at_ms": 0,
    "expires_at_ms": 1,
}


def leased(**wrong: Any) -> bytes:
    """A lease that is right but for this."""
    return json.dumps(LEASE | wrong).encode()


CANNOT = "(malformed): the broker's lease cannot be used: "
WRONG: dict[str, tuple[int, bytes, str]] = {
    "another host": (200, leased(url="ws://127.0.0.2:1/"), "the socket's host '127.0.0.2' is not on the allow-list"),
    "no text": (200, leased(url=[]), f"{CANNOT}its URL: it is no text of at most 8192 letters"),
    "a page": (200, leased(url="https://127.0.0.1:1/"), f"{CANNOT}its URL is none of a WebSocket"),
    "another version": (200, leased(version="1"), f"{CANNOT}its version is not 1"),
    "an object": (200, leased(cookie={"a": "s3cr3t"}), f"{CANNOT}its cookie can be no header's value"),
    "no time": (200, leased(issued_at_ms="1"), f"{CANNOT}its issued_at_ms is no time in milliseconds since 1970"),
    "a header": (200, leased(headers={"Host": "s3cr3t"}), f"{CANNOT}it has a header that is not for a broker to set"),
    "missing": (200, b'{"version": 1, "url": "", "user_agent": ""}', f"{CANNOT}it has no issued_at_ms, expires_at_ms"),
    "HTML": (200, b"<html>s3cr3t</html>", f"{CANNOT}it is not JSON"),
    "a list": (200, b'["s3cr3t"]', f"{CANNOT}it is JSON, and no object"),
    "a proxy's HTML": (502, b"<html></html>", "(status): lease: the broker answered 502; to be left alone for 30 s"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_broker_that_answers_out_of_contract_is_told_what_is_wrong(wrong: str) -> None:
    status, answer, said = WRONG[wrong]

    async def act(simulator: Simulator) -> None:
        await room_id(simulator)
        with serving(saying(status, answer)) as broker:
            found, told = await attempt(simulator, "lease", lease_url=broker)
        assert found == {"lease": False}
        assert passes(told, "lease") == [("address", False)]
        assert said in told[-1][1].said
        assert "s3cr3t" not in told[-1][1].said

    simulate(act)


def test_the_example_of_a_broker_leads_into_a_room_whom_it_knows(tmp_path: Path) -> None:
    token = tmp_path / "token"

    async def act(simulator: Simulator) -> None:
        room = str(await room_id(simulator))
        with serving(Broker(simulator.url, token="s3cr3t")) as broker:
            arguments = ("test", "--room", room, "--door", "lease")
            settings = {"lease_url": broker, "lease_token_file": str(token)}
            token.write_text("another-s3cr3t")
            status, out, problems = await run(simulator, *arguments, **settings)
            assert (status, problems, len(out.splitlines())) == (1, "", 2)
            assert "(credentials): lease: the broker answered 401 (unauthorized" in out
            assert "look at PRODUCER_LEASE_URL, PRODUCER_LEASE_CONTRACT and PRODUCER_LEASE_TOKEN_FILE" in out
            assert "s3cr3t" not in out
            token.write_text("s3cr3t")
            status, out, problems = await run(simulator, *arguments, "--json", **settings)
            assert (status, problems) == (0, "")
            assert steps(json.loads(out), "lease") == PASSED
            assert "s3cr3t" not in out

    simulate(act)


def test_each_door_is_tried_though_another_lets_nobody_in() -> None:
    async def act(simulator: Simulator) -> None:
        await room_id(simulator)
        found, told = await attempt(simulator, "direct", "sign")
        assert found == {"direct": False, "sign": True}
        assert passes(told, "direct") == [("address", False)]
        assert passes(told, "sign") == PASSED

    truth = simulate(act, "register_refused")

    assert [line["name"] for line in truth if line["kind"] == "fault"] == ["register_refused"]


def test_a_room_that_says_nothing_is_not_heard() -> None:
    async def act(simulator: Simulator) -> None:
        await room_id(simulator)
        found, told = await attempt(simulator, "direct", seconds=0.5)
        assert found == {"direct": False}
        assert [(step.step, step.passed) for door, step in told if door == "direct"] == [
            *PASSED[:3],
            ("messages", False),
        ]
        assert told[-1][1].said == "nothing within 0.5 s"

    simulate(act, script=World(seed=1, rooms=1, rate=0.0001))


def test_what_cannot_be_tried_is_said_in_a_line() -> None:
    async def act(simulator: Simulator) -> None:
        whose = "producer: say whose room: a streamer's page or unique id, or --room with the id of one\n"
        assert await run(simulator, "test") == (1, "", whose)
        none = "producer: there is no door 'window'; there are direct, sign, lease, gateway\n"
        assert await run(simulator, "test", ROOM, "--door", "window") == (1, "", none)
        need = "producer: the door sign needs PRODUCER_SIGN_URL, which is not set\n"
        assert await run(simulator, "test", ROOM, "--door", "sign") == (1, "", need)
        status, out, _ = await run(simulator, "test", "nobody")
        assert (status, len(out.splitlines())) == (1, 1)
        assert "LiveNotFound (elsewhere): @nobody is not known here" in out
        listed = [
            "direct    number 1  needs nothing",
            "sign      not used  needs PRODUCER_SIGN_URL, which is not set",
            "lease     not used  needs PRODUCER_LEASE_URL, which is not set",
            "gateway   not used  needs PRODUCER_GATEWAY_KEY_FILE or PRODUCER_GATEWAY_JWT_FILE, which is not set",
        ]
        status, out, _ = await run(simulator)
        assert (status, out.splitlines()) == (0, listed)

    simulate(act)


def test_what_a_handshake_says_moves_no_cursor() -> None:
    hostile = "no\x9b2J\xad\x85"  # what of C1 and of marks a header may have in it, as Latin-1

    async def act(simulator: Simulator) -> None:
        room = await room_id(simulator)
        async with Front(simulator.url).serve() as front:
            refusal = answer(headers=[("Handshake-Status", "417"), ("Handshake-Msg", hostile)])
            front.poison(ROOM, Odd("handshake", ("handshake",), refusal), room_id=str(room))
            found, told = await attempt(simulator, "direct", url=front.url)
            assert found == {"direct": False}
            assert told[-1][1].said.endswith("answered with 200 (417 no\\x9b2J\\xad\\x85)")
            assert front.fired == {"handshake": 1}

    simulate(act)


def test_of_an_address_nothing_is_shown_that_opens_it() -> None:
    address = Address(
        url("wss://push.test/path?token=s3cr3t"), cookie="s3cr3t; ttwid=s3cr3t; \x1b[2J=s3cr3t", door="sign"
    )

    assert describe(address) == "wss://push.test; cookies: ttwid, \\x1b[2J"
