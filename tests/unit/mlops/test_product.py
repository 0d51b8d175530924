"""The door to the product: references resolved, and clear words where they cannot be."""

import pytest

from mlops import product
from mlops.errors import ConfigurationError


def test_a_reference_is_resolved_in_the_given_tree(tmp_path):
    (tmp_path / "somewhere_else.py").write_text("def build():\n    return 42\n")
    assert product.load("somewhere_else:build", where="x", repository=tmp_path)() == 42


@pytest.mark.parametrize(("reference", "says"), [
    ("no_colon", "module:callable"), (":x", "module:callable"), ("absent_module_x:f", "cannot be imported"),
    ("json:absent", "has no 'absent'"),
])
def test_a_bad_reference_names_its_place(tmp_path, reference, says):
    with pytest.raises(ConfigurationError, match=says) as caught:
        product.load(reference, where="a.yaml: trainer", repository=tmp_path)
    assert caught.value.where == "a.yaml: trainer"


def test_data_sets_models_and_services_are_found_by_their_files(tmp_path):
    for name in ("data/datasets/b.yaml", "data/datasets/a.yaml", "services/s/app/main.py", "services/none/x"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    assert product.names(tmp_path, product.DATASETS) == ["a", "b"]
    assert product.names(tmp_path, product.MODELS) == []
    assert product.services(tmp_path) == ["s"]
