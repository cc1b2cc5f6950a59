"""Small pure encodings, each citing its RFC; no I/O and no imports of ours."""
