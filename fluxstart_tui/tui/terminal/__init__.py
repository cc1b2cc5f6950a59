"""The terminal that is embedded in a view."""
