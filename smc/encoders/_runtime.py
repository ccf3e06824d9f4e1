"""What the processor offers and how much of it a computation takes: number formats, threads, seeded initialisation."""

from contextlib import contextmanager

import torch

from smc.encoders._checks import check_positive_integer, check_seed

PRECISIONS = ("auto", "bf16", "fp32")


def bf16_supported():
    """Whether this processor multiplies bfloat16 matrices natively, so that bfloat16 saves time.

    Returns
    -------
    bool
        False also where the installed PyTorch cannot tell.
    """
    if not torch.backends.mkldnn.is_available():
        return False
    probes = ("_is_avx512_bf16_supported", "_is_amx_tile_supported", "_is_arm_bf16_supported")
    return any(probe() for name in probes if callable(probe := getattr(torch.cpu, name, None)))


def wants_bf16(precision):
    """Resolve ``precision`` ("auto", "bf16" or "fp32") on this processor."""
    if precision not in PRECISIONS:
        raise ValueError(f"precision must be one of {PRECISIONS}, got {precision!r}")
    return bf16_supported() if precision == "auto" else precision == "bf16"


@contextmanager
def torch_threads(n_threads):
    """Run the block on ``n_threads`` threads (None: as many as torch is set to) and put the old number back."""
    if n_threads is not None:
        check_positive_integer("threads", n_threads)
    before = torch.get_num_threads()
    torch.set_num_threads(n_threads or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def seeded(seed):
    """Draw the initial weights of layers built in the block from ``seed``; the global generator is left as it was."""
    check_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(int(seed))
        yield


@contextmanager
def evaluating(module):
    """Run the block without gradients and in evaluation mode; the mode of every part is put back."""
    training = [part for part in module.modules() if part.training]
    module.eval()
    try:
        with torch.inference_mode():
            yield
    finally:
        for part in training:
            part.training = True
