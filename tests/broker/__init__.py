"""Tests of fluxstart_tui.broker."""
