"""Parallel launchers: how each is recognised, labels output, sets ranks, ends and is stopped."""
