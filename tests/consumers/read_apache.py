"""Apache Avro's Python library: `python -m tests.consumers.read_apache golden`."""

import io
import sys

import avro.io
import avro.schema

from tests.consumers.fixtures import examples, report


def main(golden: str) -> None:
    for example in examples(golden):
        reader = avro.io.DatumReader(avro.schema.parse(example.schema))
        report(example, reader.read(avro.io.BinaryDecoder(io.BytesIO(example.body))))


if __name__ == "__main__":
    main(sys.argv[1])
