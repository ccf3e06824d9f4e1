import csv
import json

import numpy as np
import pytest

from experiments import human_heading
from experiments.human_heading import COLUMNS, SMOKE, main, read, run, simulate


@pytest.fixture
def trials_file(tmp_path):
    """Trials of simulated subjects, written as one would write people's."""
    path = tmp_path / "trials.csv"
    with open(path, "w", newline="") as file:
        table = csv.writer(file)
        table.writerow([*COLUMNS, "in_published_fit"])
        for name, _, tasks in simulate(SMOKE, np.random.default_rng(0))[1:]:
            for task, trials in tasks.items():
                for headings, level, said in zip(trials.headings, trials.reliability, trials.said):
                    table.writerow([name, task, level, *("" if np.isnan(h) else h for h in headings), said, 1])
        table.writerow(["P5", "unity_judgement", "high", 0, 0, 1, 0])
    return path


def test_smoke(tmp_path):
    assert main(["--smoke", "--out", str(tmp_path)]) == 0
    (folder,) = (tmp_path / "human_heading").iterdir()
    assert json.loads((folder / "verdict.json").read_text())["status"] == "NOT ASSESSED"
    assert "stochastic fusion" in (folder / "table.csv").read_text()


def test_data_in_a_file_give_what_the_same_subjects_give(trials_file, tmp_path):
    subjects = read(str(trials_file))
    assert [name for name, _, _ in subjects] == ["fixed_criterion 1", "stochastic_fusion 1"]
    simulated = simulate(SMOKE, np.random.default_rng(0))[1:]
    for (_, _, found), (_, _, made) in zip(subjects, simulated):
        for task, trials in made.items():
            np.testing.assert_array_equal(found[task].headings, trials.headings)
            np.testing.assert_array_equal(found[task].said, trials.said)


def test_random_fusion_is_told_from_a_criterion(monkeypatch):
    monkeypatch.setattr(human_heading, "INERTIAL", {})
    monkeypatch.setitem(human_heading.TASKS, "inertial", {"fixed criterion": ("fixed_criterion", "constant")})
    config = human_heading.Config(n_subjects=1, n_repeats=8, middles=(0.0,), n_folds=2, n_starts=1, n_experience=150)
    results = {key: value[None] for key, value in run(config, 0).items()}
    fixed, stochastic = human_heading.stochastic_minus_fixed(results)[1:]
    assert fixed < -10 and stochastic > 0


def test_refuses_files_that_are_not_trials(tmp_path, capsys):
    assert main(["--data", str(tmp_path / "absent.csv")]) == 2
    assert "must be a file" in capsys.readouterr().err
    path = tmp_path / "other.csv"
    path.write_text("subject,task\nS1,unity_judgement\n")
    with pytest.raises(ValueError, match=r"visual_reliability.* are missing"):
        read(str(path))
