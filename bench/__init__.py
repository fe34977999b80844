"""Benchmarks: each prints one JSON line a figure, with its baseline measured in the same run."""
