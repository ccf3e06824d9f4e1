import csv
import hashlib
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field

import numpy as np
import pytest

from experiments._figures import interval_line, save_film, style
from experiments._runner import experiment
from experiments._table import format_table
from experiments._verdict import Verdict, paired_bootstrap

TOY = '''"""Averages come close to the mean (Nobody 1999).

Finding     They do.
"""

import os
import time
from dataclasses import dataclass


import numpy as np

from experiments._runner import experiment
from experiments._verdict import Verdict, paired_bootstrap


@dataclass(frozen=True)
class Config:
    n_trials: int = 8  # trials per condition


def run(config, seed):
    if seed == 1 and "HANG" in os.environ:
        time.sleep(60)
    rng = np.random.default_rng(seed)
    return {"value": rng.normal(1.0, 0.1, config.n_trials), "score": rng.random(), "name": "toy"}


def figure(results):
    import matplotlib.pyplot as plt

    drawing, ax = plt.subplots()
    ax.plot(results["value"].T)
    return drawing


def verdict(results):
    gain = paired_bootstrap(results["value"])
    return Verdict("PASS" if gain.low > 2 else "FAIL", "above 2", f"{gain:.2f}", "1 (exact)")


main = experiment(Config, run, figure, verdict, smoke=Config(n_trials=2), quick=Config(n_trials=3), default_seeds=3)

if __name__ == "__main__":
    raise SystemExit(main())
'''


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """The toy script as a module and the folder that it writes to when called there."""
    (tmp_path / "toy.py").write_text(TOY)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "toy", raising=False)
    import toy

    return toy


def only_folder(tmp_path, out="results"):
    (folder,) = (tmp_path / out / "toy").iterdir()
    return folder


def digests(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.glob("seed-*.npz"))}


def test_a_run_leaves_everything_that_it_names(toy, tmp_path, capsys):
    assert toy.main([]) == 0
    folder = only_folder(tmp_path)
    assert sorted(path.name for path in folder.iterdir()) == [
        "config.json",
        "environment.json",
        "figure.png",
        "figure.svg",
        *(f"seed-{seed}.npz" for seed in range(3)),
        "table.csv",
        "verdict.json",
    ]
    assert json.loads((folder / "config.json").read_text()) == {"experiment": "toy", "config": {"n_trials": 8}}
    verdict = json.loads((folder / "verdict.json").read_text())
    assert verdict["status"] == "FAIL" and verdict["n_seeds"] == 3 and "no claim" in verdict["note"]
    with open(folder / "table.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["seed"] for row in rows] == ["0", "1", "2"]
    assert float(rows[1]["score"]) == np.load(folder / "seed-1.npz")["score"]
    printed = capsys.readouterr().out
    for text in ("Averages come close", "above 2", "1 (exact)", "no claim over trainings", "table.csv"):
        assert text in printed


@pytest.mark.parametrize("flags, default", [([], 3), (["--quick"], 1), (["--figure-only"], None)])
def test_help_tells_how_many_seeds_are_run(toy, capsys, flags, default):
    assert toy.main([*flags, "--help"]) == 0
    told = capsys.readouterr().out.split("--seeds")[1].split("--")[0]
    assert f"(default: {default})" in told


def test_finished_seeds_are_reused_bit_for_bit(toy, tmp_path, capsys):
    toy.main(["--seeds", "2"])
    first = only_folder(tmp_path) / "seed-0.npz"
    before, written = digests(only_folder(tmp_path)), first.stat().st_mtime_ns
    toy.main(["--seeds", "4", "--out", "apart"])
    capsys.readouterr()
    assert toy.main(["--seeds", "4"]) == 0
    assert "2 of 4 seeds are in" in capsys.readouterr().out
    assert first.stat().st_mtime_ns == written
    assert digests(only_folder(tmp_path)).items() >= before.items()
    assert digests(only_folder(tmp_path)) == digests(only_folder(tmp_path, "apart"))


def test_side_by_side_gives_the_bits_of_one_after_the_other(toy, tmp_path):
    assert toy.main(["--seeds", "4", "--out", "serial"]) == 0
    assert toy.main(["--seeds", "4", "--out", "parallel", "--jobs", "2"]) == 0
    serial, parallel = only_folder(tmp_path, "serial"), only_folder(tmp_path, "parallel")
    assert digests(serial) == digests(parallel)
    for name in ("figure.svg", "table.csv", "verdict.json"):
        assert (serial / name).read_bytes() == (parallel / name).read_bytes()


def test_a_kill_loses_only_the_unfinished_seed(toy, tmp_path):
    command = [sys.executable, str(tmp_path / "toy.py"), "--seeds", "2"]
    process = subprocess.Popen(command, cwd=tmp_path, env={**os.environ, "HANG": "1"}, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("results/toy/*/seed-0.npz")) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.kill()
    process.wait()
    folder = only_folder(tmp_path)
    before = digests(folder)
    assert list(before) == ["seed-0.npz"]
    stray = folder / ".unfinished.part"  # what a kill during the write itself would leave
    stray.write_bytes(b"half")
    assert toy.main(["--seeds", "2"]) == 0
    assert not stray.exists()
    assert digests(folder)["seed-0.npz"] == before["seed-0.npz"] and len(digests(folder)) == 2


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "text", "unhashed"])
def test_a_damaged_seed_is_named(toy, tmp_path, capsys, damage):
    toy.main(["--seeds", "1"])
    path = only_folder(tmp_path) / "seed-0.npz"
    content = path.read_bytes()
    if damage == "unhashed":
        np.savez(path, value=np.zeros(8))
    else:
        middle = len(content) // 3
        flipped = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
        path.write_bytes({"cut": content[:-40], "flip": flipped, "empty": b"", "text": b"hello"}[damage])
    capsys.readouterr()
    assert toy.main(["--seeds", "1"]) == 1
    error = capsys.readouterr().err
    assert "seed-0.npz is damaged" in error and "Traceback" not in error


