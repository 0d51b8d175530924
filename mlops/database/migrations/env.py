"""Run migrations on the connection that `mlops.database.migrate` has opened and locked."""

from alembic import context

from mlops.database.schema import VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    version_table=VERSION_TABLE,
    transactional_ddl=True,  # SQLite has it too, as we connect to it
)
context.run_migrations()
