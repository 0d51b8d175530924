"""What a service may import of the library and the product: a slim image stays slim, and data reaches no service."""

from pathlib import Path

import pytest

from mlops import product
from mlops.config import ConfigManager
from mlops.pipelines.declared.service import image_files
from mlops.sources import Sources

TREE = Path(__file__).parents[2]

# Rooms of `mlops` that a service's image may hold, the foundation among them; nothing else of the repository.
FOUNDATION = {"config", "documents", "errors", "files", "git", "logs", "plain_yaml", "processes", "product", "py.typed",
              "__init__"}
ALLOWED = {"predict": FOUNDATION | {"serving", "records"}, "api": FOUNDATION | {"serving", "records", "database"}}


def rooms(name):
    """The rooms of the library, and the other folders, that a service's image holds."""
    found = set()
    for path in image_files(TREE, name, Sources(TREE)):
        parts = Path(path).parts
        if parts[0] == "mlops":
            found.add(parts[1].removesuffix(".py"))
        elif parts[:2] != ("services", name):
            found.add(path)
    return found


def test_every_service_has_its_contract():
    assert set(product.services(TREE)) == set(ALLOWED)


@pytest.mark.parametrize("name", sorted(ALLOWED))
def test_a_service_imports_only_what_its_contract_names(name):
    assert rooms(name) <= ALLOWED[name]


def test_a_forbidden_import_is_found(tmp_path):
    """The red proof: a copy of the tree in which a service reaches for training and for the product's data."""
    import shutil

    for folder in ("mlops", "data", "model", "services"):
        shutil.copytree(TREE / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    planted = tmp_path / "services" / "predict" / "app" / "main.py"
    late = "\n\ndef late():\n    import mlops.training\n    from data.src import housing\n"
    planted.write_text(planted.read_text() + late)
    files = image_files(tmp_path, "predict", Sources(tmp_path))
    assert "mlops/training/__init__.py" in files
    assert "data/src/housing.py" in files


def test_the_images_of_the_embedded_engine_hold_no_tests_and_no_state():
    for name in ALLOWED:
        files = image_files(TREE, name, Sources(TREE))
        assert not [path for path in files if "/tests/" in path or ".mlops" in path or "__pycache__" in path]
        assert ConfigManager(TREE, {}).workspace().state.name not in {Path(path).parts[0] for path in files}
