"""Figures of several rounds: medians, spread, and whether one subject is slower than the other; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

Rows = Mapping[str, Mapping[str, Sequence[float]]]
"""By figure and subject: one value a round. All are costs, so less is better."""
WORSE = 1.05
"""A ratio that counts, if nearly every round has one on the same side of 1."""
ODD_ROUNDS = 5
"""Of so many rounds one may be on the other side."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """Of one figure of two subjects, taken in the same round, each round."""

    rounds: Sequence[float]

    @property
    def middle(self) -> float:
        """The median."""
        return median(self.rounds)

    @property
    def is_worse(self) -> bool:
        """Whether the first costs more, and not by chance."""
        return self.middle >= WORSE and self._agree(sum(each > 1 for each in self.rounds))

    @property
    def is_better(self) -> bool:
        """The same the other way."""
        return self.middle <= 1 / WORSE and self._agree(sum(each < 1 for each in self.rounds))

    def _agree(self, count: int) -> bool:
        return count >= len(self.rounds) - len(self.rounds) // ODD_ROUNDS


def ratio(first: Sequence[float], second: Sequence[float]) -> Ratio:
    """Compare two rows of as many rounds."""
    return Ratio([one / other for one, other in zip(first, second, strict=True)])


def evened(value: float, seconds: float, usual: float) -> float:
    """What a cost in processor time would be, had the same loop taken as long then as it usually does."""
    return value * usual / seconds


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which this share of them is."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def bucket(counts: Mapping[float, float], share: float) -> float:
    """The least bound of a cumulative histogram below which this share of all is."""
    wanted = share * max(counts.values())
    return min(bound for bound, count in counts.items() if count >= wanted)


def regressions(rows: Rows) -> list[str]:
    """The figures in which the first subject costs more than another."""
    return [figure for figure, subjects in rows.items() for compared in _compared(subjects) if compared.is_worse]


def table(rows: Rows) -> list[str]:
    """Lines: one a figure, with each subject's median and the ratio of the first to each other."""
    lines = []
    for figure, subjects in rows.items():
        words = [f"{figure:<46}", *(f"{name} {median(values):9.2f}" for name, values in subjects.items())]
        for compared in _compared(subjects):
            mark = "REGRESSION" if compared.is_worse else "better" if compared.is_better else ""
            words.append(
                f"ratio {compared.middle:.3f} ({min(compared.rounds):.3f} to {max(compared.rounds):.3f}) {mark}"
            )
        lines.append("  ".join(words).rstrip())
    return lines


def _compared(subjects: Mapping[str, Sequence[float]]) -> list[Ratio]:
    first, *others = subjects.values()
    return [ratio(first, other) for other in others]
