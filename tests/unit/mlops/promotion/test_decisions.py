"""Who becomes champion: the gate, and the way back."""

from __future__ import annotations

from typing import Any

import pytest

from mlops import model_registry, promotion
from mlops.errors import MissingInputError, RefusedError, UsageError, WorseModelError
from mlops.promotion import decisions
from mlops.records import ModelVersion, read
from mlops.training import steps


def register(product: Any) -> ModelVersion:
    config, folder, version = product.model("prices"), product.folder("prices"), product.version("houses")
    steps.train(product.places, product.settings, config, version, folder)
    steps.evaluate(product.places, product.settings, config, version, folder)
    return steps.register(product.places, product.settings, config, version, folder)


def promote(product: Any, why: str = "a test") -> tuple[str, str]:
    config, folder = product.model("prices"), product.folder("prices")
    champion, verdict = promotion.promote(product.places, product.settings, config, folder, who="me", why=why)
    assert in_force(product) == champion.version
    return champion.version, verdict


def walk(product: Any) -> tuple[str, str]:
    register(product)
    return promote(product)


def in_force(product: Any) -> str:
    return read(ModelVersion, product.places.models / "prices" / "promoted.json").version


def alias(product: Any) -> str | None:
    found = model_registry.champion(product.settings, "prices")
    return found.version if found else None


def stages(product: Any) -> dict[str, str]:
    history = model_registry.history(product.settings, "prices")
    return {each["version"]: each["stage"] for each in history["versions"]}


def improve(product: Any) -> None:
    product.edit("prices", "max_iter: 3,", "max_iter: 40,")


@pytest.fixture
def poor(product: Any) -> Any:
    """The product with a poor first champion."""
    product.edit("prices", "max_iter: 30", "max_iter: 3")
    product.edit("prices", "r2: 0.2", "r2: 0.0")
    assert walk(product) == ("1", "first")
    return product


def test_a_better_model_takes_the_place(poor: Any) -> None:
    improve(poor)
    assert walk(poor) == ("2", "better")
    assert alias(poor) == "2" and stages(poor) == {"1": "archived", "2": "production"}
    history = model_registry.history(poor.settings, "prices")
    first, second = history["versions"]
    assert [(each["from"], each["to"]) for each in first["moved"]] == [
        ("development", "production"), ("production", "archived")
    ]
    move = second["moved"][0]
    assert (move["from"], move["to"], move["who"], move["why"]) == ("development", "production", "me", "a test")
    assert set(first) >= {"version", "stage", "verdict", "metrics", "data", "moved"}
    assert set(history) == {"model", "versions"} and second["verdict"] == "better"


def test_a_refactoring_keeps_the_champion_and_is_green(poor: Any) -> None:
    trainers = poor.root / "tinyproduct" / "trainers.py"
    trainers.write_text(trainers.read_text() + "\n# refactored\n")
    assert walk(poor) == ("1", "equal")
    assert stages(poor) == {"1": "production", "2": "development"}


def test_a_worse_model_is_refused_with_both_figures_and_what_to_do(product: Any) -> None:
    walk(product)
    before = (product.places.models / "prices" / "promoted.json").read_bytes()
    product.edit("prices", "max_iter: 30", "max_iter: 3")
    product.edit("prices", "r2: 0.2", "r2: 0.0")
    register(product)
    with pytest.raises(WorseModelError) as caught:
        promote(product)
    said = str(caught.value)
    for part in (
        "version 2 is worse than the champion", "of the champion, version 1", "2.0% tolerated",
        "120 held-out rows", "version 1 stays champion and keeps serving", "model/configs/prices.yaml",
        "metric.tolerance", "mlops model history prices",
    ):
        assert part in said
    assert caught.value.exit_code == 1
    assert alias(product) == "1"
    assert (product.places.models / "prices" / "promoted.json").read_bytes() == before


