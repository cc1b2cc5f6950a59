"""Remote procedure calls over local:// sockets (RFC 3, RFC 6): the server's and the client's side.

Engine and embedded broker serve and call on the reactor; `blocking` is for commands, `aio` for the
terminal UI.
"""
