"""How often drift is called where there is none, and how often it is found where it was put.

    python -m benchmarks.drift_rates [ROWS]... [--write] [--workers=N]

Fixed seeds; both sides are drawn anew for each run, so that no two runs share a row. A run at a million rows takes
about 0.9 seconds of one processor, the thousand of them a quarter of an hour. `--write` renews `drift_rates.json`,
from which the table in `docs/guide/drift.md` is made; with numbers of rows, only theirs.
"""

from __future__ import annotations

import json
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.drift_streams import CHANGES, stream

PLACE = Path(__file__).with_name("drift_rates.json")
GUIDE = Path(__file__).parents[1] / "docs" / "guide" / "drift.md"
BEGIN, END = "<!-- rates: python -m benchmarks.drift_rates --write -->", "<!-- /rates -->"
RUNS = {("none", 1_000): 1000, ("none", 100_000): 1000, ("none", 1_000_000): 1000}
"""Runs of a change at a number of rows on each side; the others have `FOUND`."""
FOUND = {1_000: 200, 100_000: 100, 1_000_000: 20}


def once(change: str, rows: int, seed: int) -> tuple[bool, bool]:
    """Whether any column, and whether the columns together, were called drifted in one run."""
    from mlops.drift import Sketch, compare

    reference = Sketch.of(stream(rows, 2 * seed))
    found = compare(reference, Sketch.of(stream(rows, 2 * seed + 1, change), like=reference))
    return any(each.verdict == "drifted" for each in found.columns), found.joint.verdict == "drifted"


def measure(change: str, rows: int, runs: int, workers: int = 1) -> dict[str, Any]:
    """The counts of one row of the table, with the exact 95 % interval (Clopper–Pearson) of the share of "either"."""
    from scipy.stats import beta

    todo = ([change] * runs, [rows] * runs, range(runs))
    if workers > 1:
        with ProcessPoolExecutor(workers) as pool:
            found = list(pool.map(once, *todo, chunksize=max(runs // 50, 1)))
    else:
        found = list(map(once, *todo))
    either = sum(column or joint for column, joint in found)
    return {
        "change": change, "rows": rows, "runs": runs, "columns": sum(column for column, _ in found),
        "together": sum(joint for _, joint in found), "either": either,
        "low": round(float(beta.ppf(0.025, either, runs - either + 1)), 5) if either else 0.0,
        "high": round(float(beta.ppf(0.975, either + 1, runs - either)), 5) if either < runs else 1.0,
    }


def table(rates: list[dict[str, Any]]) -> str:
    """The rates as the guide shows them."""
    lines = [
        "| what changed | rows a side | runs | a column is called | together is called | either, 95 % interval |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for each in rates:
        share = {name: f"{each[name] / each['runs']:.1%}" for name in ("columns", "together")}
        lines.append(
            f"| {CHANGES[each['change']]} | {each['rows']:,} | {each['runs']:,} | {share['columns']} | "
            f"{share['together']} | {each['low']:.1%} to {each['high']:.1%} |"
        )
    return "\n".join(lines)


def guide(text: str, rates: list[dict[str, Any]]) -> str:
    """The guide's text with the table in its place."""
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}\n{table(rates)}\n{END}{rest.partition(END)[2]}"


def main(words: list[str]) -> None:
    told = [int(word.partition("=")[2]) for word in words if word.startswith("--workers=")]
    workers = told[0] if told else os.cpu_count() or 1
    asked = [int(word) for word in words if word.isdigit()] or list(FOUND)
    rates = [each for each in json.loads(PLACE.read_text()) if each["rows"] not in asked] if PLACE.exists() else []
    for rows in asked:
        for change in CHANGES:
            runs = RUNS.get((change, rows), FOUND[rows])
            rates.append(measure(change, rows, runs, workers))
            print(json.dumps(rates[-1]), file=sys.stderr, flush=True)
    rates.sort(key=lambda each: (each["rows"], list(CHANGES).index(each["change"])))
    if "--write" in words:
        PLACE.write_text(json.dumps(rates, indent=1) + "\n")
        GUIDE.write_text(guide(GUIDE.read_text(), rates))
    print(table(rates))


if __name__ == "__main__":
    main(sys.argv[1:])
