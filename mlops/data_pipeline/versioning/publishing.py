"""Publishing a version: DVC moves its bytes to a remote, and a `.dvc` file in the tree names them.

Bytes are pushed, and fetched, from a DVC repository of their own under `.mlops/cache/`, made for the
occasion. So a `.dvc` file appears in the tree only when the remote has what it names, a command that was
killed leaves nothing to clean up, and what is fetched comes from the remote and not from a damaged cache.
"""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mlops.config import Settings, Workspace
from mlops.data_pipeline.versioning import restoring, versions
from mlops.data_pipeline.versioning.dvc_command import Dvc
from mlops.errors import ConfigurationError, UnavailableError
from mlops.files import lock, unwritable, write_atomic

REMOTE = "published"
"""The remote's name in `.dvc/config`, where that names no default of its own."""

VARIABLE = "MLOPS_DVC_REMOTE"

_IGNORED = "# What `dvc pull` brings; the `.dvc` files beside it belong to the tree.\n/*/?*/\n"
# Below the tree's own settings. The bytes are on this disk already: they are linked, not copied.
_HERE = "[core]\n    no_scm = true\n[cache]\n    type = \"hardlink,copy\"\n"
_NOTE = "# {dataset} {version}: {rows} rows{simulated}, {fingerprint}\n"


@dataclasses.dataclass(frozen=True)
class Published:
    """A version that the remote has.

    Attributes:
        file: Its `.dvc` file, as a path in the repository.
        changed: The files of the tree that were written and are to be committed; empty where nothing was to be done.
    """

    dataset: str
    version: str
    fingerprint: str
    remote: str
    file: str
    changed: list[str]


def publish(places: Workspace, settings: Settings, dataset: str, version: str | None = None) -> Published:
    """Push a version's bytes to the DVC remote, then write its `.dvc` file into the tree.

    Run again, it finds the bytes there and writes nothing.

    Raises:
        MissingInputError: there is no such version here, or DVC is not installed.
        IntegrityError: the version's files are not what its record says.
        ConfigurationError: the remote lies inside the clone, or a file cannot be written.
        UnavailableError: the remote did not answer, or does not have everything afterwards.
    """
    found = versions.find(places, dataset, version)
    record = restoring.verify(found.folder, dataset, found.record.version)
    remote = remote_of(places, settings)
    tracked = versions.PUBLISHED / dataset / f"{record.version}.dvc"
    with lock(places.cache / "publishing.lock", timeout=60, what="another publication"), _repository(
        places, remote
    ) as dvc:
        work = dvc.folder / record.version
        work.mkdir()
        for path in sorted(found.folder.iterdir()):
            if not path.name.startswith("."):
                _link(path, work / path.name)
        dvc("add", record.version)
        dvc("push", "--remote", remote.name, f"{record.version}.dvc")
        missing = dvc("status", "--cloud", "--json", "--remote", remote.name).strip()
        if missing not in ("", "{}"):
            raise UnavailableError(
                f"does not have all of {dataset} {record.version} after the push: {missing}", where=remote.url,
                mend="run the same command again",
            )
        note = _NOTE.format(
            dataset=dataset, version=record.version, rows=record.rows, fingerprint=record.fingerprint,
            simulated=" (simulated)" if record.source.simulated else "",
        )
        content = note + (dvc.folder / f"{record.version}.dvc").read_text(encoding="utf-8")
        for path in work.iterdir():
            path.chmod(0o644)  # DVC protects what its cache links, and these are the store's own files
    changed = [*_configure(places, remote), *_ignore(places)]
    if _differs(places.repository / tracked, content):
        write_atomic(places.repository / tracked, content)
        changed.append(tracked.as_posix())
    return Published(dataset, record.version, record.fingerprint, remote.url, tracked.as_posix(), changed)


def fetch(places: Workspace, settings: Settings, dataset: str, version: str, target: Path) -> None:
    """Make the folder `target` with the files of a published version, from the remote.

    Raises:
        UnavailableError: the remote did not answer, or does not have it.
    """
    tracked = places.repository / versions.PUBLISHED / dataset / f"{version}.dvc"
    remote = remote_of(places, settings)
    with lock(places.cache / "publishing.lock", timeout=60, what="another publication"), _repository(
        places, remote
    ) as dvc:
        shutil.copyfile(tracked, dvc.folder / tracked.name)
        dvc("pull", "--remote", remote.name, tracked.name)
        for path in (dvc.folder / version).iterdir():
            path.chmod(0o644)  # DVC protects what it links from its cache
        (dvc.folder / version).rename(target)


