"""Models that move without an image: one commit in `release.yaml`, ordered by build, under the same race rules."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from mlops.errors import UsageError
from mlops.gitops import Intent, Retry, ServedModel, bump

A, B = "sha256:" + "a" * 64, "sha256:" + "b" * 64
FOLDER = "overlays/production"
LEDGER = f"{FOLDER}/release.yaml"

Bare = Callable[..., Path]
Ask = Callable[..., bytes]


def alone(build: int, **models: str) -> Intent:
    moved = {name: ServedModel(version, "sha256:" + version.rjust(64, "c")) for name, version in models.items()}
    return Intent(path=FOLDER, image=None, digest=None, build=build, models=moved)


def image(build: int, digest: str = A, **models: str) -> Intent:
    return Intent(path=FOLDER, image="predict", digest=digest, build=build, models=alone(build, **models).models)


def models(ask: Ask, path: Path) -> dict[str, str]:
    document = YAML(typ="safe", pure=True).load(ask(path, "show", f"main:{LEDGER}").decode())
    return {name: entry["version"] for name, entry in document["models"].items()}


def test_one_commit_and_only_release_yaml(bare: Bare, ask: Ask) -> None:
    path = bare()
    first = bump(str(path), "main", image(3, housing="1"))
    done = bump(str(path), "main", alone(4, housing="2"))
    assert done.outcome == "committed" and done.newest == 4
    assert ask(path, "diff", "--name-only", first.commit, "main").decode().split() == [LEDGER]
    assert ask(path, "rev-list", "--count", "main") == b"3\n"
    assert ask(path, "log", "-1", "--format=%s", "main").decode() == "Deploy model housing 2 build 4 to production\n"
    document = YAML(typ="safe", pure=True).load(ask(path, "show", f"main:{LEDGER}").decode())
    assert document == {
        "images": {"predict": {"build": 3}},
        "models": {"housing": {"version": "2", "sha256": "sha256:" + "2".rjust(64, "c"), "build": 4}},
    }


def test_it_begins_where_nothing_was_released_yet(bare: Bare, ask: Ask) -> None:
    path = bare()
    assert bump(str(path), "main", alone(0, housing="1", lab="5")).outcome == "committed"
    assert models(ask, path) == {"housing": "1", "lab": "5"}


def test_the_same_again_is_no_commit_and_a_higher_build_raises_only_the_build(bare: Bare, ask: Ask) -> None:
    path = bare()
    first = bump(str(path), "main", alone(4, housing="2"))
    for build in (4, 3):
        again = bump(str(path), "main", alone(build, housing="2"))
        assert (again.outcome, again.commit, again.held) == ("unchanged", first.commit, ())
    bump(str(path), "main", alone(9, housing="2"))
    changed = ask(path, "show", "--format=", "-U0", "main").decode().splitlines()
    assert [line for line in changed if line[:1] in "+-" and line[:3] not in ("+++", "---")] == [
        "-    build: 4", "+    build: 9",
    ]


def test_a_lower_build_never_moves_a_model_back(bare: Bare, ask: Ask) -> None:
    path = bare()
    first = bump(str(path), "main", alone(9, housing="2"))
    late = bump(str(path), "main", alone(8, housing="1"))
    assert (late.outcome, late.newest, late.commit, late.held) == ("superseded", 9, first.commit, ("housing",))
    partly = bump(str(path), "main", alone(8, housing="1", lab="1"))
    assert partly.outcome == "committed" and partly.held == ("housing",)
    assert models(ask, path) == {"housing": "2", "lab": "1"}
    assert "housing" not in ask(path, "log", "-1", "--format=%B", "main").decode()


def test_an_image_that_is_late_does_not_take_a_model_back(bare: Bare, ask: Ask) -> None:
    path = bare()
    bump(str(path), "main", alone(9, housing="2"))
    done = bump(str(path), "main", image(8, housing="1"))
    assert done.outcome == "committed" and done.held == ("housing",)
    assert models(ask, path) == {"housing": "2"}
    assert A.encode() in ask(path, "show", f"main:{FOLDER}/kustomization.yaml")
    bump(str(path), "main", image(10, B, housing="3"))
    assert bump(str(path), "main", alone(9, housing="2")).outcome == "superseded"
    assert models(ask, path) == {"housing": "3"}


def test_models_that_came_with_an_image_are_ordered_by_the_images(bare: Bare, ask: Ask) -> None:
    """A rollback raises the build of every image and moves the models back: a late promotion must not win."""
    path = bare()
    bump(str(path), "main", image(9, housing="1"))
    assert bump(str(path), "main", alone(8, housing="2")).outcome == "superseded"
    assert bump(str(path), "main", alone(9, housing="2")).outcome == "committed"


@pytest.mark.parametrize("intent", [
    alone(1), Intent(path=FOLDER, image="predict", digest=None, build=1),
    Intent(path=FOLDER, image=None, digest=A, build=1), Intent(path=FOLDER, image=None, digest=None, build=1, tag="v1",
                                                               models={"housing": ServedModel("1", A)}),
])
def test_half_an_intent_cannot_be_asked(bare: Bare, intent: Intent) -> None:
    with pytest.raises(UsageError) as error:
        bump(str(bare()), "main", intent)
    assert error.value.exit_code == 2 and error.value.mend


def test_many_at_once_end_with_the_highest_build_of_each(bare: Bare, ask: Ask) -> None:
    path = bare()
    intents = [alone(build, **{name: str(build)}) for name in ("housing", "lab") for build in (11, 12, 13)]
    intents.append(image(10))  # lower than every model's build, so that it cannot supersede one
    random.Random(7).shuffle(intents)
    retry = Retry(tries=20, first=0.03, longest=0.5)
    with ThreadPoolExecutor(len(intents)) as pool:
        list(pool.map(lambda each: bump(f"file://{path}", "main", each, retry=retry), intents))
    assert models(ask, path) == {"housing": "13", "lab": "13"}
    assert A.encode() in ask(path, "show", f"main:{FOLDER}/kustomization.yaml")
