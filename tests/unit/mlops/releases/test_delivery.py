"""Releases with the real model server, the real manifest repository and real bundles."""

from __future__ import annotations

import http.client
import json
import threading
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from mlops import gitops, releases
from mlops.deployment_manager import local
from mlops.errors import IntegrityError, MissingInputError, ReleaseError
from mlops.git import Git
from mlops.releases import FailedRelease


def manifest_commits(site: Any) -> int:
    return int(Git(site.places.manifests).text("rev-list", "--count", "main"))


def test_release_reload_rollback(site: Any) -> None:
    first = site.release(site.model("1", 2.0))
    assert first["rows"] == 600 and first["models"]["m"]["difference"] <= 1e-5
    release = first["release"]
    assert (release.id, release.build, release.previous, release.manifest) == (
        "r1", 1, None, gitops.head(site.places, site.settings))
    assert release.data["shop"].validated and release.models["m"].run_id == "run1"
    assert site.out_of_step(release) is None

    commits = manifest_commits(site)  # the same once more: nothing is written, nothing is started
    pid = local.status(site.places)[0].pid
    assert site.release(site.model("1", 2.0))["release"] == release
    assert manifest_commits(site) == commits and local.status(site.places)[0].pid == pid

    second = site.release(site.model("2", 3.0))["release"]
    assert (second.id, second.previous, site.served()) == ("r2", "r1", "2")
    assert local.status(site.places)[0].pid == pid
    files = Git(site.places.manifests).text("show", "--format=", "--name-only", second.manifest).splitlines()
    assert files == [f"{gitops.overlay('development')}/release.yaml", f"{gitops.RELEASES}/r2.json"]
    assert "m: 1 -> 2" in Git(site.places.manifests).text("log", "-1", "--format=%b", second.manifest)

    back = releases.rollback(site.places, site.settings, None, who="me", why="it was worse")
    assert (back.id, back.kind, back.restores, back.previous, site.served()) == ("r3", "rollback", "r1", "r2", "1")
    assert site.withdrawn == [("m", "2")]
    assert site.release(site.model("2", 3.0))["release"].id == "r3", "what was rolled back came again"
    forward = releases.rollback(site.places, site.settings, "r2", who="me", why="it was not")
    assert (forward.id, site.served()) == ("r4", "2")
    assert site.release(site.model("2", 3.0))["release"].id == "r4"
    with pytest.raises(MissingInputError, match="its releases are r4, r3, r2, r1"):
        releases.rollback(site.places, site.settings, "r9", who="me", why="")


def test_a_model_that_is_not_its_bundle_is_taken_back(site: Any) -> None:
    site.release(site.model("1", 2.0))
    wrong = site.model("2", 3.0, proven=3.001)
    with pytest.raises(FailedRelease, match="not answer as the registered model") as error:
        site.release(wrong)
    assert error.value.models == {"m": "2"} and site.withdrawn == [("m", "2")]
    assert site.ids() == [("r1", "release", None), ("r2", "release", None), ("r3", "rollback", "r1")]
    assert site.served() == "1"
    assert site.out_of_step() is None
    assert releases.in_force(site.places, site.settings, error.value.release)


def test_a_broken_image_is_taken_back_and_no_model_is_blamed(site: Any) -> None:
    site.release(site.model("1", 2.0))
    (site.places.repository / "services/predict/app/__init__.py").write_text("raise RuntimeError('broken')\n")
    pid = local.status(site.places)[0].pid
    with pytest.raises(FailedRelease, match="broken") as error:
        site.release(site.model("2", 3.0), site.build())
    assert error.value.models == {} and site.withdrawn == []
    assert error.value.restored is not None and error.value.restored.restores == "r1"
    assert local.status(site.places)[0].pid == pid and site.served() == "1"


def test_a_first_release_that_fails_leaves_nothing_released(site: Any) -> None:
    model = site.model("1", 2.0)
    (site.places.bundles / "m" / "1.bundle").write_bytes(b"damaged")
    with pytest.raises(FailedRelease, match="checksum"):
        site.release(model)
    assert site.ids() == [("r1", "release", None), ("r2", "rollback", None)]
    assert local.status(site.places) == []
    text = Git(site.places.manifests).text("show", f"main:{gitops.overlay('development')}/kustomization.yaml")
    assert "sha256" not in text


def test_a_rollback_is_not_written_over_somebody_elses_release(site: Any) -> None:
    site.release(site.model("1", 2.0))
    mine = releases.publish(site.places, site.settings, site.compose(site.model("2", 3.0)))
    releases.publish(site.places, site.settings, site.compose(site.model("3", 4.0)))
    said: list[str] = []
    with pytest.raises(ReleaseError):
        releases.publish(site.places, site.settings, mine, only_after="r1")
    (site.places.bundles / "m" / "3.bundle").write_bytes(b"damaged")
    with pytest.raises(FailedRelease) as error:
        releases.deploy(site.places, site.settings, mine, said.append)
    assert error.value.restored is None and any("not reverted" in each for each in said)
    assert site.ids()[-1][0] == "r3" and site.served() == "1"


