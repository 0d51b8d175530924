"""One settings object: defaults, then `mlops_config.json`, then environment variables.

`ConfigManager().load_config(Environment.DEVELOPMENT)` is the settings object of the guide. Later
sources win: defaults; the environment's block of `mlops_config.json` (beside the repository's top,
or where `MLOPS_CONFIG_FILE` says); the `MLOPS_…` variables in `VARIABLES`; `MLFLOW_TRACKING_URI`.
Outside development a default secret is refused.
"""

from __future__ import annotations

import enum
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from mlops.errors import ConfigurationError

CONFIG_FILE = "mlops_config.json"
DEVELOPMENT_SECRET = "development-only"  # refused outside development, see ConfigManager


class Environment(enum.Enum):
    """Where the platform runs; also the names of the overlays in `infrastructure/kubernetes/overlays`."""

    DEVELOPMENT = "development"
    STAGING = "staging"
    PRODUCTION = "production"


class DatabaseSettings(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`url`: SQLAlchemy's, shared with MLflow; empty stands for `.mlops/mlops.db`."""

    url: str = ""
    max_connections: int = 20
    pool_size: int = 5


class ModelRegistrySettings(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`registry_path`: the store of bundles and artifacts; empty stands for `.mlops/`.
    `tracking_uri`: MLflow's; empty stands for the database."""

    registry_path: str = ""
    tracking_uri: str = ""
    tracking_dir: str = ""
    backup_enabled: bool = False
    backup_interval_hours: int = 24


class MonitoringSettings(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Intervals and thresholds of monitoring."""

    health_check_interval_seconds: float = 30.0
    alert_cooldown_minutes: float = 15.0
    error_threshold: float = 0.05


class DeploymentSettings(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`manifest_repository`: a git URL; empty stands for a bare repository under `.mlops/`."""

    container_registry_url: str = "localhost:5001"
    default_replicas: int = 1
    kubernetes_config: str = ""
    manifest_repository: str = ""
    manifest_branch: str = "main"


class SecuritySettings(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Secrets; outside development the defaults are refused."""

    jwt_secret: str = DEVELOPMENT_SECRET
    api_key: str = DEVELOPMENT_SECRET


class NotificationSettings(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Channels that a team reads. `slack`, `teams`: webhook addresses, secret as a whole; `jira_*`: where issues go.
    `events`: which are told, separated by commas: failure, recovery, release."""

    slack: str = ""
    teams: str = ""
    jira_url: str = ""
    jira_user: str = ""
    jira_token: str = ""
    jira_project: str = ""
    jira_issue_type: str = "Task"
    events: str = "failure,recovery,release"


class StorageSettings(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`data_dir`: where data versions are kept; empty stands for `.mlops/data`. `dvc_remote`: where they are published,
    a folder outside the clone or an address such as s3://bucket/prefix; empty stands for what `.dvc/config` names."""

    data_dir: str = ""
    dvc_remote: str = ""
    redis_url: str = ""


class ValidationSettings(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`engine`: what runs the suites: `compiled` (a few passes of Polars, also over files larger than memory), `gx`
    (Great Expectations on pandas) or `spark` (Great Expectations on Spark, beyond one machine)."""

    engine: str = "compiled"


class PortSettings(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The fixed ports that `make run` uses; tests take free ones (`MLOPS_PORTS=api=0,predict=0`)."""

    host: str = "127.0.0.1"
    api: int = 8000
    predict: int = 8001
    mlflow: int = 5000


class Settings(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """All settings of one environment."""

    database: DatabaseSettings = msgspec.field(default_factory=DatabaseSettings)
    model_registry: ModelRegistrySettings = msgspec.field(default_factory=ModelRegistrySettings)
    monitoring: MonitoringSettings = msgspec.field(default_factory=MonitoringSettings)
    deployment: DeploymentSettings = msgspec.field(default_factory=DeploymentSettings)
    security: SecuritySettings = msgspec.field(default_factory=SecuritySettings)
    notifications: NotificationSettings = msgspec.field(default_factory=NotificationSettings)
    storage: StorageSettings = msgspec.field(default_factory=StorageSettings)
    validation: ValidationSettings = msgspec.field(default_factory=ValidationSettings)
    ports: PortSettings = msgspec.field(default_factory=PortSettings)
    environment: str = Environment.DEVELOPMENT.value


VARIABLES: dict[str, tuple[str, str]] = {
    "MLOPS_DATABASE_URL": ("database", "url"),
    "MLOPS_REDIS_URL": ("storage", "redis_url"),
    "MLOPS_REGISTRY_PATH": ("model_registry", "registry_path"),
    "MLOPS_TRACKING_DIR": ("model_registry", "tracking_dir"),
    "MLOPS_DATA_DIR": ("storage", "data_dir"),
    "MLOPS_DVC_REMOTE": ("storage", "dvc_remote"),
    "MLOPS_VALIDATION_ENGINE": ("validation", "engine"),
    "MLOPS_CONTAINER_REGISTRY": ("deployment", "container_registry_url"),
    "MLOPS_KUBERNETES_CONFIG": ("deployment", "kubernetes_config"),
    "MLOPS_JWT_SECRET": ("security", "jwt_secret"),
    "MLOPS_API_KEY": ("security", "api_key"),
    "MLOPS_HEALTH_CHECK_INTERVAL": ("monitoring", "health_check_interval_seconds"),
    "MLOPS_ERROR_THRESHOLD": ("monitoring", "error_threshold"),
    "MLOPS_NOTIFY_SLACK": ("notifications", "slack"),
    "MLOPS_NOTIFY_TEAMS": ("notifications", "teams"),
    "MLOPS_NOTIFY_JIRA_URL": ("notifications", "jira_url"),
    "MLOPS_NOTIFY_JIRA_USER": ("notifications", "jira_user"),
    "MLOPS_NOTIFY_JIRA_TOKEN": ("notifications", "jira_token"),
    "MLOPS_NOTIFY_JIRA_PROJECT": ("notifications", "jira_project"),
    "MLOPS_NOTIFY_JIRA_ISSUE_TYPE": ("notifications", "jira_issue_type"),
    "MLOPS_NOTIFY_EVENTS": ("notifications", "events"),
    "MLFLOW_TRACKING_URI": ("model_registry", "tracking_uri"),
}
"""Environment variable → block and field. The last one wins over a tracking address in the file."""

SECRET = frozenset({("notifications", name) for name in ("slack", "teams", "jira_token")})
"""Settings that are secrets as a whole, beside all of the block `security`."""

PORTS_VARIABLE = "MLOPS_PORTS"
"""`api=18000,predict=18001`: ports for this command; 0 takes a free one."""


class Workspace:
    """Where everything of one repository lives: the tree, and its state under `.mlops/`.

    Nothing is made by looking; who writes makes its folder.
    """

    def __init__(self, repository: Path) -> None:
        self.repository = repository
        self.state = repository / ".mlops"
        self.database = self.state / "mlops.db"
        self.artifacts = self.state / "artifacts"
        self.data = self.state / "data"
        self.models = self.state / "models"
        self.bundles = self.state / "bundles"
        self.images = self.state / "images"
        self.manifests = self.state / "manifests.git"
        self.receipts = self.state / "receipts"
        self.runs = self.state / "runs"
        self.proof = self.state / "proof"
        self.reports = self.state / "reports"
        self.runtime = self.state / "runtime"
        self.logs = self.state / "logs"
        self.cache = self.state / "cache"

    def data_work(self, dataset: str, variant: str = "default") -> Path:
        """Where the steps of a data set hand over to each other: `default` for its own data, `given` for a user's."""
        return self.data / dataset / "work" / variant

    def model_work(self, model: str, variant: str = "default") -> Path:
        """Where the steps of a model hand over to each other."""
        return self.models / model / "work" / variant

    def pipeline_run(self, pipeline: str) -> Path:
        """The record of the last run of a pipeline by its own command; among the reports, so that it is published."""
        return self.reports / "runs" / f"{pipeline}.json"


class ConfigManager:
    """Loads the settings of an environment.

    Args:
        repository: The tree that relative defaults and `mlops_config.json` belong to; the current folder when absent.
        variables: The environment variables to read; the process's own when absent.
    """

    def __init__(self, repository: Path | None = None, variables: Mapping[str, str] | None = None) -> None:
        self.repository = (repository or Path.cwd()).resolve()
        self.variables = os.environ if variables is None else variables

    def load_config(self, environment: Environment = Environment.DEVELOPMENT) -> Settings:
        """The settings of `environment`.

        Raises:
            ConfigurationError: the file is not JSON, a field is unknown or of the wrong type, a variable cannot be
                read as its field's type, or a secret has its default outside development.
        """
        blocks: dict[str, Any] = self._file_block(environment)
        for variable, (block, field) in VARIABLES.items():
            value = self.variables.get(variable)
            if value:
                blocks.setdefault(block, {})[field] = value
        if ports := self.variables.get(PORTS_VARIABLE):
            blocks.setdefault("ports", {}).update(_ports(ports))
        blocks["environment"] = environment.value
        try:
            settings = msgspec.convert(blocks, Settings, strict=False)
        except msgspec.ValidationError as error:
            raise ConfigurationError(
                f"a setting does not fit: {error}",
                where=self._named(blocks, str(error)),
                mend="the settings and their types are listed in docs/reference/settings.md",
            ) from error
        self._resolve(settings)
        if environment is not Environment.DEVELOPMENT:
            _refuse_default_secrets(settings, environment)
        return settings

    def workspace(self) -> Workspace:
        """The places of the repository."""
        return Workspace(self.repository)

    def _path(self) -> Path:
        return Path(self.variables.get("MLOPS_CONFIG_FILE") or self.repository / CONFIG_FILE)

    def _file_block(self, environment: Environment) -> dict[str, Any]:
        path = self._path()
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise ConfigurationError(f"cannot be read: {error.strerror}", where=path) from error
        try:
            document = json.loads(content)
        except ValueError as error:
            raise ConfigurationError(f"is not JSON: {error}", where=path) from error
        block = document.get(environment.value, {}) if isinstance(document, dict) else None
        if not isinstance(block, dict) or not all(isinstance(value, dict) for value in block.values()):
            raise ConfigurationError(
                "must hold an object for each environment, and in it an object for each block of settings",
                where=path, mend='for example {"production": {"database": {"url": "postgresql://…"}}}',
            )
        return {name: dict(value) for name, value in block.items()}

    def _named(self, blocks: dict[str, Any], message: str) -> str:
        """The variable that a message such as "… at `$.monitoring.x`" is about, else the file."""
        for variable, (block, field) in VARIABLES.items():
            if self.variables.get(variable) and f"$.{block}.{field}`" in message:
                return variable
        return str(self._path())

    def _resolve(self, settings: Settings) -> None:
        """Fill in what defaults to a place under `.mlops/`."""
        places = self.workspace()
        settings.database.url = settings.database.url or f"sqlite:///{places.database}"
        settings.model_registry.tracking_uri = settings.model_registry.tracking_uri or settings.database.url
        settings.model_registry.registry_path = settings.model_registry.registry_path or str(places.bundles)
        settings.model_registry.tracking_dir = settings.model_registry.tracking_dir or str(places.artifacts)
        settings.storage.data_dir = settings.storage.data_dir or str(places.data)
        settings.deployment.manifest_repository = settings.deployment.manifest_repository or str(places.manifests)


def _ports(text: str) -> dict[str, str]:
    pairs = [item.partition("=") for item in text.split(",") if item.strip()]
    if any(not equals for _, equals, _ in pairs):
        raise ConfigurationError(
            f"is {text!r}, not a list of NAME=PORT", where=PORTS_VARIABLE, mend="write api=18000,predict=18001"
        )
    return {name.strip(): value.strip() for name, _, value in pairs}


def _refuse_default_secrets(settings: Settings, environment: Environment) -> None:
    for variable, (block, field) in VARIABLES.items():
        if block == "security" and getattr(settings.security, field) == DEVELOPMENT_SECRET:
            raise ConfigurationError(
                f"security.{field} has its default in {environment.value}", where=variable,
                mend=f"set {variable} to a secret of your own",
            )
