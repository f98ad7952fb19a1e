"""Streamers of weekly habits in virtual time, a plan that looks them up, and what a plan that knew the habits would do.

Who streams does so on six days of the week, at an hour of its own give or take a quarter of an hour, for 2.8 hours on
average: a tenth of the time. Three starts in a hundred are at any hour. Of the ends one in five is a break of minutes.
"""

import heapq
import math
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from statistics import median, quantiles

from producer.lookups.budget import Budget
from producer.lookups.habits import Habits
from producer.lookups.plan import Asker, Plan

DAY, HOUR = 86400.0, 3600.0
BEGAN = 1_772_409_600.0
"""Monday, 2 March 2026, 0:00 UTC."""
NOISE = 900.0
ODD = 0.03
BREAKS, BREAK = 0.2, (30.0, 600.0)
MEAN_SECONDS = 2.8 * HOUR


@dataclass
class Streamer:
    """One of them: its habit, and when it is live."""

    name: str
    hour: float
    off: int
    lives: list[tuple[float, float]]

    def rate(self, now: float, *, ended: float | None = None) -> tuple[float, float]:
        """What somebody knows who knows the habit, and not what comes of it: the hazard of its next start."""
        signed = (now - BEGAN - self.hour + DAY / 2) % DAY - DAY / 2
        away = abs(signed)
        rate = ODD / DAY
        habitual_day = int((now - BEGAN - signed) // DAY) % 7
        # Who started today starts no more.
        if habitual_day != self.off and away < 6 * NOISE and not (ended is not None and now - ended < 9 * HOUR):
            density = math.exp(-((signed / NOISE) ** 2) / 2) / (NOISE * math.sqrt(2 * math.pi))
            left = 0.5 * math.erfc(signed / NOISE / math.sqrt(2))
            rate += (1 - ODD) * density / (left + 0.05)
        if ended is not None and now - ended < BREAK[1]:
            rate += BREAKS / BREAK[1]
            return rate, ended + BREAK[1]
        return rate, now + 300


@dataclass(frozen=True)
class Outcome:
    """What a week came to; seconds from a start until it was found, from the third day on."""

    found: list[float]
    starts: int
    requests: list[float]
    offline_hours: float
    live_hours: float

    @property
    def median(self) -> float:
        return median(self.found)

    @property
    def p95(self) -> float:
        return quantiles(self.found, n=20)[-1]

    @property
    def mean(self) -> float:
        return sum(self.found) / len(self.found)


def world(count: int, *, days: int, seed: int) -> list[Streamer]:
    """So many streamers, and their lives."""
    found = []
    for number in range(count):
        chance = Random(f"{seed}:{number}")
        streamer = Streamer(f"streamer_{number:05}", chance.uniform(0, DAY), chance.randrange(7), [])
        end = 0.0
        for start in sorted(_starts(streamer, chance, days)):
            if start < end + 2 * HOUR:
                continue
            end = start + chance.expovariate(1 / MEAN_SECONDS) + 600
            streamer.lives.append((start, end))
            while chance.random() < BREAKS:
                start = end + chance.uniform(*BREAK)
                end = start + chance.expovariate(1 / MEAN_SECONDS) / 2 + 600
                streamer.lives.append((start, end))
        found.append(streamer)
    return found


def _starts(streamer: Streamer, chance: Random, days: int) -> Iterator[float]:
    for day in range(days):
        if chance.random() < ODD:
            yield BEGAN + day * DAY + chance.uniform(0, DAY)
        elif day % 7 != streamer.off:
            yield BEGAN + day * DAY + streamer.hour + chance.gauss(0, NOISE)


def play(
    streamers: list[Streamer], *, days: int, per_second: float, per_hour: float | None, seed: int, knows: bool
) -> Outcome:
    """Let a plan look them up for so many days. `knows`: it is told the habits and learns nothing."""
    chance = Random(seed)
    plan = Plan(Budget(per_second=per_second, per_hour=per_hour, chance=chance), shortest=60.0, longest=900.0)
    end_of_time = BEGAN + days * DAY
    events: list[tuple[float, int]] = []
    """Of lives that were found: when each ends, and whose it is."""
    habits = [Habits(BEGAN) for _ in streamers]
    places = {streamer.name: number for number, streamer in enumerate(streamers)}
    at = [0] * len(streamers)
    """Which live is the next, or the one now."""
    for number, streamer in enumerate(streamers):
        plan.wait(Asker(streamer.name, streamer if knows else habits[number]), BEGAN)
    now, requests, found = BEGAN, [], []
    while now < end_of_time:
        while events and events[0][0] <= now:
            ended, number = heapq.heappop(events)
            source = streamers[number] if knows else habits[number]
            plan.wait(Asker(streamers[number].name, source, asked=ended, ended=ended), ended)
        asked = plan.next(now)
        if isinstance(asked, float):
            now = min(asked, events[0][0] if events else end_of_time)
            continue
        requests.append(now)
        number = places[asked.name]
        lives = streamers[number].lives
        while at[number] < len(lives) and lives[at[number]][1] <= now:
            at[number] += 1  # it came and went unheard
        asked.asked = now
        if at[number] < len(lives) and lives[at[number]][0] <= now:
            start, end = lives[at[number]]
            at[number] += 1
            habits[number] = habits[number].started(start)
            if start >= BEGAN + 2 * DAY:
                found.append(now - start)
            heapq.heappush(events, (end, number))
        else:
            plan.wait(asked, now)
    live = sum(min(end, end_of_time) - start for each in streamers for start, end in each.lives if start < end_of_time)
    starts = sum(BEGAN + 2 * DAY <= start < end_of_time for each in streamers for start, _ in each.lives)
    return Outcome(found, starts, requests, len(streamers) * days * 24 - live / HOUR, live / HOUR)
