"""Alembic migrations: numbered files in `versions/`, never edited once merged; `env.py` is run by `store.schema`."""
