"""One encoder for one way of handling."""

from __future__ import annotations

from smc.encoders import ConvEncoder, EquivarianceModule, pretrain
from smc.encoders.objectives import ActionDecoder, EquiMod, NTXent, WeightedSum

from ._cells import SPEEDS
from ._handling import Handling, TurnProgress, yoked_to

ACTION_WEIGHT = 0.3  # of what asks for the action, as in `pretrain`
TEMPERATURE = 0.2  # of the agreement of successive frames
ANOTHER = 1000  # added to the seed of the agent that is yoked


def train(bank, cell, config, seed, chosen=None):
    """Module and turns chosen (None unless steered) of a cell; without a cell an untrained module.

    `chosen` are the turns of the steered agent, to which another one is yoked.
    """
    if cell is None:
        return EquivarianceModule(ConvEncoder(config.width, seed=seed), 15, seed=seed).eval(), None
    policy = None
    if cell.path == "steered":
        policy = TurnProgress(len(SPEEDS))
    elif cell.path == "yoked":
        policy, seed = yoked_to(chosen), seed + ANOTHER
    source = Handling(bank, cell, config.batch_size, seed, policy)
    of_action = ActionDecoder() if cell.knowledge == "predicted" else EquiMod()
    trained = pretrain(
        source,
        {"image": ConvEncoder(config.width, seed=seed)},
        objective=WeightedSum((NTXent(TEMPERATURE), 1.0), (of_action, ACTION_WEIGHT)),
        action={"withheld": "none", "shuffled": "shuffled"}.get(cell.knowledge, "true"),
        n_steps=config.n_steps,
        learning_rate=config.learning_rate,
        seed=seed,
        callback=source.feel if cell.path == "steered" else None,
    )
    return trained["image"], source.chosen or None
