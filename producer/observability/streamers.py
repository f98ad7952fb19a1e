"""The metrics of single streamers: two values each.

As plain numbers, since the loop waits while a scrape reads them: ten thousand labelled gauges take several times as
long.
"""

from collections.abc import Iterator

from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample


class Streamers(Collector):
    """Those that may have series of their own, so many at the most."""

    def __init__(self, prefix: str, *, most: int) -> None:
        self._prefix = prefix
        self._most = most
        self._connected: dict[str, float] = {}
        self._last_event: dict[str, float] = {}

    def moved(self, streamer: str, state: str | None) -> None:
        """A streamer's session changed its state; None ends its series, and another may have them."""
        if state is None:
            self._connected.pop(streamer, None)
            self._last_event.pop(streamer, None)
        elif streamer in self._connected or len(self._connected) < self._most:
            self._connected[streamer] = float(state == "connected")
            self._last_event.setdefault(streamer, 0.0)

    def heard(self, streamer: str, *, at: float) -> None:
        """A message came, at so many seconds since 1970."""
        if streamer in self._last_event:
            self._last_event[streamer] = at

    def collect(self) -> Iterator[Metric]:
        """Read them."""
        only = "Only for so many streamers as PRODUCER_METRICS_STREAMERS says."
        for name, help_text, values in (
            ("stream_connected", "1 while the streamer's room is connected.", self._connected),
            (
                "stream_last_event_timestamp_seconds",
                "When a message of the streamer's room was last received.",
                self._last_event,
            ),
        ):
            family = Metric(self._prefix + name, f"{help_text} {only}", "gauge")
            family.samples = [Sample(family.name, {"streamer": streamer}, value) for streamer, value in values.items()]
            yield family
