from __future__ import annotations

from pathlib import Path

import pytest

from mlops.errors import ConfigurationError, MissingInputError
from mlops.serving import FolderStore, ListedModel, open_store, read_models

SHA256 = "sha256:" + "0" * 64


def test_a_folder_holds_a_bundle_for_each_version(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    with pytest.raises(MissingInputError, match=r"houses/3\.bundle"):
        store.fetch("houses", "3")
    path = FolderStore(tmp_path).path("houses", "3")
    path.parent.mkdir()
    path.touch()
    assert store.fetch("houses", "3") == tmp_path / "houses" / "3.bundle" == path


@pytest.mark.parametrize(("model", "version"), [("..", "3"), ("a/b", "3"), ("", "3"), ("houses", "../3"), ("a\0", "3")])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, model: str, version: str) -> None:
    with pytest.raises(ConfigurationError):
        open_store(str(tmp_path)).fetch(model, version)


@pytest.mark.parametrize("location", ["", "s3://bucket/prefix"])
def test_a_store_of_an_unknown_kind_is_refused(location: str) -> None:
    with pytest.raises(ConfigurationError, match="MLOPS_BUNDLE_STORE"):
        open_store(location)


def test_the_list_is_read_beside_what_else_the_file_holds(tmp_path: Path) -> None:
    path = tmp_path / "release.yaml"
    path.write_text(f"images: {{api: {{build: 4}}}}\nmodels:\n  houses: {{version: 3, sha256: '{SHA256}'}}\n")
    assert read_models(path) == {"houses": ListedModel(version=3, sha256=SHA256)}
    path.write_text("images: {}\n")
    assert read_models(path) == {}


@pytest.mark.parametrize(
    "text", ["models: [houses]", "models: {houses: {version: 3}}", "models: {houses: {version: 3, sha256: abc}}",
             "models: {", f"models: {{../x: {{version: 3, sha256: '{SHA256}'}}}}"],
)
def test_a_list_of_another_shape_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "release.yaml"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=r"release\.yaml"):
        read_models(path)


def test_an_absent_list_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingInputError, match=r"release\.yaml"):
        read_models(tmp_path / "release.yaml")
