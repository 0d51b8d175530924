"""What one run leaves for the gate."""

from pathlib import Path

import msgspec

from mlops.pipelines import receipts
from mlops.records import Receipt
from mlops.routing.gate import read_receipts


def receipt(step: str, subject: str = "") -> Receipt:
    return Receipt(
        run_id="r", parent_id=None, pipeline="data", step=step, subject=subject, key="k", code="c", inputs=[],
        outputs=[], outcome="cached", started="2026-01-01T00:00:00+00:00", seconds=0.1,
    )


def test_a_run_leaves_its_own_receipts_and_none_from_before(tmp_path: Path) -> None:
    folder = tmp_path / "proof" / "data"
    receipts.leave(folder, [receipt("check", "housing"), receipt("lint")])
    assert sorted(path.name for path in folder.iterdir()) == ["check-housing.json", "lint.json"]
    receipts.leave(folder, [receipt("check", "lab")], "a" * 40)
    left = msgspec.structs.replace(receipt("check", "lab"), commit="a" * 40, run_size=1)
    assert read_receipts(tmp_path / "proof") == [left]
    receipts.leave(folder, [])
    assert read_receipts(tmp_path / "proof") == [] and list(folder.parent.iterdir()) == [folder]
