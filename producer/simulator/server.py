"""The world over HTTP and WebSocket, on one port."""

import asyncio
import signal
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from http import HTTPStatus
from http.client import responses as PHRASES
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import ServerConnection
from websockets.asyncio.server import serve as serve_websockets
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from producer.simulator import gateway, pages, posts, signer, site
from producer.simulator.adults import Adults, hashes
from producer.simulator.faults import Fault, Faults
from producer.simulator.gateway import Passage
from producer.simulator.limit import Limit
from producer.simulator.look_ups import LookUps
from producer.simulator.pages import Page
from producer.simulator.quota import Quota
from producer.simulator.replay import Replay
from producer.simulator.room import Room
from producer.simulator.schedule import Schedule
from producer.simulator.signer import Signer
from producer.simulator.site import Site
from producer.simulator.socket import Socket
from producer.simulator.truth import Truth
from producer.simulator.world import Script, World

SOCKET_PATH = "/webcast/im/ws_proxy/ws_reuse_supplement/"
FAULTS_PATH = "/simulator/faults"
"""Not TikTok's: what is posted here goes wrong from now on, and nothing else."""
OWNERS = 6_800_000_000_000_000_000
"""The first streamer's number is one more."""
HANDSHAKE = {"Handshake-Options": "ping-interval=5", "Handshake-Msg": "success"}
"""What an accepted socket is told: above all, how often to send heartbeats."""
HEARTBEAT_SECONDS = 30.0
"""A client that sends no heartbeat for so long is closed. (How long TikTok waits is not known.)"""
CLOSE_SECONDS = 10.0
"""For a client to answer a close: cut off before that, one on a busy machine would lose what is under way to it."""


async def serve(
    *,
    host: str,
    port: int,
    seed: int,
    rooms: int,
    rate: float,
    steady: bool,
    away: int,
    limit: Limit | None,
    quota: Quota | None,
    replay: Path | None,
    schedule: Path | None,
    truth: Path | None,
    faults: Sequence[str],
    list_file: Path | None,
    resend: bool,
    adults: Adults,
    announce: Callable[[str], None],
) -> None:
    """Serve until SIGTERM or SIGINT, which lets its clients read what it has sent them, or until it is cancelled.

    Raises OSError or ValueError where it cannot start.
    """
    script: Script = World(seed=seed, rooms=rooms, rate=rate, steady=steady, away=away)
    if replay is not None:
        script = Replay(replay, rate=rate)
    elif schedule is not None:
        text = await asyncio.to_thread(schedule.read_text, "utf-8")
        script = Schedule.written(text, seed=seed, rate=rate, clock=time.time)
    plan = Faults(faults)
    async with AsyncExitStack() as stack:
        file = stack.enter_context(truth.open("w", encoding="utf-8")) if truth is not None else None
        if list_file is not None:
            lines = "".join(f"  - {name}\n" for name in script.unique_ids)
            await asyncio.to_thread(list_file.write_text, f"streamers:\n{lines}")
        simulator = Simulator(
            script,
            faults=plan,
            truth=Truth(file),
            host=host,
            port=port,
            resend=resend,
            adults=adults,
            limit=limit,
            quota=quota,
        )
        await stack.enter_async_context(simulator)
        stopped = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
        announce(f"simulated Webcast at {simulator.url} with {len(script.unique_ids)} rooms")
        await stopped.wait()


