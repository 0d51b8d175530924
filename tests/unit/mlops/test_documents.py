"""YAML configuration: checked against its shape, with file, line and field in the error."""

from pathlib import Path

import msgspec
import pytest

from mlops import documents, plain_yaml
from mlops.errors import ConfigurationError, MissingInputError

ROOT = Path(__file__).parents[3]


class Part(msgspec.Struct, forbid_unknown_fields=True):
    size: int


class Shape(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    parts: list[Part] = []
    flag: bool = False


def write(folder, text):
    path = folder / "shape.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_good_file_is_read_as_yaml_1_2(tmp_path):
    path = write(tmp_path, "name: on\nparts:\n  - size: 3\nflag: true\n")
    # In YAML 1.1 `on` would be a boolean.
    assert documents.read(Shape, path) == Shape("on", [Part(3)], True)


@pytest.mark.parametrize(("text", "line", "says"), [
    ("name: x\nparts:\n  - size: 3\n  - size: big\n", 4, r"parts\[1\]\.size.*int"),
    ("name: x\nparts: []\nparst: []\n", 3, "parst"),
    ("name: x\nparts:\n  - size: 1\n    sise: 2\n", 4, "sise"),
    ("name: [x\n", 2, "not YAML"),
    ("name: x\nname: y\n", 2, "duplicate"),
])
def test_an_error_names_the_line_and_the_field(tmp_path, text, line, says):
    path = write(tmp_path, text)
    with pytest.raises(ConfigurationError, match=says) as caught:
        documents.read(Shape, path)
    assert caught.value.where == f"{path}:{line}"


def test_a_missing_field_an_empty_file_and_other_bytes_are_errors(tmp_path):
    for text, says in (("flag: true\n", "name"), ("", "Shape|object"), (b"\xff\xfe", "UTF-8|YAML")):
        with pytest.raises(ConfigurationError, match=says):
            documents.read(Shape, write(tmp_path, text))
    with pytest.raises(MissingInputError):
        documents.read(Shape, tmp_path / "absent.yaml")


WORDS = [
    "a", "true", "no", "null", "~", "1", "-1", "1.5", "010", "2024-01-01", "1_0", "x y", "a#b", "a # c",
    "<1H OCEAN", "%d", "20,000 rows", "12:30", "0x1f", "1e3", ".5", "=", "a = b", "'q'", '"d, e"', "a: b",
    "http://x/y?z=1", "+1", "-", "1 2", "2001-12-14 21:59:43.10 -5", "- 3 or more", "{a: b c, d: [1, {e: 2.5}]}",
    '{"a": "b", "c": []}', "[a b , -1]", "{a:b}", "|\n  x\n   y", "|-\n  x", ">\n  x\n  y", ">-\n  x\n  y",
    ">-\n  x\n\n  y", "x\n  y",
]


@pytest.mark.parametrize("word", WORDS)
def test_the_plain_style_is_read_as_the_library_reads_it(tmp_path: Path, word: str) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(f"k: {word}\nl:\n  - {word}\n")
    try:
        found = plain_yaml.quick(file.read_text(), documents._sure)
    except plain_yaml.Unusual:
        return
    assert repr(found) == repr(documents.parse(file)[0])


@pytest.mark.parametrize("file", sorted((ROOT / "data" / "datasets").glob("*.yaml")), ids=lambda file: file.name)
def test_our_own_files_are_read_without_the_library(file: Path) -> None:
    assert plain_yaml.quick(file.read_text(), documents._sure) == documents.parse(file)[0]
