"""The commands that users type, in processes of their own."""

import csv
import json
import multiprocessing
import re
import subprocess
import sys
import warnings

import numpy as np
import pytest

import experiments.benchmarks
from experiments import describe, find_experiments
from experiments.__main__ import main
from experiments.benchmarks import format_rows

EXPERIMENTS = find_experiments()
# Tables beside the one that the experiment makes by default: other code, other verdicts, other pages.
TABLES = ("bundled", "ablations", "multimodal", "acting", "glance", "planning")
# Those that learn how precise or reliable a sense is, and so must say how well.
CALIBRATED = ("audiovisual_merging", "development", "digit_halves", "disparity", "eccentricity")
CALIBRATED += ("human_heading", "manipulation", "unreliable_senses", "ventriloquist", "visual_haptic")
# Each run has a process of its own, forked from one that has loaded what most need: loading takes longer than they do.
PRELOADED = ["joblib", "matplotlib.pyplot", "matplotlib.backends.backend_svg", "pytest", "torch._dynamo", "tyro"]
PRELOADED += ["smc.encoders", "smc.hypotheses", "smc.worlds"]
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(PRELOADED)


def carry_out(arguments, printed):
    """Do in this process what `mesmrise ...` does in one of its own; what it prints goes into a file."""
    sys.stdout = sys.stderr = printed.open("w")
    warnings.simplefilter("error")
    raise SystemExit(main(arguments))


def run_smallest(name, out, *flags):
    """Folder of the results of `mesmrise run NAME --smoke`, whose files are all there."""
    printed = out / "printed"
    arguments = ["run", name, "--smoke", "--out", str(out), *flags]
    process = PROCESSES.Process(target=carry_out, args=(arguments, printed))
    process.start()
    process.join()
    assert process.exitcode == 0, printed.read_text()
    assert "NOT ASSESSED" in printed.read_text()
    (folder,) = (out / name).iterdir()
    assert {"config.json", "environment.json", "figure.png", "figure.svg", "seed-0.npz", "table.csv"} <= {
        path.name for path in folder.iterdir()
    }
    assert json.loads((folder / "verdict.json").read_text())["status"] == "NOT ASSESSED"
    return folder


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_runs_at_its_smallest(name, tmp_path):
    folder = run_smallest(name, tmp_path)
    if name in CALIBRATED:
        with (folder / "table.csv").open() as file:
            rows = [row for row in csv.DictReader(file) if row["slope"]]
        likelihoods = [float(value) for row in rows for key, value in row.items() if key.startswith("NLL, ") and value]
        assert rows and len(likelihoods) >= 4 * len(rows) and np.isfinite(likelihoods).all() and all(likelihoods)


@pytest.mark.parametrize("table", TABLES)
def test_every_table_runs_at_its_smallest(table, tmp_path):
    folder = run_smallest("action_views", tmp_path, "--table", table)
    assert json.loads((folder / "config.json").read_text())["config"]["table"] == table


