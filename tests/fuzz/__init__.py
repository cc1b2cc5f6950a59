"""Hostile input for everything that reads what others write: `python -m tests.fuzz`."""
