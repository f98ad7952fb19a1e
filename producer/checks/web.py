"""What is reached by HTTP: the schema registry, whose clock is compared with ours, and the upstream if asked for."""

import dataclasses
import time

import httpx

from producer import answers, authorities, strangers
from producer.checks.verdict import Verdict, fail, listed, ok, skipped, warn
from producer.delivery import registry
from producer.delivery.registry import Registry
from producer.errors import StartRefused
from producer.events import schemas
from producer.settings import Settings, proxy_list
from producer.webcast import http
from producer.webcast.upstream import USER_AGENT, Upstream

NO_REGISTRY = "PRODUCER_SCHEMA_REGISTRY_URL is not set: records are written with Avro single-object encoding"
CLOCK_SECONDS = 5.0
EPOCH = "Thu, 01 Jan 1970 00:00:00 GMT"


async def subjects(settings: Settings) -> list[Verdict]:
    """Compare every schema with the registry, as `producer schemas check` does, and judge it as a start would."""
    if settings.schema_registry_url is None:
        return [skipped(NO_REGISTRY)]
    events = schemas.events().values()
    where = f"PRODUCER_SCHEMA_REGISTRY_URL={settings.schema_registry_url}"
    async with _registry(settings, settings.schema_registry_url) as there:
        standings = await there.each(events, settings.topic_prefix, there.check)
    verdicts = [
        fail(f"{where}: {standing}", "ask those who read these topics; `producer schemas diff` shows what differs")
        for standing in standings
        if standing.state == "incompatible"
    ]
    lacking = [standing.subject for standing in standings if standing.state in ("absent", "compatible")]
    if lacking:
        found = f"{where}: {len(lacking)} of {len(standings)} schemas not registered: {listed(lacking)}"
        automatic = "the next worker registers them (PRODUCER_SCHEMA_AUTO_REGISTER)"
        register = "run `producer schemas register`"
        verdicts.append(warn(found, automatic) if settings.schema_auto_register else fail(found, register))
    return verdicts or [ok(f"{where}: all {len(standings)} schemas are registered")]


async def clock(settings: Settings) -> list[Verdict]:
    """Compare our clock with the registry's."""
    if settings.schema_registry_url is None:
        return [skipped("there is nothing to compare it with: Kafka does not tell the time, and no registry is set")]
    began = time.time()
    try:
        async with _registry(settings, settings.schema_registry_url) as there:
            stated = await there.date()
    except StartRefused:
        return [skipped("there is nothing to compare it with: the registry cannot be used")]
    ended = time.time()
    said = strangers.seconds_between(stated, EPOCH)
    if said is None:
        return [skipped("there is nothing to compare it with: the registry does not tell the time")]
    # It may have been said at any time in between, and is cut to the second.
    off = max(0.0, said - ended) + max(0.0, began - said - 1)
    if off > CLOCK_SECONDS:
        where = "behind" if said > ended else "ahead of"
        return [warn(f"our clock is {off:.0f} s {where} the registry's", "set it by NTP: records carry its time")]
    return [ok(f"within {CLOCK_SECONDS:g} s of the registry's")]


async def upstream(settings: Settings) -> list[Verdict]:
    """Ask the upstream, by each proxy, and the sign server and the broker where they are used, for one page each."""
    address = Upstream.named(settings.upstream, further_socket_suffixes=settings.socket_host_suffixes)
    listed = proxy_list(settings.proxies_file) if settings.proxies_file is not None else ()
    trust = authorities.context(settings.ca_file)
    urls = [address.web_url] if not listed else []
    if "sign" in settings.doors and settings.sign_url is not None:
        urls.append(settings.sign_url)
    if "lease" in settings.doors and settings.lease_url is not None:
        urls.append(settings.lease_url)
    verdicts = []
    for proxy in listed:
        async with http.client(user_agent=USER_AGENT, trust_environment=False, trust=trust, proxy=proxy) as web:
            verdicts.append(await _answer(web, address.web_url, by=f" by {proxy.name}"))
    async with http.client(user_agent=USER_AGENT, trust_environment=address.is_tiktok, trust=trust) as web:
        return verdicts + [await _answer(web, url) for url in urls]


async def _answer(web: httpx.AsyncClient, url: str, *, by: str = "") -> Verdict:
    try:
        async with web.stream("GET", url) as response:
            status = response.status_code
    except answers.FAILURES as problem:
        return fail(
            f"{url} cannot be reached{by}: {strangers.shown(f'{type(problem).__name__} {problem}'.rstrip())}",
            "look at the name, the network and the proxy (HTTPS_PROXY, PRODUCER_PROXIES_FILE)",
        )
    if status in (httpx.codes.FORBIDDEN, httpx.codes.TOO_MANY_REQUESTS) or status >= httpx.codes.INTERNAL_SERVER_ERROR:
        return warn(f"{url} answers {status}{by}", "it may block this address, or be unwell: look again later")
    return ok(f"{url} answers {status}{by}")


def _registry(settings: Settings, url: str) -> Registry:
    """Asked once: who waits at a terminal asks again."""
    return Registry(url, dataclasses.replace(registry.access(settings), patience_seconds=0.0))
