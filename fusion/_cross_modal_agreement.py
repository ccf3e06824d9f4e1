"""Which senses tell of the same object? Causal inference by what they have learned to expect of each other."""

from itertools import combinations, product

import numpy as np
from scipy.special import softmax
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_array, check_is_fitted

from fusion._association_scores import CanonicalScore, HebbianScore
from fusion._calibration import check_groups
from fusion._modalities import find_present, split_dict
from topology._validation import check_choice, check_integer, check_real

ASSOCIATIONS = ("canonical", "hebbian")
MAX_MODALITIES = 10  # all subsets of the senses are compared
MIN_TOGETHER = 20  # samples that two senses must share before anything is concluded from them
SMALLEST_PRIOR = 1e-12


class CrossModalAgreement(BaseEstimator):
    """Probability that a sense tells of the object that the others tell of, by an association learned without labels.

    For the `agreement` of `PrecisionFusion`. It finds what a density cannot: a sample that is typical of its sense,
    but of another object. Each pair of senses learns a score of belonging together; on samples left out of that,
    logistic regression between true pairs and pairs of different samples turns it into a log-likelihood ratio L_mn.
    Which senses share the common cause, z in {0, 1}^M, has the posterior

        P(z) ~ prod_m prior_m^z_m (1 - prior_m)^(1 - z_m) exp(sum_(m<n) z_m z_n L_mn)

    with prior_m = r_m (1 - prior_foreign) and r_m the reliability of the sense: a degraded sense cannot accuse an
    intact one. Senses that agree vouch for each other. Two senses that conflict lose trust alike, a third breaks the
    tie.

    Parameters
    ----------
    association : {"canonical", "hebbian"}, default="canonical"
        Score of a pair: mutual information of the sample under canonical correlation (linear, Gaussian), or under
        `HebbianAssociation` between two growing neural gases.
    prior_foreign : float in (0, 1), default=0.1
        Share of samples in which a sense is expected to tell of another object.
    shrinkage : float in (0, 1], default=0.05
        Share of a round covariance in that of each sense (association="canonical").
    cv : int, default=4
        Folds by which the evidence is calibrated on samples left out.
    random_state : int, RandomState or None, default=None

    Attributes
    ----------
    modality_names_ : list of str
        In the order of fit.
    pairs_ : list of tuple (name, name)
        Pairs of senses that were met together often enough (20 samples); the others never count as evidence.

    References
    ----------
    Koerding et al. (2007), PLoS ONE 2:e943 (causal inference between two senses).
    """

    def __init__(self, association="canonical", *, prior_foreign=0.1, shrinkage=0.05, cv=4, random_state=None):
        self.association = association
        self.prior_foreign = prior_foreign
        self.shrinkage = shrinkage
        self.cv = cv
        self.random_state = random_state

    def fit(self, X, y=None, groups=None):
        """Learn which samples of the senses belong together.

        Parameters
        ----------
        X : dict of {name: array-like of shape (n_samples, n_features of that sense)}
            Clean samples sensed at the same time; a row of NaN where a sense is missing.
        y : ignored
        groups : array-like of shape (n_samples,), default=None
            Samples of one object: left out together, and never taken for samples of different objects.
        """
        self._check_parameters()
        if not isinstance(X, dict) or not 2 <= len(X) <= MAX_MODALITIES:
            raise ValueError(f"X must be a dict of 2 to {MAX_MODALITIES} modalities; agreement needs at least two")
        arrays = split_dict(X, list(X))
        present = {name: find_present(array, name) for name, array in arrays.items()}
        n_samples = len(next(iter(arrays.values())))
        groups = check_groups(groups, n_samples)
        rng = check_random_state(self.random_state)
        self.modality_names_ = list(arrays)
        self._n_columns = {name: array.shape[1] for name, array in arrays.items()}
        self._evidence = {}
        for a, b in combinations(arrays, 2):
            seed = rng.randint(2**31)
            rows = np.flatnonzero(present[a] & present[b])
            if len(rows) >= MIN_TOGETHER:
                self._evidence[a, b] = self._learn(arrays[a][rows], arrays[b][rows], groups[rows], seed)
        if not self._evidence:
            raise ValueError(f"X must hold at least {MIN_TOGETHER} rows in which two modalities are both there")
        self.pairs_ = list(self._evidence)
        return self

    def common_cause_proba(self, X, reliability):
        """Posterior probability of each sense to tell of the common object.

        Parameters
        ----------
        X : dict of {name: array-like of shape (n_samples, n_features of that sense)}
            Modalities may be left out, rows of NaN are missing.
        reliability : array-like of shape (n_samples, n_modalities)
            In [0, 1], modalities in the order of fit; where a modality is missing it counts as 0.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_modalities)
        """
        check_is_fitted(self, "pairs_")
        names = self.modality_names_
        arrays = split_dict(X, names, self._n_columns)
        n_samples = len(next(iter(arrays.values())))
        prior = check_array(reliability, input_name="reliability").T
        if prior.shape != (len(names), n_samples) or not ((prior >= 0) & (prior <= 1)).all():
            raise ValueError(
                f"reliability must have shape ({n_samples}, {len(names)}) and lie in [0, 1]; got {prior.T.shape}"
            )
        present = np.zeros((len(names), n_samples), dtype=bool)
        for i, name in enumerate(names):
            if name in arrays:
                present[i] = find_present(arrays[name], name)
        ratios = np.zeros((len(names), len(names), n_samples))
        for (a, b), (score, calibration) in self._evidence.items():
            i, j = names.index(a), names.index(b)
            rows = present[i] & present[j]
            if rows.any():
                ratios[i, j, rows] = calibration(score.score(arrays[a][rows], arrays[b][rows]))
        return posterior(prior * present * (1 - self.prior_foreign), ratios).T

    def _learn(self, A, B, groups, seed):
        """The score of one pair of senses, and the function from it to a log-likelihood ratio."""
        rng = np.random.RandomState(seed)
        shuffled = rng.permutation(len(np.unique(groups)))[np.unique(groups, return_inverse=True)[1]]
        n_folds = min(self.cv, len(np.unique(groups)))
        if n_folds < 2:
            raise ValueError("groups must hold at least 2 different groups, one of them to be left out")
        together, apart = [], []
        for learned, left_out in GroupKFold(n_folds).split(A, groups=shuffled):
            score = self._new_score().fit(A[learned], B[learned], seed)
            left_out = rng.permutation(left_out)
            together.append(score.score(A[left_out], B[left_out]))
            for shift in range(1, min(len(left_out), 6)):
                other = np.roll(left_out, shift)
                differ = groups[left_out] != groups[other]
                apart.append(score.score(A[left_out][differ], B[other][differ]))
        return self._new_score().fit(A, B, seed), _Calibration(np.concatenate(together), np.concatenate(apart))

    def _new_score(self):
        return CanonicalScore(self.shrinkage) if self.association == "canonical" else HebbianScore()

    def _check_parameters(self):
        check_choice("association", self.association, ASSOCIATIONS)
        check_real("prior_foreign", self.prior_foreign, 0, 1, open_low=True, open_high=True)
        check_real("shrinkage", self.shrinkage, 0, 1, open_low=True)
        check_integer("cv", self.cv, 2)


