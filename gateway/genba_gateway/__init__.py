"""The gateway: the server of Genba."""
