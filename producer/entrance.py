"""A worker's egresses and their doors, put together from its settings; what the workers tell each other of doors."""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from random import Random, uniform
from ssl import SSLContext

import httpx

from producer.assignments.doors import DoorSaid
from producer.assignments.interface import Assignments
from producer.errors import Reason, StartRefused
from producer.lookups.budget import Budget as LookUps
from producer.lookups.plan import Plan
from producer.lookups.queue import Queue
from producer.observability.metrics import Metrics
from producer.proxies import Proxy
from producer.settings import Settings, proxy_list, variable
from producer.strangers import shown
from producer.webcast import http
from producer.webcast.bench import Bench
from producer.webcast.doors import places
from producer.webcast.doors.breaker import State
from producer.webcast.doors.contract import Door
from producer.webcast.doors.direct import Direct
from producer.webcast.doors.gateway import Gateway
from producer.webcast.doors.hall import Hall, Standing
from producer.webcast.doors.lease import Leased
from producer.webcast.doors.places import Places
from producer.webcast.doors.queue import Queue as Calls
from producer.webcast.doors.sign import Signed
from producer.webcast.doors.visitor import Visitors
from producer.webcast.http import HTTP
from producer.webcast.lanes import Lane, Lanes
from producer.webcast.logins import Logins
from producer.webcast.room import Rooms
from producer.webcast.route import DEFAULT, Route
from producer.webcast.upstream import USER_AGENT, Upstream

SPREAD_SECONDS = 15.0
"""So much later than it might, at the most, a fleet's worker tries a door that is shut: mostly another came first."""


def lanes(
    settings: Settings,
    upstream: Upstream,
    metrics: Metrics,
    *,
    names: Sequence[str],
    trust: SSLContext,
    clients: AsyncExitStack,
    requested: Callable[[str, str], None],
    assignments: Assignments | None = None,
    worker: str = "",
) -> Lanes:
    """The egresses of PRODUCER_PROXIES_FILE, or the one that is there without; each with the doors of these names.

    `clients` is who closes what is made here. Through `assignments` the fleet learns of doors together. Raises
    StartRefused.
    """

    def client(proxy: Proxy | None = None) -> httpx.AsyncClient:
        made = http.client(user_agent=USER_AGENT, trust_environment=upstream.is_tiktok, trust=trust, proxy=proxy)
        clients.push_async_callback(made.aclose)
        return made

    routes = egresses(settings)
    services = http.HTTP(client(), requested)
    bench = Bench(tuple(routes), time.monotonic, metrics.egress_benched)
    shared = {
        name: door(name, settings, upstream, services, metrics, egress=bench.choose, assignments=assignments)
        for name in names
        if name != Direct.name
    }
    made = []
    for egress, proxy in routes.items():
        route = Route(egress, proxy, bench.fail)
        web = http.HTTP(client(proxy), requested, route=route) if proxy is not None else services
        doors = [shared.get(name) or door(name, settings, upstream, web, metrics) for name in names]
        rooms, look_ups = finding(settings, upstream, web, route, metrics)
        made.append(Lane(route, rooms, hall(settings, doors, route, metrics, assignments, worker), look_ups))
    if assignments is not None:
        _hear(assignments, made)
    return Lanes(made, bench)


def finding(settings: Settings, upstream: Upstream, web: HTTP, route: Route, metrics: Metrics) -> tuple[Rooms, Queue]:
    """Look-ups by one egress, and where rooms wait for theirs."""
    budget = LookUps(per_second=settings.lookups_per_second, per_hour=settings.lookups_per_hour, chance=Random())
    longest = max(settings.lookup_longest_seconds, settings.live_poll_seconds)
    plan = Plan(budget, shortest=settings.live_poll_seconds, longest=longest)
    rooms = Rooms(
        web,
        upstream,
        USER_AGENT,
        held=partial(metrics.look_ups_held, egress=route.name),
        egress=route.shown,
        spent=lambda: queue.spend(),
    )
    queue = Queue(plan, held=rooms.held, waiting=partial(metrics.look_ups_waiting, egress=route.name))
    return rooms, queue


def egresses(settings: Settings) -> Mapping[str, Proxy | None]:
    """The proxies of PRODUCER_PROXIES_FILE by name, or the one route that is there without. Raises StartRefused."""
    if settings.proxies_file is None:
        return {DEFAULT: None}
    return {proxy.name: proxy for proxy in proxy_list(settings.proxies_file)}