def test_without_a_champion_the_floors_decide(product: Any) -> None:
    product.edit("prices", "r2: 0.2", "r2: 0.999")
    register(product)
    with pytest.raises(WorseModelError, match=r"(?s)below a floor: r2 is 0.*nothing was promoted") as caught:
        promote(product)
    assert caught.value.exit_code == 1 and alias(product) is None
    assert not (product.places.models / "prices" / "promoted.json").exists()


def test_a_command_killed_after_the_alias_moved_writes_the_rest(poor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    improve(poor)
    register(poor)
    real = decisions._move

    def killed(*arguments: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(decisions, "_move", killed)
    with pytest.raises(KeyboardInterrupt):
        promote(poor)
    assert alias(poor) == "2" and in_force(poor) == "1"
    monkeypatch.setattr(decisions, "_move", real)
    assert promote(poor) == ("2", "better")
    assert stages(poor) == {"1": "archived", "2": "production"}
    assert promote(poor) == ("2", "better")  # and once more changes nothing
    assert len(model_registry.moves(poor.settings, "prices")["2"]) == 1


def test_a_command_killed_before_the_hand_over_writes_it(poor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    improve(poor)
    register(poor)
    with monkeypatch.context() as patched:
        patched.setattr(decisions.files, "write_atomic", lambda *arguments: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            promote(poor)
    assert in_force(poor) == "1"
    assert promote(poor) == ("2", "better")
    assert stages(poor) == {"1": "archived", "2": "production"}


def test_a_version_in_quarantine_is_refused_until_it_is_lifted(poor: Any) -> None:
    improve(poor)
    register(poor)
    model_registry.quarantine(poor.settings, "prices", "2", "it answered nonsense")
    with pytest.raises(RefusedError, match=r"(?s)quarantine: it answered nonsense.*--lift"):
        promote(poor)
    assert alias(poor) == "1"
    model_registry.lift_quarantine(poor.settings, "prices", "2")
    assert promote(poor) == ("2", "better")


def test_a_withdrawn_champion_gives_way_to_the_one_before(poor: Any) -> None:
    improve(poor)
    walk(poor)
    champion = promotion.withdraw(poor.places, poor.settings, "prices", "2", who="release", why="did not answer")
    assert champion is not None and champion.version == "1" == in_force(poor) == alias(poor)
    assert stages(poor) == {"1": "production", "2": "archived"}
    last = promotion.withdraw(poor.places, poor.settings, "prices", "1", who="release", why="nor did this")
    assert last is None and alias(poor) is None
    assert not (poor.places.models / "prices" / "promoted.json").exists()


def test_a_lost_hand_over_record_is_written_again(poor: Any) -> None:
    (poor.places.models / "prices" / "promoted.json").unlink()
    assert walk(poor) == ("1", "equal")


def test_an_evaluation_against_another_champion_does_not_count(poor: Any) -> None:
    improve(poor)
    register(poor)
    promotion.retire(poor.settings, "prices", who="me", why="begin anew")
    with pytest.raises(UsageError, match="against champion 1, in force is none"):
        promote(poor)


def test_after_retiring_the_floors_decide(poor: Any) -> None:
    promotion.retire(poor.settings, "prices", who="me", why="begin anew")
    assert in_force(poor) == "1"  # what is released stays
    assert stages(poor) == {"1": "archived"}
    improve(poor)
    assert walk(poor) == ("2", "first")
    promotion.retire(poor.settings, "prices", who="me", why="again")
    with pytest.raises(MissingInputError, match="no champion to retire"):
        promotion.retire(poor.settings, "prices", who="me", why="again")


def test_a_registration_of_an_earlier_training_does_not_count(poor: Any) -> None:
    config, folder, version = poor.model("prices"), poor.folder("prices"), poor.version("houses")
    improve(poor)
    steps.train(poor.places, poor.settings, config, version, folder)
    with pytest.raises(UsageError, match="earlier training"):
        promote(poor)


def test_nothing_registered_yet(product: Any) -> None:
    with pytest.raises(MissingInputError, match="mlops model register"):
        promote(product)
