"""How long tests wait for what must come."""

HANGS_SECONDS = 180.0
"""What takes longer hangs: an end for tests that would have none, however busy the machine is. No measure of speed."""
