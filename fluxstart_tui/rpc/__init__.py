"""Flux RPC over local:// sockets."""
