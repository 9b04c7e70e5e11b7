"""How Alembic runs here: with the connection that `fluenzr_app.db.migrations` hands over."""

from alembic import context
from fluenzr_app.db.all_models import metadata

connection = context.config.attributes.get("connection")
if connection is None:
    raise SystemExit("migrations run with `fluenzr migrate`")

context.configure(
    connection=connection,
    target_metadata=metadata,
    compare_type=True,
    # SQLite cannot change a column in place; Alembic copies the table instead.
    render_as_batch=connection.dialect.name == "sqlite",
)
with context.begin_transaction():
    context.run_migrations()
