"""Prints dataclasses of the records (dataclasses-avroschema)."""

import json
import sys
from pathlib import Path

from dataclasses_avroschema import ModelGenerator

sys.stdout.write(ModelGenerator().render_module(schemas=json.loads(Path(sys.argv[1]).read_text("utf-8"))))
