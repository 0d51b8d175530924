"""A history routed anew, on real repositories: what ran, what was saved, what the filters of the day missed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from mlops.errors import MissingInputError, UsageError
from mlops.git import Git
from mlops.records import Receipt
from mlops.routing.audit.inputs import Pipeline, Seed
from mlops.routing.replay import play
from mlops.routing.replay.durations import summed
from mlops.routing.replay.outcome import Replay, totals

Repository = Any  # the class is in conftest.py
SERVICE, MAIN = ".github/workflows/service-pipeline.yml", ".github/workflows/main.yml"
LIMITED = "on:\n  push:\n    paths: [services/**]\njobs:\n  t:\n    steps:\n      - run: python {script}\n"
TOP = Path(__file__).parents[5]


def replay(repository: Repository, last: int = 50, **more: Any) -> Replay:
    return play.replay(Git(repository.path), last, ref="main", **more)


def nothing_declared(folder: Path, sources: object) -> list[Pipeline]:
    return []


def ran(found: Replay) -> list[dict[str, str]]:
    return [{e.pipeline: e.verdict for e in each.workflows if e.verdict != "SKIP"} for each in found.commits]


def total(found: Replay, pipeline: str) -> Any:
    return next(each for each in totals(found.commits, found.durations.seconds) if each.pipeline == pipeline)


def receipt(run_id: str, pipeline: str, step: str, seconds: float, outcome: Any = "success") -> Receipt:
    return Receipt(
        run_id=run_id, parent_id=None, pipeline=pipeline, step=step, subject="", key=run_id, code="", inputs=[],
        outputs=[], outcome=outcome, started="2030-01-01T00:00:00+00:00", seconds=seconds,
    )


def test_each_commit_is_routed_and_the_rest_is_saved(repository: Repository) -> None:
    repository.commit({"services/a.py": "1"})
    repository.commit({"notes.txt": "1"})
    repository.commit({"services/a.py": "2", "notes.txt": "2"})
    repository.commit(message="empty")
    repository.commit({"services/a.py": "3"}, message="wip [skip ci]")
    found = replay(repository, 5)
    run = "RUN"
    assert ran(found) == [{"service": run}, {"main": run}, {"service": run, "main": run}, {}, {}]
    assert [each.files for each in found.commits] == [1, 1, 2, 0, 1]
    # the message stops the last one whatever the filters say: nothing of it is saved by them
    assert [(total(found, name).run, total(found, name).everything) for name in ("main", "service")] == [(2, 4), (2, 4)]
    document = found.to_dict()["totals"]
    assert (document["run"], document["everything"], document["saved"]) == (4, 8, 4)
    assert document["seconds_saved"] is None and "no receipt" in found.notes()[0]


def test_each_commit_is_judged_by_the_workflow_files_of_its_own_day(repository: Repository) -> None:
    repository.commit({"docs/a": "1"})
    repository.commit({MAIN: "on:\n  push:\n    paths-ignore: [docs/**]\n"})
    repository.commit({"docs/a": "2"})
    repository.commit({MAIN: None, SERVICE: None, ".github/workflows/pull-request.yml": None})
    found = replay(repository, 4)
    assert ran(found) == [{"main": "RUN"}, {"main": "RUN"}, {}, {}]
    assert found.commits[-1].workflows == []
    assert any("1 commit(s) have no workflow files" in each for each in found.notes())


def test_the_first_commit_is_not_known_and_counts_as_run(repository: Repository) -> None:
    found = replay(repository)
    assert ran(found) == [{"main": "UNKNOWN", "service": "UNKNOWN"}]
    assert found.commits[0].files == 4 and found.commits[0].parent is None
    assert total(found, "main").unknown == 1 and total(found, "main").saved == 0
    assert any("the history has 1 of the 50 commits" in each for each in found.notes())


def test_a_merge_is_what_it_brought_to_its_branch(repository: Repository) -> None:
    repository.git("checkout", "-q", "-b", "topic")
    repository.commit({"services/a": "1"})
    repository.commit({"services/b": "1"})
    repository.git("checkout", "-q", "main")
    repository.commit({"notes.txt": "1"})
    repository.git("merge", "-q", "--no-ff", "-m", "merge", "topic")
    found = replay(repository, 2)
    assert [each.files for each in found.commits] == [1, 2]
    assert ran(found) == [{"main": "RUN"}, {"service": "RUN"}]


def test_a_shallow_clone_knows_less_and_says_so(repository: Repository, tmp_path: Path) -> None:
    for number in range(4):
        repository.commit({"services/a": str(number)})
    subprocess.run(
        ["git", "clone", "-q", "--depth", "2", f"file://{repository.path}", str(tmp_path / "shallow")], check=True
    )
    found = play.replay(Git(tmp_path / "shallow"), 10, gather=nothing_declared)
    assert (found.shallow, found.ref, len(found.commits)) == (True, "refs/heads/main", 2)
    assert ran(found) == [{"main": "UNKNOWN", "service": "UNKNOWN"}, {"service": "RUN"}]
    first = found.commits[0]
    assert first.files is None and first.missed is None and "shallow" in first.why and not first.misrouted
    assert "the clone is shallow and holds 2 of the 10 commits" in found.notes()


def test_a_move_may_be_one_file_or_two(repository: Repository) -> None:
    repository.commit({"services/a": "\n".join(map(str, range(50)))})
    (repository.path / "libs").mkdir()
    repository.git("mv", "services/a", "libs/a")
    repository.commit()
    assert ran(replay(repository, 1)) == [{"main": "RUN", "service": "UNKNOWN"}]


def test_hostile_names_break_neither_line_nor_log(repository: Repository) -> None:
    repository.commit({"services/a\n::error::x": "1", "é\"'": "1"}, message="::error::subject")
    done = command(repository.path, "--last", "1")
    assert done.returncode == 0 and not any(line.startswith(b"::") for line in done.stdout.splitlines())
    assert [each.files for each in replay(repository, 1).commits] == [2]


def test_an_input_that_the_filter_of_its_day_left_out_is_named_with_its_chain(repository: Repository) -> None:
    repository.commit({SERVICE: LIMITED.format(script="services/run.py"), "services/run.py": "import lib\n"})
    repository.commit({"lib.py": "import deep\n", "deep.py": "", "other.py": ""})
    alone = repository.commit({"deep.py": "1\n"})
    lucky = repository.commit({"deep.py": "2\n", "services/x": "1"})
    repository.commit({"other.py": "1\n"})
    healed = LIMITED.format(script="services/run.py").replace("[services/**]", "['**.py', services/**]")
    repository.commit({SERVICE: healed})
    repository.commit({"deep.py": "3\n"})
    found = replay(repository, 5, gather=nothing_declared)
    named = {each.commit: each.missed for each in found.commits if each.missed}
    assert list(named) == [alone, lucky, found.commits[3].commit]
    (first,), (second,) = named[alone] or (), named[lucky] or ()
    assert (first.workflow, first.path, first.ran) == (SERVICE, "deep.py", False)
    assert first.chain == (SERVICE, "services/run.py", "lib.py", "deep.py")
    assert second.ran and not found.commits[1].misrouted
    # the filter of that day did not hold its own workflow file
    assert [each.path for each in named[found.commits[3].commit] or ()] == [SERVICE]
    assert found.to_dict()["misrouted"] == [alone, found.commits[3].commit]
    assert total(found, "service").misrouted == 2


def test_an_input_that_went_counts_by_what_depended_on_it_before(repository: Repository) -> None:
    repository.commit({SERVICE: LIMITED.format(script="services/run.py"), "services/run.py": "import lib\n"})
    repository.commit({"lib.py": "", "unused.py": ""})
    repository.commit({"unused.py": None})
    gone = repository.commit({"lib.py": None})
    found = replay(repository, 2, gather=nothing_declared)
    assert found.to_dict()["misrouted"] == [gone]


def test_what_became_an_input_only_later_blames_nobody(repository: Repository) -> None:
    repository.commit({SERVICE: LIMITED.format(script="services/run.py"), "services/run.py": "", "lib.py": ""})
    repository.commit({"lib.py": "1\n"})
    repository.commit({"services/run.py": "import lib\n"})
    later = repository.commit({"lib.py": "2\n"})
    assert replay(repository, 3, gather=nothing_declared).to_dict()["misrouted"] == [later]


def test_declared_steps_are_inputs_and_a_declaration_that_breaks_is_none(repository: Repository) -> None:
    changed = repository.commit({"config.txt": "1"})

    def declared(folder: Path, sources: object) -> list[Pipeline]:
        return [Pipeline(SERVICE, seeds=(Seed("config.txt"),))]

    def broken(folder: Path, sources: object) -> list[Pipeline]:
        raise UsageError("an old tree")

    assert replay(repository, 1, gather=declared).to_dict()["misrouted"] == [changed]
    assert replay(repository, 1, gather=broken).to_dict()["misrouted"] == []
    assert replay(repository, 1).to_dict()["misrouted"] is None


def test_the_repository_is_left_as_it_was(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    temporary = repository.path.parent / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    repository.commit({"a.txt": "2"})
    (repository.path / "a.txt").write_text("not committed")
    before = [repository.git("status", "--porcelain"), repository.git("count-objects", "-v")]
    replay(repository, 2, gather=nothing_declared)
    assert [repository.git("status", "--porcelain"), repository.git("count-objects", "-v")] == before
    assert list(temporary.iterdir()) == []


def test_durations_are_the_medians_of_the_steps_that_ran() -> None:
    receipts = [
        *(receipt(f"a{n}", "data", "ingest", float(n)) for n in (1, 2, 9)), receipt("a9", "data", "ingest", 9.0),
        receipt("b", "data", "check", 10.0), receipt("c", "data", "check", 0.0, "cached"),
        receipt("d", "model", "train", 5.0, "failure"),
    ]
    assert summed(receipts) == ({"data": 12.0}, 4)


def test_receipts_under_the_state_tell_what_was_saved(repository: Repository) -> None:
    place = repository.path / ".mlops" / "receipts" / "service" / "test"
    place.mkdir(parents=True)
    (place / "0.json").write_bytes(receipt("a", "service", "test", 30.0).to_json())
    (place / "last.json").write_bytes(receipt("a", "service", "test", 30.0).to_json())
    (place / "1.json").write_text("damaged")
    (repository.path / ".gitignore").write_text(".mlops/\n")
    repository.commit({"services/a": "1"})
    repository.commit({"notes.txt": "1"})
    document = replay(repository, 2).to_dict()
    assert (document["totals"]["seconds_run"], document["totals"]["seconds_saved"]) == (30.0, 30.0)
    assert document["receipts"] == 1 and "only their runs are counted: main" in document["notes"][0]


@pytest.mark.parametrize(("last", "head", "kind"), [
    (0, "HEAD", UsageError), (-3, "HEAD", UsageError), (1, "--all", UsageError), (1, "nowhere", MissingInputError),
])
def test_what_cannot_be_asked_is_a_clear_error(repository: Repository, last: int, head: str, kind: type) -> None:
    with pytest.raises(kind):
        replay(repository, last, head=head)


def test_no_repository_and_no_commit_are_clear_errors(tmp_path: Path) -> None:
    with pytest.raises(MissingInputError, match="no git repository"):
        play.replay(Git(tmp_path), 1)
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    with pytest.raises(MissingInputError, match="not in this clone"):
        play.replay(Git(tmp_path), 1)


def command(folder: Path, *words: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "mlops.cli", "route", "replay", *words], cwd=folder, capture_output=True,
        env={key: value for key, value in os.environ.items() if not key.startswith("GITHUB_")},
    )


def test_the_command_prints_one_document(repository: Repository) -> None:
    after = repository.commit({"services/a": "1"})
    done = command(repository.path, "--last", "1", "--format", "json")
    document = json.loads(done.stdout)
    assert (done.returncode, done.stderr, document["schema"]) == (0, b"", 1)
    assert [each["commit"] for each in document["commits"]] == [after]
    assert document["misrouted"] == []
    assert command(repository.path, "--last", "0").returncode == 2


def test_thousands_of_commits_cost_a_handful_of_processes(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = b"".join(
        b"commit refs/heads/main\ncommitter a <a@b> %d +0000\ndata 1\nx\n%sM 644 inline services/f%d\ndata 1\nx\n"
        % (n, b"from refs/heads/main^0\n" if n == 0 else b"", n) for n in range(3000)
    )
    subprocess.run(["git", "-C", str(repository.path), "fast-import", "--quiet"], input=stream, check=True)
    started: list[str] = []
    start = Git.start

    def counted(self: Git, *words: str, **more: Any) -> Any:
        started.append(words[0])
        return start(self, *words, **more)

    monkeypatch.setattr(Git, "start", counted)
    found = replay(repository, 3000)
    assert total(found, "service").run == 3000 and total(found, "main").saved == 3000
    assert len(started) <= 8, started


@pytest.mark.skipif(not (TOP / ".git").exists(), reason="the sources are no clone")
def test_this_repository_replays() -> None:
    done = command(TOP, "--last", "5", "--format", "json", "--no-inputs")
    document = json.loads(done.stdout)
    assert done.returncode == 0 and 0 < len(document["commits"]) <= 5
    assert document["totals"]["everything"] == sum(len(each["everything"]) for each in document["commits"])
