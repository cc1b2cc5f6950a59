"""flux-broker's command line (flux-broker(1)), in the grammar of flux-core's liboptparse."""

from __future__ import annotations

from fluxstart_tui.broker.errors import UsageError

USAGE = """\
Usage: flux-broker [OPTIONS] [initial-program [args...]]
  -v, --verbose[=LEVEL]   log to the broker's own stderr: 1 info, 2 debug
  -S, --setattr=ATTR=VAL  set a broker attribute
  -c, --config-path=PATH  TOML or JSON file, or directory of TOML files; only [bootstrap] and
                          [tbon] have an effect
      --conf=VALUE        update of that: KEY=VALUE, a file, or inline TOML or JSON
"""

_SHORT = {"v": "verbose", "S": "setattr", "c": "config-path", "h": "help"}
_TAKES_ARGUMENT = {
    "setattr": True,
    "config-path": True,
    "conf": True,
    "verbose": None,
    "help": False,
}
"""Whether an option has an argument; None if it may have one, after `=` only."""


class CommandLine:
    """What the words of a command line say.

    Raises:
        UsageError: they say nothing sensible.
    """

    def __init__(self, words: list[str]) -> None:
        self.verbose = 0
        """Level given to --verbose, else how often -v was given."""
        self.assignments: list[str] = []
        """Attribute settings, `NAME=VALUE`, in order."""
        self.config_path: str | None = None
        self.conf: list[str] = []
        self.help = False
        self.program: list[str] = []
        """The initial program and its arguments."""
        self._level: int | None = None
        self._parse(list(words))

    def _parse(self, words: list[str]) -> None:
        while words and len(words[0]) > 1 and words[0].startswith("-"):
            word = words.pop(0)
            if word == "--":
                break
            if word.startswith("--"):
                self._long(word, words)
            else:
                self._bundle(word, words)
        if self._level is not None:
            self.verbose = self._level
        self.program = words

    def _long(self, word: str, words: list[str]) -> None:
        given, equals, value = word[2:].partition("=")
        matches = [name for name in _TAKES_ARGUMENT if name.startswith(given)]
        if given in _TAKES_ARGUMENT:
            matches = [given]
        if len(matches) != 1 or (equals and _TAKES_ARGUMENT[matches[0]] is False):
            raise _unrecognized(f"--{given}")
        argument = value if equals else None
        if argument is None and _TAKES_ARGUMENT[matches[0]]:
            if not words:
                raise UsageError(f"'--{given}' missing argument")
            argument = words.pop(0)
        self._apply(matches[0], argument)

    def _bundle(self, word: str, words: list[str]) -> None:
        letters = word[1:]
        while letters:
            letter, letters = letters[0], letters[1:]
            name = _SHORT.get(letter)
            if name is None:
                raise _unrecognized(f"-{letter}")
            argument = None
            if _TAKES_ARGUMENT[name]:
                if not letters and not words:
                    raise UsageError(f"'-{letter}' missing argument")
                argument = letters or words.pop(0)
                letters = ""
            self._apply(name, argument)

    def _apply(self, name: str, argument: str | None) -> None:
        if name == "setattr":
            self.assignments.append(argument or "")
        elif name == "config-path":
            self.config_path = argument
        elif name == "conf":
            self.conf.append(argument or "")
        elif name == "help":
            self.help = True
        elif argument is None:
            self.verbose += 1
        else:
            try:
                self._level = int(argument)
            except ValueError:
                raise UsageError("Option 'verbose' requires an integer argument") from None


def _unrecognized(option: str) -> UsageError:
    return UsageError(
        f"unrecognized option '{option}'\nTry `flux-broker --help' for more information."
    )
