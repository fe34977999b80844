"""One file a migration: `0001_what_it_does.py`, whose revision is its number."""
