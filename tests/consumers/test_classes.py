"""Classes that tools which are not ours generate from schemas/: they compile, and read what the golden files have.

Part of `make consumers`, as far as there are a JDK with Maven, Go and Node.
"""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.consumers.test_consumers import INSTALLED, PYTHON, ROOT, needs_node_with, needs_python
from tests.consumers.test_programs import needs_go, needs_java
from tests.published import EVENTS

UNION = ROOT / "schemas" / "tiktok.live.v1.avsc"
RELEASED = ROOT / "schemas" / "released"
VERSIONS = ("1.11.4", "1.12.0", "1.12.1", "1.12.2")
"""Of avro-tools."""
TRUST = "-Dorg.apache.avro.SERIALIZABLE_PACKAGES=tiktok.live.v1"
"""Avro 1.12.2 makes no object of a class that is not trusted by name."""
PROGRAMS = Path(__file__).parent
EXAMPLES = 3 * len(EVENTS)
PATIENCE_SECONDS = 600

needs_maven = pytest.mark.skipif(shutil.which("mvn") is None, reason="there is no mvn, which fetches avro-tools alone")


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every golden example: its record's name and its bytes in base64."""
    file = tmp_path_factory.mktemp("classes") / "examples.txt"
    goldens = [json.loads(path.read_text("ascii")) for path in sorted((ROOT / "golden").glob("*.json"))]
    file.write_text("".join(f"{one['record']} {each['body']}\n" for one in goldens for each in one["examples"]))
    assert file.read_text().count("\n") == EXAMPLES
    return file


