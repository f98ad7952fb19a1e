"""docs/events.md: every topic, record and field, out of the schemas."""

from pathlib import Path

from producer.delivery import reference

PAGE = Path("docs/events.md")


def page(into: Path) -> list[Path]:
    """Write the page below `into`; return its place in the repository."""
    target = into / PAGE
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(reference.page(), "utf-8")
    return [PAGE]
