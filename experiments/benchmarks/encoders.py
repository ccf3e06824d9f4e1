"""Training of encoders: all of it beside the bare network, two processes beside one, NT-Xent beside other libraries.

Views per CPU second, one thread, bf16 where the processor has it. A view is one frame of one sense. Ours: `pretrain` as
a user calls it, with drawing of batches, augmentation, losses, bookkeeping, and where the row says so rendering. The
limit is forward, backward and AdamW step of the same modules on one batch that lies ready, under the plainest loss; the
target is 87 % of it (1 / 1.15). A run makes 15 steps, where a training makes hundreds: what is done once weighs more
here. Each number is the median of 5 runs, taken in turns with what it is compared with, so that what else the machine
does meets both. NT-Xent: 256 pairs of 128 numbers, forward and backward.
"""

import statistics
import subprocess
import sys
import time

import numpy as np
from tqdm import tqdm

from experiments.benchmarks._timing import cpu_time

N_STEPS = 15
N_REPETITIONS = 5
BATCH_SIZE = 128
N_POINTS = 256
SIZE = 32


def rows() -> list[dict]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return [*_training_rows(), *_process_rows(), *_loss_rows()]
    finally:
        torch.set_num_threads(before)


def _training_rows():
    from smc.encoders import AugmentedImages, ConvEncoder, PointEncoder, ResNetEncoder, bf16_supported
    from smc.encoders.objectives import NTXent

    rng = np.random.default_rng(0)
    steps = _recorded(rng)
    pictures = AugmentedImages(rng.integers(0, 256, (2000, SIZE, SIZE, 3), dtype=np.uint8))
    image, points = {"image": ConvEncoder()}, {"points": PointEncoder()}
    cases = {
        "images, ConvEncoder": (lambda: steps, image, None),
        "images, ResNetEncoder": (lambda: steps, {"image": ResNetEncoder()}, None),
        f"clouds of {N_POINTS} points, PointEncoder": (lambda: steps, points, None),
        "images and clouds, default objective": (lambda: steps, image | points, None),
        "augmented pictures, ConvEncoder, NT-Xent": (lambda: pictures, image, NTXent()),
        "images and clouds, rendered first": (_rendered, image | points, None),
    }
    form = "bf16" if bf16_supported() else "fp32"
    for name, (data, encoders, objective) in tqdm(cases.items(), desc="encoders", delay=2, leave=False, disable=None):
        ours, limit = _compare(data, encoders, objective)
        yield {
            "table": "encoders", "row": f"{name}, {SIZE} px, {form}", "unit": "views/CPU s", "ours": ours,
            "peers": {}, "limit": limit, "better": "higher",
        }  # fmt: skip


def _compare(data, encoders, objective):
    """Views per CPU second of the whole training, and of the bare network."""
    from smc.encoders import pretrain

    def train():
        pretrain(
            data(), encoders, objective=objective, n_steps=N_STEPS, batch_size=BATCH_SIZE, n_points=N_POINTS, threads=1
        )

    bare = _bare_training(encoders, data())
    seconds = {train: [], bare: []}
    for repetition in range(N_REPETITIONS + 1):  # the first one compiles
        for work, taken in seconds.items():
            start = time.process_time()
            work()
            if repetition:
                taken.append(time.process_time() - start)
    n_views = 2 * BATCH_SIZE * N_STEPS * len(encoders)
    return n_views / statistics.median(seconds[train]), n_views / statistics.median(seconds[bare])


def _bare_training(encoders, data):
    """Function that makes as many steps of the same modules on one batch, and nothing else."""
    import copy

    import torch

    from smc.encoders import EquivarianceModule, bf16_supported

    modules = {sense: EquivarianceModule(copy.deepcopy(encoder), 3) for sense, encoder in encoders.items()}
    optimiser = torch.optim.AdamW([p for m in modules.values() for p in m.parameters()], fused=True)
    actions = torch.randn(BATCH_SIZE, 3)
    frames = {sense: torch.from_numpy(_batch(data, sense)) for sense in modules}

    def step():
        loss = 0.0
        for sense, module in modules.items():
            with torch.autocast("cpu", torch.bfloat16, enabled=bf16_supported()):
                last_map = module.encoder.maps(frames[sense])[1]
            z, y = module.raw_heads(last_map)
            loss = loss + z.square().mean() + module.predictor(y[:BATCH_SIZE], actions).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    def steps():
        for _ in range(N_STEPS):
            step()

    return steps


