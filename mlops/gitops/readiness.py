"""`mlops deploy check`: whether a deploy job has what it needs, asked before it does anything.

Everything is looked at, and everything that is missing or malformed is told at once: who mends one
secret a run needs as many runs as there are secrets. Values of secrets are never part of the answer.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

# The shapes that AWS documents: regions, EKS CreateCluster (name), IAM Role (Arn), STS Credentials (AccessKeyId).
_REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}")
_CLUSTER = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,99}")
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[\w+=,.@/-]{1,576}", re.ASCII)
_KEY = re.compile(r"[A-Z0-9]{16,128}")
_SECRET = re.compile(r"[A-Za-z0-9/+=]{40}")
_ADDRESS = re.compile(r"(https?|ssh|git|file|git\+ssh)://[^\s/]*/\S+|[\w.-]+@[\w.-]+:\S+", re.ASCII)
_HARMLESS = re.compile(r"[a-z0-9 _.-]{1,24}")
_TEMPORARY = "ASIA"  # the prefix of keys that AWS STS gives out, which hold with a session token only

ROLES = ("AWS_ROLE_ARN", "AWS_ROLE_TO_ASSUME")
KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
_URL, _TOKEN = "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"
_RIGHT = "give the job `permissions: id-token: write`; where another workflow calls it, its caller too"


@dataclasses.dataclass(frozen=True)
class Finding:
    """One variable or address that is missing, malformed or better left out, and what to do about it."""

    name: str
    message: str
    mend: str


@dataclasses.dataclass(frozen=True)
class Readiness:
    """What a deploy job has.

    Attributes:
        credentials: How it shows AWS who it is; None where it cannot.
        role: The role that it assumes with OIDC.
        manifest: The manifest repository's address, without what is secret in it.
        head: The commit of its branch; None where it could not be read.
        problems: What stops the deploy.
        warnings: What does not stop it.
    """

    credentials: Literal["oidc", "keys"] | None
    role: str | None
    region: str | None
    cluster: str | None
    manifest: str | None
    branch: str
    head: str | None
    problems: tuple[Finding, ...]
    warnings: tuple[Finding, ...]

    @property
    def ready(self) -> bool:
        """Whether nothing stops the deploy."""
        return not self.problems


def check(variables: Mapping[str, str], manifest: str, branch: str) -> Readiness:
    """Look at everything that a deploy needs. An empty variable counts as missing: so a runner hands over a secret
    that is not set.

    Args:
        variables: The job's environment.
        manifest: The manifest repository, a path or URL; empty where none is given.
        branch: Its branch.
    """
    given = {name: value for name, value in variables.items() if value}
    credentials, problems, warnings = _credentials(given)
    region = _shaped(given, "AWS_REGION", _REGION, "a region such as eu-central-1")
    cluster = _shaped(given, "EKS_CLUSTER_NAME", _CLUSTER, "the cluster's name: letters, digits, - and _")
    head, unread = _manifest(manifest, branch)
    shown = without_secret(manifest) if _is_address(manifest) else None
    if shown is not None and shown != manifest:
        warnings.append(Finding("manifest repository", "the address holds a user or a password", (
            "leave it out of the address and give git the token by its credential helper or an http.extraHeader")))
    return Readiness(
        credentials=credentials, role=_role(given) if credentials == "oidc" else None, manifest=shown,
        region=None if region else given["AWS_REGION"], cluster=None if cluster else given["EKS_CLUSTER_NAME"],
        branch=branch, head=head, problems=(*problems, *region, *cluster, *unread), warnings=tuple(warnings),
    )


def without_secret(address: str) -> str:
    """The address without user, password and query, each of which may be a token; `git@` stays."""
    scheme, mark, rest = address.partition("://")
    if not mark:
        return address
    host, slash, path = rest.partition("/")
    user, at, host = host.rpartition("@")
    kept = f"{user}@" if at and scheme.endswith("ssh") and ":" not in user else ""
    return f"{scheme}://{kept}{host}{slash}{path.partition('?')[0]}"


def _credentials(
    given: Mapping[str, str]
) -> tuple[Literal["oidc", "keys"] | None, list[Finding], list[Finding]]:
    """OIDC where it can be had, else keys; what is wrong with the one chosen stops, with the other warns."""
    oidc, keys = list(_oidc(given)), list(_keys(given))
    has_keys = any(name in given for name in KEYS)
    wants_oidc = _role(given) is not None or not has_keys and _URL in given
    if wants_oidc and not oidc:
        left = [Finding(name, "a static key is there beside OIDC", "delete the secret, and the key in IAM: it outlives "
                        "every job, and nothing needs it") for name in KEYS if name in given]
        return "oidc", [], left
    if has_keys and not keys:
        offered = [] if wants_oidc or _URL not in given else [Finding(
            " or ".join(ROLES), "OIDC is there, yet static keys are used",
            "set the role that the job shall assume, then delete the keys")]
        return "keys", [], [*oidc, *offered] if wants_oidc else offered
    if not wants_oidc and not has_keys:
        return None, [Finding(
            f"{' or '.join(ROLES)}, or {' and '.join(KEYS)}", "there are no credentials for AWS",
            f"with OIDC: set the role and {_RIGHT}. Without: set both keys as secrets")], []
    return None, [*(oidc if wants_oidc else []), *(keys if has_keys else [])], []


def _role(given: Mapping[str, str]) -> str | None:
    return next((given[name] for name in ROLES if name in given), None)


def _oidc(given: Mapping[str, str]) -> Iterator[Finding]:
    """What OIDC misses."""
    role = _role(given)
    if role is None:
        yield Finding(" or ".join(ROLES), "is missing", "set the ARN of the role that the job shall assume")
    elif len({given[name] for name in ROLES if name in given}) > 1:
        yield Finding(" and ".join(ROLES), "name two different roles", "set one of them")
    else:
        name = next(name for name in ROLES if name in given)
        yield from _shaped(given, name, _ROLE, "arn:aws:iam::ACCOUNT:role/NAME, the account being 12 digits")
    if _URL not in given:
        yield Finding(_URL, "is missing: the job may ask for no OIDC token", _RIGHT)
    elif not given[_URL].startswith(("https://", "http://")):
        yield Finding(_URL, "is no address", "leave it as the runner sets it")
    elif _TOKEN not in given:
        yield Finding(_TOKEN, "is missing beside the address that it opens", "leave both as the runner sets them")


def _keys(given: Mapping[str, str]) -> Iterator[Finding]:
    """What the keys miss."""
    identity, secret = KEYS
    yield from _shaped(given, identity, _KEY, "16 or more capital letters and digits")
    yield from _shaped(given, secret, _SECRET, "40 letters, digits, / and +")
    if given.get(identity, "").startswith(_TEMPORARY) and "AWS_SESSION_TOKEN" not in given:
        yield Finding("AWS_SESSION_TOKEN", f"is missing: a key that begins with {_TEMPORARY} holds with it only",
                      "set it, or use a key of a user (AKIA…), or OIDC")


def _shaped(given: Mapping[str, str], name: str, shape: re.Pattern[str], what: str) -> list[Finding]:
    value = given.get(name)
    if value is None:
        return [Finding(name, "is missing", f"set it to {what}")]
    if shape.fullmatch(value):
        return []
    if shape.fullmatch(value.strip().strip("'\"")):
        return [Finding(name, "has blanks, line ends or quotes around it", "set it again without them")]
    # What stands in the wrong variable may be a secret: only what cannot be one is repeated.
    said = f"is {value!r}" if _HARMLESS.fullmatch(value) and name not in KEYS else "does not have its shape"
    return [Finding(name, said, f"set it to {what}")]


def _manifest(repository: str, branch: str) -> tuple[str | None, list[Finding]]:
    """(head of its branch, what stops the deploy)."""
    from mlops.errors import MlopsError
    from mlops.gitops.remote import Remote

    name = "manifest repository"
    if not repository:
        return None, [Finding(name, "is missing", "set MANIFEST_REPOSITORY, or give --repository: a path or git URL")]
    if not _is_address(repository):
        return None, [Finding(name, "is no address of a git repository", (
            "give https://HOST/PATH, ssh://git@HOST/PATH, git@HOST:PATH or a folder that is there"))]
    try:
        return Remote(repository, branch).head(), []
    except MlopsError as error:
        return None, [Finding(name, f"{branch}: {_hidden(error.message, repository)}", (
            error.mend or "the job needs a token that may read and write it: see the guide on deploying"))]


def _is_address(text: str) -> bool:
    return bool(_ADDRESS.fullmatch(text)) or Path(text).is_dir() and not text.startswith("-")


def _hidden(said: str, address: str) -> str:
    """What git said, without the user and password that it may have repeated."""
    user, at, _ = address.partition("://")[2].partition("/")[0].rpartition("@")
    if at:
        said = said.replace(f"{user}@", "")
        for secret in sorted(user.split(":"), key=len, reverse=True):
            said = said.replace(secret, "…") if len(secret) > 5 else said  # a shorter one is part of other words
    return said
