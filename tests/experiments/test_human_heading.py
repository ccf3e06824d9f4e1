import csv
from dataclasses import replace

import numpy as np
import pytest

from experiments.human_heading import SMOKE, Config, main
from experiments.human_heading._cortex import learned_shape
from experiments.human_heading._fits import fit, precision_of, single_cue_noise
from experiments.human_heading._limits import limits
from experiments.human_heading._models import STOCHASTIC_MINUS_FIXED, SUBJECTS
from experiments.human_heading._tables import recovered, verdict
from experiments.human_heading._trials import COLUMNS, TRUTHS, Trials, mirrored, read, simulate

TINY = replace(SMOKE, strategies=TRUTHS)


@pytest.fixture
def trials_file(tmp_path):
    """Trials of simulated subjects, written as one would write people's."""
    path = tmp_path / "trials.csv"
    with open(path, "w", newline="") as file:
        table = csv.writer(file)
        table.writerow([*COLUMNS, "in_published_fit"])
        for subject in simulate(TINY, np.random.default_rng(0)):
            for task, trials in subject.tasks.items():
                for headings, level, said in zip(trials.headings, trials.reliability, trials.said):
                    table.writerow([subject.name, task, level, *("" if np.isnan(h) else h for h in headings), said, 1])
        table.writerow(["P5", "unity_judgement", "high", 0, 0, 1, 0])
    return path


def test_data_in_a_file_are_those_that_were_written(trials_file):
    subjects = read(str(trials_file))
    assert [subject.name for subject in subjects] == ["averaging 1", "fixed criterion 1", "stochastic fusion 1"]
    for found, made in zip(subjects, simulate(TINY, np.random.default_rng(0))):
        for task, trials in made.tasks.items():
            np.testing.assert_array_equal(found.tasks[task].headings, trials.headings)
            np.testing.assert_array_equal(found.tasks[task].said, trials.said)


def row(**changes):
    good = dict(zip(COLUMNS, ("S1", "unity_judgement", "high", "5", "-5", "1")))
    return list((good | changes).values())


@pytest.mark.parametrize(
    ("columns", "line", "message"),
    [
        (COLUMNS[:2], ["S1", "unity_judgement"], r"visual_reliability.* are missing"),
        (COLUMNS, row(task="naming"), r"line 2: task must be one of"),
        (COLUMNS, row(response="2"), r"line 2: response must be 0 or 1"),
        (COLUMNS, row(response="same"), r"line 2: response must be 0 or 1"),
        (COLUMNS, row(visual_heading_deg="left"), r"visual_heading_deg must be a number"),
        (COLUMNS, row(visual_heading_deg=""), r"visual_heading_deg must be from -180 to 180"),
        (COLUMNS, row(visual_heading_deg="200"), r"visual_heading_deg must be"),
        (COLUMNS, row(task="unisensory_visual"), r"vestibular_heading_deg must be empty"),
        (COLUMNS, row(visual_reliability=""), r"visual_reliability must be given"),
    ],
)
def test_refuses_files_that_are_not_trials(tmp_path, columns, line, message):
    path = tmp_path / "other.csv"
    path.write_text(f"{','.join(columns)}\n{','.join(line)}\n")
    with pytest.raises(ValueError, match=message):
        read(str(path))


