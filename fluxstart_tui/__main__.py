"""Run the command line as `python -m fluxstart_tui`."""

from fluxstart_tui.cli import program

if __name__ == "__main__":
    program()
