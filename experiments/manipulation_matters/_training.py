"""One encoder for one way of handling."""

from __future__ import annotations

from smc.encoders import ConvEncoder, EquivarianceModule, pretrain
from smc.encoders.objectives import ActionDecoder, TimeContrast, WeightedSum, WorldModel

from ._cells import SPEEDS
from ._handling import N_ACTIONS, Handling, TurnProgress, yoked_to

ACTION_WEIGHT = 0.3  # of what asks for the action, as in `pretrain`
ANOTHER = 1000  # added to the seed of the agent that is yoked


def train(bank, cell, config, seed, chosen=None):
    """Module and turns chosen (None unless steered) of a cell; without a cell an untrained module.

    `chosen` are the turns of the steered agent, to which another one is yoked.
    """
    if cell is None:
        return EquivarianceModule(ConvEncoder(config.width, config.image_size, seed=seed), 15, seed=seed).eval(), None
    policy = None
    if cell.path == "steered":
        policy = TurnProgress(len(SPEEDS))
    elif cell.path == "yoked":
        policy, seed = yoked_to(chosen), seed + ANOTHER
    source = Handling(bank, cell, config, seed, policy)
    of_action = ActionDecoder() if cell.knowledge == "predicted" else WorldModel(N_ACTIONS)
    trained = pretrain(
        source,
        {"image": ConvEncoder(config.width, config.image_size, seed=seed)},
        objective=WeightedSum((TimeContrast(), 1.0), (of_action, ACTION_WEIGHT)),
        action={"withheld": "none", "shuffled": "shuffled"}.get(cell.knowledge, "true"),
        n_steps=config.n_steps,
        learning_rate=config.learning_rate,
        seed=seed,
        callback=source.feel if cell.path == "steered" else None,
    )
    return trained["image"], source.chosen or None
