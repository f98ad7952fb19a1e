"""docs/metrics.md: every metric of a worker, from its declaration."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from prometheus_client.metrics_core import Metric

from producer.assignments.assignor import Why
from producer.delivery import topic_plan
from producer.observability.metrics import PREFIX, Metrics
from producer.observability.sharing import SharingCollector

PAGE = Path("docs/metrics.md")

ENDINGS = {"counter": "_total"}

HEAD = """# Metrics

What `/metrics` of a worker shows. Generated from `producer/observability/` by `make generate`; do not edit.

Every value of a label but `streamer` is there from the start, at zero, and no other is added later. A histogram has
the series `_bucket`, `_sum` and `_count`. Beside these there are `process_…` and `python_…`, as every Python program
has them.
[runbooks/](runbooks) has a page for each alert that asks for them.

| metric | type | labels | meaning |
|---|---|---|---|
"""


class Nobody:
    """The sharing of a worker that has no part of the list; what is counted is nought."""

    slots_owned = generation = unassigned = handing_over = fenced = rebalances = rebuilds = 0
    refused_records = refused_statuses = refused_members = 0
    moves: Mapping[str, int] = MappingProxyType(dict.fromkeys(Why, 0))

    def __init__(self, *, current: bool = False) -> None:
        self.fence = self
        self._current = current

    def told(self) -> bool:
        """Whether what it says is written."""
        return True

    def current(self) -> bool:
        """Whether the claims are certain."""
        return self._current


def worker_metrics(*streamers: str) -> Metrics:
    """Everything that a worker exports where the list is a Kafka topic, with the topics that it has by default.

    `streamers` have series of their own.
    """
    metrics = Metrics(topics=topic_plan.names("tiktok.live"), version="0", most_streamers=len(streamers))
    for streamer in streamers:
        metrics.streamer_moved(streamer, "offline")
    metrics.registry.register(SharingCollector(Nobody()))
    return metrics


def page(into: Path) -> list[Path]:
    """Write the page below `into`, at its place in the repository; return that place."""
    target = into / PAGE
    target.parent.mkdir(parents=True, exist_ok=True)
    exported = worker_metrics("some_streamer").registry.collect()
    families = [family for family in exported if family.name.startswith(PREFIX)]
    rows = "".join(_row(family) for family in families)
    target.write_text(HEAD + rows + "\n## Values of labels\n\n" + _values(families), "utf-8")
    return [PAGE]


def _row(family: Metric) -> str:
    name = family.name + ENDINGS.get(family.type, "")
    labels = ", ".join(f"`{label}`" for label in _labels(family)) or "none"
    return f"| `{name}` | {family.type} | {labels} | {family.documentation.replace('|', chr(92) + '|')} |\n"


def _labels(family: Metric) -> dict[str, list[str]]:
    """Each label of a metric with its values, in order."""
    found: dict[str, set[str]] = {}
    for sample in family.samples:
        for label, value in sample.labels.items():
            found.setdefault(label, set()).add(value)
    return {label: sorted(values) for label, values in found.items() if label != "le"}


def _values(families: list[Metric]) -> str:
    """Each set of values once, with the metrics that have it."""
    sets: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for family in families:
        for label, values in _labels(family).items():
            if label in ("version", "streamer"):
                continue  # whichever runs, and whoever is streamed
            name = f"`{family.name}{ENDINGS.get(family.type, '')}`"
            sets.setdefault((label, tuple(values)), []).append(name)
    return (
        "\n".join(
            f"* `{label}` of {', '.join(names)} ({len(values)}): {', '.join(f'`{value}`' for value in values)}"
            for (label, values), names in sets.items()
        )
        + "\n"
    )
