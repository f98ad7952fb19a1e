"""A week of virtual time: how soon lives are found, by how many look-ups, and what knowing all habits would have saved.

`python -m tools.discovery [STREAMERS ...]`, or `make discovery`.
"""

import sys
from multiprocessing import Pool

from tests.lookups.virtual import Outcome, play, world

DAYS, SEED = 7, 1
BUDGETS = {100: (0.2, 600.0), 1_000: (1.0, None), 5_000: (5.0, None)}
"""By how many there are: look-ups a second, and an hour."""


def week(count: int, knows: bool) -> Outcome:
    """What becomes of so many."""
    per_second, per_hour = BUDGETS[count]
    streamers = world(count, days=DAYS, seed=SEED)
    return play(streamers, days=DAYS, per_second=per_second, per_hour=per_hour, seed=SEED, knows=knows)


def main() -> None:
    """Print a table."""
    counts = [int(word) for word in sys.argv[1:]] or list(BUDGETS)
    print("streamers  look-ups/s  plan     lives  found  median s  p95 s  mean s  look-ups/offline h  most in 60 s")
    with Pool() as pool:
        for count in counts:
            learns, knows = pool.starmap(week, [(count, False), (count, True)])
            for name, outcome in (("learns", learns), ("knows", knows)):
                times = outcome.requests
                most = max(_within(times, 60.0))
                print(
                    f"{count:>9}  {BUDGETS[count][0]:>10}  {name:<7} {outcome.starts:>6} {len(outcome.found):>6}  "
                    f"{outcome.median:>8.0f} {outcome.p95:>6.0f} {outcome.mean:>7.0f}  "
                    f"{len(times) / outcome.offline_hours:>18.2f}  {most:>12}",
                    flush=True,
                )
            print(
                f"{'':>21}  ratio   {'':>14} {learns.median / knows.median:>9.2f} {learns.p95 / knows.p95:>6.2f} "
                f"{learns.mean / knows.mean:>7.2f}"
            )


def _within(times: list[float], seconds: float) -> list[int]:
    """How many requests left in so many seconds from each on."""
    counts, end = [], 0
    for begin, at in enumerate(times):
        while end < len(times) and times[end] < at + seconds:
            end += 1
        counts.append(end - begin)
    return counts


if __name__ == "__main__":
    main()
