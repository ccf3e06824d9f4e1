"""Learning from steps that are made on the way, and one embedding of the action for several senses."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from arrows import turn_arrows, turn_arrows_in_episodes  # noqa: E402

from smc.encoders import ConvEncoder, PointEncoder, Sample, pretrain  # noqa: E402
from smc.encoders._sources import LiveSteps, RecordedSteps  # noqa: E402
from smc.encoders.objectives import EquiMod, WorldModel  # noqa: E402

TINY = {"n_steps": 5, "batch_size": 8, "threads": 1, "n_points": 12}


def encoders():
    return {"image": ConvEncoder(4, 16, 8), "points": PointEncoder((8, 8, 16), 8)}


def recorded(transitions, n_actions=1):
    """Recorded steps as a source: callable, with actions."""
    return RecordedSteps(transitions, transitions.action, ("image", "points"), 8, 0, n_actions, False)


@pytest.mark.parametrize("objective", [EquiMod(), WorldModel(2)])
def test_steps_made_on_the_way_teach_what_recorded_ones_do(objective):
    few = turn_arrows_in_episodes(6, 3, seed=0)
    trained = [
        pretrain(source, encoders(), objective=objective, **TINY)
        for source in (few, recorded(few, objective.n_actions))
    ]
    np.testing.assert_array_equal(*(each.history["total"] for each in trained))


def test_shuffling_exchanges_whole_rows_of_actions_within_a_step():
    few = turn_arrows_in_episodes(6, 3, seed=0)
    source = recorded(few, 2)
    shuffled = LiveSteps(source, source.actions, ("image",), 0, 2, True)
    told, true = shuffled(3).actions, source(3).actions
    assert not np.array_equal(told, true)
    assert {tuple(row) for row in told[:, :, 0].T} == {tuple(row) for row in true[:, :, 0].T}
    np.testing.assert_array_equal(told, shuffled(3).actions)


def test_a_source_may_follow_what_is_learned():
    steps = []

    class Follower:
        actions = np.array([[-1.0], [1.0]])

        def __call__(self, step):
            steps.append(step)
            return recorded(turn_arrows(6, 2, seed=step))(0)

        def follow(self, state, step):
            self.seen = state["modules"]["image"].predictor.change[0].weight.detach().clone()

    follower = Follower()
    trained = pretrain(follower, encoders(), callback=follower.follow, **TINY)
    assert steps == list(range(5))
    assert torch.equal(follower.seen, trained["image"].predictor.change[0].weight)


def test_unfit_steps_are_refused():
    good = recorded(turn_arrows(6, 2, seed=0))(0)
    frames, actions, group = good
    for sample, change, message in [
        (
            Sample({"points": frames["points"]}, actions, group),
            {},
            "transitions must sense image in step 0, got points",
        ),
        (
            Sample(frames, actions[0], group),
            {},
            r"actions of step 0 of transitions must have shape \(n_actions >= 1, 8",
        ),
        (good, {"objective": WorldModel(2)}, r"must have shape \(n_actions >= 2, 8, 1\), got \(1, 8, 1\)"),
        (Sample(frames, actions[:, :4], group[:4]), {}, "image of step 0 of transitions must hold 8 frames"),
    ]:
        source = lambda step, sample=sample: sample  # noqa: E731
        source.actions = np.array([[-1.0], [1.0]])
        with pytest.raises(ValueError, match=message):
            pretrain(source, encoders(), **TINY, **change)
    source.actions = np.array([-1.0, 1.0])
    with pytest.raises(ValueError, match=r"transitions.actions must show actions \(n >= 1, d\), got shape \(2,\)"):
        pretrain(source, encoders(), **TINY)


def test_senses_share_one_embedding_of_the_action(tmp_path):
    few = turn_arrows(6, 4, seed=0)
    arguments = {"objective": EquiMod(), "shared_action_code": True, **TINY}
    trained = pretrain(few, encoders(), **arguments)
    image, points = (trained[sense].predictor for sense in ("image", "points"))
    assert image.encode_action is points.encode_action and image.change is not points.change
    apart = pretrain(few, encoders(), objective=EquiMod(), **TINY)
    assert not torch.equal(apart["image"].predictor.encode_action[0].weight, image.encode_action[0].weight)

    path = tmp_path / "training"
    pretrain(few, encoders(), checkpoint=path, callback=lambda state, step: step == 2, **arguments)
    resumed = pretrain(few, encoders(), checkpoint=path, **arguments)
    np.testing.assert_array_equal(resumed.history["total"], trained.history["total"])
    with pytest.raises(ValueError, match="other shared_action_code"):
        pretrain(few, encoders(), checkpoint=path, **{**arguments, "shared_action_code": False})
    with pytest.raises(TypeError, match="shared_action_code must be True or False"):
        pretrain(few, encoders(), **{**arguments, "shared_action_code": 1})
