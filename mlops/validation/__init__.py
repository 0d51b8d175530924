"""Great Expectations suites: read with care, run closed, explained in words, shown as Data Docs.

A suite is Great Expectations' own JSON. It is compiled to a few passes of Polars (`compiled`); Great Expectations
itself, on pandas or on Spark, is another engine (`validation.engine`). A suite is refused when an expectation in it
is unknown or misspelt (Great Expectations itself drops such a one in silence), and its verdict is `error`, not
`pass`, when anything in it could not be evaluated.
"""

from mlops.validation.docs import write_site
from mlops.validation.outcome import Finding, Outcome
from mlops.validation.suites import Suite, read_suite
from mlops.validation.validate import validate

__all__ = ["Finding", "Outcome", "Suite", "read_suite", "validate", "write_site"]
