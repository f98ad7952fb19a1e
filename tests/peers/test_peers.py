"""Clients that are not ours in a room of the simulator: they come in, and are told what its truth says.

Third opinions on the simulator alone: they run in an environment of their own, which `make peers` installs.
"""

import asyncio
import json
import os
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from producer.simulator import room
from producer.simulator.server import Simulator
from producer.simulator.world import Ending, Live, World
from tests.patience import HANGS_SECONDS
from tests.peers import front
from tests.simulator.client import enter, receive_batch, room_id, simulate, socket

ROOT = Path(__file__).resolve().parents[2]
INSTALLED = ROOT / os.environ.get("PEERS", "no-peers")
PYTHON = INSTALLED / "bin" / "python"
CONNECTOR = INSTALLED / "node_modules" / "tiktok-live-connector"
STREAMER = "sim_room_01"
MESSAGES = 240
HEARD_BEFORE = 60
"""Messages that were said before a peer comes; the last comments of them are its history."""
NOWHERE = "http://127.0.0.1:9"
GIFTS = ["5655", "5269", "6064", "7934", "9072"]

needs_python = pytest.mark.skipif(not PYTHON.exists(), reason="PEERS names no environment: run `make peers`")
needs_node = pytest.mark.skipif(
    shutil.which("node") is None or not CONNECTOR.is_dir(),
    reason="there is no node, or PEERS names no environment with its packages: install Node, run `make peers`",
)

Told = Counter[tuple[str, str | None]]


class OneLive:
    """A room whose live waits for its viewers, and ends."""

    unique_ids: Sequence[str] = (STREAMER,)

    def lives(self, unique_id: str) -> Iterator[Live]:
        live = next(World(seed=1, rooms=1, rate=200.0).lives(unique_id))
        yield replace(live, total=MESSAGES, waits=True, ending=Ending.HOST)


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the closing to the peer, however slow the machine is: what it has not read by then it drops."""
    monkeypatch.setattr(room, "LEAVE_SECONDS", HANGS_SECONDS)


async def hear(simulator: Simulator) -> None:
    """Be a viewer for a while, so that the room has a history."""
    entered = await room_id(simulator)
    heard = 0
    async with socket(simulator, entered) as websocket:
        await websocket.send(enter(entered))
        while heard < HEARD_BEFORE:
            heard += len((await receive_batch(websocket))[1].messages)


async def told(*command: str, environ: Mapping[str, str] | None = None) -> Told:
    """Run a peer until the live ends; what it said that it was told. Other machines are behind a proxy that is none."""
    proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), NOWHERE)
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=INSTALLED if command[0] == "node" else ROOT,
        env={"PATH": os.environ["PATH"], **proxies, "NO_PROXY": "127.0.0.1", **(environ or {})},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, problems = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0, problems.decode()
    lines = [json.loads(line) for line in out.splitlines()]
    return Counter((line["kind"], line["message_id"]) for line in lines)


def true(truth: list[dict[str, Any]]) -> Told:
    """What whoever came last was sent, in the words that peers have for it."""
    came = max(place for place, line in enumerate(truth) if line["kind"] == "entered")
    before = max((place for place, line in enumerate(truth[:came]) if line["kind"] == "disconnected"))
    sent = [line for line in truth[before:] if line["kind"] == "message" and line["sockets"]]
    return Counter(map(word, sent)) + Counter({("end", None): 1})


def word(line: Mapping[str, Any]) -> tuple[str, str | None]:
    if line["method"] == "WebcastControlMessage":
        return "control", line["message_id"]
    if line["method"] == "WebcastSocialMessage":
        return "social", line["message_id"]  # which of them are follows or shares, each has its own rule for
    return line["event"], None if line["event"] == "unknown" else line["message_id"]


def row(peer: str, way: str, sent: Told, found: Told) -> str:
    missing = Counter(kind for kind, _ in (sent - found).elements())
    lacks = ", ".join(f"{count} {kind}" for kind, count in missing.items())
    return f"| {peer} | {way} | {sent.total()} | {(sent & found).total()} | {lacks or 'none'} |"


@needs_python
def test_tiktoklive_is_told_all() -> None:
    met: list[Told] = []

    async def act(simulator: Simulator) -> None:
        await hear(simulator)
        met.append(await told(str(PYTHON), "-m", "tests.peers.run_tiktoklive", simulator.url, STREAMER))
        assert simulator.requests["/webcast/fetch"] == 1
        assert simulator.bad_acknowledgements == 0

    sent = true(simulate(act, script=OneLive()))

    print(row("TikTokLive 7.0.1", "its defaults' URLs", sent, met[0]))
    assert met[0] == sent


@needs_node
def test_the_connector_with_extended_gifts_is_told_all_but_unknown_kinds() -> None:
    met: list[Told] = []

    async def act(simulator: Simulator) -> None:
        await hear(simulator)
        program = str(Path(__file__).with_name("run_connector.mjs"))
        met.append(await told("node", program, simulator.url, STREAMER, environ={"SIGN_API_URL": simulator.url}))
        assert simulator.requests["/tiktok/sign_url"] == 1
        assert simulator.bad_acknowledgements == 0

    sent = true(simulate(act, script=OneLive()))

    gifts = Counter(("listed", gift) for gift in GIFTS)
    print(row("tiktok-live-connector 2.5.0", "webConfigOverrides, SIGN_API_URL", sent, met[0]))
    assert met[0] == sent + gifts - Counter({("unknown", None): sent["unknown", None]})


@needs_python
@pytest.mark.parametrize(
    "fault", [None, "site_challenge", "site_redirect", "site_no_cookie", "handshake_device_blocked/direct"]
)
def test_piratetok_is_told_all_however_it_comes_by_its_cookie(fault: str | None, tmp_path: Path) -> None:
    met: list[Told] = []
    authority = tmp_path / "authority.pem"

    async def act(simulator: Simulator) -> None:
        await hear(simulator)
        async with front.serve(simulator.port, authority) as proxy:
            command = (str(PYTHON), "-m", "tests.peers.run_piratetok", proxy, STREAMER)
            met.append(await told(*command, environ={"SSL_CERT_FILE": str(authority)}))
        assert simulator.handshakes["direct"] >= 1
        assert simulator.bad_acknowledgements == 0

    truth = simulate(act, *([fault] if fault else []), script=OneLive())
    sent = true(truth)

    print(row("piratetok-live-py 0.3.0", f"TLS proxy{f', {fault}' if fault else ''}", sent, met[0]))
    fired = [line["name"] for line in truth if line["kind"] == "fault"]
    assert fired == ([fault.removesuffix("/direct")] if fault else [])
    assert met[0] == sent
