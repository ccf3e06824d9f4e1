"""What frozen features tell of classes: with many labels, and with a few."""

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from smc.encoders._checks import check_number, check_positive_integer
from topology._validation import check_generator, check_matrix


def linear_probe(features, labels, test_features, test_labels, *, C=1.0):
    """Whether a logistic regression on standardised frozen features names each test sample rightly.

    Parameters
    ----------
    features, test_features : ndarray (n, d), (n_test, d)
    labels, test_labels : array (n,), (n_test,)
    C : float, default=1.0
        Inverse strength of the penalty.

    Returns
    -------
    ndarray (n_test,) of bool
        Its mean is the accuracy; chance is the share of the commonest class.
    """
    features, labels = _check(features, labels, "features", "labels")
    test_features, test_labels = _check(test_features, test_labels, "test_features", "test_labels", features.shape[1])
    check_number("C", C)
    if len(np.unique(labels)) < 2:
        raise ValueError("labels must name at least 2 classes, got 1")
    probe = make_pipeline(StandardScaler(), LogisticRegression(C=C, tol=1e-3, max_iter=500))
    return probe.fit(features, labels).predict(test_features) == test_labels


def few_label_probe(
    features, labels, test_features, test_labels, *, n_labels=5, n_draws=5, group=None, C=1.0, random_state=0
):
    """As `linear_probe`, with a few labelled samples per class, drawn several times.

    Parameters
    ----------
    features, labels, test_features, test_labels, C
        See `linear_probe`.
    n_labels : int, default=5
        Labelled samples of each class.
    n_draws : int, default=5
    group : array (n,), optional
        Object of each sample; labelled samples of a class are then views of different objects.
    random_state : int, Generator or None, default=0

    Returns
    -------
    ndarray (n_draws, n_test) of bool
    """
    features, labels = _check(features, labels, "features", "labels")
    check_positive_integer("n_labels", n_labels)
    check_positive_integer("n_draws", n_draws)
    group = np.arange(len(labels)) if group is None else np.asarray(group)
    if group.shape != labels.shape:
        raise ValueError(f"group must have shape {labels.shape}, got {group.shape}")
    objects = {c: np.unique(group[labels == c]) for c in np.unique(labels)}
    poorest = min(objects, key=lambda c: len(objects[c]))
    if len(objects[poorest]) < n_labels:
        raise ValueError(
            f"n_labels={n_labels} is more than class {poorest} has samples or objects, {len(objects[poorest])}"
        )
    rng = check_generator(random_state)
    correct = []
    for _ in range(n_draws):
        rows = [
            rng.choice(np.flatnonzero((labels == c) & (group == g)))
            for c, known in objects.items()
            for g in rng.permutation(known)[:n_labels]
        ]
        correct.append(linear_probe(features[rows], labels[rows], test_features, test_labels, C=C))
    return np.array(correct)


def _check(features, labels, name, labels_name, n_columns=None):
    features, labels = check_matrix(name, features, n_columns=n_columns), np.asarray(labels)
    if labels.shape != (len(features),):
        raise ValueError(f"{labels_name} must have shape ({len(features)},), got {labels.shape}")
    return features, labels