def test_other_values_with_a_valid_archive_are_noticed(toy, tmp_path, capsys):
    toy.main(["--seeds", "1"])
    path = only_folder(tmp_path) / "seed-0.npz"
    with np.load(path) as file:
        arrays = {**file}
    arrays["value"][0] += 1e-9
    np.savez(path, **arrays)
    assert toy.main(["--seeds", "1"]) == 1
    assert "its hash differs" in capsys.readouterr().err


def test_another_thread_count_is_refused_by_name(toy, tmp_path, capsys):
    toy.main(["--seeds", "1"])
    before = digests(only_folder(tmp_path))
    assert toy.main(["--seeds", "2", "--threads", "2"]) == 1
    error = capsys.readouterr().err
    assert "threads 1" in error and "threads 2" in error and "--out" in error
    assert digests(only_folder(tmp_path)) == before
    assert toy.main(["--seeds", "1", "--threads", "2", "--out", "elsewhere"]) == 0


def test_another_torch_is_refused_by_name(toy, tmp_path, capsys):
    toy.main(["--seeds", "1"])
    path = only_folder(tmp_path) / "environment.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "torch": "1.0"}))
    assert toy.main(["--seeds", "1"]) == 1
    assert "made with torch 1.0" in capsys.readouterr().err
    path.write_text("{")
    assert toy.main(["--seeds", "1"]) == 1
    assert "environment.json is missing or damaged" in capsys.readouterr().err
    assert toy.main(["--figure-only"]) == 0


def test_another_config_is_another_folder(toy, tmp_path):
    toy.main(["--seeds", "1"])
    toy.main(["--seeds", "1", "--n-trials", "4"])
    shapes = sorted(np.load(path)["value"].shape for path in tmp_path.glob("results/toy/*/seed-0.npz"))
    assert shapes == [(4,), (8,)]
    (only,) = [path for path in tmp_path.glob("results/toy/*/config.json") if '"n_trials": 4' in path.read_text()]
    only.write_text(only.read_text().replace("4", "5"))
    assert toy.main(["--seeds", "1", "--n-trials", "4"]) == 1


