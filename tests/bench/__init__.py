"""Measurements: ratios to a peer in the same run. Not tests; each module is a program.

`python -m tests.bench.labels` and the like; each prints one line per figure.
"""
