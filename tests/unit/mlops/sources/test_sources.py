"""Import closures and hashes: late, relative and package imports; a cache that is never wrong."""

import json
import os
import time

import pytest

from mlops.errors import ConfigurationError, MissingInputError
from mlops.sources import Sources


@pytest.fixture
def repository(tmp_path):
    files = {
        "mlops/__init__.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from mlops import never\n"
                             "else:\n    from mlops import other\n",
        "mlops/never.py": "", "mlops/other.py": "", "mlops/late.py": "", "mlops/leaf.py": "", "mlops/apart.py": "",
        "mlops/room/__init__.py": "from mlops.room.inner import thing\n",
        "mlops/room/inner.py": "from ..leaf import x\nfrom . import sibling\nthing = 1\n",
        "mlops/room/sibling.py": "", "mlops/room/page.html": "<p>", "mlops/room/migrations/one.py": "",
        "mlops/entry.py": "import os\n\ndef work():\n    import mlops.late\n\n"
                          "def other():\n    from mlops import apart\n"
                          "\nclass A:\n    def f(self):\n        from mlops.room import thing\n",
        "services/s/app/main.py": "from app.more import y\nfrom mlops import leaf\n", "services/s/app/more.py": "",
    }
    for name, content in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return tmp_path


ROOM = {
    "mlops/room/__init__.py", "mlops/room/inner.py", "mlops/room/sibling.py", "mlops/room/page.html",
    "mlops/room/migrations/one.py", "mlops/leaf.py",
}
BASE = {"mlops/__init__.py", "mlops/other.py"}


def test_late_relative_and_package_imports_are_followed_and_type_checking_ones_are_not(repository):
    assert set(Sources(repository).closure(["mlops.entry"])) == BASE | ROOM | {
        "mlops/entry.py", "mlops/late.py", "mlops/apart.py"
    }


def test_a_functions_closure_leaves_other_functions_late_imports_out(repository):
    found = set(Sources(repository).closure(["mlops.entry:work"]))
    assert "mlops/late.py" in found
    assert "mlops/apart.py" not in found


def test_a_package_that_loads_lazily_is_taken_whole_and_the_top_one_is_not(repository):
    (repository / "mlops" / "lazy").mkdir()
    (repository / "mlops" / "lazy" / "__init__.py").write_text("def __getattr__(name):\n    return name\n")
    (repository / "mlops" / "lazy" / "deep.py").write_text("from mlops import leaf\n")
    top = repository / "mlops" / "__init__.py"
    top.write_text(top.read_text() + "def __getattr__(name):\n    return name\n")
    (repository / "mlops" / "user.py").write_text("from mlops.lazy import deep_name\n")
    assert set(Sources(repository).closure(["mlops.user"])) == BASE | {
        "mlops/user.py", "mlops/lazy/__init__.py", "mlops/lazy/deep.py", "mlops/leaf.py"
    }


def test_of_a_package_with_a_table_only_what_is_asked_for_is_taken(repository):
    (repository / "mlops" / "lazy").mkdir()
    (repository / "mlops" / "lazy" / "__init__.py").write_text(
        '_LAZY = {"Deep": "mlops.lazy.deep", "Other": "mlops.lazy.other"}\ndef __getattr__(name):\n    return name\n'
    )
    (repository / "mlops" / "lazy" / "deep.py").write_text("from mlops import leaf\n")
    (repository / "mlops" / "lazy" / "other.py").write_text("")
    (repository / "mlops" / "user.py").write_text("from mlops.lazy import Deep\n")
    (repository / "mlops" / "all.py").write_text("import mlops.lazy\n")
    one = {"mlops/lazy/__init__.py", "mlops/lazy/deep.py", "mlops/leaf.py"}
    assert set(Sources(repository).closure(["mlops.user"])) == BASE | one | {"mlops/user.py"}
    assert set(Sources(repository).closure(["mlops.all"])) == BASE | one | {"mlops/all.py", "mlops/lazy/other.py"}


