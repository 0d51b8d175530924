"""Settings: defaults, file, variables, in this order; secrets that are refused; errors that name the place."""

import json

import pytest

from mlops.config import VARIABLES, ConfigManager, Environment
from mlops.errors import ConfigurationError

SECRETS = {"MLOPS_JWT_SECRET": "s", "MLOPS_API_KEY": "k"}


def write(folder, document):
    (folder / "mlops_config.json").write_text(json.dumps(document))


def test_the_defaults_lie_under_the_state_folder(tmp_path):
    settings = ConfigManager(tmp_path, {}).load_config()
    assert settings.database.url == f"sqlite:///{tmp_path}/.mlops/mlops.db"
    assert settings.model_registry.tracking_uri == settings.database.url
    assert settings.model_registry.registry_path == f"{tmp_path}/.mlops/bundles"
    assert not (tmp_path / ".mlops").exists()


def test_the_guides_file_is_read_as_written(tmp_path):
    block = {
        "database": {"url": "postgresql://user:pass@prod-db:5432/mlops", "max_connections": 50, "pool_size": 20},
        "model_registry": {"registry_path": "/data/models", "backup_enabled": True, "backup_interval_hours": 6},
        "monitoring": {"health_check_interval_seconds": 15, "alert_cooldown_minutes": 5},
        "deployment": {"container_registry_url": "registry.company.com", "default_replicas": 3},
    }
    write(tmp_path, {"production": block})
    settings = ConfigManager(tmp_path, SECRETS).load_config(Environment.PRODUCTION)
    for name, fields in block.items():
        for field, value in fields.items():
            assert getattr(getattr(settings, name), field) == value
    # Another environment's block changes nothing here.
    assert ConfigManager(tmp_path, {}).load_config().database.pool_size == 5


@pytest.mark.parametrize("variable", VARIABLES)
def test_every_variable_wins_over_the_file(tmp_path, variable):
    block, field = VARIABLES[variable]
    number = "interval" in field or "threshold" in field
    write(tmp_path, {"development": {block: {field: 1 if number else "of the file"}}})
    settings = ConfigManager(tmp_path, {variable: "0.25" if number else "of the variable"}).load_config()
    assert getattr(getattr(settings, block), field) == (0.25 if number else "of the variable")


def test_ports_can_be_given_for_one_command(tmp_path):
    settings = ConfigManager(tmp_path, {"MLOPS_PORTS": "api=18000, predict=0"}).load_config()
    assert (settings.ports.api, settings.ports.predict) == (18000, 0)
    with pytest.raises(ConfigurationError, match="NAME=PORT") as caught:
        ConfigManager(tmp_path, {"MLOPS_PORTS": "18000"}).load_config()
    assert caught.value.where == "MLOPS_PORTS"


@pytest.mark.parametrize("environment", [Environment.STAGING, Environment.PRODUCTION])
@pytest.mark.parametrize("missing", SECRETS)
def test_a_default_secret_is_refused_outside_development(tmp_path, environment, missing):
    variables = {name: value for name, value in SECRETS.items() if name != missing}
    with pytest.raises(ConfigurationError, match="default") as caught:
        ConfigManager(tmp_path, variables).load_config(environment)
    assert caught.value.where == missing


@pytest.mark.parametrize(("content", "says"), [
    ("{half", "not JSON"),
    ('{"development": []}', "must hold an object"),
    ('{"development": {"database": {"urll": "x"}}}', "unknown field `urll`"),
    ('{"development": {"databases": {}}}', "unknown field `databases`"),
    ('{"development": {"database": {"pool_size": "many"}}}', r"\$\.database\.pool_size"),
])
def test_a_broken_file_is_named_with_its_field(tmp_path, content, says):
    (tmp_path / "mlops_config.json").write_text(content)
    with pytest.raises(ConfigurationError, match=says) as caught:
        ConfigManager(tmp_path, {}).load_config()
    assert caught.value.where.endswith("mlops_config.json")


def test_a_broken_variable_is_named(tmp_path):
    with pytest.raises(ConfigurationError, match="float") as caught:
        ConfigManager(tmp_path, {"MLOPS_ERROR_THRESHOLD": "often"}).load_config()
    assert caught.value.where == "MLOPS_ERROR_THRESHOLD"
