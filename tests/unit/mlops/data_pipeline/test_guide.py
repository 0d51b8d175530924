"""The example of the guide runs as it is written, after a preamble that supplies the file that it reads."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mlops import database
from mlops.config import Workspace
from mlops.data_pipeline.versioning import versions

GUIDE = Path(__file__).parents[4] / "docs" / "guide" / "library.md"

PREAMBLE = """\
from pathlib import Path
rows = ["sample_id,concentration,approved,sample_type"]
rows += [
    f"S{n:03},{'' if n % 11 == 0 else n % 7 / 2},{'true' if n % 3 else 'false'},{('blood', 'saliva', 'tissue')[n % 3]}"
    for n in range(60)
]
Path("data.csv").write_text("\\n".join(rows) + "\\n")
"""


def test_the_example_runs_as_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    section = GUIDE.read_text().partition("## Data pipeline\n")[2]
    (block,) = re.findall(r"```python\n(.*?)```", section.partition("\n## ")[0], re.DOTALL)
    monkeypatch.chdir(tmp_path)
    try:
        exec(compile(PREAMBLE, "preamble", "exec"), {})
        exec(compile(block, str(GUIDE), "exec"), {"__name__": "__main__"})
        (run,) = database.rows("sqlite:///mlops.db", "data_runs")
        assert (run["pipeline"], run["outcome"]) == ("lab_pipeline", "success")
        record = versions.find(Workspace(tmp_path / "data_pipeline"), "lab_pipeline").record
        assert record.version == run["version"] and record.rows == 60
        assert len(record.columns) == 3 + 3, "three columns and a class each of sample_type"
    finally:
        database.dispose()
