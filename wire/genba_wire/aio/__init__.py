"""The part of the wire that does I/O: the one transport to a gateway."""
