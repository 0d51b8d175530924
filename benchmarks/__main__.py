"""`make bench`: all benchmarks, or those named on the command line."""

import importlib
import pkgutil
import sys

import benchmarks

_TOOLS = {
    "__main__", "measure", "peers", "drift_rates", "drift_streams", "drift_worker", "validation_data",
    "validation_worker",
}


def main(names: list[str]) -> None:
    """Print the report of each benchmark: a module of this folder with a function `report()`."""
    known = sorted({each.name for each in pkgutil.iter_modules(benchmarks.__path__)} - _TOOLS)
    unknown = [name for name in names if name not in known]
    if unknown:
        sys.exit(f"no benchmark {unknown[0]!r}; there are: {', '.join(known)}")
    for name in names or known:
        module = importlib.import_module(f"benchmarks.{name}")
        if hasattr(module, "report"):
            print(module.report(), end="\n\n", flush=True)


main(sys.argv[1:])
