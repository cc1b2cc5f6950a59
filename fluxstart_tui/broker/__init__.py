"""The embedded broker: what flux-broker does on one host, as a program of its own.

Run by path (`python3 -I -S .../broker/__main__.py ARGS`) for the sake of its start: it imports
only encodings, the reactor and what the interpreter holds in C.
"""
