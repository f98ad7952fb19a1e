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
from tempfile import TemporaryDirectory

from producer.local.kafka import Kafka
from tools.bench import measures
from tools.bench.avro import Inside
from tools.bench.field import Place, prepare
from tools.bench.subject import Subject, at, here
from tools.bench.yardstick import DRIFT, drift, regressions, table

Rows = dict[str, dict[str, list[float]]]
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
        "--parts", default=DEFAULT, help="which measures, with commas between: %(default)s; or pair, crowd, held, start"
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
    calibrations: list[list[float]] = []
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
        for number in range(wanted.rounds):
            turn = subjects[number % len(subjects) :] + subjects[: number % len(subjects)]
            calibrations.append([])
            for subject in turn:
                calibrations[-1].append(measures.calibration(core))
                for part in parts:
                    figures = insides[subject.name].round() if part == "avro" else every[part](subject, place)
                    _keep(rows, subject.name, await figures)
            print(f"round {number + 1} of {wanted.rounds}", file=sys.stderr, flush=True)
    ordered = {figure: {each.name: row[each.name] for each in subjects} for figure, row in rows.items()}
    print(*table(ordered), sep="\n")
    if wanted.json is not None:
        written = json.dumps({"seed": wanted.seed, "calibrations": calibrations, "figures": ordered}, indent=1)
        await asyncio.to_thread(wanted.json.write_text, written)
    if (slower := drift(calibrations)) > DRIFT:
        print(f"not judged: within one round the machine itself became {slower:.2f} times as slow")
        return 0
    return 1 if regressions(ordered) else 0


def _keep(rows: Rows, name: str, figures: dict[str, float]) -> None:
    for figure, value in figures.items():
        rows[figure][name].append(value)


if __name__ == "__main__":
    sys.exit(main())
