"""Tests of fluxstart-tui; folders mirror the package."""
