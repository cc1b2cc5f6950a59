"""Many instances in a row, with random faults and signals: `python -m tests.soak`."""
