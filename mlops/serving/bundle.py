"""A bundle: one file with a model, what it takes and gives, and the proof that it is the registered one.

The file is a zip archive with stored members and fixed times, so that the same content always has
the same bytes and one checksum names it.

    bundle.json   the manifest
    model.onnx    or model.pkl
    proof.json    held-out rows with the registered model's own predictions
    features.json where the model takes features: how they are made of a row's columns
"""

from __future__ import annotations

import io
import math
import zipfile
from pathlib import Path
from typing import Any

import msgspec

from mlops import files
from mlops.errors import IntegrityError, InvalidRecordError, MissingInputError
from mlops.records.base import decode
from mlops.records.features import FeatureChain
from mlops.serving.engineered import EngineeredEngine
from mlops.serving.engines import Engine, open_engine
from mlops.serving.features import chain_of
from mlops.serving.inputs import RowReader
from mlops.serving.manifest import BundleManifest, Proof, Scores
from mlops.serving.proof import disagreements

SUFFIX = ".bundle"
_MANIFEST, _PROOF, _FEATURES = "bundle.json", "proof.json", "features.json"
_MODEL = {"onnx": "model.onnx", "sklearn": "model.pkl"}
_FIXED_TIME = (1980, 1, 1, 0, 0, 0)


def write_bundle(
    path: Path, manifest: BundleManifest, model: bytes, proof: Proof, features: FeatureChain | None = None
) -> str:
    """Write the bundle to `path`, wholly or not at all, and return its checksum (`sha256:…`).

    The bundle is opened and gives its proof before anything is written: a bundle that cannot be
    served, or does not agree with the registered model, is never found in a store.

    Args:
        features: For a model that takes features; the manifest's inputs are the chain's columns.

    Raises:
        InvalidRecordError: manifest or proof hold what JSON cannot (NaN), or do not fit each other.
        IntegrityError: manifest, model and proof do not agree, or the model cannot be loaded.
        ConfigurationError: the folder cannot be written.
    """
    _check(manifest, proof)
    content = _pack(manifest, model, proof, features)
    Bundle(content, path, "").expect_proof()
    files.write_atomic(path, content)
    return files.sha256_bytes(content)


def _pack(manifest: BundleManifest, model: bytes, proof: Proof, features: FeatureChain | None) -> bytes:
    buffer = io.BytesIO()
    members = [(_MANIFEST, manifest.to_json()), (_MODEL[manifest.engine], model), (_PROOF, proof.to_json())]
    if features is not None:
        members.append((_FEATURES, features.to_json()))
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, member in members:
            info = zipfile.ZipInfo(name, _FIXED_TIME)
            info.create_system = 3  # Unix, wherever it is written
            info.external_attr = 0o644 << 16
            archive.writestr(info, member)
    return buffer.getvalue()


def _check(manifest: BundleManifest, proof: Proof) -> None:
    where = f"{manifest.model} version {manifest.version}"
    names = [column.name for column in manifest.inputs]
    if not names or len(set(names)) < len(names):
        raise InvalidRecordError("the manifest names no column, or one twice", where=where)
    if (manifest.task == "classification") != bool(manifest.classes):
        raise InvalidRecordError("a classifier names its classes, a regression none", where=where)
    if len(proof.predictions) != len(proof.rows):
        raise InvalidRecordError("the proof has not one prediction for each row", where=where)
    widths = [len(row) for row in proof.probabilities or []]
    if manifest.classes and widths != [len(manifest.classes)] * len(proof.rows):
        raise InvalidRecordError("the proof has not one probability for each row and class", where=where)
    # msgspec would write NaN as null without a word, and the proof would prove something else.
    parts = {
        "rows": proof.rows, "predictions": proof.predictions, "probabilities": proof.probabilities,
        "metrics": manifest.metrics,
    }
    for name, value in parts.items():
        if not _finite(value):
            raise InvalidRecordError(
                f"{name} hold NaN or infinity", where=where,
                mend="write a missing value as None; the rest must be finite",
            )


def _finite(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, dict):
        return all(_finite(item) for item in value.values())
    return all(_finite(item) for item in value) if isinstance(value, (list, tuple)) else True