class Simulator:
    """A Webcast service. Use it as an async context manager."""

    def __init__(
        self,
        script: Script,
        *,
        faults: Faults,
        truth: Truth,
        host: str = "127.0.0.1",
        port: int = 0,
        heartbeat_seconds: float = HEARTBEAT_SECONDS,
        resend: bool = False,
        adults: Adults | None = None,
        limit: Limit | None = None,
        quota: Quota | None = None,
    ) -> None:
        """`resend`: what nobody acknowledged is sent to the next who comes. (Whether TikTok does so is not known.)

        `limit`: of look-ups; beyond it each is answered with a challenge. `quota`: of the sign server's calls.
        """
        self.requests: Counter[str] = Counter()
        """Requests by path."""
        self.handshakes: Counter[str] = Counter()
        """By the door that a client came to."""
        self.sockets: list[Socket] = []
        """Every socket that entered a room, closed ones too."""
        self.done = asyncio.Event()
        """Nothing is left to send; a replay comes to that, a world does not."""
        self._host = host
        self._port = port
        self._faults = faults
        self._truth = truth
        self._heartbeat_seconds = heartbeat_seconds
        self._resend = resend
        self._site = Site(self._fires)
        self._adults = adults or Adults()
        self._signer = Signer(self._fires, truth, quota)
        self._rooms = {
            name: Room(name, OWNERS + number, script.lives(name), truth)
            for number, name in enumerate(script.unique_ids, 1)
        }
        self._look_ups = LookUps(self._rooms, fires=self._fires, truth=truth, adults=self._adults, limit=limit)
        self._stack = AsyncExitStack()

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://{self._host}:{self._port}"

    @property
    def port(self) -> int:
        """Its port; known once it is entered."""
        return self._port

    @property
    def connections(self) -> Counter[int]:
        """Sockets that are open and have entered, by room id."""
        return Counter({room.last_room_id: len(room.sockets) for room in self._rooms.values() if room.sockets})

    @property
    def acknowledged(self) -> int:
        """Batches that were acknowledged as they should be."""
        return sum(socket.acknowledged for socket in self.sockets)

    @property
    def bad_acknowledgements(self) -> int:
        """Acknowledgements of what was never sent, or with another payload than its batch's `internal_ext`."""
        return sum(socket.bad_acknowledgements for socket in self.sockets)

    def room_id(self, unique_id: str) -> int:
        """The room of a streamer's live, or of the last one; 0 before the first."""
        return self._rooms[unique_id].last_room_id

    async def __aenter__(self) -> "Simulator":
        playing = await self._stack.enter_async_context(asyncio.TaskGroup())
        server = await self._stack.enter_async_context(
            serve_websockets(
                self._converse,
                self._host,
                self._port,
                process_request=self._process,
                process_response=_greet,
                compression=None,
                create_connection=posts.Connection,
                ping_interval=None,
                close_timeout=CLOSE_SECONDS,
                max_size=1024 * 1024,
            )
        )
        self._port = server.sockets[0].getsockname()[1]
        rooms = [playing.create_task(room.play(), name=room.unique_id) for room in self._rooms.values()]
        tasks = [*rooms, playing.create_task(self._wait_for(rooms))]
        self._stack.callback(lambda: [task.cancel() for task in tasks])
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def _wait_for(self, rooms: Sequence["asyncio.Task[None]"]) -> None:
        await asyncio.wait(rooms)
        self.done.set()

    # ------------------------------------------------------------------------------------------------------ HTTP

    async def _process(self, _: ServerConnection, request: Request) -> Response | None:
        """Answer a request, or let a socket open."""
        parts = urlsplit(request.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        self.requests[parts.path] += 1
        cookie, lent = request.headers.get("Cookie", ""), request.headers.get("X-Cookie-Header", "")
        for session in hashes(cookie, lent, query.get("xCookieHeader", "")):
            self._truth.write("session", "", host=request.headers.get("Host"), path=parts.path, sha256=session)
        if parts.path == gateway.PATH:
            return None
        if parts.path == FAULTS_PATH:
            return _response(self._plan(request.headers))
        if parts.path == SOCKET_PATH:
            page = self._handshake(request.headers, query)
            return _response(page) if page is not None else None
        # A client must find its way back by the name that it knows: in a container, ours is another.
        address = request.headers.get("Host") or f"{self._host}:{self._port}"
        if parts.path == site.REGISTER_PATH:
            return _response(self._site.register(request.headers))
        if parts.path in signer.SIGN_PATHS:
            return _response(signer.sign_url(request.headers))
        if site.PAGES.fullmatch(parts.path):
            return _response(self._site.page())
        return _response(self._page(parts.path, query, cookie, f"ws://{address}{SOCKET_PATH}"))

    def _page(self, path: str, query: dict[str, str], cookie: str, push_server: str) -> Page:
        if (told := self._look_ups.page(path, query, cookie)) is not None:
            return told
        match path.strip("/").split("/"):
            case ["webcast", "gift", "list"]:
                return pages.gift_list()
            case ["webcast", "fetch"]:
                return self._signer.connect(self._live_room(query.get("room_id", "")), push_server)
            case ["webcast", "rooms", room_id, "connect"]:
                return self._signer.connect(self._live_room(room_id), push_server)
            case ["webcast", "rate_limits"]:
                return pages.rate_limits()
        return pages.of_json({"message": "no such page"}, 404)

    def _handshake(self, headers: Headers, query: dict[str, str]) -> Page | None:
        """None lets the socket open."""
        room = self._live_room(query.get("room_id", ""))
        if room is None:
            return Page(400, b"", "text/plain", {"Handshake-Msg": "no such room"})
        door = _door(query)
        self.handshakes[door] += 1
        return site.handshake(headers, lambda fault: self._fires(fault, room.unique_id, door))

    def _fires(self, fault: Fault, unique_id: str = "", door: str | None = None) -> bool:
        if not self._faults.fires(fault, unique_id, door):
            return False
        self._truth.write("fault", unique_id, name=fault.value, door=door)
        return True

    def _plan(self, headers: Headers) -> Page:
        """Let go wrong what is posted, one spec a line; say how often each fault has happened."""
        if posts.method(headers) == "POST":
            specs = posts.body(headers).decode(errors="replace").split()
            try:
                self._faults.plan(specs)
            except ValueError as refused:
                return Page(400, f"{refused}\n".encode(), "text/plain")
            self._truth.write("planned", "", faults=specs)
        return pages.of_json(self._faults.fired)

    def _live_room(self, room_id: str) -> Room | None:
        live = (room for room in self._rooms.values() if room.live is not None)
        return next((room for room in live if str(room.last_room_id) == room_id), None)

    # -------------------------------------------------------------------------------------------------- sockets

    async def _converse(self, websocket: ServerConnection) -> None:
        assert websocket.request is not None
        parts = urlsplit(websocket.request.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        if parts.path == gateway.PATH:
            room = self._rooms.get(query.get("uniqueId", ""))
            name = room.unique_id if room is not None else ""
            live = room is not None and room.live is not None
            code = gateway.refusal(query, live=live, fires=lambda fault: self._fires(fault, name))
            if code is None and self._adults.keep_out(name, query.get("xCookieHeader", "")):
                code = gateway.REFUSALS[Fault.GATEWAY_FETCH_FAILED]
            if code is not None:
                await websocket.close(code)
                return
        else:
            room = self._live_room(query["room_id"])
        if room is None:
            return  # it ended during the handshake
        room_id = room.last_room_id
        passed = parts.path == gateway.PATH
        socket, door = self._socket(websocket, room, query, passed=passed), "gateway" if passed else _door(query)
        self._truth.write("connected", room.unique_id, room_id, door=door)
        try:
            # Not a room that has ended meanwhile: its socket would hear the next live, under another room's id.
            if await socket.entered() and room.is_live(room_id):
                self._truth.write("entered", room.unique_id, room_id, door=door)
                self.sockets.append(socket)
                cookie = websocket.request.headers.get("Cookie", "")
                if not passed and self._adults.keep_out(room.unique_id, cookie):
                    await socket.bar()
                await socket.send_history(room.history)
                again, room.unacknowledged = room.unacknowledged, []
                await socket.send_again(again)
                room.enter(socket)
                await socket.listen()
        finally:
            room.leave(socket)
            if self._resend and room.is_live(room_id) and not room.sockets:
                room.unacknowledged += socket.unacknowledged()
            await socket.close(1000)
            await socket.closed
            self._truth.write("disconnected", room.unique_id, room_id, door=door, code=websocket.close_code)

    def _socket(self, websocket: ServerConnection, room: Room, query: dict[str, str], *, passed: bool) -> Socket:
        name, room_id = room.unique_id, room.last_room_id
        if passed:
            return Passage(websocket, query, unique_id=name, room_id=room_id, faults=self._faults, truth=self._truth)
        return Socket(
            websocket,
            unique_id=name,
            room_id=room_id,
            door=_door(query),
            gzipped=query.get("compress") == "gzip",
            faults=self._faults,
            truth=self._truth,
            heartbeat_seconds=self._heartbeat_seconds,
        )


def _door(query: dict[str, str]) -> str:
    """By which door a client came to the socket's address."""
    return "direct" if query.get("ws_direct") == "1" else "sign"


def _greet(_: ServerConnection, __: Request, response: Response) -> None:
    if response.status_code == HTTPStatus.SWITCHING_PROTOCOLS:
        response.headers.update(HANDSHAKE)


def _response(page: Page) -> Response:
    headers = Headers(
        page.headers | {"Content-Type": page.content_type, "Content-Length": str(len(page.body)), "Connection": "close"}
    )
    for cookie in page.cookies:
        headers["Set-Cookie"] = cookie
    return Response(page.status, PHRASES.get(page.status, "Said"), headers, page.body)