class _Calibration:
    """Log-likelihood ratio of belonging together, by logistic regression; no stronger than the samples can tell."""

    def __init__(self, together, apart):
        if len(apart) == 0:
            raise ValueError("groups must leave pairs of different groups to compare with")
        scores, label = np.concatenate([together, apart])[:, None], np.repeat([1, 0], [len(together), len(apart)])
        # Robust to the units of the scores, whose far tail on unrelated pairs is long.
        self._scale = np.median(abs(scores)) or 1.0
        model = LogisticRegression(class_weight="balanced").fit(scores / self._scale, label)
        self._slope, self._offset = model.coef_[0, 0], model.intercept_[0]
        self._largest = np.log(len(together))

    def __call__(self, scores):
        if self._slope <= 0:
            return np.zeros(len(scores))
        return np.clip(self._slope * scores / self._scale + self._offset, -self._largest, self._largest)


def posterior(prior, ratios):
    """P(z_m = 1) by enumeration of all z.

    Parameters
    ----------
    prior : ndarray of shape (n_modalities, n_samples)
    ratios : ndarray of shape (n_modalities, n_modalities, n_samples)
        Log-likelihood ratios above the diagonal.

    Returns
    -------
    proba : ndarray of shape (n_modalities, n_samples)
    """
    subsets = np.array(list(product((0, 1), repeat=len(prior))))
    pairs = np.triu(subsets[:, :, None] * subsets[:, None, :], k=1)
    shared, own = np.log(np.maximum(prior, SMALLEST_PRIOR)), np.log(np.maximum(1 - prior, SMALLEST_PRIOR))
    logits = subsets @ shared + (1 - subsets) @ own + np.tensordot(pairs, ratios, axes=([1, 2], [0, 1]))
    return np.where(prior > 0, subsets.T @ softmax(logits, axis=0), 0.0)
