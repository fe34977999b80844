"""Background loops, one module each: a class with `run()`, which repeats `step()`."""
