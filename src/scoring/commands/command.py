"""What a command of inference.py is: its name, its help, its arguments and what it does."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Command:
    """One command, which its module defines as `COMMAND` and inference.py lists.

    summary: one line without a full stop. examples: whole command lines and what they give, shown below the help.
    add_arguments: called with the command's parser. run: called with the parsed options; returns the exit status.
    """

    name: str
    summary: str
    examples: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]

    def add_to(self, commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
        """Add the command's parser; after parsing, `options.run(options)` carries it out."""
        parser = commands.add_parser(
            self.name,
            help=self.summary,
            description=self.summary[0].upper() + self.summary[1:] + ".",
            epilog=f"examples:\n{self.examples}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        self.add_arguments(parser)
        parser.set_defaults(run=self.run)
