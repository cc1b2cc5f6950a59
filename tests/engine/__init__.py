"""Tests of fluxstart_tui.engine."""
