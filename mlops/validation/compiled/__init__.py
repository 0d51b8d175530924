"""The compiled engine: a suite's expectations as few passes of Polars over the data, without Great Expectations.

An expectation becomes *steps* (`mlops.validation.compiled.asks`): a generator that asks for facts of the table and
ends with its result. The engine runs all generators side by side, so that what they ask for in one round is answered
by one scan. What cannot be compiled is declined, and run by Great Expectations itself.
"""

from mlops.validation.compiled.engine import ENGINE, identity, run

__all__ = ["ENGINE", "identity", "run"]
