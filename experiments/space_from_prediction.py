"""The structure of space in the motor code of an agent that predicts its sensations (Laflaquiere & Garcia Ortiz 2019).

Finding     A code of the motor state that is learned only to predict the next sensation takes on the metric of the
            space of sensor positions, if the agent explores a world that moves, but not while it looks.
Citation    Laflaquiere & Garcia Ortiz 2019, NeurIPS; own networks and fields, smaller than theirs. No value of their
            curves is a target.
Prediction  The metric error orders MME < MM < MEM in every seed: exploring (MEM) a world that moves within transitions
            gives nothing, (MM) one that stands still the topology, (MME) one that moves between transitions the metric
            too.
Controls    Actions shuffled (the motor states of each transition are another's); an untrained encoder; the motor
            commands as they are. The graph of a growing neural gas on the motor code is shown, not judged.
Cost        3 min of processor time for 5 seeds. Needs torch.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.spatial.distance import pdist, squareform

from experiments._figures import PALETTE
from experiments._runner import experiment
from experiments._verdict import Verdict, paired_bootstrap
from topology import GrowingNeuralGas

REGIMES = ("MEM", "MM", "MME", "MME, actions shuffled")
FIXED = ("untrained encoder", "motor commands")
SIDE, TORUS, CHANNELS, CODE = (
    5,
    10,
    4,
    3,
)  # sensor positions and torus, in cells; channels of a sensation; size of the code
CHUNK = 250  # iterations whose transitions are drawn together


@dataclass(frozen=True)
class Config:
    """What can be varied; every field is a flag of the command line."""

    n_iterations: int = 8000
    batch: int = 100
    encoder: tuple[int, ...] = (64, 32)  # widths of the hidden layers
    predictor: tuple[int, ...] = (150, 100)
    first_rate: float = 3e-3  # of learning
    last_rate: float = 3e-5
    smoothness: float = 2.0  # standard deviation of the filter of the sensory field, in cells


SMOKE = Config(n_iterations=100, batch=20, encoder=(16,), predictor=(16,))
QUICK = Config(n_iterations=3000)


def run(config: Config, seed: int) -> dict[str, np.ndarray]:
    """Metric and topology error of the motor code of each regime, final losses, and a graph on the code of MME."""
    rng = np.random.default_rng(seed)
    motor, position = motor_states()
    field = sensory_field(config, rng)
    codes, losses = train(config, motor, position, field, rng)
    untrained, _ = train(config, motor, position, field, np.random.default_rng(seed), n_iterations=0)
    compared = [*codes, untrained[0], motor]
    gas = GrowingNeuralGas(SIDE**2, random_state=seed).fit(np.repeat(codes[2], 8, axis=0))
    _, to_position = align(codes[2], position)
    return {
        "metric": np.array([metric_error(code, position) for code in compared]),
        "topology": np.array([topology_error(code, position) for code in compared]),
        "loss": losses,
        "codes": np.stack([align(code, position)[0] for code in compared]),
        "units": to_position(gas.prototypes_),
        "edges": padded(to_position(gas.prototypes_)[gas.edges_], 6 * SIDE**2),
    }


def motor_states():
    """All motor states (125, 3), and the sensor position (125, 2) of each, in cells about the middle.

    A position is twice the cube of the first two motors; the third does nothing.
    """
    steps = np.linspace(-(SIDE // 2), SIDE // 2, SIDE)
    grid = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3)
    return np.cbrt(grid / (SIDE // 2)), grid[:, :2].astype(int)


def sensory_field(config, rng):
    """What is sensed at each cell of the torus (TORUS, TORUS, CHANNELS), standardised."""
    noise = rng.standard_normal((TORUS, TORUS, CHANNELS))
    smooth = gaussian_filter(noise, (config.smoothness, config.smoothness, 0), mode="wrap")
    return (smooth - smooth.mean(axis=(0, 1))) / smooth.std(axis=(0, 1))


def transitions(position, field, shape, rng):
    """Motor states (n_regimes, ..., 2) before and after, as told and as they were sensed, and the sensations.

    MEM: the world moves within transitions; MM: it never moves; MME: it moves between them.
    """
    motors = rng.integers(0, len(position), (len(REGIMES), *shape, 2))
    places = rng.integers(0, TORUS, (len(REGIMES), *shape, 2, 2))  # of the world, before and after
    places[1:, ..., 1, :] = places[1:, ..., 0, :]
    places[1] = 0
    cells = (position[motors] + places) % TORUS
    sensed = field[cells[..., 0], cells[..., 1]]
    motors[3] = rng.permuted(motors[3], axis=1)
    return motors, sensed


def train(config, motor, position, field, rng, n_iterations=None):
    """Train an encoder and a predictor in each regime, side by side.

    Returns
    -------
    codes : ndarray (n_regimes, 125, 3)
        Code of every motor state.
    losses : ndarray (n_regimes,)
        Mean squared error of prediction, over the last iterations.
    """
    import torch

    n_iterations = config.n_iterations if n_iterations is None else n_iterations
    generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
    encoder = layers((motor.shape[1], *config.encoder, CODE), generator)
    predictor = layers((2 * CODE + CHANNELS, *config.predictor, CHANNELS), generator)
    parameters = [array for pair in encoder + predictor for array in pair]
    optimizer = torch.optim.Adam(parameters, lr=config.first_rate)
    decay = (config.last_rate / config.first_rate) ** (1.0 / max(n_iterations, 1))
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, decay)
    states = torch.as_tensor(motor, dtype=torch.float32)
    history = np.full((max(n_iterations, 1), len(REGIMES)), np.nan)
    for t in range(n_iterations):
        if t % CHUNK == 0:
            motors, sensed = transitions(position, field, (CHUNK, config.batch), rng)
            motors, sensed = torch.as_tensor(motors), torch.as_tensor(sensed, dtype=torch.float32)
        before, after = (states[motors[:, t % CHUNK, :, when]] for when in (0, 1))
        inputs = torch.cat([forward(encoder, before), forward(encoder, after), sensed[:, t % CHUNK, :, 0]], dim=-1)
        loss = (forward(predictor, inputs) - sensed[:, t % CHUNK, :, 1]).square().mean(dim=(1, 2))
        optimizer.zero_grad()
        loss.sum().backward()  # no regime touches the parameters of another
        optimizer.step()
        schedule.step()
        history[t] = loss.detach().numpy()
    with torch.no_grad():
        codes = forward(encoder, states.expand(len(REGIMES), *states.shape)).numpy().astype(float)
    return codes, history[-CHUNK:].mean(axis=0)


def layers(widths, generator):
    """Weights (n_regimes, n_in, n_out) and biases (n_regimes, 1, n_out) of each layer; every regime starts alike."""
    import torch

    made = []
    for n_in, n_out in pairwise(widths):
        weight = torch.randn(n_in, n_out, generator=generator) / n_in**0.5
        stacked = weight.repeat(len(REGIMES), 1, 1), torch.zeros(len(REGIMES), 1, n_out)
        made.append(tuple(array.requires_grad_() for array in stacked))
    return made


def forward(network, x):
    """Layers with self-normalising units between them."""
    import torch

    for i, (weight, bias) in enumerate(network):
        x = torch.baddbmm(bias, x, weight)
        if i + 1 < len(network):
            x = torch.nn.functional.selu(x)
    return x


def align(code, position):
    """The code after the affine map that fits it best to the positions, and that map."""
    inputs = np.column_stack([code, np.ones(len(code))])
    solution = np.linalg.lstsq(inputs, position.astype(float), rcond=None)[0]
    return inputs @ solution, lambda other: np.column_stack([other, np.ones(len(other))]) @ solution


def metric_error(code, position):
    """Mean difference of distances after the affine fit, over the mean distance of positions."""
    apart = pdist(position.astype(float))
    return np.abs(pdist(align(code, position)[0]) - apart).mean() / apart.mean()


def topology_error(code, position):
    """Mean distance of codes of the same position, over the mean distance of codes."""
    same = squareform(pdist(position.astype(float))) == 0
    np.fill_diagonal(same, False)
    return squareform(pdist(code))[same].mean() / pdist(code).mean()


def padded(lines, n_rows):
    """Line segments (n, 2, 2) filled up with NaN, or cut, to the same number for every seed."""
    out = np.full((n_rows, 2, 2), np.nan)
    out[: len(lines)] = lines[:n_rows]
    return out


def table(results):
    """Mean error and loss of each regime over seeds."""
    rows = []
    for i, name in enumerate((*REGIMES, *FIXED)):
        row = {"exploration": name, "metric error": results["metric"][:, i].mean()}
        row["largest"] = results["metric"][:, i].max()
        row["topology error"] = results["topology"][:, i].mean()
        row["loss"] = results["loss"][:, i].mean() if i < len(REGIMES) else None
        rows.append(row)
    return rows


def figure(results):
    """The motor codes over the sensor positions, a graph on that of MME, and the errors of all seeds."""
    import matplotlib.pyplot as plt

    fig, axes = plt.subplots(1, 5, figsize=(16, 3.7), width_ratios=(1, 1, 1, 1, 1.5))
    _, position = motor_states()
    color = np.column_stack([0.5 + position / 5.0, np.full(len(position), 0.55)])
    for ax, i in zip(axes, range(3)):
        ax.plot(position[:, 0], position[:, 1], "+", color="#B4BAC6", markersize=9, zorder=0)
        ax.scatter(*results["codes"][0, i].T, s=14, c=color)
        ax.set_title(REGIMES[i])
    axes[3].plot(*results["edges"][0].transpose(2, 1, 0), color="#9AA3B2", linewidth=1)
    axes[3].scatter(*results["units"][0].T, s=22, color=PALETTE[0], zorder=2)
    axes[3].set_title("neural gas on the code of MME")
    for ax in axes[:4]:
        ax.set(aspect="equal", xlim=(-2.8, 2.8), ylim=(-2.8, 2.8), xticks=range(-2, 3), yticks=range(-2, 3))
        ax.set_xlabel("sensor position (cells)")
    for name, marker, shade in (("metric", "o", PALETTE[0]), ("topology", "s", PALETTE[1])):
        values = np.maximum(results[name], 1e-3)
        y = np.arange(values.shape[1]) + (-0.12 if name == "metric" else 0.12)
        axes[4].plot(values.T, y, marker, color=shade, markersize=4)
        axes[4].plot([], [], marker, color=shade, label=f"{name} error")
    axes[4].set_yticks(range(len(REGIMES) + len(FIXED)), [*REGIMES, *FIXED])
    axes[4].invert_yaxis()
    axes[4].set(xscale="log", xlabel="relative error, each seed")
    axes[4].set_xticks([1e-3, 1e-2, 1e-1, 1.0], ["≤ 0.001", "0.01", "0.1", "1"])
    axes[4].minorticks_off()
    axes[4].legend(fontsize=8.5, loc="upper left")
    return fig


def verdict(results) -> Verdict:
    metric = dict(zip((*REGIMES, *FIXED), results["metric"].T))
    ordered = (metric["MME"] < metric["MM"]) & (metric["MM"] < metric["MEM"])
    shuffled = paired_bootstrap(metric["MME, actions shuffled"], metric["MM"])
    passed = ordered.all() and len(ordered) >= 5 and shuffled.low > 0
    return Verdict(
        status="PASS" if passed else "FAIL",
        rule="metric error MME < MM < MEM in every one of at least 5 seeds;\n"
        "that of MME with shuffled actions above that of MM (interval)",
        measured=f"ordered in {ordered.sum()} of {len(ordered)} seeds; metric error "
        + ", ".join(f"{name} {paired_bootstrap(values):.3f}" for name, values in metric.items())
        + f"\nshuffled actions minus MM {shuffled:.3f}; topology error, MEM, MM, MME: "
        + ", ".join(f"{value:.4f}" for value in results["topology"][:, :3].mean(axis=0)),
    )


main = experiment(Config, run, figure, verdict, smoke=SMOKE, quick=QUICK, table=table, default_seeds=5)

if __name__ == "__main__":
    raise SystemExit(main())
