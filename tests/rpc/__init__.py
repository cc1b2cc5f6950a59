"""Tests of fluxstart_tui.rpc."""
