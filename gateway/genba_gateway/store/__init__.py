"""The database: engine, tables, migrations, and one module of query functions per noun.

Query functions take the connection first and bound values after it; they return dataclasses of `domain/`. The
caller owns the transaction (`Database.read`, `Database.write`).
"""