def run(*command: str, folder: Path) -> str:
    done = ended(*command, folder=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def ended(*command: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)


@needs_java
@needs_maven
@pytest.mark.parametrize("version", VERSIONS)
def test_javas_classes_read_every_example(version: str, lines: Path, tmp_path: Path) -> None:
    tools, sources = java_classes(version, UNION.parent, tmp_path)
    sources.append(str(PROGRAMS / "ReadClasses.java"))
    refused = broken(tools, sources, tmp_path)
    for name in refused:
        # Its hashCode() has a local variable by the name of a field: AVRO-4183, whose generated lines we mend here.
        assert version == "1.12.1"
        assert "result" in records(UNION)[name]
        file = next(tmp_path.rglob(f"{name}.java"))
        file.write_text(without_hash_code(file.read_text("utf-8")), "utf-8")

    assert not refused or broken(tools, sources, tmp_path) == set()
    class_path = f"{tools}:{tmp_path / 'classes'}"
    found = run("java", TRUST, "-cp", class_path, "ReadClasses", str(lines), folder=tmp_path)
    assert found == f"{EXAMPLES}\n"


@needs_java
@needs_maven
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("release", sorted(path.name for path in RELEASED.iterdir()))
def test_a_release_has_a_java_class_for_each_record(release: str, version: str, tmp_path: Path) -> None:
    fields = records(RELEASED / release / UNION.name)
    # 0.1.0's Gift has a field repeatCount and a field repeat_count, which are one and the same getter in Java.
    refused = {"Gift"} if release == "0.1.0" else set()
    if version == "1.12.1":
        refused |= {name for name, names in fields.items() if "result" in names}  # AVRO-4183

    tools, sources = java_classes(version, RELEASED / release, tmp_path)

    assert {Path(source).stem for source in sources} == set(fields)
    assert broken(tools, sources, tmp_path) == refused


@needs_java
@needs_maven
@pytest.mark.parametrize(
    ("folder", "takers"), [("records", {"1.12.2"}), ("released/0.1.0/events", {"1.12.1", "1.12.2"})]
)
def test_older_avro_tools_want_each_record_once_and_before_it_is_named(
    folder: str, takers: set[str], tmp_path: Path
) -> None:
    schemas = str(UNION.parent / folder)

    taken = {
        version
        for version in VERSIONS
        if ended(
            "java", "-jar", avro_tools(version, tmp_path), "compile", "schema", schemas, "to", folder=tmp_path
        ).returncode
        == 0
    }

    assert taken == takers


def java_classes(version: str, schemas: Path, folder: Path) -> tuple[str, list[str]]:
    """Have avro-tools make classes of a folder of schemas; return avro-tools and the sources."""
    tools = avro_tools(version, folder)
    run("java", "-jar", tools, "compile", "schema", str(schemas), str(folder), folder=folder)
    return tools, [str(path) for path in folder.rglob("*.java")]


def broken(tools: str, sources: list[str], folder: Path) -> set[str]:
    """Compile; return the classes that javac refuses."""
    done = ended("javac", "-nowarn", "-Xmaxerrs", "0", "-cp", tools, "-d", "classes", *sources, folder=folder)
    found = set(re.findall(r"(\w+)\.java:\d+: error", done.stderr))
    assert (done.returncode == 0) == (found == set()), done.stderr
    return found


def avro_tools(version: str, folder: Path) -> str:
    fetch = f"-Dartifact=org.apache.avro:avro-tools:{version}"  # it has all that it needs within
    run("mvn", "--quiet", "dependency:copy", fetch, f"-DoutputDirectory={folder}", folder=folder)
    return str(folder / f"avro-tools-{version}.jar")


def records(union: Path) -> dict[str, set[str]]:
    """The fields of each record of a file, by the record's name."""
    return {each["name"]: {field["name"] for field in each["fields"]} for each in json.loads(union.read_text("utf-8"))}


def without_hash_code(source: str) -> str:
    """A generated class with the hashCode() of the one that it extends."""
    found, count = re.subn(r"  @Override\n  public int hashCode\(\) \{\n.*?\n  \}\n", "", source, flags=re.DOTALL)
    assert count == 1
    return found


@needs_go
def test_gos_structs_read_every_example(lines: Path, tmp_path: Path) -> None:
    names = sorted({line.split(" ")[0] for line in lines.read_text().splitlines()})
    kinds = "".join(f'"{name}": func() any {{ return &{name.rpartition(".")[2]}{{}} }},\n' for name in names)
    for name in ("go.mod", "go.sum"):
        shutil.copy(INSTALLED / name, tmp_path)
    shutil.copy(PROGRAMS / "read_classes.go", tmp_path)
    (tmp_path / "kinds.go").write_text(f"package main\n\nvar kinds = map[string]func() any{{\n{kinds}}}\n")
    run("go", "tool", "avrogen", "-pkg", "main", "-o", "live.go", str(UNION), folder=tmp_path)
    run("go", "build", "-o", "read", "live.go", "kinds.go", "read_classes.go", folder=tmp_path)

    found = run(str(tmp_path / "read"), str(UNION), str(lines), folder=tmp_path)

    assert found == f"{EXAMPLES}\n"


@needs_node_with("@ovotech/avro-ts")
def test_typescripts_types_fit_every_example(tmp_path: Path) -> None:
    program = str(shutil.copy(PROGRAMS / "generate_types.mjs", INSTALLED))  # imports look beside the file
    found = run("node", "--no-deprecation", program, str(UNION), str(ROOT / "golden"), str(tmp_path), folder=INSTALLED)
    types = str(INSTALLED / "node_modules" / "@types")
    compiler = (
        *(str(INSTALLED / "node_modules" / ".bin" / "tsc"), "--noEmit", "--strict", "--target", "es2022"),
        *("--module", "nodenext", "--typeRoots", types, "--types", "node", "golden.ts"),
    )

    done = ended(*compiler, folder=tmp_path)
    golden = tmp_path / "golden.ts"
    golden.write_text(golden.read_text().replace("is_moderator: true", "is_moderator: 5", 1))
    wrong = ended(*compiler, folder=tmp_path)

    assert (done.returncode, done.stdout, found) == (0, "", f"{EXAMPLES}\n")
    assert "Type 'number' is not assignable to type 'boolean'" in wrong.stdout


@needs_python
def test_pythons_dataclasses_read_every_example(lines: Path, tmp_path: Path) -> None:
    module = tmp_path / "live.py"
    module.write_text(run(str(PYTHON), str(PROGRAMS / "generate_classes.py"), str(UNION), folder=tmp_path))

    found = run(str(PYTHON), str(PROGRAMS / "read_classes.py"), str(module), str(lines), folder=tmp_path)

    assert found == f"{EXAMPLES}\n"
