"""The instruments of the experiments on handling read what is known, and their verdicts can fail."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")

from experiments import _held, action_by_modality, manipulation_matters
from experiments.manipulation_matters import _cells, _claims, _handling
from smc.worlds import ObjectBank

CONFIG = manipulation_matters.Config(image_size=16, batch_size=5)


@pytest.fixture(scope="module")
def bank():
    return _held.make_objects(2, 0, ("car", "mug", "chair"))


def test_objects_have_a_tinted_front(bank):
    plain = ObjectBank.procedural(2, ("car", "mug", "chair"), 0, checker=0)
    shift = bank[0].face_colors - plain[0].face_colors
    across = plain[0].vertices[plain[0].faces].mean(axis=1)
    free = (bank[0].face_colors > 0) & (bank[0].face_colors < 1)
    np.testing.assert_allclose(shift[free], (across / _held.RADIUS * _held.TINT)[free], atol=1e-5)


def test_actions_between_views_lead_from_one_to_the_other(bank):
    rng = np.random.default_rng(0)
    scenes = _held.draw_scene(np.repeat(np.arange(3), 4), rng)
    told = _held.between_views(scenes, 4, lambda a, b: np.column_stack([b.zoom - a.zoom, b.object - a.object]))
    zoom = scenes.zoom.reshape(3, 4)
    np.testing.assert_allclose(told[..., 0], zoom[:, None] - zoom[:, :, None], atol=1e-6)
    assert told.shape == (3, 4, 4, 2) and not told[..., 1].any()


def test_turns_fold_back_into_the_range():
    limit = np.array([_held.YAW, _held.PITCH])
    inside = np.random.default_rng(0).uniform(-1, 1, (50, 2)) * limit
    np.testing.assert_allclose(_handling.folded(inside), inside, atol=1e-12)
    np.testing.assert_allclose(_handling.folded(limit + 0.1), limit - 0.1, atol=1e-12)
    far = _handling.folded(np.random.default_rng(0).uniform(-9, 9, (500, 2)))
    assert (np.abs(far) <= limit + 1e-12).all()


@pytest.mark.parametrize("name", ["nothing", "rotation", "background", "all", "augmentation", "smooth 15", "teleport"])
def test_all_ways_of_handling_begin_alike_and_change_what_they_say(name, bank):
    cell = _cells.CELLS[name]
    source = _handling.Handling(bank, cell, CONFIG, 0)
    sample, base = source(0), _handling.Handling(bank, _cells.CELLS[_cells.BASE], CONFIG, 0)(0)
    assert sample.actions.shape == (2, 5, source.actions.shape[1])
    np.testing.assert_array_equal(sample.group, base.group)
    if name != "augmentation":
        np.testing.assert_array_equal(sample.frames["image"][:5], base.frames["image"][:5])
        changed = {part for part, size in _columns().items() if sample.actions[..., size].any()}
        assert changed == set(cell.changes)
    again = _handling.Handling(bank, cell, CONFIG, 0)(0)
    np.testing.assert_array_equal(again.frames["image"], sample.frames["image"])
    if cell.speed == 15:
        assert np.abs(sample.actions[..., :3]).max() < np.radians(15) * np.sqrt(2)


def _columns():
    from smc._action import SIZES

    ends = np.cumsum(list(SIZES.values()))
    return {name: slice(end - size, end) for (name, size), end in zip(SIZES.items(), ends)}


def test_learning_progress_turns_to_what_becomes_less_surprising():
    policy = _handling.TurnProgress(3, exploration=0.0)
    for step in range(30):
        action = np.repeat([0, 1, 2], 4)
        policy.learn(None, action, np.choose(action, [5.0, 5.0 - 0.1 * step, np.sin(step)]) + np.zeros(12))
    means = policy.means[1] - policy.means[0]
    assert means[1] > 0.2 and abs(means[0]) < 1e-9
    assert (policy(np.zeros(7), np.random.default_rng(0)) == means.argmax()).all()
    unknown = _handling.TurnProgress(3)
    unknown.learn(None, np.array([0, 1]), np.array([1.0, 1.0]))
    assert (unknown.values(np.zeros(4), np.random.default_rng(0)).argmax(axis=1) == 2).sum() >= 2


def test_yoked_agent_turns_as_the_other_chose(bank):
    chosen = [np.array([0, 1, 2, 3, 4]), np.array([5, 5, 5, 5, 5])]
    policy = _handling.yoked_to(chosen)
    source = _handling.Handling(bank, _cells.CELLS["yoked"], CONFIG, 1, policy)
    for step, expected in enumerate(chosen):
        source(step)
        np.testing.assert_array_equal(source.chosen[step], expected)


def handled(n_seeds=3, **changes):
    """Results in which every cell has .5 of everything, and those of the base .6; `changes` of the base by measure."""
    results = {}
    for key in _claims.NAMES:
        values = np.full((n_seeds, len(_cells.ROWS), 8), 0.5)
        values += 0.001 * np.random.default_rng(0).normal(size=values.shape)
        values[:, _cells.ROWS.index(_cells.BASE)] += changes.get(key, 0.1)
        results[key] = values
    return results


def test_verdict_on_handling():
    assert manipulation_matters.verdict(handled()).status == "PASS"
    for key in ("linear", "few", "r2", "hit"):
        assert manipulation_matters.verdict(handled(**{key: 0.0})).status == "FAIL"
    rival = handled()
    rival["few"][:, _cells.ROWS.index("rotation")] += 0.1
    outcome = manipulation_matters.verdict(rival)
    assert outcome.status == "FAIL" and "failed: change of room" in outcome.measured


def test_every_level_of_a_factor_is_a_cell():
    assert {name for levels in _cells.FACTORS.values() for name in levels.values()} == set(_cells.CELLS)


def test_practice_does_one_kind_of_action_at_a_time(bank):
    config = replace(action_by_modality.SMOKE, batch_size=6)
    sample = action_by_modality.Practice(bank, config, 0)(0)
    assert sample.actions.shape == (1, 12, 16)
    columns = {**_columns(), "drop-out": slice(15, 16)}
    done = np.array([[sample.actions[0, :, c].any(axis=1)] for c in columns.values()])[:, 0]
    assert (done.sum(axis=0) == 1).all() and done.any(axis=1).sum() >= 4


@pytest.mark.parametrize("kind", action_by_modality.KINDS)
def test_views_apart_differ_by_one_kind(kind, bank):
    part = action_by_modality.KINDS[kind][0]
    scenes = action_by_modality.views_apart(bank, kind, 4, np.random.default_rng(0))
    for name in ("angles", "place", "zoom", "light", "room", "lost"):
        values = getattr(scenes, name).reshape(len(bank), 4, -1)
        assert (values == values[:, :1]).all() == (name != part)
    if kind == "background":
        rooms = scenes.room.reshape(len(bank), 4)
        assert (rooms[:, 0] == rooms[:, 2]).all() and (rooms[:, 0] != rooms[:, 1]).all()


def test_consequences_are_those_that_actions_know_of():
    from smc import Action

    examples = {
        "rotation": Action(rotation=[[0.1, 0, 0]]),
        "translation": Action(translation=[[0.1, 0, 0]]),
        "zoom": Action(zoom=[0.1]),
        "light": Action(light=[0.1]),
        "background": Action(background=[1]),
    }
    for kind, action in examples.items():
        for sense, truth in zip(action_by_modality.SENSES, action_by_modality.KINDS[kind][1]):
            assert truth is None or truth == action.has_consequence(sense)[0]


def modalities(n_seeds=3, missing=None, superfluous=None, spread=0.01):
    rng = np.random.default_rng(0)
    shuffled = rng.normal(-0.02, 0.001, (n_seeds, 6, 2, 8))
    gain = shuffled + rng.normal(0, spread, shuffled.shape)
    for kind, sense, place, truth in action_by_modality.cells():
        gain[place] -= (gain[place] - shuffled[place]).mean()
        if (truth and (kind, sense) != missing) or (kind, sense) == superfluous:
            gain[place] += 0.1
    return {"gain": gain, "shuffled": shuffled, "exact": np.full((n_seeds, 8), 0.2)}


def test_verdict_on_modalities():
    assert action_by_modality.verdict(modalities()).status == "PASS"
    assert action_by_modality.verdict(modalities(superfluous=("translation", "points"))).status == "PASS"  # open
    for change in ({"missing": ("zoom", "image")}, {"superfluous": ("zoom", "points")}):
        outcome = action_by_modality.verdict(modalities(**change))
        assert outcome.status == "FAIL"
        assert f"failed: zoom x {next(iter(change.values()))[1]}" in outcome.measured
