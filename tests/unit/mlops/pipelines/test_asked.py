"""Data versions that a run is asked to use, and the steps that follow from it."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

import pytest

from mlops.config import ConfigManager
from mlops.errors import ConfigurationError, UsageError
from mlops.pipelines import asked, receipts
from mlops.pipelines.declared import model
from mlops.pipelines.handover import version_file
from mlops.pipelines.steps import Run, Step
from mlops.records import DataVersion, Source, Split, Validation
from mlops.sources import Sources

OLD, NEW = "0123456789ab", "ba9876543210"
MODEL = "name: prices\ndataset: houses\ntrainer: model.src.prices:train\n"


def test_pairs_come_in_any_split() -> None:
    expected = {"housing": OLD, "lab": NEW}
    for texts in ([f"housing={OLD} lab={NEW}"], [f"housing={OLD}", f"lab={NEW}"], ["", f"  housing={OLD}\nlab={NEW} "]):
        assert asked.parse(texts) == expected
    assert asked.parse([]) == asked.parse(["", " "]) == {}
    assert asked.parse([f"lab={NEW}", f"lab={NEW}"]) == {"lab": NEW}


@pytest.mark.parametrize("text", [
    "housing", "housing=", "=1", "housing==1", f"housing={OLD},lab={NEW}", "housing=../../etc", "../x=1", "a=b=c",
    "housing=-x", f"lab={NEW} lab={OLD}",
])
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        asked.parse([text])
    assert refused.value.exit_code == 2


@pytest.fixture
def run(tmp_path: Path) -> Run:
    (tmp_path / "data" / "datasets").mkdir(parents=True)
    (tmp_path / "data" / "datasets" / "houses.yaml").write_text("title: x\n")
    (tmp_path / "model" / "configs").mkdir(parents=True)
    (tmp_path / "model" / "configs" / "prices.yaml").write_text(MODEL)
    manager = ConfigManager(tmp_path, {})
    return Run(manager.workspace(), manager.load_config())


def record(run: Run, version: str, content: bytes = b"rows") -> bytes:
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    return DataVersion(
        dataset="houses", version=version, fingerprint=f"sha256:{version}", rows=1, columns=[], target="y",
        source=Source(location="x", sha256="x", rows=1), checks=[], quality=1.0,
        splits=[Split(name="train", file="train.parquet", rows=1, sha256=digest, fingerprint="x")],
        validation=Validation(suite="s", suite_sha256="x", success=True, evaluated=1, successful=1, engine="x"),
    ).to_json()


def publish(run: Run, version: str) -> Path:
    folder = run.places.data / "houses" / "versions" / version
    folder.mkdir(parents=True)
    (folder / "train.parquet").write_bytes(b"rows")
    (folder / "version.json").write_bytes(record(run, version))
    return folder


def made(run: Run, version: str) -> None:
    place = run.places.data / "houses" / "work" / "default" / "version.json"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(record(run, version))


def steps(run: Run, version: str, level: str = "full") -> tuple[Run, dict[str, Step]]:
    sources = Sources(run.repository)
    wanted = dataclasses.replace(run, asked={"houses": version}, level=level)  # type: ignore[arg-type]
    settled = asked.settle(wanted, sources)
    return settled, {step.id: step for step in model.steps(settled, sources)}


def test_a_published_version_is_taken_as_it_is(run: Run) -> None:
    folder = publish(run, OLD)
    publish(run, NEW)
    made(run, NEW)
    settled, found = steps(run, OLD)
    assert version_file(settled, "houses") == folder / "version.json"
    train = found["model/train/prices"]
    assert train.needs == ("model/tracking",) and "model/data/houses" not in found
    assert train.outputs == ("/".join(("models/prices", "work", OLD, "trained.json")),)


def test_what_was_made_here_last_is_the_run_without_asking(run: Run) -> None:
    """So that a hand-over to a model pipeline that a push has started too finds its receipts."""
    publish(run, NEW)
    made(run, NEW)
    settled, found = steps(run, NEW)
    plain = {step.id: step for step in model.steps(run, Sources(run.repository))}
    for name in ("model/train/prices", "model/evaluate/prices", "model/promote/prices"):
        assert (found[name].states, found[name].outputs) == (plain[name].states, plain[name].outputs)
    assert found["model/train/prices"].needs == ("model/tracking",)


@pytest.mark.parametrize("damage", ["nothing", "no rows", "other rows", "no record", "half a record"])
def test_what_is_not_there_whole_is_made_again_and_compared(run: Run, damage: str) -> None:
    if damage != "nothing":
        folder = publish(run, OLD)
        victim = folder / ("version.json" if "record" in damage else "train.parquet")
        victim.write_bytes(victim.read_bytes()[:20] if "half" in damage else b"other")
        if damage.startswith("no "):
            victim.unlink()
    settled, found = steps(run, OLD)
    assert found["model/data/houses"].needs == ("data/version/houses",)
    assert set(found["model/train/prices"].needs) == {"model/tracking", "model/data/houses", "data/version/houses"}
    made(run, NEW)
    with pytest.raises(ConfigurationError) as refused:
        model.take(settled, "houses")
    assert refused.value.exit_code == 2 and OLD in refused.value.message and NEW in refused.value.message
    made(run, OLD)
    assert model.take(settled, "houses") == {"version": OLD}


def test_a_data_set_that_is_not_there_is_said(run: Run) -> None:
    with pytest.raises(UsageError, match="no data set 'housing'"):
        asked.settle(dataclasses.replace(run, asked={"housing": OLD}), Sources(run.repository))


def test_levels_share_neither_folder_nor_receipts(run: Run) -> None:
    publish(run, OLD)
    made(run, OLD)
    _, full = steps(run, OLD)
    _, bounded = steps(run, OLD, "bounded")
    assert {name.split("/")[1] for name in bounded} == {"tracking", "train", "evaluate", "judge"}
    assert {name.split("/")[1] for name in full} == {"tracking", "train", "evaluate", "register", "promote"}
    store = receipts.Store(run.places.receipts)
    for name in ("model/train/prices", "model/evaluate/prices"):
        one, other = full[name], bounded[name]
        assert store.place(one) != store.place(other) and not set(one.outputs) & set(other.outputs)
        assert (one.level, other.level) == ("full", "bounded")
    assert full["model/tracking"].level is None


def test_the_level_is_a_part_of_the_key(run: Run) -> None:
    (run.repository / "requirements").mkdir()
    (run.repository / "requirements" / "dev.txt").touch()
    (run.repository / "mlops").mkdir()
    (run.repository / "mlops" / "jobs.py").write_text("def job(run, subject):\n    return {}\n")
    (run.repository / "mlops" / "__init__.py").touch()
    step = Step(pipeline="model", name="x", subject="", function="mlops.jobs:job", level="full")
    keys = {
        receipts.measure(dataclasses.replace(step, level=level), run, Sources(run.repository)).key  # type: ignore
        for level in ("full", "bounded")
    }
    assert len(keys) == 2
