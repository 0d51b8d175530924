from __future__ import annotations

from typing import Any

from mlops.training.frames import open_data
from mlops.training.identity import identity, recipe

VERSIONS = {"scikit-learn": "1.9.1"}


def of(product: Any, versions: dict[str, str] = VERSIONS) -> str:
    config = product.model("prices")
    data = open_data(product.places, config, product.version("houses"))
    return identity(recipe(product.root, config, versions), data)


def test_how_it_is_judged_is_no_part_of_what_it_is(product: Any) -> None:
    before = of(product)
    product.edit("prices", "tolerance: 0.02", "tolerance: 0.1")
    product.edit("prices", "r2: 0.2", "r2: 0.3")
    assert of(product) == before


def test_parameters_seed_libraries_and_code_are(product: Any) -> None:
    seen = {of(product), of(product, {"scikit-learn": "2.0"})}
    product.edit("prices", "max_iter: 30", "max_iter: 31")
    seen.add(of(product))
    product.edit("prices", "seed: 7", "seed: 8")
    seen.add(of(product))
    helper = product.root / "tinyproduct" / "helper.py"
    helper.write_text("DEPTH = 1\n")
    trainers = product.root / "tinyproduct" / "trainers.py"
    trainers.write_text(trainers.read_text() + "\nfrom tinyproduct import helper\n")
    seen.add(of(product))
    helper.write_text("DEPTH = 2\n")  # what the trainer imports counts as well
    seen.add(of(product))
    assert len(seen) == 6
