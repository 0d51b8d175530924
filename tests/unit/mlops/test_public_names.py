"""The public names of the library: listed, loadable, and lazy."""

import subprocess
import sys

import mlops


def test_every_public_name_is_listed_once_and_loads():
    assert sorted(mlops.__all__) == mlops.__all__
    assert set(mlops.__all__) == {*mlops._LAZY, "__version__"}
    for name, module in mlops._LAZY.items():
        assert getattr(mlops, name) is getattr(sys.modules[module], name)


def test_an_unknown_name_is_an_attribute_error():
    assert not hasattr(mlops, "absent")


HEAVY = ("pandas", "polars", "mlflow", "great_expectations", "sklearn", "sqlalchemy", "onnx", "onnxruntime", "pydantic")


def test_neither_the_library_nor_any_command_imports_a_heavy_library_at_start():
    code = (
        "import sys, importlib, mlops.cli\n"
        "for module, _ in mlops.cli.NOUNS.values():\n"
        "    importlib.import_module(module)\n"
        f"print(' '.join(name for name in {HEAVY!r} if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
