"""The first tables: runs, releases, model moves, data versions, models."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "mlops_runs",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("started", sa.String(32), nullable=False),
        sa.Column("finished", sa.String(32)),
        sa.Column("outcome", sa.String(32)),
        sa.Column("event", sa.String(64)),
        sa.Column("commit", sa.String(64)),
        sa.Column("document", DOCUMENT, nullable=False),
    )
    op.create_index("ix_mlops_runs_started", "mlops_runs", ["started"])
    op.create_table(
        "mlops_releases",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("created", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(32)),
        sa.Column("commit", sa.String(64)),
        sa.Column("outcome", sa.String(32)),
        sa.Column("document", DOCUMENT, nullable=False),
    )
    op.create_index("ix_mlops_releases_created", "mlops_releases", ["created"])
    op.create_table(
        "mlops_model_moves",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("model", sa.String(255), nullable=False),
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("source", sa.String(64)),
        sa.Column("target", sa.String(64)),
        sa.Column("who", sa.String(255)),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("why", sa.Text),
        sa.Column("verdict", sa.String(32)),
    )
    op.create_index("ix_mlops_model_moves_model", "mlops_model_moves", ["model", "at"])
    op.create_table(
        "mlops_data_versions",
        sa.Column("dataset", sa.String(255), primary_key=True),
        sa.Column("version", sa.String(64), primary_key=True),
        sa.Column("created", sa.String(32), nullable=False),
        sa.Column("rows", sa.BigInteger),
        sa.Column("success", sa.Boolean),
        sa.Column("simulated", sa.Boolean),
        sa.Column("document", DOCUMENT, nullable=False),
    )
    op.create_index("ix_mlops_data_versions_created", "mlops_data_versions", ["created"])
    op.create_table(
        "mlops_models",
        sa.Column("model", sa.String(255), primary_key=True),
        sa.Column("version", sa.String(64), primary_key=True),
        sa.Column("created", sa.String(32), nullable=False),
        sa.Column("verdict", sa.String(32)),
        sa.Column("run_id", sa.String(64)),
        sa.Column("document", DOCUMENT, nullable=False),
    )
    op.create_index("ix_mlops_models_created", "mlops_models", ["created"])


def downgrade() -> None:
    for name in ("models", "data_versions", "model_moves", "releases", "runs"):
        op.drop_table(f"mlops_{name}")