def test_what_was_proven_once_is_not_taken_back_for_a_damaged_machine(site: Any) -> None:
    release = site.release(site.model("1", 2.0))["release"]
    (site.places.bundles / "m" / "1.bundle").write_bytes(b"damaged")
    with pytest.raises(IntegrityError):
        releases.prove(site.places, site.settings, release)
    assert site.ids() == [("r1", "release", None)] and site.withdrawn == []


def test_a_late_bump_does_not_undo_a_rollback(site: Any) -> None:
    site.release(site.model("1", 2.0))
    second = site.release(site.model("2", 3.0))["release"]
    releases.rollback(site.places, site.settings, None, who="me", why="")
    late = gitops.bump(
        str(site.places.manifests), "main",
        gitops.Intent(path=gitops.overlay("development"), image="predict", digest=site.image, build=second.build,
                      models={"m": gitops.ServedModel("2")}),
    )
    assert late.outcome == "unchanged" and "version: \"1\"" in Git(site.places.manifests).text(
        "show", f"main:{gitops.overlay('development')}/release.yaml")


def test_the_proof_sees_another_version_and_a_dead_service(site: Any) -> None:
    site.release(site.model("1", 2.0))
    other = releases.publish(site.places, site.settings, site.compose(site.model("2", 3.0)))
    with pytest.raises(ReleaseError, match="version '1' answered"):
        releases.verify(site.places, site.settings, other)
    local.stop(site.places)
    with pytest.raises(ReleaseError, match="does not run"):
        releases.verify(site.places, site.settings, other)
    with pytest.raises(ReleaseError, match="does not answer"):
        releases.verify(site.places, site.settings, other, "http://127.0.0.1:9")


def test_changes_of_the_base_are_carried_over_and_digests_stay(site: Any) -> None:
    release = site.release(site.model("1", 2.0))["release"]
    tree = site.places.repository / gitops.MANIFESTS
    overlay = tree / "overlays/development/kustomization.yaml"
    overlay.write_text(overlay.read_text() + "# a comment more\n")
    (tree / "base/extra.yaml").write_text("{}\n")
    (tree / "base/bundles.yaml").unlink()
    again = site.release(site.model("1", 2.0))["release"]
    assert again.id == release.id and site.out_of_step(again) is None
    head = Git(site.places.manifests)
    names = head.text("ls-tree", "-r", "--name-only", "main").splitlines()
    assert f"{gitops.MANIFESTS}/base/extra.yaml" in names and f"{gitops.MANIFESTS}/base/bundles.yaml" not in names
    text = head.text("show", f"main:{gitops.overlay('development')}/kustomization.yaml")
    assert site.image in text and "a comment more" in text
    assert f"{gitops.RELEASES}/r1.json" in names


class Load:
    """Clients that never stop asking, with and without keeping their connections."""

    def __init__(self, address: str) -> None:
        self.failed: list[str] = []
        self.answers: list[str] = []
        self._end = threading.Event()
        target = urlsplit(address)
        self._threads = [
            threading.Thread(target=self._run, args=(target.hostname, target.port, keep)) for keep in (True, False)
        ]
        for thread in self._threads:
            thread.start()

    def _run(self, host: str, port: int, keep: bool) -> None:
        connection = http.client.HTTPConnection(host, port, timeout=10)
        body = json.dumps({"model": "m", "rows": [{"a": 1.0, "b": 2.0}]})
        headers = {"Content-Type": "application/json", **({} if keep else {"Connection": "close"})}
        while not self._end.is_set():
            try:
                connection.request("POST", "/predict", body, headers)
                self.answers.append(json.loads(connection.getresponse().read())["version"])
            except (OSError, http.client.HTTPException, KeyError) as error:
                self.failed.append(repr(error))
                connection.close()

    def end(self) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join()


def test_no_request_is_dropped_while_images_and_models_change(site: Any) -> None:
    site.release(site.model("1", 2.0))
    load = Load(local.status(site.places)[0].address)
    module = Path(site.places.repository / "services/predict/app/__init__.py")
    try:
        for number in (2, 3):
            module.write_text(f'"""Image {number}."""\n')
            site.release(site.model(str(number), float(number)), site.build())
        site.release(site.model("4", 4.0), site.build())
    finally:
        load.end()
    assert load.failed == []
    assert set(load.answers) == {"1", "2", "3", "4"} and len(load.answers) > 100
