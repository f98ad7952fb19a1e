"""A planted bug: whatever has become of the claims, everything is published."""

from producer.assignments import lease

lease.Lease.current = lambda self: True  # type: ignore[method-assign]
lease.Lease.lost = lambda self, streamer: False  # type: ignore[method-assign]
