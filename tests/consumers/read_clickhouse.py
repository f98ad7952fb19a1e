"""ClickHouse's AvroConfluent: `python -m tests.consumers.read_clickhouse golden URL '{"comment": ID, ...}'`.

ClickHouse derives each column from the schema that it fetches, so no structure is given.
"""

import json
import re
import sys
from datetime import datetime
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import chdb

from tests.consumers.fixtures import confluent, examples, report

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
QUERY = """
select * from file('{file}', AvroConfluent)
settings format_avro_schema_registry_url = '{registry_url}', input_format_parallel_parsing = 0, max_threads = 1,
    output_format_json_quote_64bit_integers = 0, date_time_output_format = 'iso'
"""


def main(golden: str, registry_url: str, ids: dict[str, int]) -> None:
    with TemporaryDirectory() as folder:
        for event, group in groupby(examples(golden), key=lambda example: example.event):
            several = list(group)
            file = Path(folder) / f"{event}.bin"
            file.write_bytes(b"".join(confluent(ids[event], example.body) for example in several))
            query = QUERY.format(file=file, registry_url=registry_url)
            rows = chdb.query(query, "JSONEachRow").bytes().decode("utf-8", "surrogateescape").splitlines()
            for example, row in zip(several, rows, strict=True):
                report(example, plain(json.loads(row)))


def plain(node: Any) -> Any:
    """A row, or part of one: its times in ms, and what is no text as bytes, for ClickHouse has one type for both."""
    match node:
        case dict():
            return {name: plain(value) for name, value in node.items()}
        case list():
            return [plain(item) for item in node]
        case str() if TIME.fullmatch(node):
            return datetime.fromisoformat(node)
        case str():
            raw = node.encode("utf-8", "surrogateescape")
            return node if raw == node.encode("utf-8", "replace") else raw
    return node


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], json.loads(sys.argv[3]))
