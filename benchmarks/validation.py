"""Validating a table: our engine beside Great Expectations, dataframely, Pandera and pointblank on the same 28 rules.

Contenders keep their process, so that imports are counted once and apart (`whole process`), and take turns. On a shared
machine the seconds of wall clock move with the neighbours; ratios of CPU time move less, and both are printed.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import measure, peers, validation_data

OURS = "compiled"
PEERS = ("great_expectations", "dataframely", "pandera", "pointblank")
_HERE = Path(__file__).resolve().parent
_WORKER = str(_HERE / "validation_worker.py")
Figures = dict[str, list[dict[str, float]]]


def report(sizes: tuple[int, ...] = (1_000_000, 10_000_000), largest: int = 50_000_000, rounds: int = 5) -> str:
    """All tables: 20,000 rows of CSV, Parquet of each size, whole processes, broken rows, and memory."""
    with tempfile.TemporaryDirectory(prefix="mlops-bench-validation-") as name:
        folder = Path(name)
        rows = folder / "rows.csv"
        next(validation_data.chunks(20_000)).write_csv(rows)
        parts = [_table("20,000 rows of CSV, load and validate", turns(rows, rounds))]
        for size in sizes:
            file = _made(folder / f"{size}.parquet", size)
            count = rounds if size <= 1_000_000 else 2
            parts.append(_table(f"{size:,} rows of Parquet, load and validate", turns(file, count)))
            if size == sizes[-1]:
                parts.append(measure.table(
                    f"Memory and time of a process on {size:,} rows", measure.processes(_once(file), rounds=1),
                    against=OURS))
            if size == sizes[0]:
                parts.append(_broken(folder, file, size, rounds))
            file.unlink()
        parts.append(measure.table(
            "Whole process, 20,000 rows of CSV (ours: the command `mlops data validate`, quality checks included)",
            measure.processes(_whole(folder, rows), rounds=rounds), against="mlops data validate"))
        parts.append(_largest(folder, largest))
    return "\n\n".join(parts)


def _made(path: Path, rows: int, *broken: str) -> Path:
    """The rows as a file, made by another process: what this one holds would count as its children's peak memory."""
    command = [sys.executable, str(_HERE / "validation_data.py"), str(path), str(rows), *broken]
    subprocess.run(command, check=True)
    return path


def _program(name: str) -> str:
    return sys.executable if name in (OURS, "reading alone") else peers.python()


def _command(name: str, file: Path) -> list[str]:
    return [_program(name), _WORKER, name, str(file)]


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(_HERE.parent), "PYTHONWARNINGS": "ignore"}


def turns(file: Path, rounds: int, names: tuple[str, ...] = ("reading alone", OURS, *PEERS)) -> Figures:
    """Each contender once a round, in turn, after one uncounted round."""
    workers = {
        name: subprocess.Popen(
            _command(name, file), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env=_environment(),
        ) for name in names
    }
    found: Figures = {name: [] for name in names}
    try:
        for worker in workers.values():
            _line(worker)
        for number in range(rounds + 1):
            for name, worker in workers.items():
                assert worker.stdin is not None
                worker.stdin.write("\n")
                worker.stdin.flush()
                answer = json.loads(_line(worker))
                if number:
                    found[name].append(answer)
    finally:
        for worker in workers.values():
            worker.kill()
            worker.wait()
    return found


def _line(worker: subprocess.Popen[str]) -> str:
    assert worker.stdout is not None
    line = worker.stdout.readline()
    if not line:
        raise RuntimeError(f"{worker.args} ended with {worker.wait()}")
    return line


def _table(title: str, found: Figures) -> str:
    heads = f"{'wall ms (min–max)':>24}  {'CPU ms':>8}  {'wall, ours =1':>16}  {'CPU, ours =1':>16}"
    lines = [title, f"  {'':<20}  {heads}"]
    for name, each in found.items():
        wall = [answer["wall"] * 1e3 for answer in each]
        ratios = [_ratio(found, name, kind) for kind in ("wall", "cpu")]
        lines.append(
            f"  {name:<20}  {f'{statistics.median(wall):.0f} ({min(wall):.0f}–{max(wall):.0f})':>24}  "
            f"{statistics.median(answer['cpu'] for answer in each) * 1e3:>8.0f}  {ratios[0]:>16}  {ratios[1]:>16}"
        )
    return "\n".join(lines)


