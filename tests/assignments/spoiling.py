"""Good files, spoilt: what fuzz tests of the files' readers begin with."""

import os
from collections.abc import Iterator, Sequence
from random import Random

from hypothesis import HealthCheck, settings

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "10000"))
BATCH = 100
"""Spoilt files a draw: Hypothesis takes ten times as long over a draw as a reader over a file."""
STEADY = settings(
    derandomize="FUZZ_EXAMPLES" not in os.environ,
    max_examples=-(-EXAMPLES // BATCH),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],  # a busy machine is no finding
)


def spoilt(seed: int, good: Sequence[bytes], tokens: Sequence[bytes]) -> Iterator[bytes]:
    """A batch of files, each a good one after up to three cuts, insertions, repetitions or transplants."""
    random = Random(seed)
    for _ in range(BATCH):
        data = random.choice(good)
        for _ in range(random.randint(0, 3)):
            at = random.randint(0, len(data))
            end = min(len(data), at + random.choice((0, 1, 2, 5, 20)))
            donor = random.choice(good)
            start = random.randint(0, len(donor))
            put = random.choice(
                (
                    b"",
                    random.randbytes(random.randint(1, 4)),
                    random.choice(tokens),
                    random.choice(tokens) * random.choice((2, 30, 2_000)),
                    data[at:end] * 2,
                    donor[start : start + random.randint(0, 40)],
                )
            )
            data = data[:at] + put + data[end:]
        yield data