@dataclasses.dataclass(frozen=True)
class Remote:
    """A DVC remote. `committed`: whether the tree's `.dvc/config` names it so."""

    name: str
    url: str
    committed: bool


def remote_of(places: Workspace, settings: Settings) -> Remote:
    """The remote: `storage.dvc_remote` (MLOPS_DVC_REMOTE), else what `.dvc/config` names, else a folder of the user's.

    Raises:
        ConfigurationError: it is a folder inside the clone, which no other clone would find.
    """
    known = Dvc(places.repository).settings("project") if (places.repository / ".dvc").is_dir() else {}
    name = known.get("core.remote", REMOTE)
    there = known.get(f"remote.{name}.url", "")
    url = settings.storage.dvc_remote or there or str(_default_folder())
    if "://" not in url:
        folder = Path(places.repository, Path(url).expanduser()).resolve()
        if folder.is_relative_to(places.repository.resolve()):
            raise ConfigurationError(
                f"{folder} lies inside this clone: no other clone would find the bytes there, and they would be lost "
                "with it", where=VARIABLE if settings.storage.dvc_remote else places.repository / ".dvc" / "config",
                mend=f"set {VARIABLE} to a folder outside {places.repository}, or to an address such as "
                "s3://bucket/prefix",
            )
        url = str(folder)
    return Remote(name, url, url == there)


def _default_folder() -> Path:
    """A folder for all clones of this user (XDG Base Directory Specification: data)."""
    home = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(home) / "switchyard" / "data-versions"


@contextmanager
def _repository(places: Workspace, remote: Remote) -> Iterator[Dvc]:
    """An empty DVC repository with the tree's settings and this remote; gone afterwards."""
    folder = places.cache / "publishing"
    shutil.rmtree(folder, ignore_errors=True)  # what a killed command left
    try:
        (folder / ".dvc").mkdir(parents=True)
        for name in ("config", "config.local"):  # credentials and endpoints stand there
            if (places.repository / ".dvc" / name).is_file():
                shutil.copyfile(places.repository / ".dvc" / name, folder / ".dvc" / name)
    except OSError as error:
        raise unwritable(folder, error) from error
    write_atomic(folder / "machine" / "config", _HERE)
    dvc = Dvc(folder, DVC_SITE_CACHE_DIR=str(folder / "site"), DVC_SYSTEM_CONFIG_DIR=str(folder / "machine"))
    dvc("remote", "add", "--force", "--local", "--default", remote.name, remote.url)
    try:
        yield dvc
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _configure(places: Workspace, remote: Remote) -> list[str]:
    """Name the remote in the tree's `.dvc/config`, so that `dvc pull` in a fresh clone finds it."""
    if remote.committed:
        return []
    dvc = Dvc(places.repository)
    changed = [".dvc/config"]
    if not (places.repository / ".dvc").is_dir():
        dvc("init", *([] if (places.repository / ".git").exists() else ["--no-scm"]))
        changed += [".dvc/.gitignore", ".dvcignore"]
    dvc("config", "core.analytics", "false")
    dvc("config", "core.check_update", "false")
    if f"remote.{remote.name}.url" in dvc.settings("project"):  # what else stands there of it, such as a region, stays
        dvc("remote", "modify", remote.name, "url", remote.url)
    else:
        dvc("remote", "add", "--default", remote.name, remote.url)
    return changed


def _ignore(places: Workspace) -> list[str]:
    path = versions.PUBLISHED / ".gitignore"
    if (places.repository / path).is_file():
        return []
    write_atomic(places.repository / path, _IGNORED)
    return [path.as_posix()]


def _differs(path: Path, content: str) -> bool:
    """Whether the `.dvc` file names other bytes, or is not there. Comments do not count."""
    def told(text: str) -> str:
        return re.sub(r"^#.*\n", "", text, flags=re.MULTILINE)

    return not path.is_file() or told(path.read_text(encoding="utf-8")) != told(content)


def _link(path: Path, target: Path) -> None:
    try:
        os.link(path, target)
    except OSError:  # another file system
        shutil.copyfile(path, target)
