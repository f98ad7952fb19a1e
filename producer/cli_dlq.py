"""`producer dlq`: the dead letters listed, looked at, and sent through mapping again."""

import asyncio
import heapq
import sys
import time
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing
from dataclasses import replace
from typing import Annotated

import typer

from producer import __version__, letters, terminal
from producer.configured import KAFKA, configured, pseudonyms
from producer.delivery import assembly, topic_plan
from producer.delivery.dead_letters import Letter, LetterReason, Place, read_letter
from producer.delivery.ledger import Ledger
from producer.delivery.letter_reader import Found, LetterReader
from producer.delivery.publisher import Publisher
from producer.errors import ProducerError, StartRefused
from producer.events.event import Payloads
from producer.letters import Filter
from producer.observability.metrics import Metrics
from producer.replay import Mapped, NotReplayable, Outcome, StillRefused
from producer.replay import replay as replay_letter
from producer.settings import Settings
from producer.strangers import shown

dlq = typer.Typer(help="The dead letters: what was refused, and why.", no_args_is_help=True)

GRACE_SECONDS = 60.0
"""How long Kafka may take for the last records of a replay."""

Streamer = Annotated[str | None, typer.Option(help="Of this streamer.")]
Room = Annotated[int | None, typer.Option(help="Of this room id.")]
Method = Annotated[str | None, typer.Option(help="Of this kind of message, such as WebcastChatMessage.")]
Reason = Annotated[
    LetterReason | None,
    typer.Option(metavar="REASON", help=f"Refused for this reason: {', '.join(LetterReason)}."),  # wraps between words
]
Since = Annotated[
    str | None, typer.Option(help="Received so long ago at the most (30m, 2h, 1d), or since an ISO time.")
]
PLACE = "PARTITION:OFFSET"


@dlq.command("list")
def show_list(
    streamer: Streamer = None,
    room: Room = None,
    method: Method = None,
    reason: Reason = None,
    since: Since = None,
    limit: Annotated[int, typer.Option(min=1, help="Show so many at the most, the newest.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document: a list of letters.")] = False,
) -> None:
    """List dead letters, the newest last."""
    chosen = configured(KAFKA)
    newest, count = asyncio.run(_newest(chosen, _filter(streamer, room, method, reason, since), limit))
    if as_json:
        terminal.document([letters.document(*each) for each in newest])
    else:
        for line in letters.table(newest):
            terminal.say(line)
    if count > len(newest):
        terminal.complain(f"the newest {len(newest)} of {count}; --limit shows more")


@dlq.command()
def show(
    place: Annotated[str, typer.Argument(metavar=PLACE, help="Which, as `list` names it.")],
    raw: Annotated[bool, typer.Option("--raw", help="Write the bytes alone, as they are.")] = False,
) -> None:
    """Show one dead letter: its headers and its bytes."""
    [found] = asyncio.run(LetterReader(configured(KAFKA)).at([letters.place(place)]))
    if raw:
        sys.stdout.buffer.write(found.data)
        return
    headers = [(shown(name), value.decode("utf-8", "backslashreplace")) for name, value in found.headers]
    width = max((len(name) for name, _ in headers), default=0)
    for name, text in headers:
        terminal.say(f"{name:<{width}}  {text}")
    terminal.say()
    for line in letters.dump(found.data):
        terminal.say(line)


@dlq.command(
    help="Map and encode dead letters again, and publish what is an event now to its topic.\n\n"
    "An event has the id that it would have had (room:message): a second replay repeats event ids, and readers remove "
    "its records as they do any duplicates. The letters stay on their topic until their time is over.\n\n"
    "Totals of gifts (gift_finalized) are not counted anew, and gifts come without extended_gift, since the list of "
    "that time is gone. Frames and envelopes that could not be read, and letters that were cut, cannot be replayed."
)
def replay(
    places: Annotated[list[str] | None, typer.Argument(metavar=PLACE, help="These alone.")] = None,
    streamer: Streamer = None,
    room: Room = None,
    method: Method = None,
    reason: Reason = None,
    since: Since = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Publish nothing; so it is without --yes, too.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Publish what maps now.")] = False,
) -> None:
    chosen = configured(KAFKA)
    wanted = _filter(streamer, room, method, reason, since)
    named = list(dict.fromkeys(letters.place(text) for text in places or []))
    if named and wanted != Filter():
        raise StartRefused(f"name letters ({PLACE}) or say which are meant by filters, not both")
    asyncio.run(_replay(chosen, named or wanted, publish=yes and not dry_run))


