"""The terminal UI: views of sessions, and commands given from them. Only here is Textual."""
