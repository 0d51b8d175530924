"""`mlops service`: which services, and what their tests leave."""

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

TREE = Path(__file__).parents[4]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    for name in ("one", "two"):
        folder = tmp_path / "services" / name
        (folder / "app").mkdir(parents=True)
        (folder / "tests").mkdir()
        (folder / "app" / "__init__.py").write_text("def twice(number):\n    return 2 * number\n\n\nUNSEEN = 1\n")
        (folder / "tests" / "test_app.py").write_text(
            "from app import twice\n\n\ndef test_twice():\n    assert twice(2) == 4\n"
        )
    return tmp_path


def service(repository: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mlops.cli", "service", *words, "--repository", str(repository)]
    return subprocess.run(command, capture_output=True, text=True, cwd=TREE)


def test_the_tests_of_one_service_leave_junit_and_coverage(repository: Path) -> None:
    done = service(repository, "test", "one", "--coverage")
    assert done.returncode == 0 and "one: 1 passed" in done.stdout, done.stderr
    reports = repository / ".mlops" / "reports"
    assert sorted(path.name for path in reports.iterdir()) == ["coverage.xml", "junit"]
    report = ElementTree.parse(reports / "coverage.xml").getroot()
    assert report.get("line-rate") == "1"
    assert [each.text for each in report.iter("source")] == [str(repository / "services" / "one" / "app")]
    assert ElementTree.parse(reports / "junit" / "one.xml").getroot().find("testsuite[@tests='1']") is not None
    assert not list((repository / "services").rglob(".coverage*"))


def test_a_report_of_coverage_is_of_one_service(repository: Path) -> None:
    for names in ((), ("one", "two")):
        done = service(repository, "test", *names, "--coverage")
        assert done.returncode == 2 and "name one: --coverage NAME" in done.stderr


@pytest.mark.parametrize("text", ["api", '{"api": 1}', "[1]", "["])
def test_services_are_a_json_list(repository: Path, text: str) -> None:
    done = service(repository, "run", "--services", text)
    assert done.returncode == 2 and "is no JSON list of names" in done.stderr and "Traceback" not in done.stderr


def test_a_service_that_is_not_there_is_named(repository: Path) -> None:
    done = service(repository, "run", "--services", '["three"]')
    assert done.returncode == 2 and "there is no 'three' here" in done.stderr