def _ratio(found: Figures, name: str, kind: str) -> str:
    """The median over rounds of the ratio within a round, with the smallest and largest."""
    pairs = zip(found[name], found[OURS], strict=True)
    ratios = sorted(theirs[kind] / ours[kind] for theirs, ours in pairs)
    return f"{statistics.median(ratios):.1f} ({ratios[0]:.1f}–{ratios[-1]:.1f})"


def _broken(folder: Path, clean: Path, size: int, rounds: int) -> str:
    """What broken rows cost us, failing rows named: one row in a thousand breaks one of five rules."""
    bad = _made(folder / "broken.parquet", size, "broken")
    both = [turns(file, rounds, (OURS, "dataframely"))[OURS] for file in (clean, bad)]
    good = [[answer["good"] for answer in each] for each in both]
    assert all(good[0]) and not any(good[1])
    ratios = [statistics.median(answer[kind] for answer in both[1]) / statistics.median(
        answer[kind] for answer in both[0]) for kind in ("wall", "cpu")]
    bad.unlink()
    return (f"{size:,} rows of which 0.5 % are broken, failing rows named: {ratios[0]:.2f} times the clean wall time, "
            f"{ratios[1]:.2f} times the CPU time (target: 1.3)")


def _once(file: Path) -> dict[str, list[str]]:
    return {name: [*_wrapped(name, file), "once"] for name in (OURS, *PEERS)}


def _wrapped(name: str, file: Path) -> list[str]:
    return ["env", f"PYTHONPATH={_HERE.parent}", *_command(name, file)]


def _whole(folder: Path, rows: Path) -> dict[str, list[str]]:
    """Whole commands: ours on a repository with the benchmark's suite, the peers' scripts."""
    tree = folder / "tree"
    (tree / "data" / "datasets").mkdir(parents=True)
    (tree / "data" / "expectations").mkdir()
    (tree / "pyproject.toml").write_text('[project]\nname = "bench"\nversion = "0"\n')
    (tree / "data" / "expectations" / "rows.json").write_bytes((_HERE / "validation_suite.json").read_bytes())
    whole = {"id", "age", "population", "households"}
    texts = {"proximity", "state", "code"}
    columns: dict[str, Any] = {
        name: {"type": "integer" if name in whole else "string" if name in texts else "float",
               "nullable": name == "bedrooms"}
        for name in next(validation_data.chunks(10)).columns
    }
    (tree / "data" / "datasets" / "rows.yaml").write_text(json.dumps({
        "title": "Rows", "source": "rows.csv", "suite": "data/expectations/rows.json", "process": "rows:process",
        "target": "value", "columns": columns,
    }))
    shutil.copy(rows, tree / "rows.csv")
    subprocess.run(["git", "init", "-q", str(tree)], check=True)
    command = str(Path(sys.executable).with_name("mlops"))
    ours = [command, "data", "validate", "--dataset", "rows", "--source", str(rows)]
    ours += ["--format", "json", "--repository", str(tree)]
    others = {name: [*_wrapped(name, rows), "once"] for name in ("reading alone", OURS, *PEERS)}
    return {"python -c 'import polars'": [sys.executable, "-c", "import polars"], "mlops data validate": ours, **others}


def _largest(folder: Path, rows: int) -> str:
    """Ours alone on a file that is larger than its memory may be."""
    file = _made(folder / "largest.parquet", rows)
    return measure.table(
        f"{rows:,} rows of Parquet ({file.stat().st_size / 2**30:.1f} GiB), target: 2,048 MiB",
        measure.processes({OURS: [*_wrapped(OURS, file), "once"]}, rounds=1), against=OURS)
