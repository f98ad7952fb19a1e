"""Odd answers about single streamers: no worker ends, the others deliver throughout, each is counted by its reason.

`STRANGERS_IN_TURN=1` (`make chaos-strangers`) takes the cases one by one; the short form has them all at once.
"""

import asyncio
import json
import os
import signal
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from producer.local.kafka import Kafka
from producer.local.programs import Worker
from producer.local.registry import Registry
from producer.webcast.upstream import SOCKET_PATH
from producer.webcast.wire import FetchResult
from tests.system.harness import System, cut_off, metric, stop, until
from tests.system.stranger import Front, Odd, Write, answer, drip, twice_gzipped

IN_TURN = bool(os.environ.get("STRANGERS_IN_TURN"))
SOUND = [f"sim_room_{number:02}" for number in range(1, 26, 3)]
"""Nine rooms that the simulator has live all the time."""
BUGS = Path(__file__).parent / "bugs"

ROOM = "7400000000000000001"
PROTOBUF = "application/protobuf"
STATE = '<script id="SIGI_STATE" type="application/json">{}</script>'


@dataclass(frozen=True, slots=True)
class Case:
    """What is answered at an endpoint, what lets a request come to it, and the error that must come of it."""

    odd: Odd
    error: str
    before: tuple[Odd, ...] = ()


def live(*, room_id: object = ROOM, status: object = 2, room_status: object = 2) -> str:
    user = {"roomId": room_id, "status": status}
    return json.dumps({"statusCode": 0, "data": {"user": user, "liveRoom": {"status": room_status}}})


def signed(push_server: str, *, cookie: str = "ttwid=1") -> bytes:
    batch = FetchResult(cursor="1", push_server=push_server, route_params={"imprp": "x"}, is_first=True)
    return answer(batch.SerializeToString(), headers=[("X-Set-TT-Cookie", cookie)], content_type=PROTOBUF)


def looked_up(name: str, reason: str, written: bytes | Write) -> Case:
    return Case(Odd(name, ("api_live",), written), f"FailedFetchRoomInfo ({reason})")


def shown(name: str, state: str) -> Case:
    """A page, where the API says that there is no such user, which alone is not to be believed."""
    before = Odd("no such user", ("api_live",), answer('{"statusCode": 19881007, "message": "user_not_found"}'))
    odd = Odd(name, ("page",), answer(state, content_type="text/html"))
    return Case(odd, "FailedFetchRoomInfo (malformed)", (before,))


def sign(name: str, reason: str, written: bytes) -> Case:
    before = Odd("live", ("api_live",), answer(live()))
    return Case(Odd(name, ("sign",), written), f"FailedConnection ({reason})", (before,))


def handshake(name: str, reason: str, *headers: tuple[str, str], status: int = 200) -> Case:
    odd = Odd(name, ("handshake",), answer(status=status, headers=headers))
    return Case(odd, f"FailedConnection ({reason})", (Odd("live", ("api_live",), answer(live())),))


