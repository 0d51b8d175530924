"""The main pipeline, the fallback: infrastructure, documents, the tree's own files."""

from __future__ import annotations

from typing import Any

from mlops import product
from mlops.git import Git
from mlops.pipelines.steps import Run, Step
from mlops.sources import Sources

_HERE = "mlops.pipelines.declared.main"
_SUFFIXES = (".md", ".yaml", ".yml", ".tf", ".toml", ".json")
_LIBRARY = "mlops/"  # its commands are in the generated reference, its modules have a bound
_PRODUCT = ("data/", "model/", f"{product.SERVICES}/")  # read and refused by their own pipelines


def steps(run: Run, sources: Sources) -> list[Step]:
    """One step: the checks of `mlops tree check`."""
    return [Step(pipeline="main", name="check", subject="", function=f"{_HERE}:check", files=_files(run))]


def _files(run: Run) -> tuple[str, ...]:
    git = Git(run.repository)
    code, listed, _ = git.ask("ls-files", "-z", "--cached", "--others", "--exclude-standard")
    if code != 0:  # no git: the folders that the checks read
        found = [path for path in run.repository.glob("*.md")]
        for folder in ("docs", "infrastructure", "argocd"):
            found += (run.repository / folder).rglob("*")
        return tuple(sorted(path.relative_to(run.repository).as_posix() for path in found if path.is_file()))
    names = {
        name for name in listed.decode(errors="surrogateescape").split("\0")
        if (name.endswith(_SUFFIXES) or name.startswith(_LIBRARY)) and not name.startswith(_PRODUCT)
    }
    return tuple(sorted(name for name in names if (run.repository / name).is_file()))


def check(run: Run, subject: str) -> dict[str, Any]:
    """Check manifests, links and generated references, but nothing of the product.

    Raises:
        TestsFailedError: something was found.
    """
    from mlops import infra
    from mlops.errors import TestsFailedError

    findings = infra.check(run.repository, without=_PRODUCT)
    if findings:
        shown = "\n    ".join(str(finding) for finding in findings[:20])
        raise TestsFailedError(
            f"{len(findings)} finding(s) in the tree:\n    {shown}", where=run.repository,
            mend="correct them; `mlops tree check` shows them all",
        )
    return {"findings": 0}
