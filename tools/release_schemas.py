"""Keep the schemas as they are released: `make release-schemas`, once a version, before its tag.

schemas/released/<version>/events/<event>.avsc is the event's self-contained schema, the text that is registered. Beside
events/ is a file with every record once, for compilers of classes. What was released is never written again, and every
later schema of the same major is compared with it.
"""

import json
import sys
from pathlib import Path

from producer import __version__
from producer.events import schemas
from producer.events.schemas import JSON
from tools import schema_union
from tools.compatibility import Refusal, release_refusals

RELEASED = Path(__file__).resolve().parent.parent / "schemas" / "released"


class NotReleasable(Exception):
    """The schemas cannot be released as this version."""


def release(version: str, into: Path) -> list[Path]:
    """Write today's schemas as those of `version` below the folder of releases `into`; return the files.

    Raises NotReleasable where that version is there already, or where a schema may not follow a released one.
    """
    folder = into / version
    if folder.exists():
        raise NotReleasable(
            f"{version} is released and stays as it is; raise __version__ in producer/__init__.py first"
        )
    found = [f"{before}: {refusal}" for before, refusals in against(into).items() for refusal in refusals]
    if found:
        raise NotReleasable("\n".join(["these changes need a new major (namespace), or must be undone:", *found]))
    (folder / "events").mkdir(parents=True)
    files = []
    for event, schema in schemas.events().items():
        file = folder / "events" / f"{event}.avsc"
        file.write_text(schema.text + "\n", "utf-8")
        files.append(file)
    together = folder / schema_union.NAME
    together.write_text(schema_union.text(), "utf-8")
    return [*files, together]


def against(releases: Path) -> dict[str, list[Refusal]]:
    """Compare today's schemas with every release in the folder; the refusals by version, none where all is well."""
    current = {event: schema.parsed for event, schema in schemas.events().items()}
    return {version: release_refusals(released, current) for version, released in released_in(releases).items()}


def released_in(releases: Path) -> dict[str, dict[str, JSON]]:
    """Read every release in the folder: version, event, schema."""
    return {
        folder.name: {file.stem: json.loads(file.read_text("utf-8")) for file in sorted(folder.glob("events/*.avsc"))}
        for folder in sorted(releases.glob("*/"))
    }


def main() -> None:
    """Release today's schemas as the package's version."""
    try:
        files = release(__version__, RELEASED)
    except NotReleasable as refusal:
        raise SystemExit(str(refusal)) from None
    sys.stdout.write(f"{len(files)} schemas in {RELEASED / __version__}\n")


if __name__ == "__main__":
    main()
