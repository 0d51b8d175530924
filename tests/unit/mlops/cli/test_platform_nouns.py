"""`mlops config`, `mlops database` and `mlops tree`, run as a user runs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mlops import database

SECRET = "hunter2"


def mlops(folder: Path, *words: str, **variables: str) -> tuple[int, str, str]:
    """(exit code, standard output, standard error) of `mlops WORDS` in `folder`."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("MLOPS_", "MLFLOW_"))}
    done = subprocess.run(
        [sys.executable, "-m", "mlops.cli", *words], cwd=folder, env=environment | variables, capture_output=True,
        text=True, check=False, stdin=subprocess.DEVNULL,
    )
    return done.returncode, done.stdout, done.stderr


def test_config_show_hides_secrets(tmp_path: Path) -> None:
    variables = {
        "MLOPS_DATABASE_URL": f"postgresql://me:{SECRET}@db.example/n?sslpassword={SECRET}",
        "MLOPS_REDIS_URL": f"redis://:{SECRET}@cache.example", "MLOPS_JWT_SECRET": SECRET, "MLOPS_API_KEY": SECRET,
    }
    settings = {"production": {"deployment": {"manifest_repository": f"https://{SECRET}@git.example/m.git"}}}
    (tmp_path / "mlops_config.json").write_text(json.dumps(settings))
    for environment in ("development", "production"):
        for format_ in ("table", "json"):
            code, out, err = mlops(
                tmp_path, "config", "show", "--environment", environment, "--format", format_, **variables
            )
            assert code == 0, err
            assert SECRET not in out + err
            assert "db.example" in out and "cache.example" in out
    assert "git.example" in out
    assert json.loads(out)["security"] == {"jwt_secret": "***", "api_key": "***"}


def test_config_show_refuses_what_it_cannot_read(tmp_path: Path) -> None:
    code, out, err = mlops(tmp_path, "config", "show", MLOPS_HEALTH_CHECK_INTERVAL="often")
    assert (code, out) == (2, "")
    assert "MLOPS_HEALTH_CHECK_INTERVAL" in err
    code, _, err = mlops(tmp_path, "config", "show", "--environment", "production")
    assert code == 2 and "MLOPS_JWT_SECRET" in err


def test_database_migrate_then_check(tmp_path: Path) -> None:
    code, out, _ = mlops(tmp_path, "database", "check")
    assert code == 1 and "mlops database migrate" in out
    assert not (tmp_path / ".mlops").exists(), "asking makes nothing"
    code, out, err = mlops(tmp_path, "database", "migrate", "--format", "json")
    assert code == 0, err
    assert json.loads(out) == {
        "schema": 1, "url": f"sqlite:///{tmp_path}/.mlops/mlops.db", "revision": database.HEAD, "changed": True,
    }
    assert json.loads(mlops(tmp_path, "database", "migrate", "--format", "json")[1])["changed"] is False
    code, out, _ = mlops(tmp_path, "database", "check")
    assert code == 0 and "up to date" in out


def test_database_check_without_a_server(tmp_path: Path) -> None:
    from mlops.processes import free_port

    url = f"postgresql://me:{SECRET}@127.0.0.1:{free_port()}/n"
    code, out, err = mlops(tmp_path, "database", "check", MLOPS_DATABASE_URL=url)
    assert (code, out) == (2, "")
    assert "does not answer" in err and "mend:" in err and "Traceback" not in err and SECRET not in err


def test_tree_check_answers_by_exit_code(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("# Sound\n")
    assert mlops(tmp_path, "tree", "check")[:2] == (0, "nothing found\n")
    (tmp_path / "README.md").write_text("[a](b.md)\n")
    code, out, _ = mlops(tmp_path, "tree", "check")
    assert code == 1
    assert out.splitlines() == ["README.md:1: 'b.md' leads to no file of the tree [links]", "1 finding(s)"]
    code, out, _ = mlops(tmp_path, "tree", "check", "--format", "json")
    assert code == 1
    assert json.loads(out) == {"schema": 1, "findings": [
        {"rule": "links", "path": "README.md", "line": 1, "message": "'b.md' leads to no file of the tree"},
    ]}
    code, out, err = mlops(tmp_path, "tree", "check", "--repository", str(tmp_path / "none"))
    assert (code, out) == (2, "") and "is not a folder" in err


def test_tree_check_reads_the_configurations(tmp_path: Path) -> None:
    for folder in ("data/datasets", "model/configs"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "x.yaml").write_text("colour: red\n")
    code, out, _ = mlops(tmp_path, "tree", "check")
    assert code == 1
    found = {line.partition(":")[0] for line in out.splitlines() if line.endswith("[configuration]")}
    assert found == {"data/datasets/x.yaml", "model/configs/x.yaml"}


@pytest.mark.parametrize("noun", ["config", "database", "tree"])
def test_help_is_quick_and_imports_nothing_heavy(noun: str) -> None:
    heavy = ("sqlalchemy", "alembic", "mlflow", "pandas", "ruamel.yaml")
    code = (
        f"import sys; from mlops.cli import main\ntry: main(['{noun}', '--help'])\nexcept SystemExit: pass\n"
        f"print([name for name in {heavy} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
    assert "--help" in done.stdout
