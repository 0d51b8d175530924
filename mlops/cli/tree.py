"""`mlops tree`: check the tree's own files, and write its generated references."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from mlops.cli.common import HERE, Format, FormatOption, RepositoryOption, new_app, print_json
from mlops.cli.declared import Exit
from mlops.git import repository as find_repository

app = new_app("Check infrastructure, documents and the tree's own files.")


@app.command()
def check(
    repository: RepositoryOption = HERE,
    format: FormatOption = Format.TABLE,
) -> None:
    """Check manifests, Terraform, Argo CD, links, generated references, configurations and sizes.

    Prints a line a finding, FILE:LINE first. Exits 0 without findings, 1 with any.
    """
    from mlops import infra

    findings = infra.check(find_repository(repository), loaders())
    if format is Format.JSON:
        print_json({"schema": 1, "findings": [finding.to_dict() for finding in findings]})
    else:
        for finding in findings:
            print(finding)
        print(f"{len(findings)} finding(s)" if findings else "nothing found")
    raise Exit(1 if findings else 0)


@app.command()
def run(repository: RepositoryOption = HERE, format: FormatOption = Format.TABLE) -> None:
    """Run the main pipeline where it is not up to date, with receipts. Exits 0, 1 for findings, 2 for not asked."""
    from mlops.cli.pipeline import run_pipeline

    run_pipeline(["main"], [], repository=repository, format=format)


@app.command()
def write(repository: RepositoryOption = HERE) -> None:
    """Write the generated references again: docs/reference/settings.md and commands.md."""
    from mlops.infra import generated

    written = generated.write(find_repository(repository))
    print("\n".join(f"wrote {name}" for name in written) or "all are as they should be")


def loaders() -> dict[str, Callable[[Path, str], object]]:
    """Folder of configurations → the function that reads one; imported when there is one to read."""
    from mlops import product

    def dataset(repository: Path, name: str) -> object:
        from mlops.data_pipeline import read_dataset

        return read_dataset(repository, name)

    def model(repository: Path, name: str) -> object:
        from mlops.training import read_model

        return read_model(repository, name)

    return {product.DATASETS: dataset, product.MODELS: model}
