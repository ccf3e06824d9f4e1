"""Planning in embeddings: which actions lead from what is seen to what is wanted, by the learned predictor alone."""

import numpy as np
import torch

from smc.encoders._arrays import as_tensor
from smc.encoders._checks import check_action, check_positive_integer
from smc.encoders._equivariance import EquivarianceModule
from smc.encoders._runtime import evaluating

PLANS_AT_ONCE = 256  # to bound the memory


def plan(module, X, goal, candidates, *, n_steps=1, beam=8):
    """Actions whose predicted consequences come nearest to a goal, by beam search.

    Step by step every kept sequence is continued by every candidate, and those are kept whose predicted equivariance
    embedding has the largest cosine with that of the goal. The first action may be done, and the plan be made anew
    from what is seen then.

    Parameters
    ----------
    module : EquivarianceModule
        Trained with an objective that teaches its predictor, such as `objectives.EquiMod`.
    X : ndarray (n, ...)
        What is seen: images or clouds, as the encoder takes them.
    goal : ndarray (n, ...)
        What is to be seen.
    candidates : array_like (n_candidates, action_dim)
        Actions to choose from, in the units of training.
    n_steps : int, default=1
        Actions in a row.
    beam : int, default=8
        Sequences kept after each step.

    Returns
    -------
    ndarray (n, n_steps, action_dim) of float32

    Raises
    ------
    ValueError, TypeError
        For views that do not fit the encoder or each other, or actions of another size.

    References
    ----------
    Zhou et al. (2025), DINO-WM, ICML: planning by comparing predicted with wanted embeddings.
    """
    if not isinstance(module, EquivarianceModule):
        raise TypeError(f"module must be an EquivarianceModule, got {type(module).__name__}")
    X, goal = module.encoder.check_input(X), module.encoder.check_input(goal, "goal")
    if len(X) != len(goal):
        raise ValueError(f"goal must hold as many views as X, {len(X)}; got {len(goal)}")
    candidates = np.asarray(candidates)
    if candidates.ndim != 2 or not len(candidates):
        raise ValueError(f"candidates must have shape (n >= 1, {module.action_dim}), got {candidates.shape}")
    candidates = check_action(candidates, len(candidates), module.action_dim, "candidates")
    check_positive_integer("n_steps", n_steps)
    check_positive_integer("beam", beam)
    chosen = np.empty((len(X), n_steps), int)
    with evaluating(module):
        for start in range(0, len(X), PLANS_AT_ONCE):
            rows = slice(start, start + PLANS_AT_ONCE)
            y, wanted = (module(as_tensor(views[rows]))[1] for views in (X, goal))
            chosen[rows] = _search(module.predictor, y, wanted, torch.from_numpy(candidates), n_steps, beam)
    return candidates[chosen]


def _search(predictor, y, wanted, candidates, n_steps, beam):
    """Numbers (n, n_steps) of the best candidates."""
    n, dim = y.shape
    n_candidates = len(candidates)
    y = y[:, None]  # (n, kept, dim)
    sequences = torch.empty((n, 1, 0), dtype=torch.long)
    for _ in range(n_steps):
        kept = y.shape[1]
        now = y.repeat_interleave(n_candidates, dim=1).reshape(-1, dim)
        after = predictor(now, candidates.repeat(n * kept, 1)).reshape(n, kept * n_candidates, dim)
        best = torch.einsum("npd,nd->np", after, wanted).topk(min(beam, kept * n_candidates), dim=1).indices
        y = after.gather(1, best[..., None].expand(-1, -1, dim))
        before = sequences.gather(1, (best // n_candidates)[..., None].expand(-1, -1, sequences.shape[2]))
        sequences = torch.cat([before, (best % n_candidates)[..., None]], dim=2)
    return sequences[:, 0].numpy()
