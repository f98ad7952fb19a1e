"""The dashboards of the program's metrics, as Grafana reads them."""

from typing import Any

from tools.dashboards import delivery, overview, refusals, streamer
from tools.dashboards.model import dashboard


def dashboards() -> dict[str, dict[str, Any]]:
    """Every dashboard, by the name of its file."""
    rooms = {"overview": overview, "delivery": delivery, "refusals": refusals, "streamer": streamer}
    return {name: dashboard(room.UID, room.TITLE, room.DESCRIPTION, room.parts()) for name, room in rooms.items()}