def hall(
    settings: Settings,
    doors: Sequence[Door],
    route: Route,
    metrics: Metrics,
    assignments: Assignments | None,
    worker: str,
) -> Hall:
    """The doors of one egress, which tell the fleet how they stand."""

    def say(standing: Standing) -> None:
        if assignments is not None:
            assignments.say_door(route.door(standing.door), to_say(standing, worker, now=time.time()))

    return Hall(
        doors,
        _Listener(metrics, route.name),
        clock=time.monotonic,
        wall_clock=time.time,
        say=say,
        spread=lambda: uniform(0, SPREAD_SECONDS) if settings.assignments_file is None else 0.0,
        egress=route.shown,
    )


def _hear(assignments: Assignments, made: Sequence[Lane]) -> None:
    """Have what other workers say of doors told to the lane that it is about, if it is one of ours."""
    doors = {lane.route.door(door.name): (lane.doors, door.name) for lane in made for door in lane.doors.doors}

    def hear(name: str, said: DoorSaid) -> None:
        if name in doors:
            there, door = doors[name]
            there.learnt(heard(door, said), said_at=said.at / 1000)

    assignments.hear_doors(hear)


@dataclass(frozen=True, slots=True)
class _Listener:
    """Tells the metrics what goes on at the doors of one egress."""

    metrics: Metrics
    egress: str

    def door_tried(self, door: str, outcome: str, reason: Reason | None) -> None:
        self.metrics.door_tried(door, outcome, reason, egress=self.egress)

    def door_stands(self, door: str, *, is_open: bool) -> None:
        self.metrics.door_stands(door, is_open=is_open, egress=self.egress)


def to_say(standing: Standing, worker: str, *, now: float) -> DoorSaid:
    """What is said to other workers of how a door stands."""
    return DoorSaid(
        worker,
        int(now * 1000),
        standing.reason,
        standing.detail,
        _milliseconds(standing.since),
        _milliseconds(standing.again_at),
    )


def heard(door: str, said: DoorSaid) -> Standing:
    """How a door stands, by what another worker said; its text is a stranger's."""
    if said.reason is None:
        return Standing(door, State.OPEN, None, "", None)
    known = said.reason in tuple(Reason)  # a newer worker may have another
    since, again_at = (None if each is None else each / 1000 for each in (said.since, said.again_at))
    reason = Reason(said.reason) if known else Reason.OTHER
    return Standing(door, State.SHUT, reason, shown(said.detail), since, again_at)


def _milliseconds(seconds: float | None) -> int | None:
    return None if seconds is None else int(seconds * 1000)


def door(
    name: str,
    settings: Settings,
    upstream: Upstream,
    web: HTTP,
    metrics: Metrics,
    *,
    egress: Callable[[str], str] = lambda _: DEFAULT,
    assignments: Assignments | None = None,
) -> Door:
    """One door."""
    if name == Direct.name:
        visitors = Visitors(web, upstream, clock=time.monotonic, age_seconds=settings.direct_cookie_seconds)
        return Direct(visitors, upstream, history_comments=settings.direct_history_comments)
    if name == Leased.name:
        assert settings.lease_url is not None  # settings say so where this door is among them
        return Leased(
            web,
            upstream,
            url=settings.lease_url,
            contract=settings.lease_contract,
            token_file=settings.lease_token_file,
            reuse_seconds=settings.lease_reuse_seconds,
            connects_per_hour=settings.lease_connects_per_hour,
            leases_per_hour=settings.lease_leases_per_hour,
            clock=time.monotonic,
            wall_clock=time.time,
            egress=egress,
        )
    if name == Gateway.name:
        return Gateway(
            url=settings.gateway_url,
            raw_option=settings.gateway_raw_option,
            key_file=settings.gateway_key_file,
            jwt_file=settings.gateway_jwt_file,
            said=metrics.gateway_said,
            clock=time.monotonic,
        )
    assert settings.sign_url is not None
    total, period = places.per_minute(settings.sign_calls_per_minute)
    calls = Calls(
        Places(total, period=period),
        clock=time.monotonic,
        told=lambda waiting, share: metrics.sign_calls(waiting=waiting, share=share),
    )
    if assignments is not None:
        assignments.share(Signed.name, calls, total=total, period=period)
    return Signed(
        web,
        upstream,
        sign_url=settings.sign_url,
        api_key_file=settings.sign_api_key_file,
        user_agent=USER_AGENT,
        queue=calls,
        clock=time.monotonic,
    )


def logins(settings: Settings) -> Logins:
    """Where sessions are, and which doors carry them. Raises StartRefused."""
    folder = settings.sessions_directory
    if folder is not None and not (folder.is_dir() and os.access(folder, os.R_OK | os.X_OK)):
        raise StartRefused(f"{variable('sessions_directory')}={folder} is no folder that can be read")
    return Logins(folder, frozenset(settings.session_doors))
