"""A folder for what is in no memory: made when it is first needed, gone with the block, or with the next one."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from mlops.errors import MlopsError
from mlops.files import lock, unwritable

_PREFIX = ".mlops-scratch-"


class Scratch:
    """Gives paths for temporary files; a context manager.

    A killed process leaves its folder behind, and nobody holds that folder's lock any more: the next one removes it.

    Args:
        beside: The folder to make it in; the system's own for temporary files (`TMPDIR`) where none is given.
    """

    def __init__(self, beside: Path | None = None) -> None:
        self._parent = beside
        self._folder: Path | None = None
        self._stack = ExitStack()
        self._files = 0

    def __enter__(self) -> Scratch:
        return self

    def __exit__(self, *error: Any) -> None:
        if self._folder is not None:
            import shutil

            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None
        self._stack.close()

    def file(self, suffix: str = "") -> Path:
        """A path that nobody else has.

        Raises:
            ConfigurationError: the folder cannot be made.
        """
        if self._folder is None:
            self._folder = self._made()
        self._files += 1
        return self._folder / f"{self._files}{suffix}"

    def _made(self) -> Path:
        import tempfile

        parent = self._parent or Path(tempfile.gettempdir())
        try:
            parent.mkdir(parents=True, exist_ok=True)
            for left in parent.glob(f"{_PREFIX}*"):
                _remove(left)
            folder = Path(tempfile.mkdtemp(dir=parent, prefix=_PREFIX))
        except OSError as error:
            raise unwritable(parent, error) from error
        self._stack.enter_context(lock(folder / "lock"))
        return folder


def _remove(left: Path) -> None:
    """Remove the folder of a process of this user that is no more; one that is being made has no lock yet."""
    import shutil

    try:
        if left.is_symlink() or left.stat().st_uid != os.getuid() or not (left / "lock").exists():
            return
        with lock(left / "lock"):
            shutil.rmtree(left, ignore_errors=True)
    except (MlopsError, OSError):
        return