CASES: tuple[Case, ...] = (
    looked_up("status a list", "malformed", answer(live(status=[]))),
    looked_up("status an object", "malformed", answer(live(room_status={}))),
    looked_up("room id of 25 digits", "malformed", answer(live(room_id="9" * 25))),
    looked_up("room id of 5000 digits", "malformed", answer(live(room_id="9" * 5_000))),
    looked_up("a number of 5000 digits", "malformed", answer('{"statusCode": 0, "data": ' + "9" * 5_000 + "}")),
    looked_up("nested deep", "malformed", answer(b"[" * 100_000 + b"]" * 100_000)),
    looked_up("objects nested deep", "malformed", answer(b'{"a":' * 50_000 + b"1" + b"}" * 50_000)),
    looked_up("not UTF-8", "malformed", answer(b'{"statusCode": 0, "message": "\xff"}')),
    looked_up("a cookie that is not ASCII", "blocked", answer("{}", headers=[("Set-Cookie", "lang=\u00e9; Path=/")])),
    looked_up(
        "a wait beyond any date",
        "rate_limited",
        answer(status=429, headers=[("Retry-After", "Wed, 21 Oct 2015 07:28:00 +99999999999999999999")]),
    ),
    looked_up("gzip of gzip", "malformed", twice_gzipped()),
    looked_up("no gzip though it says so", "malformed", answer("{}", headers=[("Content-Encoding", "gzip")])),
    looked_up("no HTTP", "network", b"\x16\x03\x01 nothing\r\n\r\n"),
    looked_up("cut off", "network", answer("{" * 10)[:-5]),
    looked_up("headers without end", "network", b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 50_000),
    *([looked_up("drips", "timeout", drip)] if IN_TURN else []),  # its deadline is longer than all the rest
    shown("a page's state a number", STATE.format("1")),
    shown("a page's state null", STATE.format("null")),
    shown("a page's state true", STATE.format("true")),
    shown("a page's state a fraction", STATE.format("1.5")),
    sign("no batch", "malformed", answer("<html>", headers=[("X-Set-TT-Cookie", "a=1")])),
    sign("a cookie that no request can carry", "incomplete", signed("ws://127.0.0.1/", cookie="ttwid=\u00e9")),
    *(
        sign(f"push server {push_server!r:.40}", "malformed", signed(push_server))
        for push_server in (
            "wss://[bad",
            "wss://[::1",
            "ws://127.0.0.1:99999/",
            "ws://127.0.0.1:abc/",
            "wss://.tiktok.com/",
            "wss://" + "a" * 70 + ".tiktok.com/",
            "WS://127.0.0.1/",
            "ws://u@127.0.0.1/",
            "ws://127.0.0.1/#frag",
            "ws://127.0.0.1\x00/",
            "ws://\u2100.tiktok.com/",
        )
    ),
    sign("a push server elsewhere", "host_refused", signed("ws://127.0.0.2:9/")),
    handshake("a message twice", "handshake", ("Handshake-Msg", "a"), ("Handshake-Msg", "b")),
    handshake("blocked, twice", "device_blocked", *[("Handshake-Msg", "DEVICE_BLOCKED")] * 2),
    handshake("control letters", "handshake", ("Handshake-Status", "\x9b31mred")),
    handshake("switching to nothing", "network", status=101),
    handshake("a redirect to nowhere", "handshake", ("Location", "wss://[bad"), status=302),
)
NAMES = [f"odd_{number:02}" for number in range(len(CASES))]


def prepare(front: Front, names: Sequence[str], cases: Sequence[Case]) -> None:
    for number, (name, case) in enumerate(zip(names, cases, strict=True)):
        room_id = str(int(ROOM) + number)
        front.poison(name, case.odd, room_id=room_id)
        for odd in case.before:
            written = odd.write.replace(ROOM.encode(), room_id.encode()) if isinstance(odd.write, bytes) else odd.write
            front.poison(name, Odd(odd.name, odd.endpoints, written), room_id=room_id)
        if "handshake" in case.odd.endpoints:
            push_server = f"{front.url.replace('http', 'ws')}{SOCKET_PATH}"
            front.poison(name, Odd("signed", ("sign",), signed(push_server)), room_id=room_id)


async def errors(workers: Sequence[Worker]) -> dict[str, str]:
    """The last error of each streamer, by whichever worker has it."""
    said: dict[str, str] = {}
    for worker in workers:
        worker.check()
        status = await worker.status()
        said |= {item["streamer"]: item["last_error"] or "" for item in status["streamers"]} if status else {}
    return said


async def shared_out(workers: Sequence[Worker]) -> None:
    """Wait until each worker has its part of the sound rooms."""

    async def even() -> bool:
        statuses = [await worker.status() for worker in workers]
        return sorted(len(status["streamers"]) for status in statuses if status) == [4, 5]

    await until(even)


async def heard(system: System, names: Sequence[str], more: int) -> None:
    """Wait until each of these rooms has sent so many messages more, and somebody was there to hear them."""
    before = Counter(system.senders().values())

    async def enough() -> bool:
        now = Counter(system.senders().values())
        return all(now[name] >= before[name] + more for name in names)

    await until(enough)


async def judge(system: System, front: Front, workers: Sequence[Worker], cases: dict[str, Case]) -> None:
    """Wait until each case was met and answered by its error, while the sound rooms are heard."""
    wrong: dict[str, object] = {}

    async def all_met() -> bool:
        said = await errors(workers)
        wrong.clear()
        wrong.update(
            {
                case.odd.name: (said.get(name), front.fired[case.odd.name])
                for name, case in cases.items()
                if not said.get(name, "").startswith(case.error) or not front.fired[case.odd.name]
            }
        )
        return not wrong

    try:
        await until(all_met)
    except TimeoutError:
        raise AssertionError(wrong) from None
    await heard(system, SOUND, 20)


