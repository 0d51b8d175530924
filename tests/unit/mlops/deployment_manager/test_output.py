from __future__ import annotations

import os
from pathlib import Path

from mlops.deployment_manager.output import Log, Pump


def test_a_log_does_not_grow_without_end(tmp_path: Path) -> None:
    log = Log(tmp_path / "logs" / "api.log", largest=1000)
    for number in range(100):
        log.write(b"%d %s\n" % (number, b"x" * 90))
    assert sorted(path.name for path in (tmp_path / "logs").iterdir()) == ["api.log", "api.log.1"]
    assert all(path.stat().st_size <= 1000 for path in (tmp_path / "logs").iterdir())
    assert log.path.read_bytes().endswith(b"99 " + b"x" * 90 + b"\n")


def test_a_log_that_cannot_be_written_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("in the way")
    Log(tmp_path / "logs" / "api.log").write(b"lost\n")


def test_the_last_lines_are_kept(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    pump = Pump(reader, Log(tmp_path / "x.log"))
    os.write(writer, b"".join(b"line %d\n" % number for number in range(50)) + b"no line end")
    os.close(writer)
    assert pump.last().splitlines()[-2:] == ["line 49", "no line end"]
    assert (tmp_path / "x.log").read_bytes().count(b"\n") == 50
