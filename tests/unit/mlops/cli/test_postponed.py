"""A postponed module costs nothing until it is used, and is the module itself from then on."""

from __future__ import annotations

import importlib
import sys

import pytest
from mlops.cli.postponed import postpone


@pytest.mark.parametrize(("name", "attribute"), [("colorsys", "rgb_to_hsv"), ("wsgiref.headers", "Headers")])
def test_it_is_imported_at_its_first_use(name: str, attribute: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, name, raising=False)
    postpone(name)
    stand_in = importlib.import_module(name)
    parent, _, child = name.rpartition(".")
    assert attribute not in vars(stand_in)
    assert not parent or getattr(importlib.import_module(parent), child) is stand_in
    found = getattr(stand_in, attribute)
    real = importlib.import_module(name)
    assert real is not stand_in and found is getattr(real, attribute) and vars(stand_in)[attribute] is found
    assert not parent or getattr(importlib.import_module(parent), child) is real
    with pytest.raises(AttributeError):
        stand_in.no_such_name


def test_a_module_that_is_there_stays() -> None:
    postpone("sys")
    assert importlib.import_module("sys") is sys
