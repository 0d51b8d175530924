"""`mlops config`: the settings in force."""

from __future__ import annotations

from typing import Annotated, Any

from mlops.cli.common import HERE, Format, FormatOption, RepositoryOption, new_app, print_json, print_table
from mlops.cli.declared import Option
from mlops.config import SECRET, ConfigManager, Environment, Settings
from mlops.git import repository as find_repository

app = new_app("Show the settings in force, secrets hidden.", several=True)


@app.command()
def show(
    environment: Annotated[Environment, Option(help="Whose settings.")] = Environment.DEVELOPMENT,
    repository: RepositoryOption = HERE,
    format: FormatOption = Format.TABLE,
) -> None:
    """Print every setting with its value: defaults, then the file, then environment variables."""
    settings = ConfigManager(find_repository(repository)).load_config(environment)
    shown = safe(settings)
    if format is Format.JSON:
        print_json(shown)
        return
    rows: list[tuple[str, ...]] = [
        (f"{block}.{field}", str(value)) for block, fields in shown.items() if isinstance(fields, dict)
        for field, value in fields.items()
    ]
    print_table(rows, ("setting", "value"))


def safe(settings: Settings) -> dict[str, Any]:
    """The settings as a dictionary, without what must not be printed."""
    import msgspec

    shown: dict[str, Any] = msgspec.to_builtins(settings)
    shown["security"] = {name: "***" for name in shown["security"]}
    return {
        block: {
            name: "***" if value and (block, name) in SECRET else _safe(value) for name, value in fields.items()
        } if isinstance(fields, dict) else fields
        for block, fields in shown.items()
    }


def _safe(value: Any) -> Any:
    """An address without the password, token or key in it; anything else as it is."""
    if not isinstance(value, str) or "://" not in value:
        return value
    from mlops.logs import hide_secrets

    return hide_secrets(value)