@pytest.mark.parametrize("flag, n_trials", [("--smoke", 2), ("--quick", 3)])
def test_short_runs_are_not_assessed(toy, tmp_path, capsys, flag, n_trials):
    assert toy.main([flag, "--strict"]) == 0
    printed = capsys.readouterr().out
    assert "NOT ASSESSED" in printed and "measured" in printed
    (seed,) = tmp_path.glob("results/toy/*/seed-*.npz")
    assert np.load(seed)["value"].shape == (n_trials,)


def test_figure_only_uses_the_finished_seeds(toy, tmp_path, capsys):
    assert toy.main(["--figure-only"]) == 1
    assert "needs finished seeds" in capsys.readouterr().err
    assert not (tmp_path / "results").exists()
    toy.main(["--seeds", "2"])
    (only_folder(tmp_path) / "figure.png").unlink()
    capsys.readouterr()
    assert toy.main(["--figure-only"]) == 0
    assert "2 seeds: no claim" in capsys.readouterr().out
    assert (only_folder(tmp_path) / "figure.png").exists() and len(digests(only_folder(tmp_path))) == 2
    assert toy.main(["--figure-only", "--seeds", "3"]) == 1


@pytest.mark.parametrize(
    "argv, code",
    [
        (["--help"], 0),
        (["--seeds", "1", "--strict"], 3),
        (["--seeds", "0"], 2),
        (["--jobs", "-1"], 2),
        (["--smoke", "--quick"], 2),
        (["--n-trial", "3"], 2),
        (["--n-trials", "many"], 2),
        (["stray"], 2),
    ],
)
def test_exit_codes(toy, argv, code):
    assert toy.main(argv) == code


def test_help_is_the_whole_docstring(toy, capsys):
    toy.main(["--help"])
    lines = capsys.readouterr().out.splitlines()
    assert "Averages come close to the mean (Nobody 1999)." in lines and "Finding     They do." in lines


@dataclass(frozen=True)
class Part:
    units: int = 3


@dataclass(frozen=True)
class Nested:
    part: Part = field(default_factory=Part)
    shifts: tuple[float, ...] = (0.0, 1.0)
    n_units: int = 3

    def __post_init__(self):
        if self.n_units < 1:
            raise ValueError(f"n_units must be at least 1; got {self.n_units}")


def bind(run, **parts):
    def figure(results):
        import matplotlib.pyplot as plt

        return plt.figure()

    def verdict(results):
        return Verdict("PASS", "always", "nothing")

    return experiment(Nested, run, figure, verdict, smoke=Nested(), quick=Nested(), **parts)


def test_nested_configs_and_tuples_are_flags(tmp_path, capsys):
    seen = []
    main = bind(lambda config, seed: seen.append(config) or {"x": 1.0})
    argv = ["--out", str(tmp_path), "--part.units", "5", "--shifts", "2", "3"]
    assert main(argv) == 0
    assert seen == [Nested(Part(5), (2.0, 3.0))]
    assert main(["--n-units", "0"]) == 2
    assert "n_units must be at least 1" in capsys.readouterr().err


def test_own_table_and_artefacts(tmp_path, capsys):
    def write(results, path):
        assert path.suffix == ".gif"
        path.write_bytes(results["x"].astype(np.uint8).tobytes())

    rows = [{"method": "ours", "accuracy": 0.912345}, {"method": "theirs", "memory": 3}]
    main = bind(lambda config, seed: {"x": 7.0}, table=lambda results: rows, artefacts={"map.gif": write})
    assert main(["--out", str(tmp_path)]) == 0
    (folder,) = (tmp_path / "test_runner").iterdir()
    assert (folder / "map.gif").read_bytes() == b"\x07"
    assert (folder / "table.csv").read_text() == "method,accuracy,memory\nours,0.912345,\ntheirs,,3\n"
    assert "ours      0.9123" in capsys.readouterr().out


