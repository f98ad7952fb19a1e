"""A worker's doors, put together from its settings."""

import os
import time
from pathlib import Path

from producer.errors import StartRefused
from producer.observability.metrics import Metrics
from producer.settings import Settings, variable
from producer.webcast.doors.contract import Door
from producer.webcast.doors.direct import Direct
from producer.webcast.doors.gateway import Gateway
from producer.webcast.doors.hall import Hall
from producer.webcast.doors.lease import Leased
from producer.webcast.doors.sign import Budget, Signed
from producer.webcast.doors.visitor import Visitors
from producer.webcast.http import HTTP
from producer.webcast.upstream import USER_AGENT, Upstream


def hall(settings: Settings, upstream: Upstream, web: HTTP, metrics: Metrics) -> Hall:
    """The doors in the order of PRODUCER_DOORS. Raises StartRefused."""
    doors = [_door(name, settings, upstream, web, metrics) for name in settings.doors]
    return Hall(doors, metrics, clock=time.monotonic, wall_clock=time.time)


def _door(name: str, settings: Settings, upstream: Upstream, web: HTTP, metrics: Metrics) -> Door:
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
