from __future__ import annotations

import os
from pathlib import Path

import pytest

from mlops import images
from mlops.config import Workspace
from mlops.errors import ConfigurationError, IntegrityError, MissingInputError, UsageError

FILES = ["services/predict/app/main.py", "mlops/x.py"]


@pytest.fixture
def places(tmp_path: Path) -> Workspace:
    for path in FILES:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(f"# {path}\n")
    return Workspace(tmp_path)


def test_the_image_is_a_snapshot(places: Workspace) -> None:
    digest = images.build(places, places.repository, "predict", FILES)
    (places.repository / FILES[0]).write_text("changed")
    root = images.check(places, "predict", digest)
    assert (root / FILES[0]).read_text() == f"# {FILES[0]}\n"
    assert images.find(places, "predict") == digest


def test_the_digest_depends_on_names_contents_and_rights_alone(places: Workspace) -> None:
    digest = images.build(places, places.repository, "predict", FILES)
    os.utime(places.repository / FILES[0], (1, 1))
    assert images.build(places, places.repository, "predict", [*reversed(FILES), FILES[0]]) == digest
    assert images.build(places, places.repository, "predict", FILES[:1]) != digest
    (places.repository / FILES[1]).chmod(0o755)
    other = images.build(places, places.repository, "predict", FILES)
    assert other != digest
    assert os.access(images.check(places, "predict", other) / FILES[1], os.X_OK)


def test_two_builds_lie_side_by_side(places: Workspace) -> None:
    first = images.build(places, places.repository, "predict", FILES)
    (places.repository / FILES[0]).write_text("second")
    second = images.build(places, places.repository, "predict", FILES)
    assert images.check(places, "predict", first) != images.check(places, "predict", second)
    assert images.find(places, "predict") == second


def test_what_was_changed_afterwards_does_not_start(places: Workspace) -> None:
    digest = images.build(places, places.repository, "predict", FILES)
    root = images.open_root(places, "predict", digest)
    (root / "__pycache__").mkdir()  # what Python leaves there is no part of the image
    images.check(places, "predict", digest)
    (root / FILES[0]).write_text("tampered")
    with pytest.raises(IntegrityError, match="changed after it was built"):
        images.check(places, "predict", digest)


def test_a_build_that_was_killed_leaves_no_image(places: Workspace) -> None:
    digest = images.build(places, places.repository, "predict", FILES)
    root = images.root(places, "predict", digest)
    (root / ".image.json").unlink()  # it is written last
    with pytest.raises(images.Absent):
        images.open_root(places, "predict", digest)
    with pytest.raises(images.Absent):
        images.find(places, "predict")
    assert images.build(places, places.repository, "predict", FILES) == digest
    images.check(places, "predict", digest)


def test_clear_errors(places: Workspace) -> None:
    with pytest.raises(images.Absent, match="no image was built"):
        images.find(places, "predict")
    with pytest.raises(MissingInputError, match="absent.py"):
        images.build(places, places.repository, "predict", ["absent.py"])
    for path in ("../x", "/etc/passwd", ".image.json"):
        with pytest.raises(UsageError):
            images.build(places, places.repository, "predict", [path])
    with pytest.raises(UsageError, match="without files"):
        images.build(places, places.repository, "predict", [])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_told(places: Workspace) -> None:
    places.state.mkdir()
    places.state.chmod(0o500)
    with pytest.raises(ConfigurationError, match="cannot be written"):
        images.build(places, places.repository, "predict", FILES)


def test_a_folder_that_is_a_file_is_told(places: Workspace) -> None:
    places.state.write_text("in the way")
    with pytest.raises(ConfigurationError, match="cannot be written"):
        images.build(places, places.repository, "predict", FILES)