class Bundle:
    """An opened bundle: verified bytes, a loaded model.

    Attributes:
        manifest: What it says of itself.
        sha256: The checksum of the bytes that were loaded.
        features: How the model's features are made; None for a model that takes the columns themselves.
    """

    def __init__(self, content: bytes, path: Path, sha256: str) -> None:
        self.path = path
        self.sha256 = sha256
        members = _unpack(content, path)
        self.manifest = decode(BundleManifest, members[_MANIFEST], where=f"{path}:{_MANIFEST}")
        model = members.get(_MODEL[self.manifest.engine])
        if model is None:
            raise IntegrityError(f"has no {_MODEL[self.manifest.engine]}", where=path, mend=_MEND)
        self._proof = members[_PROOF]
        self.features: FeatureChain | None = None
        if _FEATURES in members:
            self.features = chain_of(members[_FEATURES], where=f"{path}:{_FEATURES}")
            self.engine: Engine = EngineeredEngine(self.features, self.manifest, model)
        else:
            self.engine = open_engine(self.manifest, model)
        self.reader = RowReader(self.manifest.inputs, self.engine.order, self.engine.float32)

    @classmethod
    def open(cls, path: Path, sha256: str | None) -> Bundle:
        """Read, verify and load the bundle at `path`.

        The file is read once: what is loaded are the bytes whose checksum was compared, and nothing of
        them is interpreted before.

        Args:
            sha256: The checksum that it must have; None takes any, for a file that was just written.

        Raises:
            MissingInputError: there is no such file, or a distribution that the model needs is absent.
            IntegrityError: another checksum, no bundle, or a model that cannot be loaded.
            InvalidRecordError: its manifest does not have its shape.
        """
        try:
            content = path.read_bytes()
        except OSError as error:
            raise MissingInputError(
                f"cannot be read: {error.strerror or error}", where=path,
                mend="publish the model's bundle into the store, or correct the list of models",
            ) from error
        found = files.sha256_bytes(content)
        if sha256 is not None and found != sha256:
            raise IntegrityError(f"has checksum {found}, expected {sha256}", where=path, mend=_MEND)
        return cls(content, path, found)

    @property
    def proof(self) -> Proof:
        """Held-out rows with the registered model's own answers."""
        return decode(Proof, self._proof, where=f"{self.path}:{_PROOF}")

    def expect_proof(self) -> None:
        """Score the proof's rows here and now.

        Raises:
            IntegrityError: the answers are not the registered model's.
            InvalidRowsError: the proof holds rows that the model cannot take.
        """
        proof = self.proof
        if proof.rows and (found := disagreements(proof, self.score(proof.rows))):
            raise IntegrityError(
                f"does not answer as the registered model does: {found[0]} ({len(found)} differences)",
                where=f"{self.manifest.model} version {self.manifest.version}",
                mend="register the model again; when it stays so, its export is wrong on this machine",
            )

    def score(self, rows: list[dict[str, Any]]) -> Scores:
        """One answer a row.

        Raises:
            InvalidRowsError: a row or field is wrong, or the model has no finite answer to it.
        """
        return self.engine.score(self.reader.from_python(rows))

    def score_json(self, rows: bytes | msgspec.Raw) -> Scores:
        """As `score`, for the JSON text of the rows.

        Raises:
            InvalidRowsError: as `score`; also where the text is no JSON.
        """
        return self.engine.score(self.reader.from_json(rows))


_MEND = "the file was changed or damaged after it was written: publish the bundle again"


def _unpack(content: bytes, path: Path) -> dict[str, bytes]:
    """The members by name; only stored ones, so that nothing can unfold to more than the file holds."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            infos = archive.infolist()
            if any(info.compress_type != zipfile.ZIP_STORED for info in infos):
                raise IntegrityError("holds compressed members", where=path, mend=_MEND)
            members = {info.filename: archive.read(info) for info in infos}
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError, RuntimeError) as error:
        raise IntegrityError(f"is no bundle: {error}", where=path, mend=_MEND) from error
    for name in (_MANIFEST, _PROOF):
        if name not in members:
            raise IntegrityError(f"has no {name}", where=path, mend=_MEND)
    return members
