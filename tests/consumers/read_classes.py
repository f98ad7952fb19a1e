"""Reads each line's record (class name, Avro in base64) into its generated dataclass, and writes it again."""

import base64
import importlib
import sys
from pathlib import Path

module, lines = map(Path, sys.argv[1:])
sys.path.insert(0, str(module.parent))
live = importlib.import_module(module.stem)
equal = 0
for line in lines.read_text().splitlines():
    name, body = line.split(" ")
    kind = getattr(live, name.rpartition(".")[2])
    data = base64.b64decode(body)
    value = kind.deserialize(data, serialization_type="avro")
    if type(value) is not kind or value.serialize(serialization_type="avro") != data:
        raise SystemExit(f"{name} is not read as it was written")
    equal += 1
sys.stdout.write(f"{equal}\n")
