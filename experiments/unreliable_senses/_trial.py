"""One split of the digits: every method under every corruption, and three views of which one is swapped."""

from __future__ import annotations

import numpy as np
from sklearn.frozen import FrozenEstimator

from experiments._reliability_calibration import calibrate
from fusion import CrossModalAgreement, DensityReliability, PrecisionFusion

from ._methods import CHOSEN, METHODS, Given, Methods, floats_stored, logistic
from ._senses import VIEWS, conditions, load_digits, sense

DENSITIES = ("PrecisionFusion", "k-NN reliability", "GMM reliability")
SWAP_METHODS = (
    "product of experts",
    "PrecisionFusion, no agreement",
    "agreement of maps (Hebbian)",
    "agreement (canonical)",
    "oracle",
)


def test_senses(config, seed) -> dict[str, np.ndarray]:
    """Correct answers (n_methods, n_conditions, n_test), weights and what they should tell, and the swapped views."""
    rng = np.random.default_rng(seed)
    digits = load_digits(config.n_train, config.n_test, seed, (*VIEWS, config.third))
    listed = conditions(config)
    sensed = [sense(digits, condition, rng) for condition in listed]
    methods = Methods(digits.train, digits.y_train, seed, config.n_steps)
    fusions = {name: methods.fusion(name, CHOSEN[name]) for name in DENSITIES}
    recognise = {name: f.predict_proba for name, f in fusions.items()}
    recognise |= {name: methods.make(name, setting) for name, setting in CHOSEN.items() if name not in fusions}
    for rule, name in (("mean", "mean probability"), ("product", "product of experts")):
        recognise[name] = methods.fuse(dict.fromkeys(VIEWS), rule).predict_proba
    correct = {
        name: np.stack([predict(views).argmax(axis=1) == digits.y_test for views in sensed])
        for name, predict in recognise.items()
    }
    alone = {
        view: np.stack([methods.experts[view].predict(views[view]) == digits.y_test for views in sensed])
        for view in VIEWS
    }
    weights, neighbours = (
        np.stack([fusions[name].weights(views) for views in sensed]) for name in ("PrecisionFusion", "k-NN reliability")
    )
    correct["best single view"] = alone[max(VIEWS, key=methods.accuracy.get)]
    correct["oracle"] = best_of([correct["product of experts"], *alone.values()])
    correct["permuted weights"] = np.stack(
        [
            methods.fuse(
                {view: Given(w) for view, w in zip(VIEWS, drawn.T, strict=True)},
                CHOSEN["PrecisionFusion"]["combine"],
            ).predict(views)
            == digits.y_test
            for views, drawn in zip(sensed, permuted(weights, rng), strict=True)
        ]
    )
    harmed = [i for i, c in enumerate(listed) if c.kind != "swap"]  # of a swapped view the expert is right, in its way
    senses = [
        (
            weights[harmed, :, m],
            neighbours[harmed, :, m],
            np.stack([methods.experts[view].predict_proba(sensed[i][view]) for i in harmed]),
        )
        for m, view in enumerate(VIEWS)
    ]
    return {
        "correct": np.stack([correct[name] for name in METHODS]),
        "weights": weights.astype(np.float32),
        "expert_correct": np.stack([alone[view] for view in VIEWS], axis=-1),
        "floats": np.array([floats_stored(fusions[name]) for name in DENSITIES]),
        "swap_correct": swap_one_of_three(config, digits, seed, rng),
        "objects": digits.tested,
        "kind": np.array([c.kind for c in listed]),
        "view": np.array([c.view for c in listed]),
        "level": np.array([c.level for c in listed]),
    } | calibrate(senses, digits.y_test, CHOSEN["PrecisionFusion"]["combine"])


def best_of(options):
    """Of several (n_conditions, n_test), that which is right more often in each condition."""
    options = np.stack(options)
    best = options.mean(axis=2).argmax(axis=0)
    return options[best, np.arange(options.shape[1])]


def permuted(weights, rng):
    """Weights (n_conditions, n_test, n_views) dealt anew to all samples, each view for itself."""
    return rng.permuted(weights.reshape(-1, weights.shape[-1]), axis=0).reshape(weights.shape)


def swap_one_of_three(config, digits, seed, rng):
    """Correct answers (n_methods, 1 + n_views, n_test): no view, and each view in turn, shows another digit."""
    views = (*VIEWS, config.third)
    experts = {view: FrozenEstimator(logistic().fit(digits.train[view], digits.y_train)) for view in views}
    trust = {view: FrozenEstimator(DensityReliability(random_state=seed).fit(digits.train[view])) for view in views}

    def fuse(combine="discount", agreement=None, used=views):
        modalities = [(v, None, experts[v], trust[v] if combine == "discount" else None) for v in used]
        fusion = PrecisionFusion(modalities, combine=combine, agreement=agreement)
        return fusion.fit({v: digits.train[v] for v in used}, digits.y_train)

    fusions = [
        fuse("product"),
        fuse(),
        fuse(agreement=CrossModalAgreement("hebbian", random_state=seed)),
        fuse(agreement=CrossModalAgreement(random_state=seed)),
    ]
    correct = np.zeros((len(SWAP_METHODS), 1 + len(views), config.n_test), dtype=bool)
    for i, swapped in enumerate((None, *views)):
        shown = {v: digits.test[v] for v in views}
        if swapped:
            shown[swapped] = rng.permutation(shown[swapped])
        left = tuple(v for v in views if v != swapped)
        oracle = fuse("product", used=left)
        answers = [f.predict(shown) for f in fusions] + [oracle.predict({v: shown[v] for v in left})]
        correct[:, i] = np.array(answers) == digits.y_test
    return correct
