"""Classic pictures and their augmentations: does it help to predict what a crop or a tint does?

Finding     On CIFAR-10 EquiMod, which predicts how the embedding changes with the parameters of an augmentation, adds
            one to two points to the linear accuracy of SimCLR and BYOL (Devillers & Lefort 2023, ICLR).
Prediction  Pooled over SimCLR, BYOL and VICReg, linear accuracy on the backbone rises with EquiMod, and the predictor
            beats "nothing has changed" (gain above 0). A base method that is not above a random encoder is void and
            left out: BYOL, whose heads have no batch normalisation here, was in every try.
Controls    Raw pixels and a random encoder (floors); an encoder that is told all labels (ceiling: supervised contrast
            with the same budget, Khosla et al. 2020); labels of 1 % and 10 % of the training images beside all of them.
Budget      100 steps of 64 pictures looked at twice, one setting for all methods: of three learning rates the best for
            SimCLR and VICReg on seed 100. The published figures are of ResNet-18 after 800 to 1000 epochs.
Data        The digits that come with scikit-learn, a toy: 8 x 8 grey pixels, nearly solved by a linear reading of them.
            `--data PATH` takes what `smc.encoders.load_images` reads: Fashion-MNIST (Debian's dataset-fashion-mnist:
            .../train-images-idx3-ubyte.gz), CIFAR's binary version, a folder with a folder per class.
Cost        40 s of processor time for 3 seeds.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier

from experiments._runner import experiment
from experiments._verdict import Verdict, paired_bootstrap

BASES = ("SimCLR", "BYOL", "VICReg")
WITH = " + EquiMod"
FLOORS, CEILING = ("raw pixels", "random encoder"), "supervised"
TRAINED = (*(base + extra for base in BASES for extra in ("", WITH)), CEILING)
METHODS = (*FLOORS, *TRAINED)
LABELS = {"linear": None, "10 % labels": 0.10, "1 % labels": 0.01}
N_DRAWS = 3  # of the few labels
N_CHECKS = 6  # of the accuracy while learning

# Linear top-1 on CIFAR-10 in %: the README of EquiMod's repository; VICReg's is that of solo-learn.
PUBLISHED = {"SimCLR": 90.96, "SimCLR + EquiMod": 92.79, "BYOL": 90.44, "BYOL + EquiMod": 91.57, "VICReg": 92.07}


@dataclass(frozen=True)
class Config:
    """What can be varied; every field is a flag of the command line."""

    data: str = ""  # path of labelled images; empty: the digits that come with scikit-learn
    n_train: int = 1200
    n_test: int = 500
    n_steps: int = 100
    batch_size: int = 64
    width: int = 8  # channels of the first block of the encoder
    learning_rate: float = 8e-3
    flip: float = 0.0  # probability of a mirror image: digits are not what they are when mirrored
    zoom: float = 0.5  # largest logarithm of the magnification


SMOKE = Config(n_train=200, n_test=60, n_steps=6, batch_size=16, width=4)
QUICK = Config(n_train=600, n_test=300, n_steps=60)


def run(config: Config, seed: int) -> dict[str, np.ndarray]:
    """Right answers (n_methods, n_test) with all and with few labels, and what happened while learning."""
    images, labels = load(config.data)
    train, test = train_test_split(
        np.arange(len(labels)), train_size=config.n_train, test_size=config.n_test, stratify=labels, random_state=seed
    )
    seen, unseen = (images[train], labels[train]), (images[test], labels[test])
    trained = {method: learn(config, seed, method, seen, unseen) for method in TRAINED}
    features = {"raw pixels": pixels, "random encoder": embedding(encoder(config, images, seed))}
    features |= {method: embedding(module) for method, (module, _, _) in trained.items()}
    read = [read_classes(features[method], seen, unseen, seed) for method in METHODS]
    return {name: np.stack([right[name] for right in read]) for name in LABELS} | {
        "objects": test,
        "curve": np.stack([curve for _, _, curve in trained.values()]),
        "loss": np.stack([loss for _, loss, _ in trained.values()]),
        "step": check_points(config),
        "gain": np.array([consequence_gain(trained[base + WITH][0], unseen[0], config, seed) for base in BASES]),
    }


@cache
def load(path):
    """Images (n, size, size, 3), the size a multiple of 8, and labels."""
    if not path:
        X, labels = load_digits(return_X_y=True)
        images = np.repeat((X * 255 / 16).astype(np.uint8).reshape(-1, 8, 8, 1), 3, axis=3)
        return images.repeat(2, axis=1).repeat(2, axis=2), labels
    from smc.encoders import load_images

    images, labels, _ = load_images(path)
    if labels is None:
        raise ValueError(f"data must hold labels, {path} has none")
    size = -(-max(images.shape[1:3]) // 8) * 8
    margins = [((size - n) // 2, (size - n + 1) // 2) for n in images.shape[1:3]]
    return np.pad(images, [(0, 0), *margins, (0, 0)]), labels


def encoder(config, images, seed):
    from smc.encoders import ConvEncoder

    return ConvEncoder(config.width, images.shape[1], 64, seed=seed)


def objective(method):
    """What a method is trained for; EquiMod as published: temperature 0.2, weight 1, negatives of other pictures."""
    from smc.encoders.objectives import BYOL, EquiMod, NTXent, TimeContrast, VICReg, WeightedSum

    if method == CEILING:
        return TimeContrast()  # with classes as objects: supervised contrast
    agree = {"SimCLR": NTXent, "BYOL": BYOL, "VICReg": VICReg}[method.removesuffix(WITH)]()
    return WeightedSum((agree, 1.0), (EquiMod(0.2, same_object_negatives=False), 1.0)) if WITH in method else agree


def learn(config, seed, method, seen, unseen):
    """Trained module, its loss at each step, and how well its neighbours name unseen images at some."""
    from smc.encoders import AugmentedImages, embed, pretrain

    images, labels = seen
    steps, curve = check_points(config), []

    def look(state, step):
        if step in steps:
            near, far = (embed(state["modules"]["image"], X) for X in (images, unseen[0]))
            curve.append(KNeighborsClassifier(5).fit(near, labels).score(far, unseen[1]))

    trained = pretrain(
        AugmentedImages(images, augmentation(config), labels if method == CEILING else None),
        {"image": encoder(config, images, seed)},
        objective=objective(method),
        n_steps=config.n_steps,
        batch_size=config.batch_size,
        learning_rate=config.learning_rate,
        seed=seed,
        callback=look,
        heads={"branch": "shared", "predictor": "linear"},
    )
    return trained["image"], trained.history["total"], np.array(curve)


def augmentation(config):
    from smc.encoders import ImageAugmentation

    return ImageAugmentation(largest_zoom=config.zoom, flip=config.flip)


def check_points(config):
    return np.linspace(config.n_steps / N_CHECKS, config.n_steps, N_CHECKS).astype(int)


def pixels(images):
    grey = (images == images[..., :1]).all()
    return (images[..., :1] if grey else images).reshape(len(images), -1) / 255


def embedding(module):
    from smc.encoders import embed

    return lambda images: embed(module, images)


def read_classes(features, seen, unseen, seed):
    """Right answers (n_test,) of a logistic regression by share of labels, averaged over draws of them."""
    from smc.encoders.metrics import few_label_probe, linear_probe

    data = features(seen[0]), seen[1], features(unseen[0]), unseen[1]
    per_class = len(seen[1]) / len(np.unique(seen[1]))
    right = {"linear": linear_probe(*data).astype(float)}
    for name, share in LABELS.items():
        if share is not None:
            n_labels = max(1, round(share * per_class))
            drawn = few_label_probe(*data, n_labels=n_labels, n_draws=N_DRAWS, random_state=seed)
            right[name] = drawn.mean(axis=0)
    return right


def consequence_gain(module, images, config, seed):
    """Mean gain of the predicted embedding of a second look over that of the first one."""
    from smc.encoders import AugmentedImages, embed
    from smc.encoders.metrics import equivariance_gain

    looks = AugmentedImages(images, augmentation(config))
    frames, action = looks.look(np.arange(len(images)), np.random.default_rng(seed))
    first, second = np.split(frames, 2)
    before, after = (embed(module, X, "equivariance") for X in (first, second))
    return equivariance_gain(module.predict(first, action), after, before).mean()


def table(results):
    """Accuracy in %, by method and share of labels."""
    gain = dict(zip((base + WITH for base in BASES), results["gain"].mean(axis=0)))
    return [
        {
            "method": method,
            **{name: 100 * results[name][:, i].mean() for name in LABELS},
            "gain of the prediction": gain.get(method),
            "published, CIFAR-10, linear": PUBLISHED.get(method),
        }
        for i, method in enumerate(METHODS)
    ]


def figure(results):
    """Accuracy while learning, and at the end by share of labels."""
    import matplotlib.pyplot as plt

    fig, axes = plt.subplots(1, 2, figsize=(10.5, 4.6), width_ratios=(1, 1.25))
    colors = dict(zip((*BASES, CEILING), ("#0072B2", "#D55E00", "#009E73", "#5A5A5A")))
    for i, method in enumerate(TRAINED):
        dash = ":" if method == CEILING else "--" if WITH in method else "-"
        color = colors[method.removesuffix(WITH)]
        mean = 100 * results["curve"][:, i].mean(axis=0)
        axes[0].plot(results["step"][0], mean, color=color, linestyle=dash, marker="o", markersize=3)
    axes[0].set(
        xlabel="step",
        ylabel="unseen images named by 5 neighbours (%)",
        title="while learning (mean; dashed: with EquiMod)",
        ylim=(None, 100),
    )
    width = 0.8 / len(METHODS)
    for i, method in enumerate(METHODS):
        accuracy = 100 * np.stack([results[name][:, i].mean(axis=1) for name in LABELS], axis=1)
        floor = method in FLOORS
        color = ("#C8C8C8", "#9A9A9A")[i] if floor else colors[method.removesuffix(WITH)]
        spread = accuracy.std(axis=0, ddof=1) if len(accuracy) > 1 else None
        axes[1].bar(
            np.arange(len(LABELS)) + (i - (len(METHODS) - 1) / 2) * width,
            accuracy.mean(axis=0),
            width,
            yerr=spread,
            color=color,
            alpha=0.55 if WITH in method else 1,
            hatch="//" if WITH in method else None,
            edgecolor="white",
            label=method,
        )
    axes[1].set_xticks(range(len(LABELS)), ["all labels", "10 % of the labels", "1 % of the labels"])
    axes[1].set(
        ylabel="unseen images named (%)", title="linear reading at the end (mean, SD over seeds)", ylim=(0, 100)
    )
    axes[1].grid(axis="x", visible=False)
    handles, names = axes[1].get_legend_handles_labels()
    fig.legend(handles, names, loc="outside lower center", ncols=5)
    return fig


def verdict(results) -> Verdict:
    rows = {method: i for i, method in enumerate(METHODS)}
    floor = results["linear"][:, rows["random encoder"]].mean()
    void = [base for base in BASES if results["linear"][:, rows[base]].mean() <= floor]
    valid = [base for base in BASES if base not in void]

    def added(name, bases):
        with_it, without = (
            np.concatenate([results[name][:, rows[base + suffix]] for base in bases], axis=1) for suffix in (WITH, "")
        )
        return paired_bootstrap(with_it, without, np.tile(results["objects"], (1, len(bases))))

    gain = paired_bootstrap(results["gain"])
    lines = [f"{base} + EquiMod minus {base}, linear: {in_points(added('linear', [base]))}" for base in BASES]
    lines.append(f"gain of the prediction {gain:.3f}")
    status = "NOT ASSESSED"
    if valid:
        pooled = {name: added(name, valid) for name in LABELS}
        status = "PASS" if pooled["linear"].low > 0 and gain.low > 0 else "FAIL"
        lines.append("pooled: " + ", ".join(f"{name} {in_points(value)}" for name, value in pooled.items()))
    if void:
        lines.append(f"void, not above a random encoder ({100 * floor:.1f} %): {', '.join(void)}")
    return Verdict(
        status=status,
        rule="pooled over SimCLR, BYOL and VICReg, linear accuracy with EquiMod minus without, in points: interval\n"
        "above 0; gain of the predicted over the unchanged embedding: interval above 0; a base method that is not\n"
        "above a random encoder is void and left out",
        measured="\n".join(lines),
        published="CIFAR-10, ResNet-18, 800 epochs: SimCLR 90.96 -> 92.79, BYOL 90.44 -> 91.57 (README of EquiMod);\n"
        "solo-learn, 1000 epochs: SimCLR 90.74, BYOL 92.58, VICReg 92.07, with labels (SupCon) 93.82",
    )


def in_points(interval):
    return f"{100 * interval.mean:+.1f} [{100 * interval.low:+.1f}, {100 * interval.high:+.1f}]"


main = experiment(Config, run, figure, verdict, smoke=SMOKE, quick=QUICK, table=table, default_seeds=3)

if __name__ == "__main__":
    raise SystemExit(main())
