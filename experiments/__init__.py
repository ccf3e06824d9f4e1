"""One script per finding; `mesmrise list` shows them, `mesmrise run NAME` runs one."""

import ast
import re
from dataclasses import dataclass
from pathlib import Path

NOT_SCRIPTS = {"benchmarks", "data", "quick"}


@dataclass(frozen=True)
class Description:
    """What the docstring of an experiment says: its first line, and its fields (Finding, Prediction, Cost, ...)."""

    title: str
    fields: dict[str, str]


def find_experiments() -> dict[str, Path]:
    """Name -> source file of every experiment (a module or a package), by name; none is imported."""
    here = Path(__file__).parent
    named = {path.stem: path for path in here.glob("*.py")} | {
        path.parent.name: path for path in here.glob("*/__init__.py")
    }
    return {name: named[name] for name in sorted(named) if not name.startswith("_") and name not in NOT_SCRIPTS}


def describe(source: Path) -> Description:
    """Read the docstring of `source`, without importing it."""
    docstring = ast.get_docstring(ast.parse(source.read_text("utf-8"))) or source.stem
    title, *lines = docstring.splitlines()
    fields: dict[str, str] = {}
    label = None
    for line in lines:
        if start := re.match(r"([A-Z]\w*) {2,}(\S.*)", line):
            label = start[1]
            fields[label] = start[2].strip()
        elif label and line.startswith("  "):
            fields[label] += " " + line.strip()
        else:
            label = None
    return Description(title, fields)