def test_a_shell_can_run_them(tmp_path):
    call = [sys.executable, "-W", "error", "-m", "experiments"]
    call += ["run", "active_vs_yoked", "--smoke", "--out", str(tmp_path)]
    done = subprocess.run(call, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "NOT ASSESSED" in done.stdout


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_says_what_it_is_about(name):
    description = describe(EXPERIMENTS[name])
    assert {"Finding", "Prediction", "Cost"} <= description.fields.keys()
    texts = [description.title, *description.fields.values()]
    assert any(re.search(r"\b(19|20)\d\d\b", text) for text in texts), "no citation"


def test_list_shows_all_and_loads_nothing_heavy():
    code = (
        "import sys; from experiments.__main__ import main; main(['list']);"
        "print(*{'torch', 'numpy', 'matplotlib', 'tyro'} & set(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == ""
    for name, source in EXPERIMENTS.items():
        assert f"\n{name}\n" in "\n" + done.stdout
        assert describe(source).fields["Cost"].split()[0] in done.stdout


def test_fields_of_a_docstring(tmp_path):
    path = tmp_path / "script.py"
    path.write_text(
        '"""A title (Author 2001).\n\nFinding     One thing\n            goes on.\n\n'
        'Prose between.\n  indented\nCost  2 s.\n"""\n'
        "import nothing_of_that_name\n"
    )
    description = describe(path)
    assert description.title == "A title (Author 2001)."
    assert description.fields == {"Finding": "One thing goes on.", "Cost": "2 s."}
    path.write_text("x = 1\n")
    assert describe(path).title == "script"


def test_only_scripts_are_experiments():
    assert not {"benchmarks", "quick", "experiments", "_runner", "__main__", "data"} & EXPERIMENTS.keys()
    assert all(source.exists() for source in EXPERIMENTS.values())


@pytest.mark.parametrize(
    "argv, hint",
    [
        (["rum"], "no command 'rum'; did you mean 'run'?"),
        (["qqqq"], "there are: list, run, benchmarks"),
        (["run", "toi"], "no experiment 'toi'; did you mean 'toy'?"),
        (["benchmarks", "speeed"], "no benchmark table 'speeed'; did you mean 'speed'?"),
        (["benchmarks", "--peer-path", "nowhere"], "--peer-path nowhere is not a folder"),
        ([], "required: COMMAND"),
        (["run"], "required: NAME"),
    ],
)
def test_usage_errors_suggest_the_nearest(argv, hint, monkeypatch, capsys):
    monkeypatch.setattr("experiments.__main__.find_experiments", lambda: {"toy": None, "other": None})
    monkeypatch.setattr("experiments.benchmarks.find_tables", lambda: ["speed", "other"])
    assert main(argv) == 2
    assert hint in capsys.readouterr().err


@pytest.mark.parametrize("argv", [["--help"], ["--version"], ["run", "--help"], ["benchmarks", "--help"]])
def test_help_and_version(argv, capsys):
    assert main(argv) == 0
    assert "mesmrise" in capsys.readouterr().out


def test_a_missing_extra_is_named(tmp_path):
    code = (
        "import sys; sys.modules['tyro'] = None\n"
        "import experiments.__main__ as command\n"
        "command.find_experiments = lambda: {'_runner': None}\n"
        "raise SystemExit(command.main(['run', '_runner']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert "tyro" in done.stderr and "mesmrise[experiments]" in done.stderr


def test_an_error_of_our_own_is_not_hidden(monkeypatch):
    monkeypatch.setattr("experiments.__main__.find_experiments", lambda: {"gone": None})
    with pytest.raises(ModuleNotFoundError, match=r"experiments\.gone"):
        main(["run", "gone"])


ROWS = [
    {
        "table": "t",
        "row": "fit",
        "unit": "s",
        "ours": 2.0,
        "peers": {"a": 8.0, "b": None},
        "limit": 1.0,
        "better": "lower",
    },
    {"table": "t", "row": "rate", "unit": "1/s", "ours": 2.0, "peers": {"a": 8.0}, "limit": None, "better": "higher"},
]


def test_benchmark_rows_show_ratios_and_absent_peers():
    header, _, fit, rate = format_rows(ROWS).splitlines()
    assert header.split() == ["table", "row", "ours", "unit", "a", "b", "limit"]
    assert re.split(r"  +", fit) == ["t", "fit", "2.000", "s", "8 (x4.00)", "not installed", "1 (50%)"]
    assert re.split(r"  +", rate) == ["t", "rate", "2.000", "1/s", "8 (x0.25)"]


def test_benchmarks_command_writes_json_and_finds_peers(tmp_path, monkeypatch, capsys):
    tables = tmp_path / "tables"
    tables.mkdir()
    (tables / "speed.py").write_text(f"def rows():\n    import some_peer\n    return {ROWS!r}\n")
    peers = tmp_path / "peers"
    peers.mkdir()
    (peers / "some_peer.py").write_text("")
    monkeypatch.setattr(experiments.benchmarks, "__path__", [str(tables)])
    monkeypatch.setattr("experiments.benchmarks.find_tables", lambda: ["speed"])
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "experiments.benchmarks.speed", raising=False)
    assert main(["benchmarks", "--json", str(tmp_path / "rows.json"), "--peer-path", str(peers)]) == 0
    assert "not installed" in capsys.readouterr().out
    assert json.loads((tmp_path / "rows.json").read_text()) == ROWS


@pytest.mark.parametrize("table", experiments.benchmarks.find_tables())
def test_benchmark_tables_can_be_loaded(table):
    module = __import__(f"experiments.benchmarks.{table}", fromlist=["rows"])
    assert callable(module.rows) and module.__doc__
