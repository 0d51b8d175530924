"""`mlops handover`: start the next pipeline with what this one made."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from mlops.cli.common import new_app
from mlops.cli.declared import Option

app = new_app("Start the next pipeline with what this one made.", no_args_is_help=True)

ReceiptsOption = Annotated[
    Path, Option("--receipts", help="Folder with what the pipeline left: .mlops, or its artifact.")
]


@app.command()
def data(receipts: ReceiptsOption = Path(".mlops")) -> None:
    """After the data pipeline on main: start the model pipeline where a data version is new.

    Exits 0 with nothing new, too; 1 where it is refused: the pipeline did not pass, or this is no push or dispatch
    on main.
    """
    _hand_over("data", receipts)


@app.command()
def model(receipts: ReceiptsOption = Path(".mlops")) -> None:
    """After the model pipeline on main: start the service pipeline, and with it the release, where a model is new.

    Exits as `mlops handover data` does.
    """
    _hand_over("model", receipts)


def _hand_over(pipeline: str, receipts: Path) -> None:
    from mlops import github
    from mlops.pipelines import dispatching

    print(dispatching.hand_over(pipeline, receipts, github.job(), github.GitHub))
