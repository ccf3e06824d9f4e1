"""The models of each task, and what the paper found for them."""

TASKS = {"unity": "unity_judgement", "inertial": "bisensory_inertial_discrimination"}
SINGLE = ("unisensory_vestibular", "unisensory_visual")
MODELS = {  # task -> name: strategy, noise
    "unity": {
        "Bayesian": ("averaging", "constant"),
        "Bayesian, eccentricity": ("averaging", "eccentricity"),
        "Bayesian, noise of a map": ("averaging", "map"),
        "fixed criterion": ("fixed_criterion", "constant"),
        "fixed criterion, eccentricity": ("fixed_criterion", "eccentricity"),
        "fixed criterion, noise of a map": ("fixed_criterion", "map"),
        "stochastic fusion": ("stochastic_fusion", "constant"),
    },
    "inertial": {
        "Bayesian": ("averaging", "constant"),
        "Bayesian, eccentricity": ("averaging", "eccentricity"),
        "Bayesian, noise of a map": ("averaging", "map"),
        "fixed criterion": ("fixed_criterion", "constant"),
        "fixed criterion, eccentricity": ("fixed_criterion", "eccentricity"),
        "fixed criterion, noise of a map": ("fixed_criterion", "map"),
        "forced fusion": ("forced_fusion", "constant"),
        "forced fusion, eccentricity": ("forced_fusion", "eccentricity"),
    },
}
REFERENCE = "fixed criterion"
NULL = {"unity": "stochastic fusion", "inertial": "forced fusion"}
PLAIN = {task: [name for name, (_, noise) in models.items() if noise == "constant"] for task, models in MODELS.items()}

# Leave-one-out log-likelihoods of the paper (appendix, sections 6.1 and 6.2), independent Gaussian prior.
SUBJECTS = tuple(f"S{i}" for i in range(1, 12))
STOCHASTIC_MINUS_FIXED = dict(
    zip(SUBJECTS, (-241.8, -133.1, -235.3, -124.8, -91.0, -136.5, -273.5, -135.3, -247.6, -93.0, -109.9))
)
PUBLISHED = {  # mean over subjects; unity against the fixed criterion, left or right against forced fusion
    "unity": {
        "Bayesian": 3.6,
        "Bayesian, eccentricity": 8.0,
        "fixed criterion": 0.0,
        "fixed criterion, eccentricity": 3.8,
        "stochastic fusion": -165.6,
    },
    "inertial": {
        "Bayesian": -0.3,
        "Bayesian, eccentricity": 16.5,
        "fixed criterion": -0.1,
        "fixed criterion, eccentricity": 18.3,
        "forced fusion": 0.0,
        "forced fusion, eccentricity": 18.5,
    },
}
BASE = {"unity": "fixed criterion", "inertial": "forced fusion"}  # what the table is relative to
# Limits of the paper's Table 2, in degrees.
BOUNDS = {"sigma": (0.5, 80.0), "eccentricity": (0.0, 1.0), "criterion": (0.25, 180.0), "prior_sigma": (1.0, 120.0)}
