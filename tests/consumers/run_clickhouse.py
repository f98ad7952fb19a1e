"""A page's SQL in chdb: `python -m tests.consumers.run_clickhouse docs/consume/clickhouse.sql EVENTS OLD=NEW ...`.

chdb has the Kafka engine, but not the scheduler that moves its records into views. So the view's query is run in the
view's place, until the table has so many events; replacements are made in the text first.
"""

import sys
from pathlib import Path
from time import monotonic

from chdb import session

PATIENCE_SECONDS = 60.0
"""For a machine under load: an idle one takes two."""


def main(file: str, events: int, replacements: list[str]) -> None:
    text = Path(file).read_text("utf-8")
    for replacement in replacements:
        old, _, new = replacement.partition("=")
        text = text.replace(old, new)
    queue, table, view, answer = (statement for statement in text.split(";\n") if statement.strip())
    _, _, query = view.partition(" AS\nSELECT")
    clickhouse = session.Session()
    try:
        clickhouse.query(queue)
    except RuntimeError as error:  # the table is made before the scheduler is missed
        if "Shutdown was called" not in str(error):
            raise
    clickhouse.query(table)
    deadline = monotonic() + PATIENCE_SECONDS
    while monotonic() < deadline:
        clickhouse.query(f"INSERT INTO gift_finalized SELECT{query}, stream_like_engine_allow_direct_select = 1")
        if int(str(clickhouse.query("SELECT count() FROM gift_finalized FINAL", "TSV"))) >= events:
            break
    sys.stdout.write(str(clickhouse.query(answer, "TSVWithNames")))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3:])
