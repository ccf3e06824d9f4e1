"""The command `mesmrise`."""

import argparse
import difflib
import importlib
import json
import os
import sys
import textwrap
from importlib.metadata import version
from pathlib import Path

from experiments import describe, find_experiments

COMMANDS = ["list", "run", "benchmarks"]
OWN_PACKAGES = ("topology", "fusion", "smc", "experiments")


def main(argv=None) -> int:
    """Carry out one command line; returns 0 ran, 1 error, 2 usage, 3 verdict FAIL with --strict."""
    argv = sys.argv[1:] if argv is None else list(argv)
    try:
        if argv and not argv[0].startswith("-") and argv[0] not in COMMANDS:
            raise UnknownNameError("command", argv[0], COMMANDS)
        arguments = build_parser().parse_args(argv)
        return arguments.command(arguments)
    except SystemExit as stop:  # --help, --version, or a usage error that was printed
        return int(stop.code or 0)
    except UnknownNameError as error:
        print(f"mesmrise: {error}", file=sys.stderr)
        return 2
    except ImportError as error:
        if error.name and error.name.split(".")[0] in OWN_PACKAGES:
            raise
        print(f"mesmrise: {error}; pip install 'mesmrise[experiments]' brings what this needs", file=sys.stderr)
        return 1


class UnknownNameError(Exception):
    """A name that does not exist, with the nearest that does."""

    def __init__(self, kind, name, known):
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(known) or 'none'}"
        super().__init__(f"no {kind} {name!r}; {hint}")


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mesmrise", description="Sensorimotor contingencies, maps of the senses, trust, fusion."
    )
    parser.add_argument("--version", action="version", version=f"mesmrise {version('mesmrise')}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    command = commands.add_parser("list", help="every experiment: finding, citation, cost")
    command.set_defaults(command=list_experiments)

    command = commands.add_parser(
        "run",
        help="run an experiment",
        description="Run an experiment. Its own flags follow its name; mesmrise run NAME --help lists them.",
        usage="mesmrise run NAME [--seeds N] [--smoke | --quick] [--out DIR] [--jobs N] [--threads N] [--figure-only] "
        "[--strict] [config flags]",
    )
    command.add_argument("name", metavar="NAME", help="one of those that mesmrise list shows")
    command.add_argument("flags", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    command.set_defaults(command=run_experiment)

    command = commands.add_parser("benchmarks", help="speeds beside those of peers and of the hardware")
    command.add_argument("table", metavar="TABLE", nargs="?", help="one table; default: all")
    command.add_argument("--json", metavar="FILE", type=Path, help="also write the rows to FILE")
    command.add_argument("--peer-path", metavar="DIR", type=Path, help="folder in which peers are installed")
    command.set_defaults(command=run_benchmarks)
    return parser


def list_experiments(arguments) -> int:
    width = min(os.get_terminal_size().columns if sys.stdout.isatty() else 100, 120)
    for name, source in find_experiments().items():
        description = describe(source)
        parts = {"": description.title, **description.fields}
        print(name)
        for label in ("", "Finding", "Citation", "Cost"):
            if label in parts:
                start = f"    {label:<9} " if label else "    "
                print(textwrap.fill(parts[label], width, initial_indent=start, subsequent_indent=" " * len(start)))
    return 0


def run_experiment(arguments) -> int:
    known = find_experiments()
    if arguments.name not in known:
        raise UnknownNameError("experiment", arguments.name, list(known))
    return importlib.import_module(f"experiments.{arguments.name}").main(arguments.flags)


def run_benchmarks(arguments) -> int:
    from experiments.benchmarks import find_tables, format_rows

    known = find_tables()
    if arguments.table is not None and arguments.table not in known:
        raise UnknownNameError("benchmark table", arguments.table, known)
    if arguments.peer_path is not None:
        if not arguments.peer_path.is_dir():
            print(f"mesmrise: --peer-path {arguments.peer_path} is not a folder", file=sys.stderr)
            return 2
        sys.path.append(str(arguments.peer_path.resolve()))  # last: peers must not replace what runs here
    rows = []
    for table in known if arguments.table is None else [arguments.table]:
        new = importlib.import_module(f"experiments.benchmarks.{table}").rows()
        print(format_rows(new), end="\n\n", flush=True)
        rows += new
    if arguments.json is not None:
        from topology.storage import write_atomically

        write_atomically(arguments.json, (json.dumps(rows, indent=2) + "\n").encode())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
