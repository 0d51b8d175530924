"""`mlops data profile`: table, JSON, files and exit codes."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from mlops.cli import main


@pytest.fixture
def profile(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs the command in a repository with a file `in.csv`."""
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    lines = [f"{number},{['web', 'shop'][number % 2]},{number / 4}" for number in range(200)]
    (tmp_path / "in.csv").write_text("\n".join(["id,channel,amount", *lines]) + "\n")

    def run(*words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as caught:
            main(["data", "profile", *words, "--repository", str(tmp_path)])
        told = capsys.readouterr()
        return int(caught.value.code or 0), told.out, told.err

    return run


def test_a_new_file_is_shown_and_kept_once(profile: Any, tmp_path: Path) -> None:
    source = str(tmp_path / "in.csv")
    code, out, err = profile("visits", "--source", source)
    assert code == 0 and "channel  string" in out and '"channel": {type: string}' in out and "--write" in err
    assert not (tmp_path / "data").exists(), "looking writes nothing"
    code, out, _ = profile("visits", "--source", source, "--write")
    assert code == 0 and "written: data/datasets/visits.yaml, data/expectations/visits.json" in out
    code, out, err = profile("visits", "--write")
    assert code == 1 and "never replaced" in err


def test_json_is_one_document(profile: Any, tmp_path: Path) -> None:
    code, out, _ = profile("visits", "--source", str(tmp_path / "in.csv"), "--format", "json")
    document = json.loads(out)
    assert code == 0 and document["rows"] == 200 and document["written"] == [] and document["difference"] == ""
    assert [column["type"] for column in document["columns"]] == ["integer", "string", "float"]
    assert all(each["meta"]["notes"]["content"] for each in document["suite"]["expectations"])
    assert document["declaration"].startswith("# Proposed")


def test_what_cannot_be_asked_exits_2_and_bad_data_1(profile: Any, tmp_path: Path) -> None:
    assert profile("visits")[0] == 2
    assert profile("visits", "--source", str(tmp_path / "none.csv"))[0] == 2
    (tmp_path / "bad.csv").write_bytes(b"a,b\n1,2,3\n\x00")
    assert profile("visits", "--source", str(tmp_path / "bad.csv"))[0] == 1