def _batch(data, sense):
    if hasattr(data, "images"):
        return data.images[: 2 * BATCH_SIZE].copy()
    return np.concatenate([data.observation[sense][:BATCH_SIZE], data.next_observation[sense][:BATCH_SIZE]])


def _recorded(rng):
    from smc import Transitions

    n = 1000
    senses = [
        {
            "image": rng.integers(0, 256, (n, SIZE, SIZE, 3), dtype=np.uint8),
            "points": rng.normal(0, 0.05, (n, N_POINTS, 3)).astype(np.float32),
        }
        for _ in range(2)
    ]
    return Transitions(senses[0], rng.normal(size=(n, 3)).astype(np.float32), senses[1], np.arange(n) // 8)


def _rendered():
    """Every frame new: as many steps of an agent that handles objects as the training looks at."""
    from smc import Transitions
    from smc.worlds import ManipulateObjectVector

    env = ManipulateObjectVector(64, size=SIZE, n_points=N_POINTS)
    return Transitions.from_env(env, None, N_STEPS * BATCH_SIZE, 0, group="object")


PROCESS = """
import sys, time
import numpy as np, torch
torch.set_num_threads(1)
from experiments.benchmarks.encoders import BATCH_SIZE, N_POINTS, _recorded
from smc.encoders import ConvEncoder, pretrain
steps = _recorded(np.random.default_rng(0))
arguments = dict(batch_size=BATCH_SIZE, n_points=N_POINTS, threads=1, seed=int(sys.argv[1]))
pretrain(steps, {"image": ConvEncoder()}, n_steps=2, **arguments)
print("ready", flush=True)
for _ in sys.stdin:
    start = time.perf_counter()
    pretrain(steps, {"image": ConvEncoder()}, n_steps=40, **arguments)
    print(time.perf_counter() - start, flush=True)
"""


def _process_rows():
    """How much more two seeds in two processes do than one in one, on the clock."""
    alone, together = _time_processes()
    yield {
        "table": "encoders", "row": "two seeds in two processes, beside one in one", "unit": "times",
        "ours": 2 * alone / together, "peers": {}, "limit": 2.0, "better": "higher",
    }  # fmt: skip


def _time_processes():
    """Seconds on the clock until one training has ended, and until two that start together have: medians."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen([sys.executable, "-c", PROCESS, str(seed)], **pipes) for seed in range(2)]
    try:
        for process in processes:
            process.stdout.readline()
        rounds = [(_time_round(processes[:1]), _time_round(processes)) for _ in range(N_REPETITIONS)]
        return [statistics.median(seconds) for seconds in zip(*rounds)]
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def _time_round(processes):
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    return max(float(process.stdout.readline()) for process in processes)


def _loss_rows():
    import torch

    from smc.encoders.objectives import nt_xent

    a, b = (torch.randn(256, 128, generator=torch.Generator().manual_seed(i)).requires_grad_() for i in range(2))

    def milliseconds(loss):
        if loss is None:
            return None
        return cpu_time(lambda: loss(a, b).backward(), 1) / 1000

    yield {
        "table": "encoders", "row": "NT-Xent, 256 pairs, forward and backward", "unit": "CPU ms",
        "ours": milliseconds(lambda a, b: nt_xent(*_unit(a, b))),
        "peers": {
            "plain": milliseconds(_plain_nt_xent),
            "lightly": milliseconds(_lightly()),
            "metric learning": milliseconds(_metric_learning()),
        },
        "limit": None, "better": "lower",
    }  # fmt: skip


def _unit(*tensors):
    from torch.nn.functional import normalize

    return [normalize(x, dim=1) for x in tensors]


def _plain_nt_xent(a, b):
    """The formula as papers print it: all similarities without one's own, cross entropy with the other view."""
    import torch

    z = torch.cat(_unit(a, b))
    n = len(z)
    similarity = z @ z.T / 0.5
    others = similarity[~torch.eye(n, dtype=torch.bool)].view(n, n - 1)
    partner = torch.arange(n).roll(n // 2)
    return torch.nn.functional.cross_entropy(others, partner - (partner > torch.arange(n)).long())


def _lightly():
    try:
        from lightly.loss import NTXentLoss
    except ImportError:
        return None
    return NTXentLoss(temperature=0.5)


def _metric_learning():
    try:
        import torch
        from pytorch_metric_learning.losses import NTXentLoss
    except ImportError:
        return None
    loss = NTXentLoss(temperature=0.5)
    return lambda a, b: loss(torch.cat([a, b]), torch.arange(len(a)).repeat(2))