@pytest.mark.parametrize(("entry", "reached"), [
    # what the function uses of its own module counts with it, however far; what it does not use does not
    ("def work():\n    return inner()\ndef inner():\n    return deep()\ndef deep():\n    import mlops.late\n"
     "def other():\n    import mlops.apart\n", "mlops/late.py"),
    ("def work():\n    import importlib\n    return importlib.import_module('mlops.late')\n", "mlops/late.py"),
    ("import subprocess\ndef work():\n    subprocess.run(['python', '-m', 'mlops.late'])\n", "mlops/late.py"),
    ("def work():\n    from mlops import lazy\n    return lazy.Late\n", "mlops/late.py"),
    ("def work():\n    from mlops.lazy import Late as Own\n", "mlops/late.py"),
    ("if 1:\n    from mlops.leaf import x as work\n", "mlops/leaf.py"),  # no function of the module: the module counts
])
def test_what_a_function_leads_to(repository, entry, reached):
    table = "_LAZY: dict[str, str] = {'Late': 'mlops.late', 'Apart': 'mlops.apart'}\n"
    (repository / "mlops" / "lazy").mkdir()
    (repository / "mlops" / "lazy" / "__init__.py").write_text(f"{table}def __getattr__(name):\n    return name\n")
    (repository / "mlops" / "entry.py").write_text(entry)
    found = Sources(repository).closure(["mlops.entry:work"])
    assert reached in found and "mlops/apart.py" not in found


def test_a_file_that_code_names_is_no_import(repository):
    """What a step reads or writes beside its code is declared; as code it would hold its own output."""
    (repository / "mlops" / "entry.py").write_text("from pathlib import Path\nX = Path(__file__).parent / 'leaf.py'\n")
    assert set(Sources(repository).closure(["mlops.entry"])) == BASE | {"mlops/entry.py"}


def test_a_service_has_its_own_top_package(repository):
    found = Sources(repository).closure(["app.main"], {"app": "services/s/app"})
    assert set(found) == BASE | {"services/s/app/main.py", "services/s/app/more.py", "mlops/leaf.py"}


def test_a_reference_to_nothing_and_a_file_that_is_no_python_are_errors(repository):
    with pytest.raises(ConfigurationError, match="names no module"):
        Sources(repository).closure(["mlops.absent"])
    (repository / "mlops" / "late.py").write_text("def f(:\n")
    with pytest.raises(ConfigurationError, match="not valid Python") as caught:
        Sources(repository).closure(["mlops.entry"])
    assert caught.value.where.endswith("late.py:1")


def test_a_change_is_seen_through_the_cache(repository, tmp_path):
    cache = tmp_path / "cache.json"
    path = repository / "mlops" / "leaf.py"
    long_ago = time.time() - 100
    os.utime(path, (long_ago, long_ago))
    first = Sources(repository, cache)
    before = first.hash("mlops/leaf.py")
    first.save()
    assert "mlops/leaf.py" in json.loads(cache.read_text())["files"]
    path.write_text("import os")
    assert Sources(repository, cache).hash("mlops/leaf.py") != before


def test_a_file_changed_a_moment_ago_is_not_trusted_to_the_cache(repository, tmp_path):
    cache = tmp_path / "cache.json"
    (repository / "mlops" / "leaf.py").write_text("a")
    sources = Sources(repository, cache)
    sources.hash("mlops/leaf.py")
    sources.save()
    assert "mlops/leaf.py" not in json.loads(cache.read_text())["files"]


def test_a_damaged_cache_costs_only_time(repository, tmp_path):
    cache = tmp_path / "cache.json"
    cache.write_text("{half")
    assert Sources(repository, cache).hash("mlops/leaf.py") == Sources(repository).hash("mlops/leaf.py")


def test_a_file_that_is_gone_is_a_clear_error(repository):
    with pytest.raises(MissingInputError):
        Sources(repository).hash("mlops/absent.py")


def test_what_was_derived_is_remembered_until_the_file_changes(repository):
    sources, calls = Sources(repository), []

    def derive(path):
        calls.append(path)
        return path.read_text()

    assert sources.derived("mlops/leaf.py", "text", derive) == ""
    assert sources.derived("mlops/leaf.py", "text", derive) == ""
    (repository / "mlops" / "leaf.py").write_text("changed")
    sources.forget()
    assert sources.derived("mlops/leaf.py", "text", derive) == "changed"
    assert len(calls) == 2
