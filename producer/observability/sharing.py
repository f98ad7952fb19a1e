"""The metrics of workers that share a list through Kafka, read from the sharing itself when they are scraped."""

from collections.abc import Iterator, Mapping
from typing import Protocol

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from producer.observability.metrics import PREFIX


class Fence(Protocol):
    """What knows whether the claims are certain."""

    def current(self) -> bool: ...


class Sharing(Protocol):
    """What is asked."""

    @property
    def fence(self) -> Fence: ...
    @property
    def slots_owned(self) -> int: ...
    @property
    def generation(self) -> int: ...
    @property
    def unassigned(self) -> int: ...
    @property
    def handing_over(self) -> int: ...
    @property
    def fenced(self) -> int: ...
    @property
    def rebalances(self) -> int: ...
    @property
    def rebuilds(self) -> int: ...
    @property
    def refused_records(self) -> int: ...
    @property
    def refused_statuses(self) -> int: ...
    @property
    def refused_members(self) -> int: ...
    def told(self) -> bool: ...
    @property
    def moves(self) -> Mapping[str, int]: ...


class SharingCollector(Collector):
    """Register it beside the worker's other metrics."""

    def __init__(self, sharing: Sharing) -> None:
        self._sharing = sharing

    def collect(self) -> Iterator[Metric]:
        """Read them."""
        sharing = self._sharing
        for name, help_text, value in (
            (
                "claims_current",
                "1 while the group confirms this worker's claims; at 0 it is silent, or has disowned the worker.",
                int(sharing.fence.current()),
            ),
            (
                "claims_statuses_written",
                "0 while what this worker says of its streamers cannot be written to the status topic; 1 otherwise.",
                int(sharing.told()),
            ),
            ("slots", "Slots of the shared list that this worker owns.", sharing.slots_owned),
            ("claims_generation", "The group's generation of the last assignment; -1 before.", sharing.generation),
            ("unassigned_streams", "Streamers of this worker's slots beyond what it may hold.", sharing.unassigned),
            ("claims_handing_over", "Streamers held until their next owner is connected.", sharing.handing_over),
            (
                "claims_foreign_members",
                "Members of the group that are no workers, as the worker that shares out the slots sees them; another "
                "program has the group's name.",
                sharing.refused_members,
            ),
        ):
            yield GaugeMetricFamily(PREFIX + name, help_text, value=value)
        for name, help_text, value in (
            ("claims_fenced", "Claims lost while this worker was stalled or cut off.", sharing.fenced),
            ("claims_rebalances", "Assignments received from the group.", sharing.rebalances),
            ("claims_clients_replaced", "Kafka clients of the sharing that were replaced.", sharing.rebuilds),
            ("list_records_refused", "Records of the shared list that could not be used.", sharing.refused_records),
            (
                "status_records_refused",
                "Records of the status topic that could not be used; somebody else writes to it.",
                sharing.refused_statuses,
            ),
        ):
            yield CounterMetricFamily(PREFIX + name, help_text, value=value)
        moves = CounterMetricFamily(
            PREFIX + "claims_moves",
            "Streamers given to a worker that had them not, by the worker that shares them out; why: nobody had them "
            "(orphan), who had them leaves (drain) or may not hold so many (relief), to make shares even (even).",
            labels=("reason",),
        )
        for reason, count in sharing.moves.items():
            moves.add_metric((reason,), count)
        yield moves
