"""Run the command line as `python -m fluxstart_tui`."""

from fluxstart_tui.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
