"""The data pipeline's tables: schemas, feature configurations, runs, quality."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "mlops_data_schemas",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("created", sa.String(32), nullable=False),
        sa.Column("document", DOCUMENT, nullable=False),
    )
    op.create_index("ix_mlops_data_schemas_created", "mlops_data_schemas", ["created"])
    op.create_table(
        "mlops_data_features",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("created", sa.String(32), nullable=False),
        sa.Column("document", DOCUMENT, nullable=False),
    )
    op.create_index("ix_mlops_data_features_created", "mlops_data_features", ["created"])
    op.create_table(
        "mlops_data_runs",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("pipeline", sa.String(255), nullable=False),
        sa.Column("started", sa.String(32), nullable=False),
        sa.Column("finished", sa.String(32)),
        sa.Column("outcome", sa.String(32)),
        sa.Column("version", sa.String(64)),
        sa.Column("document", DOCUMENT, nullable=False),
    )
    op.create_index("ix_mlops_data_runs_started", "mlops_data_runs", ["started"])
    op.create_table(
        "mlops_data_quality",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("dataset", sa.String(255), nullable=False),
        sa.Column("version", sa.String(64)),
        sa.Column("created", sa.String(32), nullable=False),
        sa.Column("score", sa.Float),
        sa.Column("success", sa.Boolean),
        sa.Column("document", DOCUMENT, nullable=False),
    )
    op.create_index("ix_mlops_data_quality_created", "mlops_data_quality", ["created"])


def downgrade() -> None:
    for name in ("quality", "runs", "features", "schemas"):
        op.drop_table(f"mlops_data_{name}")
