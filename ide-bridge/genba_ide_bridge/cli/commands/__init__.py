"""Our own subcommands, one module per noun. `cli/main.py` imports the module of the one that is called."""
