"""Frozen values, enums, pure rules and state machines. Imports nothing of ours but genba_wire."""
