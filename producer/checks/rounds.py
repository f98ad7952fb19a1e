"""The round of all checks: in turn, each by itself, leaving out what needs one that failed."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass

from producer.checks import cluster, files, machine, shared_list, topics, web
from producer.checks.verdict import Verdict, fail, skipped
from producer.errors import ProducerError
from producer.settings import Settings

CHECK_SECONDS = 60.0
"""An end for a check whose other side neither answers nor refuses."""


@dataclass(frozen=True, slots=True)
class Check:
    """One check: it returns at least one verdict, and raises ProducerError for what would refuse a start."""

    name: str
    ask: Callable[[Settings], Awaitable[Sequence[Verdict]]]
    needs: tuple[str, ...] = ()
    advice: str = ""
    """What to do where it raises, and its words do not say it."""


async def make(settings: Settings, *, upstream: bool) -> AsyncIterator[tuple[str, Verdict]]:
    """Yield each verdict with the name of its check, as soon as it is known."""
    failed: set[str] = set()
    for check in _checks(settings, upstream=upstream):
        needed = next((name for name in check.needs if name in failed), None)
        verdicts = [skipped(f"needs {needed}, which failed")] if needed else await _verdicts(check, settings)
        if needed or any(verdict.state == "fail" for verdict in verdicts):
            failed.add(check.name)
        for verdict in verdicts:
            yield check.name, verdict


def _checks(settings: Settings, *, upstream: bool) -> Iterator[Check]:
    yield Check("files", files.check)
    yield Check("authorities", files.trusted, advice="mount it, or unset the variable: nobody would be trusted")
    yield Check("descriptors", machine.open_files)
    yield Check("port", machine.port)
    yield Check("spool", machine.spool)
    yield Check("kafka", cluster.reach, advice="see docs/kafka-security.md")
    yield Check("brokers", cluster.brokers, needs=("kafka",))
    yield Check("idempotence", cluster.idempotence, needs=("kafka",), advice=topics.GRANT)
    yield Check("topics", topics.there, needs=("kafka",))
    yield Check("topic settings", topics.shape, needs=("kafka",))
    yield Check("replication", topics.replication, needs=("kafka",))
    yield Check("rights", topics.rights, needs=("kafka",))
    if settings.assignments_file is None:
        yield Check("list", shared_list.topic, needs=("kafka",))
        yield Check("claims", shared_list.group, needs=("kafka", "list", "rights"))
    else:
        yield Check("list", shared_list.file, advice="correct the list")
        yield Check("claims", shared_list.claims)
    yield Check("look-ups", shared_list.look_ups, needs=("files", "list"))
    yield Check("registry", web.subjects, advice="see the PRODUCER_SCHEMA_REGISTRY_ settings")
    yield Check("clock", web.clock)
    if upstream:
        yield Check("upstream", web.upstream, needs=("authorities",))
    else:
        yield Check("upstream", _not_asked)


async def _not_asked(_: Settings) -> Sequence[Verdict]:
    return [skipped("not asked for: --upstream makes one request to it")]


async def _verdicts(check: Check, settings: Settings) -> Sequence[Verdict]:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            return await check.ask(settings)
    except ProducerError as refused:
        return [fail(line, check.advice) for line in str(refused).splitlines()]
    except TimeoutError:
        return [fail(f"it took longer than {CHECK_SECONDS:g} s", check.advice or "look at the network")]
