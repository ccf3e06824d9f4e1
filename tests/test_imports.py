"""Plotting modules wait with matplotlib until something is drawn; layers and heavy packages: test_repository.py."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PLOTTING = sorted(f"{path.parent.name}.plotting" for path in ROOT.glob("*/plotting.py"))


@pytest.mark.parametrize("module", PLOTTING)
def test_plotting_modules_load_without_matplotlib(module):
    code = f"import sys, {module}; print('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_every_library_with_drawings_is_found():
    assert "smc.plotting" in PLOTTING
