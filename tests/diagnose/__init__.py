"""Tests of fluxstart_tui.diagnose."""