def test_refuses_what_is_not_a_file(tmp_path, capsys):
    assert main(["--data", str(tmp_path / "absent.csv")]) == 2
    assert "must be a file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (row(response="2"), "line 2: response must be 0 or 1"),
        (
            row(task="unisensory_visual", vestibular_heading_deg="", response="-1"),
            "must have trials of unity_judgement",
        ),
    ],
)
def test_the_command_refuses_bad_trials_in_one_line(tmp_path, capsys, line, message):
    path = tmp_path / "bad.csv"
    path.write_text(f"{','.join(COLUMNS)}\n{','.join(line)}\n")
    assert main(["--data", str(path), "--out", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert message in said and len(said.splitlines()) == 1


def test_a_stranger_is_not_held_against_the_published_subjects(tmp_path, capsys):
    (subject,) = simulate(replace(SMOKE, n_repeats=4), np.random.default_rng(0))
    trials = subject.tasks["unity_judgement"]
    path = tmp_path / "mine.csv"
    rows = [",".join(COLUMNS)]
    for (felt, seen), level, said in zip(trials.headings, trials.reliability, trials.said):
        rows.append(f"me,unity_judgement,{level},{felt},{seen},{said:g}")
    path.write_text("\n".join(rows))
    assert main(["--smoke", "--data", str(path), "--out", str(tmp_path)]) == 0  # and no warning of empty means
    said = capsys.readouterr().out
    assert "mean over 1 subjects" in said and "inertial: against" not in said
    assert "NOT ASSESSED" in said
    header = next(line for line in said.splitlines() if "left out" in line)
    assert "published" not in header


def test_mirror_images_have_the_same_likelihood():
    (subject,) = simulate(SMOKE, np.random.default_rng(1))
    trials = subject.tasks["bisensory_inertial_discrimination"]
    folded = mirrored(trials, unity=False)
    assert (folded.headings[:, 0] >= 0).all() and (trials.headings[:, 0] < 0).any()
    scores = [
        fit(SMOKE, 0, "inertial", "forced_fusion", "constant", replace(subject, tasks={**subject.tasks, **one}), None)[
            0
        ]
        for one in ({}, {"bisensory_inertial_discrimination": folded})
    ]
    np.testing.assert_array_equal(*scores)


def test_random_fusion_is_told_from_a_criterion():
    config = replace(TINY, n_repeats=12)
    gaps = []
    for subject in simulate(config, np.random.default_rng(0))[1:]:
        random, fixed = (
            fit(config, 0, "unity", strategy, "constant", subject, None)[0][0]
            for strategy in ("stochastic_fusion", "fixed_criterion")
        )
        gaps.append(random - fixed)
    assert gaps[0] < -10 and gaps[1] > -2  # many lapses and a wide criterion are random fusion


def test_the_map_is_most_precise_straight_ahead():
    shape = learned_shape(Config(n_experience=3000), 0)
    there = shape(np.array([-40.0, 0.0, 40.0]))
    assert there[1] == 1 and there[0] == there[2] < 0.8


def test_verdict_needs_every_subject_within_the_tolerance():
    published = np.array(list(STOCHASTIC_MINUS_FIXED.values()))
    left_out = np.zeros((1, 11, 7))
    left_out[0, :, 6] = published + 1.5 * (-1.0) ** np.arange(11)
    by_side = np.tile([18.3, 21.9, np.nan, 10.4, 16.4, np.nan, 0.0, 18.4], (1, 11, 1))
    results = {
        "truth": np.full((1, 11), ""), "subjects": np.array([SUBJECTS]), "unity_left_out": left_out,
        "inertial_left_out": by_side,
    }  # fmt: skip
    assert verdict(results).status == "PASS"
    assert (
        "2 of 5 models" in verdict(results).measured
        and "MISSED Bayesian +18.3, published -0.3" in verdict(results).measured
    )
    left_out[0, 4, 6] += 3
    assert verdict(results).status == "FAIL"


def test_recovery_is_measured_in_standard_errors():
    estimates = np.full((1, 1, 8, 2, 6), np.nan)
    estimates[0, 0, 3] = [[7.0, 4.0, np.nan, 9.0, 30.0, np.nan], [0.5, 1.0, 1.0, np.nan, 2.0, np.nan]]
    results = {
        "truth": np.array([["fixed_criterion"]]),
        "parameters": np.array([[[6.0, 4.0, 6.0, 9.0, 27.0, 0.5]]]),
        "inertial_estimates": estimates,
        "inertial_left_out": np.zeros((1, 1, 8)),
    }
    assert [list(z) for z in recovered(results, "inertial")] == [[2.0], [0.0], [], [], [1.5], []]


def test_precision_comes_from_single_cues():
    (subject,) = simulate(replace(SMOKE, n_repeats=9), np.random.default_rng(0))
    noise = single_cue_noise(subject)
    assert set(noise) == {(0, ""), (1, "high"), (1, "medium"), (1, "low")}
    assert noise[1, "high"] < noise[1, "low"]
    trials = Trials(np.array([[10.0, 0.0]]), np.array(["low"]), np.array([1.0]))
    precision = precision_of(noise, lambda headings: 1 - abs(headings) / 20, trials)
    np.testing.assert_allclose(precision, [[0.5 / noise[0, ""] ** 2, 1 / noise[1, "low"] ** 2]])
    assert precision_of({(0, ""): 5.0}, np.ones_like, trials) is None


def test_nats_to_the_nearest_rival_grow_with_the_trials():
    subjects = simulate(replace(TINY, n_repeats=1), np.random.default_rng(0))
    config = replace(TINY, n_repeats=20, n_experiments=10)
    few, many = (limits(replace(config, n_repeats=n), 0, subjects[1], "unity") for n in (20, 80))
    assert 0.6 <= few[0] <= many[0] <= 1
    assert many[1] / few[1] == pytest.approx(4, rel=0.3) and many[2] / few[2] == pytest.approx(1, rel=0.3)
    for_forced_fusion = limits(config, 0, subjects[2], "inertial")
    assert for_forced_fusion[0] > 0.5 and abs(for_forced_fusion[1]) < 1 and for_forced_fusion[2] > 10**4
    assert np.isnan(limits(config, 0, replace(subjects[0], strategy=""), "unity")).all()


def recovery(**changed):
    """Results of three subjects, one of each strategy, all recovered; the left or right tasks of two can fail."""
    results = {"truth": np.array([TRUTHS]), "parameters": np.ones((1, 3, 6))}
    for task, columns in (("unity", (0, 3, 6)), ("inertial", (0, 3, 6))):
        scores = np.zeros((1, 3, 8 - (task == "unity")))
        scores[0, range(3), columns] = 5.0
        estimates = np.ones((1, 3, scores.shape[2], 2, 6))
        results |= {f"{task}_left_out": scores, f"{task}_estimates": estimates, f"{task}_limits": np.ones((1, 3, 3))}
    return results | changed


def test_recovery_asks_every_task():
    assert verdict(recovery()).status == "PASS"
    lost = np.zeros((1, 3, 8))
    lost[0, :, 3] = 1.0  # every subject looks like the second
    found = verdict(recovery(inertial_left_out=lost, inertial_limits=np.full((1, 3, 3), 0.5)))
    assert found.status == "FAIL"
    assert "exact ones would hold 95%" in found.measured
    assert "inertial, knowing every parameter: 50%" in found.measured and "both: 100%" in found.measured
