"""A worker's doors, put together from its settings, and what the workers of a fleet tell each other of them."""

import os
import time
from pathlib import Path
from random import uniform

from producer.assignments.doors import DoorSaid
from producer.assignments.interface import Assignments
from producer.errors import Reason, StartRefused
from producer.observability.metrics import Metrics
from producer.settings import Settings, variable
from producer.strangers import shown
from producer.webcast.doors.breaker import State
from producer.webcast.doors.contract import Door
from producer.webcast.doors.direct import Direct
from producer.webcast.doors.gateway import Gateway
from producer.webcast.doors.hall import Hall, Standing
from producer.webcast.doors.lease import Leased
from producer.webcast.doors.sign import Budget, Signed
from producer.webcast.doors.visitor import Visitors
from producer.webcast.http import HTTP
from producer.webcast.upstream import USER_AGENT, Upstream

SPREAD_SECONDS = 15.0
"""So much later than it might, at the most, a fleet's worker tries a door that is shut: mostly another came first."""


def hall(
    settings: Settings, upstream: Upstream, web: HTTP, metrics: Metrics, assignments: Assignments, worker: str
) -> Hall:
    """The doors in the order of PRODUCER_DOORS, which the fleet learns of together. Raises StartRefused."""
    doors = [door(name, settings, upstream, web, metrics) for name in settings.doors]
    made = Hall(
        doors,
        metrics,
        clock=time.monotonic,
        wall_clock=time.time,
        say=lambda standing: assignments.say_door(standing.door, to_say(standing, worker, now=time.time())),
        spread=lambda: uniform(0, SPREAD_SECONDS) if settings.assignments_file is None else 0.0,
    )
    assignments.hear_doors(lambda name, said: made.learnt(heard(name, said), said_at=said.at / 1000))
    return made


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


def door(name: str, settings: Settings, upstream: Upstream, web: HTTP, metrics: Metrics) -> Door:
    """One door. Raises StartRefused."""
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
            token_file=_readable("lease_token_file", settings.lease_token_file),
            reuse_seconds=settings.lease_reuse_seconds,
            connects_per_hour=settings.lease_connects_per_hour,
            leases_per_hour=settings.lease_leases_per_hour,
            clock=time.monotonic,
            wall_clock=time.time,
        )
    if name == Gateway.name:
        return Gateway(
            url=settings.gateway_url,
            raw_option=settings.gateway_raw_option,
            key_file=_readable("gateway_key_file", settings.gateway_key_file),
            jwt_file=_readable("gateway_jwt_file", settings.gateway_jwt_file),
            said=metrics.gateway_said,
            clock=time.monotonic,
        )
    assert settings.sign_url is not None
    return Signed(
        web,
        upstream,
        sign_url=settings.sign_url,
        api_key_file=_readable("sign_api_key_file", settings.sign_api_key_file),
        user_agent=USER_AGENT,
        budget=Budget(calls_per_minute=settings.sign_calls_per_minute),
        clock=time.monotonic,
    )


def _readable(setting: str, path: Path | None) -> Path | None:
    if path is not None and not os.access(path, os.R_OK):
        raise StartRefused(f"{variable(setting)}={path} cannot be read")
    return path
