from __future__ import annotations

import io
import json
import math
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from msgspec.structs import replace

from mlops.errors import IntegrityError, InvalidRecordError, MissingInputError
from mlops.serving import Bundle, InvalidRowsError, Proof, write_bundle
from tests.unit.mlops.serving.making import PROOF, classifier, classifying, linear, manifest


def test_a_bundle_comes_back_as_it_was_written(bundle_file: tuple[Path, str]) -> None:
    path, sha256 = bundle_file
    bundle = Bundle.open(path, sha256)
    assert bundle.manifest == manifest()
    assert bundle.proof == PROOF
    assert bundle.sha256 == sha256
    assert bundle.score([{"size": 2, "age": 1}]).predictions == [7.0]
    assert bundle.score_json(b'[{"size": 2.0, "age": 1.0}]').predictions == [7.0]


def test_the_same_content_has_the_same_bytes(tmp_path: Path, bundle_file: tuple[Path, str]) -> None:
    again = tmp_path / "elsewhere.bundle"
    assert write_bundle(again, manifest(), linear(), PROOF) == bundle_file[1]
    assert again.read_bytes() == bundle_file[0].read_bytes()


def test_a_changed_byte_is_refused_before_anything_is_read(bundle_file: tuple[Path, str]) -> None:
    path, sha256 = bundle_file
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(IntegrityError, match="expected " + sha256):
        Bundle.open(path, sha256)


def test_an_absent_bundle_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingInputError, match="absent.bundle"):
        Bundle.open(tmp_path / "absent.bundle", None)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"no archive at all", b"PK\x05\x06" + b"\0" * 18])
def test_what_is_no_bundle_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "odd.bundle"
    path.write_bytes(content)
    with pytest.raises(IntegrityError):
        Bundle.open(path, None)


@pytest.mark.parametrize("gone", ["bundle.json", "model.onnx", "proof.json"])
def test_a_missing_member_is_named(tmp_path: Path, bundle_file: tuple[Path, str], gone: str) -> None:
    path = _rewritten(tmp_path, bundle_file[0], lambda name, content: None if name == gone else content)
    with pytest.raises(IntegrityError, match=gone):
        Bundle.open(path, None)


def test_a_manifest_of_another_shape_is_refused(tmp_path: Path, bundle_file: tuple[Path, str]) -> None:
    path = _rewritten(
        tmp_path, bundle_file[0], lambda name, content: b'{"schema": 1}' if name == "bundle.json" else content
    )
    with pytest.raises(InvalidRecordError, match=r"bundle\.json"):
        Bundle.open(path, None)


def test_a_compressed_member_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "small.bundle"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bundle.json", b" " * 100_000)
    with pytest.raises(IntegrityError, match="compressed"):
        Bundle.open(path, None)


def test_a_bundle_that_does_not_give_its_proof_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "wrong.bundle"
    with pytest.raises(IntegrityError, match="row 1"):
        write_bundle(path, manifest(), linear(), replace(PROOF, predictions=[5.0, 5.001]))
    assert not path.exists()


def test_nan_never_becomes_null_silently(tmp_path: Path) -> None:
    for proof in (
        Proof(rows=[{"size": math.nan}], predictions=[1.0]), Proof(rows=[{"size": 1.0}], predictions=[math.inf])
    ):
        with pytest.raises(InvalidRecordError, match="NaN"):
            write_bundle(tmp_path / "x.bundle", manifest(), linear(), proof)


@pytest.mark.parametrize(
    "changes", [{"inputs": []}, {"task": "classification"}, {"classes": ["a", "b"]}],
    ids=["no column", "no classes", "classes of a regression"],
)
def test_a_manifest_that_contradicts_itself_is_refused(tmp_path: Path, changes: dict[str, object]) -> None:
    with pytest.raises(InvalidRecordError):
        write_bundle(tmp_path / "x.bundle", manifest(**changes), linear(), PROOF)


def test_a_classifier_answers_labels_probabilities_and_confidence(tmp_path: Path) -> None:
    path = tmp_path / "lab.bundle"
    yes = 1 / (1 + math.exp(-2))
    proof = Proof(
        rows=[{"size": 2.0, "where": "here"}, {"size": -2.0}], predictions=["yes", "no"],
        probabilities=[[1 - yes, yes], [yes, 1 - yes]],
    )
    write_bundle(path, classifying(), classifier(), proof)
    scores = Bundle.open(path, None).score([{"size": 2.0, "where": None}, {"size": -2.0, "where": "never seen"}])
    assert scores.predictions == ["yes", "no"]
    assert scores.probabilities is not None
    assert scores.probabilities[0] == pytest.approx([1 - yes, yes])
    assert scores.confidence == pytest.approx([yes, yes])


def test_rows_that_the_model_cannot_take_name_row_and_field(bundle_file: tuple[Path, str]) -> None:
    bundle = Bundle.open(*bundle_file)
    with pytest.raises(InvalidRowsError, match=r"row 1, field 'size'") as caught:
        bundle.score([{"size": 1.0}, {"age": 1}])
    assert caught.value.mend


def test_importing_the_package_imports_nothing_heavy() -> None:
    heavy = {"numpy", "onnxruntime", "pandas", "sklearn", "mlflow", "fastapi", "uvicorn"}
    code = "import sys, json, mlops.serving; print(json.dumps(list(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert not heavy & set(json.loads(done.stdout))


def _rewritten(folder: Path, source: Path, change: object) -> Path:
    buffer = io.BytesIO()
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(buffer, "w") as new:
        for info in old.infolist():
            content = change(info.filename, old.read(info))  # type: ignore[operator]
            if content is not None:
                new.writestr(info.filename, content)
    path = folder / "changed.bundle"
    path.write_bytes(buffer.getvalue())
    return path
