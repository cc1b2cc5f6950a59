"""Tests of fluxstart_tui.report."""
