"""Tests of sessions: events, their sum, their record."""
