"""What a deploy job needs: everything missing is named at once, nothing secret is repeated."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from mlops.cli import main
from mlops.gitops import readiness

OIDC = {
    "ACTIONS_ID_TOKEN_REQUEST_URL": "https://pipelines.actions.example/token?api-version=2",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "eyJ0eXAiOiJKV1QifQ",
    "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/deploys/switchyard",
}
KEYS = {"AWS_ACCESS_KEY_ID": "AKIA" + "Q7" * 8, "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzzzzzzKEY+"}
PLACE = {"AWS_REGION": "eu-central-1", "EKS_CLUSTER_NAME": "switchyard"}


@pytest.fixture
def manifest(bare: Callable[..., Path]) -> str:
    return str(bare())


def named(findings: tuple[readiness.Finding, ...]) -> set[str]:
    return {name for finding in findings for name in finding.name.replace(",", " ").split() if name.isupper()}


def test_oidc_is_enough_and_keys_are_enough(manifest: str) -> None:
    for given, how in ((OIDC, "oidc"), (KEYS, "keys")):
        found = readiness.check({**given, **PLACE}, manifest, "main")
        assert (found.ready, found.credentials, found.warnings) == (True, how, ())
        assert found.head is not None and len(found.head) == 40
    by_the_other_name = {**OIDC, "AWS_ROLE_TO_ASSUME": OIDC["AWS_ROLE_ARN"]}
    del by_the_other_name["AWS_ROLE_ARN"]
    assert readiness.check({**by_the_other_name, **PLACE}, manifest, "main").credentials == "oidc"


def test_static_keys_beside_oidc_are_warned_of(manifest: str) -> None:
    found = readiness.check({**OIDC, **KEYS, **PLACE}, manifest, "main")
    assert found.ready and found.credentials == "oidc" and named(found.warnings) == set(KEYS)
    no_role = {name: value for name, value in OIDC.items() if name != "AWS_ROLE_ARN"}
    found = readiness.check({**no_role, **KEYS, **PLACE}, manifest, "main")
    assert found.ready and found.credentials == "keys" and "AWS_ROLE_ARN" in named(found.warnings)
    no_right = {"AWS_ROLE_ARN": OIDC["AWS_ROLE_ARN"], **KEYS, **PLACE}
    found = readiness.check(no_right, manifest, "main")
    assert found.ready and found.credentials == "keys" and "id-token: write" in found.warnings[0].mend


def test_every_missing_one_is_named_in_one_answer() -> None:
    found = readiness.check({}, "", "main")
    assert not found.ready and found.credentials is None
    assert named(found.problems) == {"AWS_ROLE_ARN", "AWS_ROLE_TO_ASSUME", *KEYS, *PLACE}
    assert any(finding.name == "manifest repository" for finding in found.problems)
    assert all(finding.mend for finding in found.problems)


@pytest.mark.parametrize("kind", [OIDC, KEYS], ids=["oidc", "keys"])
def test_each_set_that_misses_something_is_refused_for_just_that(kind: dict[str, str], manifest: str) -> None:
    """Over every subset: what is not there is named, what is there is not. A runner hands unset secrets over empty."""
    whole = {**kind, **PLACE}
    for size in range(len(whole)):
        for kept in itertools.combinations(whole, size):
            found = readiness.check({name: whole[name] if name in kept else "" for name in whole}, manifest, "main")
            assert not found.ready
            missing = set(whole) - set(kept)
            said = named(found.problems)
            if "ACTIONS_ID_TOKEN_REQUEST_URL" in missing:
                missing.discard("ACTIONS_ID_TOKEN_REQUEST_TOKEN")  # means nothing without its address
            if missing >= set(kind) or missing >= {"AWS_ROLE_ARN", "ACTIONS_ID_TOKEN_REQUEST_URL"}:
                assert {"AWS_ROLE_ARN", *KEYS} <= said
            else:
                assert missing <= said and not said & set(kept)


@pytest.mark.parametrize(("name", "value"), [
    ("AWS_REGION", "eu-central"), ("AWS_REGION", "Frankfurt"), ("AWS_REGION", "eu-central-1\n"),
    ("AWS_REGION", "eu-central-1a"), ("EKS_CLUSTER_NAME", "my cluster"), ("EKS_CLUSTER_NAME", "-x"),
    ("EKS_CLUSTER_NAME", "c" * 101), ("AWS_ROLE_ARN", "arn:aws:iam::12:role/x"), ("AWS_ROLE_ARN", "switchyard"),
    ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:user/x"), ("ACTIONS_ID_TOKEN_REQUEST_URL", "yes"),
])
def test_a_malformed_one_is_named(manifest: str, name: str, value: str) -> None:
    found = readiness.check({**OIDC, **PLACE, name: value}, manifest, "main")
    assert named(found.problems) == {name}


@pytest.mark.parametrize(("name", "value"), [
    ("AWS_ACCESS_KEY_ID", "akia1234"), ("AWS_SECRET_ACCESS_KEY", "too-short"),
    ("AWS_ACCESS_KEY_ID", '"AKIAQ7Q7Q7Q7Q7Q7Q7Q7"'),
    ("AWS_SECRET_ACCESS_KEY", KEYS["AWS_SECRET_ACCESS_KEY"] + "\n"),
])
def test_a_malformed_key_is_named_and_not_repeated(manifest: str, name: str, value: str) -> None:
    found = readiness.check({**KEYS, **PLACE, name: value}, manifest, "main")
    assert named(found.problems) == {name} and value.strip("\"\n") not in repr(found)


def test_a_temporary_key_needs_its_session_token(manifest: str) -> None:
    temporary = {**KEYS, "AWS_ACCESS_KEY_ID": "ASIA" + "Q7" * 8, **PLACE}
    assert named(readiness.check(temporary, manifest, "main").problems) == {"AWS_SESSION_TOKEN"}
    assert readiness.check({**temporary, "AWS_SESSION_TOKEN": "x"}, manifest, "main").ready


@pytest.mark.parametrize("region", ["us-east-1", "ap-southeast-2", "us-gov-west-1", "cn-north-1", "eusc-de-east-1"])
def test_regions_of_every_kind(manifest: str, region: str) -> None:
    assert readiness.check({**OIDC, **PLACE, "AWS_REGION": region}, manifest, "main").ready


def test_two_different_roles_are_no_answer(manifest: str) -> None:
    two = {**OIDC, **PLACE, "AWS_ROLE_TO_ASSUME": "arn:aws:iam::123456789012:role/other"}
    assert named(readiness.check(two, manifest, "main").problems) == {"AWS_ROLE_ARN", "AWS_ROLE_TO_ASSUME"}


@pytest.mark.parametrize("address", [
    "nowhere", "-x", "https://", "https://h", "a b", "ghp_0123456789abcdefghijABCDEFGHIJ012345",
])
def test_what_is_no_address_is_neither_asked_nor_repeated(address: str) -> None:
    found = readiness.check({**OIDC, **PLACE}, address, "main")
    assert [finding.name for finding in found.problems] == ["manifest repository"] and found.manifest is None
    assert len(address) < 20 or address not in repr(found)


def test_a_branch_that_is_not_there_is_named_with_those_that_are(manifest: str) -> None:
    problem, = readiness.check({**OIDC, **PLACE}, manifest, "release").problems
    assert "no branch 'release'" in problem.message and "main" in problem.mend


def test_no_secret_is_ever_printed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Every secret stands somewhere, the token in the address and a key in the wrong variable too."""
    token = "ghs_16C7e42F292c6912E7710c838347Ae178B4a"
    swapped = {**OIDC, "AWS_ACCESS_KEY_ID": KEYS["AWS_SECRET_ACCESS_KEY"], "AWS_SECRET_ACCESS_KEY": "hunter2hunter2",
               "AWS_REGION": KEYS["AWS_SECRET_ACCESS_KEY"], "EKS_CLUSTER_NAME": "/" + KEYS["AWS_ACCESS_KEY_ID"]}
    for name, value in swapped.items():
        monkeypatch.setenv(name, value)
    for form in ("table", "json"):
        for user in (token, f"x-access-token:{token}"):
            with pytest.raises(SystemExit) as ended:
                main(["deploy", "check", "--repository", f"https://{user}@127.0.0.1:1/o/r", "--format", form])
            assert ended.value.code == 2
            printed = capsys.readouterr()
            for secret in (token, *KEYS.values(), "hunter2hunter2", OIDC["ACTIONS_ID_TOKEN_REQUEST_TOKEN"]):
                assert secret not in printed.out + printed.err
            if form == "json":
                answer = json.loads(printed.out)
                assert answer["manifest"] == "https://127.0.0.1:1/o/r" and not answer["ready"]


def test_the_command_says_yes_with_0(
    manifest: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {**OIDC, **PLACE, "MANIFEST_REPOSITORY": manifest}.items():
        monkeypatch.setenv(name, value)
    for name in KEYS:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SystemExit) as ended:
        main(["deploy", "check", "--format", "json"])
    answer = json.loads(capsys.readouterr().out)
    assert ended.value.code == 0 and answer["ready"] and answer["problems"] == answer["warnings"] == []
    assert (answer["credentials"], answer["region"], answer["branch"]) == ("oidc", "eu-central-1", "main")
