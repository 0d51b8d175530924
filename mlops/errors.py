"""One tree of errors for the whole of `mlops`.

    MlopsError                      every error that a user may meet
    ├── TransientError              may pass when tried again
    │   ├── BusyError               somebody else holds the lock or the port
    │   ├── RejectedPushError       the remote moved on; fetch and apply the intent again
    │   └── UnavailableError        a server did not answer
    └── TerminalError               never worth a retry
        ├── UsageError              asked in a way that has no answer            exit 2
        │   ├── ConfigurationError  a setting or a configuration file is wrong   exit 2
        │   ├── MissingInputError   a file, a version or a program is not there  exit 2
        │   └── InvalidRecordError  a document does not have its shape           exit 2
        ├── RefusedError            a gate said no                               exit 1
        │   ├── BadDataError        the data broke its suite or its checks       exit 1
        │   ├── WorseModelError     the challenger is worse than the champion    exit 1
        │   ├── TestsFailedError    tests, lint or another check found something exit 1
        │   ├── GateClosedError     plan and receipts do not agree               exit 1
        │   └── ReleaseError        a release did not start, answer or agree     exit 1
        └── IntegrityError          bytes are not the bytes that were promised   exit 1

Every error says what is wrong, where, and how to mend it. `exit_code` is what the command
line ends with: 1 for "the answer is no", 2 for "it could not be asked".
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path


class MlopsError(Exception):
    """Base of all errors; never raised itself.

    Args:
        message: What is wrong, one sentence without a full stop.
        where: The file, field, row or address that it concerns.
        mend: What the reader can do about it.
    """

    exit_code = 2

    def __init__(self, message: str, *, where: str | Path | None = None, mend: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.where = None if where is None else str(where)
        self.mend = mend

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where else self.message
        return f"{text}\n  mend: {self.mend}" if self.mend else text


class TransientError(MlopsError):
    """May pass when tried again."""


class BusyError(TransientError):
    """Somebody else holds the lock or the port."""


class RejectedPushError(TransientError):
    """The remote moved on between fetch and push."""


class UnavailableError(TransientError):
    """A server did not answer, or not in time."""


class TerminalError(MlopsError):
    """Never worth a retry."""


class UsageError(TerminalError):
    """Asked in a way that has no answer."""


class ConfigurationError(UsageError):
    """A setting or a configuration file is wrong."""


class MissingInputError(UsageError):
    """A file, a version or a program is not there."""


class InvalidRecordError(UsageError):
    """A document does not have its shape."""


class RefusedError(TerminalError):
    """A gate said no: the question was answered, and the answer is no."""

    exit_code = 1


class BadDataError(RefusedError):
    """The data broke its suite or its checks."""


class WorseModelError(RefusedError):
    """The challenger is worse than the champion, or below a floor."""


class TestsFailedError(RefusedError):
    """Tests, lint or another check of the tree found something."""

    __test__ = False  # not a test class, whatever its name begins with


class GateClosedError(RefusedError):
    """Plan and receipts do not agree."""


class ReleaseError(RefusedError):
    """A release did not start, did not answer, or answered something else than its model."""


class IntegrityError(TerminalError):
    """Bytes are not the bytes that were promised (a checksum differs)."""

    exit_code = 1
