"""Pieces of screens; each paints what it shows line by line."""
