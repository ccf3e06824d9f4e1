"""Rules that hold for every file of the repository."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LAYERS = ("topology", "fusion", "smc", "experiments")  # each may import those before it
MODULES = sorted(path for layer in LAYERS for path in (ROOT / layer).rglob("*.py"))


def imported_names(tree):
    """Absolute module names that a syntax tree imports, at any depth."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module


def test_imports_point_one_way():
    wrong = []
    for path in MODULES:
        own = LAYERS.index(path.relative_to(ROOT).parts[0])
        for name in imported_names(ast.parse(path.read_text("utf-8"))):
            root = name.split(".")[0]
            if root == "tests" or (root in LAYERS and LAYERS.index(root) > own):
                wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert not wrong


def test_scripts_do_not_import_each_other():
    from experiments import find_experiments

    scripts = find_experiments()
    wrong = []
    for name, source in scripts.items():
        files = source.parent.rglob("*.py") if source.name == "__init__.py" else [source]
        for path in files:
            for module in imported_names(ast.parse(path.read_text("utf-8"))):
                parts = module.split(".")
                if parts[0] == "experiments" and len(parts) > 1 and parts[1] in scripts and parts[1] != name:
                    wrong.append(f"{path.relative_to(ROOT)} imports {module}")
    assert not wrong


@pytest.mark.parametrize("module", ["topology", "fusion", "smc", "smc.worlds"])
def test_libraries_load_without_the_heavy_packages(module):
    code = f"import sys, {module}; print(*sorted({{'torch', 'matplotlib', 'gymnasium'}} & set(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == ""


def tracked_texts():
    """Path and content of every text file under version control."""
    listed = subprocess.run(["git", "-C", str(ROOT), "ls-files", "-z"], capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout")
    for name in filter(None, listed.stdout.split("\0")):
        content = (ROOT / name).read_bytes() if (ROOT / name).is_file() else b""
        if b"\0" not in content[:1024]:
            yield name, content.decode("utf-8")


def test_no_file_names_a_place_on_one_machine():
    absolute = re.compile(r"(?<![\w.])/(?:work|tmp|root|home|Users|farm)/\w")
    found = [name for name, text in tracked_texts() if absolute.search(text)]
    assert not found


def test_nothing_is_unpickled_or_drawn_from_global_randomness():
    forbidden = re.compile(
        r"import pickle|pickle\.load|allow_pickle=True|weights_only=False|fastmath=True|np\.random\.(seed|rand|randn)\("
    )
    found = [str(path.relative_to(ROOT)) for path in MODULES if forbidden.search(path.read_text("utf-8"))]
    assert not found
