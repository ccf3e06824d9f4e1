"""The network that all heads are."""

from torch import nn

from topology._validation import check_choice

NORMALISATIONS = ("none", "batch")


def mlp(n_in, hidden, n_out, normalisation="none"):
    """Two linear layers with a rectifier between; "batch" normalises what it rectifies over the batch."""
    check_choice("normalisation", normalisation, NORMALISATIONS)
    norms = [nn.BatchNorm1d(hidden)] if normalisation == "batch" else []
    first = nn.Linear(n_in, hidden, bias=not norms)  # the norm has a shift of its own
    return nn.Sequential(first, *norms, nn.ReLU(), nn.Linear(hidden, n_out))
