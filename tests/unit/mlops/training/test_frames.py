from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlops.errors import ConfigurationError, IntegrityError, MissingInputError
from mlops.training.frames import divide, load, open_data, typed


def test_the_split_is_whole_disjoint_and_decided_by_the_seed() -> None:
    frame = pd.DataFrame({"x": range(101)})
    train, val = divide(frame, 0.2, seed=4)
    assert (len(train), len(val)) == (81, 20)
    assert sorted([*train.x, *val.x]) == list(range(101))
    assert divide(frame, 0.2, seed=4)[1].x.tolist() == val.x.tolist()
    assert divide(frame, 0.2, seed=5)[1].x.tolist() != val.x.tolist()
    assert len(divide(frame, 0.0, seed=4)[1]) == 0


def test_types_are_the_same_whatever_the_file_held() -> None:
    frame = pd.DataFrame({
        "count": pd.array([1, None, 3], dtype="Int64"), "flag": pd.array([True, None, False], dtype="boolean"),
        "text": pd.array(["a", None, "b"], dtype="str"), "number": np.array([1, 2, 3], dtype="float32"),
    })
    made = typed(frame, {"count": "integer", "flag": "boolean", "text": "string", "number": "float"})
    assert [str(made[name].dtype) for name in ("count", "flag", "number")] == ["float64"] * 3
    assert made["count"].tolist()[::2] == [1.0, 3.0] and np.isnan(made["count"][1]) and np.isnan(made["flag"][1])
    assert made["text"].tolist() == ["a", None, "b"]


def test_columns_come_in_the_order_that_was_asked_for(product: Any) -> None:
    data = open_data(product.places, product.model("prices"), product.version("houses"))
    assert list(load(data, "test", ["place", "price"]).columns) == ["place", "price"]


def test_a_changed_file_is_refused(product: Any) -> None:
    data = open_data(product.places, product.model("prices"), product.version("houses"))
    path = data.folder / "train.parquet"
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(IntegrityError, match="checksum"):
        load(data, "train", ["rooms"])
    path.unlink()
    with pytest.raises(MissingInputError):
        load(data, "train", ["rooms"])


def test_a_column_that_the_data_lack_is_named_with_its_field(product: Any) -> None:
    config = product.edit("prices", "[rooms, age, place]", "[rooms, garden]")
    with pytest.raises(ConfigurationError, match=r"(?s)'features'.*'garden'.*age, place, price, rooms"):
        open_data(product.places, config, product.version("houses"))


def test_a_version_of_another_data_set_is_refused(product: Any) -> None:
    with pytest.raises(ConfigurationError, match="version of 'samples'"):
        open_data(product.places, product.model("prices"), product.version("samples"))
