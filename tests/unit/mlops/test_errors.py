"""The tree of errors: drawn, complete, and with exit codes that the interfaces promise."""

import inspect

from mlops import errors


def _all(kind=errors.MlopsError):
    for child in kind.__subclasses__():
        if child.__module__ == errors.__name__:
            yield child
            yield from _all(child)


def test_the_drawing_names_every_error():
    drawn = inspect.getdoc(errors)
    missing = [kind.__name__ for kind in _all() if kind.__name__ not in drawn]
    assert not missing


def test_every_error_is_either_worth_a_retry_or_not():
    for kind in _all():
        assert issubclass(kind, errors.TransientError) != issubclass(kind, errors.TerminalError), kind


def test_refusals_exit_1_and_usage_exits_2():
    for kind in _all():
        if issubclass(kind, errors.RefusedError):
            assert kind.exit_code == 1, kind
        if issubclass(kind, errors.UsageError):
            assert kind.exit_code == 2, kind


def test_an_error_says_where_what_and_how_to_mend_it():
    error = errors.BadDataError("column 'age' is missing", where="a.csv", mend="add it")
    assert str(error) == "a.csv: column 'age' is missing\n  mend: add it"
