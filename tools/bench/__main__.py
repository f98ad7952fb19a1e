"""`python -m tools.bench`, or `make bench`: measures this tree beside a commit, and says what became slower."""

import argparse
import asyncio
import json
import os
import sys
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from producer.local.kafka import Kafka
from tools.bench import measures
from tools.bench.avro import Inside
from tools.bench.field import Place, prepare
from tools.bench.subject import Subject, at, here
from tools.bench.yardstick import evened, regressions, table

PROCESSOR_TIME = ("of CPU", "% of a core", "payload to Avro")
"""Figures with one of these in their names cost more while the machine is slow."""
Rows = dict[str, dict[str, list[tuple[float, float]]]]
"""By figure and subject: what was measured, and what a loop took then that is always the same."""
Part = Callable[[Subject, Place], Awaitable[dict[str, float]]]


def _parts(wanted: argparse.Namespace) -> dict[str, Part]:
    """What can be measured of a worker, by name."""
    return {
        "saturated": partial(measures.saturated, rooms=wanted.rooms, count=wanted.frames),
        "pair": partial(measures.saturated, rooms=wanted.rooms, count=wanted.frames, workers=2),
        "paced": partial(measures.paced, rooms=wanted.paced_rooms, rate=wanted.rate, seconds=wanted.seconds),
        "held": partial(measures.held, rooms=wanted.paced_rooms, seconds=wanted.seconds),
        "crowd": partial(_crowds, rooms=wanted.crowds, rate=wanted.rate),
        "idle": partial(measures.idle, rooms=wanted.idle_rooms, seconds=wanted.seconds),
        "memory": partial(measures.memory, rooms=wanted.idle_rooms),
    }


async def _crowds(subject: Subject, place: Place, *, rooms: Sequence[int], rate: float) -> dict[str, float]:
    figures: dict[str, float] = {}
    for count in rooms:
        figures |= await measures.crowd(subject, place, rooms=count, rate=rate)
    return figures


def _numbers(text: str) -> list[int]:
    return [int(word) for word in text.split(",")]


DEFAULT = "avro,saturated,paced,idle,memory"


def main() -> int:
    """Measure, print, and end with 1 where something became slower."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench", description=__doc__)
    parser.add_argument("--against", default="HEAD", metavar="REF", help="the commit to compare with; none: nothing")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--parts", default=DEFAULT, help="which measures, with commas between: %(default)s; or pair, crowd, held"
    )
    parser.add_argument("--rooms", type=int, default=12, help="of the saturated measure")
    parser.add_argument("--frames", type=int, default=400, help="of each of those rooms")
    parser.add_argument("--paced-rooms", type=int, default=300)
    parser.add_argument("--rate", type=float, default=1_500.0, help="messages a second of the paced measure")
    parser.add_argument("--seconds", type=float, default=10.0, help="of the paced and the idle measure")
    parser.add_argument("--idle-rooms", type=int, default=1_000)
    parser.add_argument("--crowds", type=_numbers, default="100,1000,5000", help="rooms of the crowd measure")
    parser.add_argument("--json", type=Path, help="a file for all figures of all rounds")
    return asyncio.run(_measure(parser.parse_args()))


async def _measure(wanted: argparse.Namespace) -> int:
    cores = sorted(os.sched_getaffinity(0))
    *ours, core = cores
    if ours:
        os.sched_setaffinity(0, ours)  # Kafka and the rooms as well, which are our children
    subjects = [here()] if wanted.against == "none" else [here(), at(wanted.against)]
    parts, every = wanted.parts.split(","), _parts(wanted)
    rows: Rows = defaultdict(lambda: defaultdict(list))
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        kafka = await stack.enter_async_context(Kafka(folder / "kafka"))
        place = Place(kafka.bootstrap_servers, folder, core, wanted.seed)
        insides = {}
        for subject in subjects:
            await prepare(subject, place)
            if "avro" in parts:
                inside = await stack.enter_async_context(Inside.open(subject, place, count=3_000))
                print(
                    f"{subject.name}: records are {'' if inside.is_equal else 'NOT '}fastavro's, sha256 {inside.sha256}"
                )
                insides[subject.name] = inside
        before = measures.calibration(core)
        for number in range(wanted.rounds):
            turn = subjects[number % len(subjects) :] + subjects[: number % len(subjects)]
            for subject in turn:
                for part in parts:
                    figures = await (insides[subject.name].round() if part == "avro" else every[part](subject, place))
                    after = measures.calibration(core)
                    seconds, before = (before + after) / 2, after
                    for figure, value in figures.items():
                        rows[figure][subject.name].append((value, seconds))
            print(f"round {number + 1} of {wanted.rounds}", file=sys.stderr, flush=True)
    usual = median(seconds for row in rows.values() for each in row.values() for _, seconds in each)
    ordered = {
        figure: {each.name: _evened(figure, row[each.name], usual) for each in subjects} for figure, row in rows.items()
    }
    print(*table(ordered), sep="\n")
    if wanted.json is not None:
        written = json.dumps({"seed": wanted.seed, "usual": usual, "evened": ordered, "measured": rows}, indent=1)
        await asyncio.to_thread(wanted.json.write_text, written)
    return 1 if regressions(ordered) else 0


def _evened(figure: str, measured: Sequence[tuple[float, float]], usual: float) -> list[float]:
    if not any(word in figure for word in PROCESSOR_TIME):
        return [value for value, _ in measured]
    return [evened(value, seconds, usual) for value, seconds in measured]


if __name__ == "__main__":
    sys.exit(main())
