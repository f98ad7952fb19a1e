"""docs/events.md: every topic, record and field, out of the schemas."""

from pathlib import Path

from producer.delivery.topic_plan import dead_letter_topic
from producer.events import reference

PAGE = Path("docs/events.md")


def page(into: Path) -> list[Path]:
    """Write the page below `into`; return its place in the repository."""
    target = into / PAGE
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(reference.page(dead_letter_topic=dead_letter_topic(reference.PREFIX)), "utf-8")
    return [PAGE]
