"""The chart's README: what Chart.yaml says, the profiles that are tried, and a row for each value with its comment.

A comment `# -- ...` above a key says what the value is. One without the dashes, above a mapping whose keys say so
themselves, introduces them. A value that nobody describes ends the generator.
"""

import itertools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import yaml

HEAD = """# {name}

{description}.

<!-- Generated from Chart.yaml, values.yaml and ci/ by `make generate`; do not edit. -->

Chart {version}, program {app_version}, Kubernetes `{kube_version}`. Nothing is published: build the image, and install
from this folder.

```console
$ helm install lives helm --namespace streaming --create-namespace \\
    --set image.repository=registry.example.com/tiktok-live-producer \\
    --set settings.upstream=tiktok \\
    --set settings.kafka_bootstrap_servers=kafka-bootstrap.kafka:9092 \\
    --set prepare.topics=true
$ helm test lives --namespace streaming || kubectl logs --namespace streaming lives-tiktok-live-producer-check
```

[docs/operate.md](../docs/operate.md) says how to size, upgrade, pause and drain what runs.

## Profiles

`make verify-chart` renders each, checks it against Kubernetes' schemas and reads it by the program's own settings;
`make verify-cluster` gives each to a real API server. What the chart refuses, and with which words, is in `ci/fail/`.

| profile | what it is |
|---|---|
"""

VALUES = """
## Values

| value | default | meaning |
|---|---|---|
"""

TITLE = re.compile(r"(?:(?P<path>[\w.]+) )?-- (?P<text>.*)")


def readme(chart: Path) -> str:
    """The text of the README of the chart in this folder. Raises SystemExit for a value without a comment."""
    about = yaml.safe_load((chart / "Chart.yaml").read_text("utf-8"))
    head = HEAD.format(
        name=about["name"],
        description=about["description"],
        version=about["version"],
        app_version=about["appVersion"],
        kube_version=about["kubeVersion"],
    )
    profiles = [
        f"| [{path.name.removesuffix('-values.yaml')}](ci/{path.name}) | {_first_comment(path)} |\n"
        for path in sorted((chart / "ci").glob("*-values.yaml"))
    ]
    values = [
        f"| `{path}` | {_cell(default)} | {_cell(meaning)} |\n"
        for path, default, meaning in rows((chart / "values.yaml").read_text("utf-8"))
    ]
    return head + "".join(profiles) + VALUES + "".join(values)


def rows(text: str) -> Iterator[tuple[str, str, str]]:
    """Path, default and meaning of each value of a values.yaml, in its order. Raises SystemExit."""
    root = yaml.compose(text)
    assert isinstance(root, yaml.MappingNode)
    yield from _rows(root, yaml.safe_load(text), text.splitlines(), "")


def _rows(
    node: yaml.MappingNode, values: Mapping[str, object], lines: Sequence[str], prefix: str
) -> Iterator[tuple[str, str, str]]:
    for key, value in node.value:
        path = f"{prefix}{key.value}"
        comments = _comments(lines, key)
        # Values that have no default stand as comments of their own above the first that has one.
        for comment in comments[:-1]:
            if (title := TITLE.match(comment)) and title["path"]:
                yield title["path"], "", title["text"]
        own = TITLE.match(comments[-1]) if comments else None
        default = values[key.value]
        inner: list[tuple[str, str, str]] = []
        if isinstance(value, yaml.MappingNode) and isinstance(default, dict) and _describes(value, lines):
            inner = list(_rows(value, default, lines, f"{path}."))
        if own is not None:
            yield path, "" if inner else f"`{json.dumps(default, ensure_ascii=False)}`", own["text"]
        elif inner and comments:
            yield path, "", comments[-1]
        elif not inner:
            raise SystemExit(f"values.yaml: {path} has no comment `# -- ...` above it")
        yield from inner


def _describes(node: yaml.MappingNode, lines: Sequence[str]) -> bool:
    """Whether a mapping's own keys are described."""
    return any(TITLE.match(comment) for key, _ in node.value for comment in _comments(lines, key))


def _comments(lines: Sequence[str], key: yaml.ScalarNode) -> list[str]:
    """The comments above a key, as far in as it is, down from the last value: one line for each paragraph."""
    last = first = key.start_mark.line
    while first and re.match(r"\s*(#|$)", lines[first - 1]):
        first -= 1
    start = " " * key.start_mark.column + "# "
    text = "\n".join(line.removeprefix(start) if line.startswith(start) else "" for line in lines[first:last])
    return [" ".join(paragraph.splitlines()) for paragraph in re.split(r"\n{2,}", text.strip("\n")) if paragraph]


def _first_comment(path: Path) -> str:
    """What a profile says of itself."""
    comment = itertools.takewhile(lambda line: line.startswith("# "), path.read_text("utf-8").splitlines())
    return _cell(" ".join(line.removeprefix("# ") for line in comment))


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
