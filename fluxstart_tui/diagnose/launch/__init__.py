"""A launch in normal mode: what its lines say, and what hinders it."""
