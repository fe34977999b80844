"""Use cases: permissions on single things, transactions, calls out. No Quart, no SQL.

Each service is a class, constructed once in `app.py` with what it needs.
"""
