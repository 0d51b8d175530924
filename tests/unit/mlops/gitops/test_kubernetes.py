"""The kustomize files of this tree: complete, hardened, and in a state that cannot start anything unreleased."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from mlops.config import ConfigManager, Environment
from mlops.deployment_manager import local
from mlops.gitops import kustomization, served

KUBERNETES = Path(__file__).parents[4] / "infrastructure/kubernetes"
SERVICES = ["api", "predict"]


def documents(path: Path) -> list[Any]:
    return list(YAML(typ="safe", pure=True).load_all(path.read_text()))


def base() -> list[Any]:
    listed = documents(KUBERNETES / "base/kustomization.yaml")[0]["resources"]
    return [document for name in listed for document in documents(KUBERNETES / "base" / name)]


def of_kind(kind: str) -> dict[str, Any]:
    return {document["metadata"]["name"]: document for document in base() if document["kind"] == kind}


def test_every_environment_has_an_overlay_and_no_other_has() -> None:
    assert {path.name for path in (KUBERNETES / "overlays").iterdir()} == {each.value for each in Environment}


def test_every_file_of_the_base_is_used() -> None:
    listed = documents(KUBERNETES / "base/kustomization.yaml")[0]["resources"]
    assert sorted(path.name for path in (KUBERNETES / "base").iterdir()) == sorted([*listed, "kustomization.yaml"])


@pytest.mark.parametrize("environment", [each.value for each in Environment])
def test_an_overlay_names_every_image_once_and_nothing_is_released_in_the_tree(environment: str) -> None:
    folder = KUBERNETES / "overlays" / environment
    content = (folder / "kustomization.yaml").read_bytes()
    assert kustomization.digests(content, "kustomization.yaml") == dict.fromkeys(SERVICES, "")
    assert served.read((folder / "release.yaml").read_bytes(), "release.yaml") == served.Served()
    document = documents(folder / "kustomization.yaml")[0]
    assert document["resources"] == ["../../base"]
    assert document["configMapGenerator"] == [{"name": "release", "files": ["release.yaml"]}]
    assert all("newTag" not in image for image in document["images"])
    digest = "sha256:" + "a" * 64
    for name in SERVICES:
        after = kustomization.with_digest(content, name, digest, "kustomization.yaml")
        assert len(after) == len(content) + len(digest)


@pytest.mark.parametrize("name", SERVICES)
def test_a_deployment_is_hardened_and_probed(name: str) -> None:
    deployment = of_kind("Deployment")[name]
    pod = deployment["spec"]["template"]["spec"]
    container = pod["containers"][0]
    assert container["image"] == f"{name}:unreleased"
    assert pod["securityContext"]["runAsNonRoot"] and not pod["automountServiceAccountToken"]
    context = container["securityContext"]
    assert context["readOnlyRootFilesystem"] and not context["allowPrivilegeEscalation"]
    assert context["capabilities"]["drop"] == ["ALL"]
    assert container["readinessProbe"]["httpGet"]["path"] == "/ready"
    assert {container[probe]["httpGet"]["path"] for probe in ("livenessProbe", "startupProbe")} == {"/health"}
    assert {"requests", "limits"} <= set(container["resources"])
    assert deployment["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}


@pytest.mark.parametrize("name", SERVICES)
def test_ports_are_those_of_the_settings_and_selectors_meet(name: str) -> None:
    port = local._port(ConfigManager(variables={}).load_config(), name)
    pod = of_kind("Deployment")[name]["spec"]["template"]
    service = of_kind("Service")[name]["spec"]
    assert pod["spec"]["containers"][0]["ports"] == [{"name": "http", "containerPort": port}]
    assert service["ports"][0]["port"] == port
    labels = pod["metadata"]["labels"]
    for selector in (service["selector"], of_kind("PodDisruptionBudget")[name]["spec"]["selector"]["matchLabels"],
                     of_kind("NetworkPolicy")[name]["spec"]["podSelector"]["matchLabels"]):
        assert selector.items() <= labels.items()
    policy = of_kind("NetworkPolicy")[name]["spec"]
    assert policy["ingress"][0]["ports"][0]["port"] == port
    assert name in of_kind("ServiceAccount")


def test_predict_reads_the_list_that_a_release_writes() -> None:
    pod = of_kind("Deployment")["predict"]["spec"]["template"]["spec"]
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    mounts = {mount["name"]: mount["mountPath"] for mount in pod["containers"][0]["volumeMounts"]}
    env = {each["name"]: each.get("value") for each in pod["containers"][0]["env"]}
    assert volumes["release"]["configMap"]["name"] == "release"
    assert env["MLOPS_MODELS_FILE"] == f"{mounts['release']}/{served.FILE}"
    assert env["MLOPS_BUNDLE_STORE"] == mounts["bundles"]
    assert volumes["bundles"]["persistentVolumeClaim"]["claimName"] in of_kind("PersistentVolumeClaim")
    assert env["OMP_NUM_THREADS"] == "1"


def test_nothing_goes_in_or_out_unnamed() -> None:
    default = of_kind("NetworkPolicy")["default"]["spec"]
    assert default["podSelector"] == {} and set(default["policyTypes"]) == {"Ingress", "Egress"}
    assert "ingress" not in default
