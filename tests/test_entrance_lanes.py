"""producer.entrance: a worker's egresses, each with doors of its own, of which the fleet is told apart."""

import asyncio
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from producer import authorities, entrance
from producer.assignments.doors import DoorSaid
from producer.assignments.interface import Assignments
from producer.errors import FailedConnection, FailedFetchRoomInfo, Reason, StartRefused
from producer.observability.metrics import Metrics
from producer.settings import from_environ
from producer.webcast.doors.contract import Address
from producer.webcast.lanes import Lane, Lanes
from producer.webcast.room import RoomId
from producer.webcast.upstream import Upstream
from tests.forward_proxy import PASSWORD, ForwardProxy

LEAST = {"PRODUCER_UPSTREAM": "http://127.0.0.1:9", "PRODUCER_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9"}


class Fleet:
    """What is said of doors, and whoever hears it."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say_door(self, door: str, said: DoorSaid) -> None:
        self.said.append(door)

    def hear_doors(self, told: Any) -> None:
        self.tell = told


async def lanes(clients: AsyncExitStack, fleet: Fleet | None, metrics: Metrics, **environ: str) -> Lanes:
    settings = from_environ(LEAST | environ)
    return entrance.lanes(
        settings,
        Upstream.named(settings.upstream),
        metrics,
        names=settings.doors,
        trust=authorities.context(settings.ca_file),
        clients=clients,
        requested=lambda *_: None,
        assignments=cast(Assignments, fleet),
        worker="w",
    )


def refuse(lane: Lane, door: str) -> None:
    address = Address(cast(Any, None), cookie="", door=door)
    lane.doors.visit(RoomId(1), "ann").told(address, FailedConnection("417", reason=Reason.UNSIGNED), lived_seconds=0.0)


def standings(lanes: Lanes) -> dict[str, list[str]]:
    return {lane.route.name: [each.state for each in lane.doors.standings()] for lane in lanes}


def door_open(metrics: Metrics, egress: str) -> float | None:
    labels = {"door": "direct", "egress": egress}
    return metrics.registry.get_sample_value("tiktok_live_door_open", labels)


def test_a_door_that_refuses_one_egress_is_open_for_the_others_and_the_fleet_is_told_which(tmp_path: Path) -> None:
    file = tmp_path / "proxies"
    file.write_text("http://me:c4n4ry@10.0.0.1:3128\nsocks5://10.0.0.2:1080\n")
    fleet, metrics = Fleet(), Metrics(topics=(), version="", egresses=("10.0.0.1:3128", "10.0.0.2:1080"))

    async def main() -> None:
        async with AsyncExitStack() as clients:
            given = await lanes(clients, fleet, metrics, PRODUCER_PROXIES_FILE=str(file))
            one, two = given

            refuse(one, "direct")

            assert fleet.said == ["direct@10.0.0.1:3128"]
            assert standings(given) == {"10.0.0.1:3128": ["shut"], "10.0.0.2:1080": ["open"]}
            assert (door_open(metrics, one.route.name), door_open(metrics, two.route.name)) == (0.0, 1.0)

            now = int(time.time() * 1000)
            for door in ("direct@10.0.0.2:1080", "direct", "direct@10.0.0.9:1"):
                fleet.tell(door, DoorSaid("v", now, "unsigned", "417", now))

            assert standings(given) == {"10.0.0.1:3128": ["shut"], "10.0.0.2:1080": ["shut"]}

    asyncio.run(main())


def test_without_a_list_the_one_egress_has_the_doors_names_as_they_are() -> None:
    fleet, metrics = Fleet(), Metrics(topics=(), version="")

    async def main() -> None:
        async with AsyncExitStack() as clients:
            given = await lanes(clients, fleet, metrics)
            [lane] = given

            refuse(lane, "direct")

            assert (lane.route.name, lane.route.proxy, lane.route.door("direct")) == ("default", None, "direct")
            assert fleet.said == ["direct"]

    asyncio.run(main())


def test_an_account_is_one_for_all_egresses_and_the_anonymous_visitor_is_not(tmp_path: Path) -> None:
    file = tmp_path / "proxies"
    file.write_text("http://10.0.0.1:3128\nhttp://10.0.0.2:3128\n")
    more = {"PRODUCER_DOORS": "direct,sign", "PRODUCER_SIGN_URL": "http://127.0.0.1:9"}

    async def main() -> None:
        async with AsyncExitStack() as clients:
            metrics = Metrics(topics=(), version="")
            given = await lanes(clients, None, metrics, PRODUCER_PROXIES_FILE=str(file), **more)
            (direct, sign), (other_direct, other_sign) = (lane.doors.doors for lane in given)

            assert sign is other_sign
            assert direct is not other_direct

    asyncio.run(main())


def test_the_sign_server_is_asked_by_no_proxy_of_the_list_and_tiktok_by_no_other(tmp_path: Path) -> None:
    file = tmp_path / "proxies"

    async def main() -> None:
        async with AsyncExitStack() as clients, ForwardProxy("http", password=PASSWORD).serve() as proxy:
            file.write_text(proxy.url)
            proxy.refuses = b"HTTP/1.1 502 No\r\nContent-Length: 0\r\n\r\n"
            more = {"PRODUCER_DOORS": "sign,direct", "PRODUCER_SIGN_URL": "http://127.0.0.1:9"}
            metrics = Metrics(topics=(), version="")
            [lane] = await lanes(clients, None, metrics, PRODUCER_PROXIES_FILE=str(file), **more)
            sign, _ = lane.doors.doors

            with pytest.raises(Exception, match="sign: ConnectError"):
                await sign.obtain(RoomId(1), "ann")
            knocks = proxy.knocks
            with pytest.raises(FailedFetchRoomInfo, match="answered 502"):
                await lane.rooms.is_live(RoomId(1))

            assert (knocks, proxy.knocks) == (0, 1)

    asyncio.run(main())


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("http://me:c4n4ry@gate:1\n10.0.0.1:3128\n", "{file}: line 2 has no scheme; write it as http://host:port"),
        ("\n", "{file} is empty"),
        ("# none\n", "{file}: no proxy is in it"),
        (None, "{file} cannot be read: No such file or directory"),
    ],
)
def test_a_list_that_cannot_be_used_refuses_the_start(tmp_path: Path, text: str | None, problem: str) -> None:
    file = tmp_path / "proxies"
    if text is not None:
        file.write_text(text)

    with pytest.raises(StartRefused) as refused:
        entrance.egresses(from_environ(LEAST | {"PRODUCER_PROXIES_FILE": str(file)}))

    assert str(refused.value) == f"PRODUCER_PROXIES_FILE: {problem.format(file=file)}"


def test_one_client_each_is_closed_with_its_egress(tmp_path: Path) -> None:
    file = tmp_path / "proxies"
    file.write_text("http://10.0.0.1:3128\nhttp://10.0.0.2:3128\n")
    made: list[httpx.AsyncClient] = []

    async def main() -> None:
        init = httpx.AsyncClient.__init__

        def noted(self: httpx.AsyncClient, **more: Any) -> None:
            made.append(self)
            init(self, **more)

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(httpx.AsyncClient, "__init__", noted)
            async with AsyncExitStack() as clients:
                await lanes(clients, None, Metrics(topics=(), version=""), PRODUCER_PROXIES_FILE=str(file))

    asyncio.run(main())

    assert [client.is_closed for client in made] == [True, True, True]