def _filter(
    streamer: str | None, room: int | None, method: str | None, reason: LetterReason | None, since: str | None
) -> Filter:
    return Filter(
        streamer=streamer.removeprefix("@").lower() if streamer else None,
        room_id=room,
        method=method,
        reason=reason,
        since=letters.moment(since, now=time.time()) if since else None,
    )


async def _newest(chosen: Settings, wanted: Filter, limit: int) -> tuple[list[tuple[Place, Letter]], int]:
    """The newest letters, oldest first and without their bytes, and how many there are in all."""
    newest: list[tuple[int, Place, Letter]] = []
    count = 0
    async with aclosing(_found(chosen, wanted)) as found:
        async for where, letter in found:
            count += 1
            heapq.heappush(newest, (letter.received_at, where, replace(letter, data=b"")))
            if count > limit:
                heapq.heappop(newest)
    return [(where, letter) for _, where, letter in sorted(newest)], count


async def _found(chosen: Settings, wanted: Filter) -> AsyncGenerator[tuple[Place, Letter]]:
    """Every letter that is meant, each partition in its order; what is no letter is said at the end."""
    foreign = 0
    async with aclosing(LetterReader(chosen).since(wanted.since)) as records:
        async for record in records:
            try:
                letter = read_letter(record.headers, record.data)
            except ValueError:
                foreign += 1
                continue
            if wanted.takes(letter):
                yield record.place, letter
    if foreign:
        terminal.complain(f"{foreign} further records on the topic are no letters that this version reads")


async def _named(chosen: Settings, places: list[Place]) -> AsyncGenerator[tuple[Place, Letter]]:
    """The letters at these places; all are read before the first is given."""
    for where, letter in [(record.place, _letter(record)) for record in await LetterReader(chosen).at(places)]:
        yield where, letter


def _letter(record: Found) -> Letter:
    try:
        return read_letter(record.headers, record.data)
    except ValueError as problem:
        raise StartRefused(f"{record.place} is no letter that this version reads: {problem}") from problem


async def _replay(chosen: Settings, meant: list[Place] | Filter, *, publish: bool) -> None:
    """Print what becomes of each letter, publish it if that is wanted, and print the account."""
    encoder = await assembly.encoder(chosen)
    payloads, viewers = Payloads(chosen.payloads), pseudonyms(chosen)
    outcomes: Counter[type[Outcome]] = Counter()
    ledger = Ledger()
    async with AsyncExitStack() as stack:
        publisher = await stack.enter_async_context(await _publisher(chosen, ledger)) if publish else None
        found = _found(chosen, meant) if isinstance(meant, Filter) else _named(chosen, meant)
        async for where, letter in await stack.enter_async_context(aclosing(found)):
            outcome = replay_letter(letter, encoder, payloads=payloads, viewers=viewers)
            outcomes[type(outcome)] += 1
            terminal.say(f"{where}  {outcome}")
            if publisher is not None and isinstance(outcome, Mapped):
                publisher.publish(outcome.record)
                await publisher.room()
    if ledger.lost:
        raise ProducerError(
            f"Kafka acknowledged {ledger.acknowledged} of {outcomes[Mapped]} records in time; replay once more, "
            "their event ids stay the same"
        )
    verb, hint = ("replayed", "") if publish else ("would be replayed", " (a dry run; --yes publishes)")
    terminal.say(
        f"{outcomes[Mapped]} {verb}, {outcomes[StillRefused]} still refused, "
        f"{outcomes[NotReplayable]} not replayable{hint}"
    )


async def _publisher(chosen: Settings, ledger: Ledger) -> Publisher:
    metrics = Metrics(topics=topic_plan.names(chosen.topic_prefix), version=__version__)
    return await assembly.publisher(
        chosen, ledger, metrics, worker="dlq replay", spool=None, grace_seconds=GRACE_SECONDS
    )
