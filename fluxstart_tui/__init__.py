"""Launch, watch and debug Flux instances: `flux start` and a terminal UI around it."""

__version__ = "0.1.0"