@pytest.mark.parametrize("shared", [False, True], ids=["file", "kafka"])
def test_an_odd_answer_costs_the_streamer_that_it_is_about_and_no_other(
    tmp_path: Path, kafka: Kafka, registry: Registry, shared: bool
) -> None:
    whole = dict(zip(NAMES, CASES, strict=True))
    rounds = [{name: case} for name, case in whole.items()] if IN_TURN else [whole]

    async def main() -> None:
        async with System(tmp_path, kafka, registry, shared=shared) as system:
            simulator = await system.simulator("--rooms", "25", "--rate", "250", names=SOUND)
            async with Front(system.upstream).serve() as front:
                prepare(front, NAMES, CASES)
                front.poison(
                    "", Odd("a gift list of lists", ("gift_list",), answer(b'{"data": [[]], "status_code": []}'))
                )
                environ = {
                    "PRODUCER_UPSTREAM": front.url,
                    "PRODUCER_DOORS": "sign",
                    "PRODUCER_SIGN_URL": front.url,
                    "PRODUCER_SIGN_CALLS_PER_MINUTE": "60000",
                }
                workers = [await system.worker(f"worker-{number}", environ=environ) for number in (1, 2)]
                await shared_out(workers)
                await heard(system, SOUND, 10)
                before = system.sent().keys()  # a file's claims move with a gap, as they did when the second came
                for cases in rounds:
                    await system.wants([*SOUND, *cases])
                    await judge(system, front, workers, cases)
                reasons = Counter(case.error.partition("(")[2].rstrip(")") for case in CASES)
                for reason, times in reasons.items():
                    series = f'tiktok_live_connection_error_reasons_total{{reason="{reason}"}}'
                    assert sum([await metric(worker, series) for worker in workers]) >= times
                fetches = 'tiktok_live_connection_errors_total{error="FailedFetchGifts"}'
                assert min([await metric(worker, fetches) for worker in workers]) >= 1
                for place in ("other", "search", "session", "webcast.room", "webcast.connection", "gift_lists"):
                    series = f'tiktok_live_bugs_total{{place="{place}"}}'
                    assert sum([await metric(worker, series) for worker in workers]) == 0
                await simulator.end(signal.SIGTERM)
                await cut_off(*workers)
                ledgers = [await stop(worker) for worker in workers]
            read = {mark.event_id for mark in await asyncio.to_thread(system.marks)}

        assert sum(ledger["lost"] for ledger in ledgers) == 0
        sent = system.sent().keys() - before
        assert sent <= read
        assert len(sent) > 9 * 20

    asyncio.run(main())


def test_a_bug_that_nobody_foresaw_parks_the_one_streamer_that_meets_it(
    tmp_path: Path, kafka: Kafka, registry: Registry
) -> None:
    planted = {"mapping": SOUND[1], "look_up": SOUND[4], "protocol": SOUND[7]}
    places = {"mapping": "pipeline", "look_up": "search", "protocol": "webcast.protocol"}
    others = [name for name in SOUND if name not in planted.values()]

    async def main() -> None:
        async with System(tmp_path, kafka, registry, shared=True) as system:
            simulator = await system.simulator("--rooms", "25", "--rate", "250", names=SOUND)
            environ = {
                "PYTHONPATH": str(BUGS / "unforeseen"),
                "PLANTED": ",".join(f"{place}={name}" for place, name in planted.items()),
            }
            workers = [await system.worker(f"worker-{number}", environ=environ) for number in (1, 2)]

            async def all_parked() -> bool:
                said = await errors(workers)
                return all(said.get(name, "").startswith("bug: ZeroDivisionError in") for name in planted.values())

            async def sum_of(series: str) -> float:
                return sum([await metric(worker, f"tiktok_live_{series}") for worker in workers])

            await until(all_parked)
            await heard(system, others, 20)
            for place in planted:
                assert await sum_of(f'bugs_total{{place="{places[place]}"}}') == 1
            assert await sum_of('streams{state="parked"}') == 3
            said = json.loads(await system.producer("status", "--json"))["streamers"]
            assert {item["streamer"]: item["bugs"] for item in said if item["state"] == "parked"} == dict.fromkeys(
                planted.values(), 1
            )
            await simulator.end(signal.SIGTERM)
            await cut_off(*workers)
            ledgers = [await stop(worker) for worker in workers]
            read = {mark.event_id for mark in await asyncio.to_thread(system.marks)}

        assert sum(ledger["lost"] for ledger in ledgers) == 0
        theirs = {event_id for event_id, streamer in system.senders().items() if streamer in others}
        assert len(theirs) > 20 * len(others)
        assert theirs <= read

    asyncio.run(main())