def test_a_failing_artefact_leaves_no_half_file(tmp_path):
    def write(results, path):
        path.write_bytes(b"half")
        raise OSError("disk full")

    main = bind(lambda config, seed: {"x": 7.0}, artefacts={"map.gif": write})
    with pytest.raises(OSError, match="disk full"):
        main(["--out", str(tmp_path)])
    assert not list(tmp_path.rglob("*map*"))


def test_what_run_must_not_give(tmp_path):
    with pytest.raises(TypeError, match="run\\(\\) gave 'x' as Python objects"):
        bind(lambda config, seed: {"x": object()})(["--out", str(tmp_path)])
    with pytest.raises(ValueError, match="every seed the same shapes"):
        bind(lambda config, seed: {"x": np.zeros(seed)})(["--out", str(tmp_path), "--seeds", "2"])


def test_every_seed_has_the_threads_it_was_given(tmp_path):
    import torch
    from threadpoolctl import threadpool_info

    before = torch.get_num_threads()

    def run(config, seed):
        pools = [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] in ("blas", "openmp")]
        return {"threads": max(pools), "torch": torch.get_num_threads()}

    assert bind(run)(["--out", str(tmp_path), "--threads", "2"]) == 0
    (seed,) = tmp_path.rglob("seed-0.npz")
    assert np.load(seed)["torch"] == 2 and np.load(seed)["threads"] <= 2
    assert torch.get_num_threads() == before


def test_table_text_is_aligned():
    text = format_table([{"row": "a", "n": 1.23456789, "note": None}, {"row": "long", "n": 12, "more": True}])
    assert text.splitlines() == [
        "row       n  note  more",
        "-----------------------",
        "a     1.235",
        "long     12        True",
    ]
    assert format_table([{"x": 92.0}, {"x": 2345.6}]).splitlines()[2:] == ["92.00", " 2346"]
    assert format_table([]) == "(no rows)"


def test_a_film_shows_every_frame_on_the_same_ground(tmp_path):
    pytest.importorskip("PIL")
    import matplotlib.pyplot as plt
    from PIL import Image

    with style():
        drawing, ax = plt.subplots(figsize=(2, 1), dpi=50)
        (line,) = ax.plot([0, 1], [0, 0])
        ax.set_ylim(-1, 3)
        save_film(drawing, [line], lambda frame: line.set_ydata([frame, frame]), 3, tmp_path / "film.gif", fps=10)
        plt.close(drawing)
    with Image.open(tmp_path / "film.gif") as film:
        assert film.n_frames == 3 and film.info["duration"] == 100 and film.info["loop"] == 0
        blue = []
        for frame in range(3):
            film.seek(frame)
            red, _, b = np.moveaxis(np.asarray(film.convert("RGB")).astype(int), -1, 0)
            blue.append(b - red > 100)
    heights = [np.flatnonzero(seen.any(axis=1)).mean() for seen in blue]
    assert heights[0] > heights[1] > heights[2]
    assert not (blue[0] & blue[2]).any()  # what moved left nothing behind


def test_interval_line_covers_the_mean_and_skips_what_is_missing():
    values = np.random.default_rng(0).normal([0.0, 1.0, 2.0], 0.1, (200, 3))
    values[:, 2] = np.nan
    with style():
        import matplotlib.pyplot as plt

        drawing, ax = plt.subplots()
        line = interval_line(ax, [0, 1, 2], values, "label")
        bounds = ax.collections[0].get_paths()[0].vertices[:, 1]
        plt.close(drawing)
    np.testing.assert_allclose(line.get_ydata(), [*values[:, :2].mean(axis=0), np.nan])
    half = 1.972 * values[:, 0].std(ddof=1) / np.sqrt(200)
    assert bounds.min() == pytest.approx(values[:, 0].mean() - half, rel=1e-3)
    with pytest.raises(ValueError, match="values must have shape"):
        interval_line(None, [0, 1], values)
    assert paired_bootstrap(values[:, 0]).low > values[:, 0].mean() - 2 * half
