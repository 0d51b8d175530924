"""The suite's file: Great Expectations' JSON, checked before anything is run on data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from mlops.errors import ConfigurationError, MissingInputError
from mlops.files import sha256_bytes
from mlops.positions import entry_lines


class Suite(msgspec.Struct, frozen=True):
    """A suite as its file says it.

    Attributes:
        path: The file.
        sha256: Of the file's bytes.
        expectations: Each `{"type", "kwargs", "meta"?, "severity"?, …}`, in the file's order; never empty.
        parameters: Values by name that `{"$PARAMETER": name}` in an argument stands for (`suite_parameters`).
    """

    name: str
    path: Path
    sha256: str
    expectations: tuple[dict[str, Any], ...]
    parameters: dict[str, Any] = msgspec.field(default_factory=dict)

    def where(self, index: int) -> str:
        """File and line of the expectation at `index`, for errors and annotations."""
        try:
            return f"{self.path}:{entry_lines(self.path.read_text(encoding='utf-8'), 'expectations', 'type')[index]}"
        except (OSError, ValueError, IndexError):
            return str(self.path)


def read_suite(path: Path) -> Suite:
    """The suite in the file at `path`.

    Whether each expectation exists and takes its arguments is found out by `validate`, before any of them is run.

    Raises:
        MissingInputError: there is no such file.
        ConfigurationError: not JSON, a key stands twice, no expectation in it, or one without type or arguments.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise MissingInputError(
            f"the suite cannot be read: {error.strerror or error}", where=path,
            mend="write the suite, or correct `suite` in the data set's file",
        ) from error
    try:
        document = json.loads(content, object_pairs_hook=_without_repeats)
    except ValueError as error:  # JSONDecodeError and UnicodeDecodeError are ValueErrors
        line = getattr(error, "lineno", None)
        raise ConfigurationError(
            f"the suite is not valid JSON: {error}", where=f"{path}:{line}" if line else path,
            mend="correct the file; `python -m json.tool FILE` shows the place",
        ) from error
    expectations = document.get("expectations") if isinstance(document, dict) else None
    if not isinstance(expectations, list) or not expectations:
        raise ConfigurationError(
            "the suite holds no expectation, so it could never fail", where=path,
            mend='list what must hold under "expectations", each {"type": …, "kwargs": {…}}',
        )
    name = document.get("name")
    suite = Suite(
        name=name if isinstance(name, str) and name else path.stem,
        path=path, sha256=sha256_bytes(content), expectations=tuple(expectations),
        parameters=_parameters(document, path),
    )
    for index, expectation in enumerate(expectations):
        _check(suite, index, expectation)
    return suite


def _parameters(document: dict[str, Any], path: Path) -> dict[str, Any]:
    parameters = document.get("suite_parameters") or {}
    if not isinstance(parameters, dict):
        raise ConfigurationError(
            'the suite\'s "suite_parameters" is no object', where=path,
            mend='write {"suite_parameters": {"NAME": VALUE}}',
        )
    return parameters


def _check(suite: Suite, index: int, expectation: Any) -> None:
    """Refuse an expectation that is malformed, or written so that it cannot fail."""
    if not isinstance(expectation, dict) or not isinstance(expectation.get("type"), str):
        problem = 'is no object with a "type"'
    elif not isinstance(expectation.get("kwargs"), dict):
        problem = f'{expectation["type"]} has no "kwargs" object'
    elif not _share(expectation["kwargs"].get("mostly", 1), suite.parameters):
        problem = f'{expectation["type"]} has "mostly" {expectation["kwargs"]["mostly"]!r}, not a share above 0 up to 1'
    else:
        return
    raise ConfigurationError(
        f"expectation {index + 1} of {len(suite.expectations)}: {problem}", where=suite.where(index),
        mend="correct it: an expectation that cannot be read or cannot fail would hide bad data",
    )


def _share(value: Any, parameters: dict[str, Any]) -> bool:
    if isinstance(value, dict) and set(value) == {"$PARAMETER"}:
        name = value["$PARAMETER"]
        return not isinstance(name, str) or name not in parameters or _share(parameters[name], {})
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= 1


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"the key {name!r} stands twice in one object")
    return dict(pairs)
