"""One table of what encoders know of actions, with every null and the ceiling beside them."""

import numpy as np

from smc.encoders._embedding import embed
from smc.encoders.metrics._action_probe import action_r2
from smc.encoders.metrics._retrieval import consequences
from smc.encoders.metrics._views import check_views, explained, ordered_pairs

HEADS = ("backbone", "equivariance")


def action_report(modules, X, action, test_X, test_action, *, ceiling=None, head=HEADS, n_steps=300, seed=0):
    """H@1, MRR, gain and action R2 of several modules, and their nulls.

    Parameters
    ----------
    modules : dict of str to EquivarianceModule
        By name; an untrained one, which a claim needs beside it, is to be called "random encoder".
    X, test_X : ndarray (n_objects, n_views, ...)
        Views of objects on which the probe learns, and of others on which all is measured.
    action, test_action : ndarray (n_objects, n_views, n_views, action_dim)
        See `consequences`.
    ceiling : pair (Pretrained, str), optional
        A training with `objectives.ActionDecoder`, and the sense: the supervised ceiling of R2.
    head : str or tuple of str, default=("backbone", "equivariance")
        What the probe reads.
    n_steps, seed : int
        See `action_r2`.

    Returns
    -------
    list of dict
        Keys row, hit_at_1, mrr, gain, action_r2; None where a row has no such thing. Rows: each module, its identity
        and shuffled-action null, chance, and "supervised ceiling" if one is given.
    """
    X, action = check_views(X, action)
    test_X, test_action = check_views(test_X, test_action, least_views=3, name="test_X")
    rows = []
    for name, module in modules.items():
        found = consequences(module, test_X, test_action, random_state=seed)
        features, test_features = (
            embed(module, x.reshape(-1, *x.shape[2:]), head).reshape(*x.shape[:2], -1) for x in (X, test_X)
        )
        r2 = action_r2(features, action, test_features, test_action, n_steps=n_steps, seed=seed)
        rows += [
            _row(name, found.prediction, found.gain.mean(), r2.mean()),
            _row(f"{name}, identity", found.identity, 0.0),
            _row(f"{name}, shuffled action", found.shuffled),
        ]
    rows.append(_row("chance", found.chance, r2=0.0))
    if ceiling is not None:
        rows.append(_row("supervised ceiling", r2=decoded_r2(*ceiling, test_X, test_action).mean()))
    return rows


def decoded_r2(trained, sense, X, action):
    """R2 per object of the actions that a training with `objectives.ActionDecoder` reads from two views.

    Parameters
    ----------
    trained : Pretrained
    sense : str
    X : ndarray (n_objects, n_views, ...)
    action : ndarray (n_objects, n_views, n_views, action_dim)

    Returns
    -------
    ndarray (n_objects,)
    """
    if not hasattr(trained.objective, "decode"):
        raise TypeError(f"trained must have been trained with an ActionDecoder, got {trained.objective}")
    X, action = check_views(X, action)
    i, j = ordered_pairs(X.shape[1])
    before, after = (x.reshape(-1, *X.shape[2:]) for x in (X[:, i], X[:, j]))
    truth = action[:, i, j]
    return explained(truth, trained.objective.decode(sense, trained[sense], before, after).reshape(truth.shape))


def _row(name, found=None, gain=None, r2=None):
    values = {
        "hit_at_1": None if found is None else np.mean(found.hit_at_1),
        "mrr": None if found is None else np.mean(found.reciprocal_rank),
        "gain": gain,
        "action_r2": r2,
    }
    return {"row": name} | {key: None if value is None else float(value) for key, value in values.items()}
