"""One training in several processes: what each computes of a batch, and how they stay one.

Every rank embeds its share of the objects of a batch and gathers the embeddings of all; the objective then sees the
whole batch on every rank, negatives of other ranks included, and needs to know nothing of it. Each rank's loss is the
loss of the whole batch, so the mean of the ranks' gradients is its gradient.
"""

import atexit
import hashlib
import json

import torch
import torch.distributed
from torch import nn


class Ranks:
    """The processes of a training; one process alone communicates with nobody.

    Parameters
    ----------
    rank : int, default=0
    size : int, default=1

    Attributes
    ----------
    leads : bool
        Whether this process is the one that writes files, shows progress and calls back.
    """

    def __init__(self, rank=0, size=1):
        self.rank, self.size = rank, size
        self.leads = rank == 0

    @classmethod
    def of_this_process(cls):
        """The default process group, which is opened if `torchrun` started this process; one rank without either."""
        if not torch.distributed.is_available():
            return cls()
        if not torch.distributed.is_initialized():
            if not torch.distributed.is_torchelastic_launched():
                return cls()
            torch.distributed.init_process_group("gloo")
            atexit.register(torch.distributed.destroy_process_group)
        return cls(torch.distributed.get_rank(), torch.distributed.get_world_size())

    def check_batch(self, n):
        """Refuse a batch that cannot be shared equally."""
        if n % self.size:
            raise ValueError(f"batch_size must be a multiple of the number of processes, {self.size}; got {n}")

    def share(self, n):
        """Slice of n objects that this rank embeds."""
        self.check_batch(n)
        return slice(self.rank * n // self.size, (self.rank + 1) * n // self.size)

    def gather(self, stacked, n_frames):
        """Embeddings (n_frames * B, d) of all ranks, frame by frame, out of each rank's (n_frames * B / size, d)."""
        if self.size == 1:
            return stacked
        parts = _Gather.apply(stacked.unflatten(0, (n_frames, -1)))
        return parts.transpose(0, 1).flatten(0, 2)

    def average_gradients(self, parameters):
        """Replace each gradient by the mean over the ranks."""
        if self.size == 1:
            return
        gradients = [p.grad for p in parameters if p.grad is not None]
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        torch.distributed.all_reduce(flat)
        flat /= self.size
        for gradient, mean in zip(gradients, flat.split([gradient.numel() for gradient in gradients])):
            gradient.copy_(mean.view_as(gradient))

    def wait(self):
        """Go on when all ranks have come here."""
        if self.size > 1:
            torch.distributed.barrier()

    def leader_says(self, flag):
        """The flag of the rank that leads."""
        if self.size == 1:
            return flag
        told = torch.tensor([flag])
        torch.distributed.broadcast(told, 0)
        return bool(told)

    def check_same(self, identity):
        """Refuse ranks that would train different things, by the names (of a dict that JSON can hold) that differ."""
        if self.size == 1:
            return
        digests = [hashlib.sha256(json.dumps(value, sort_keys=True).encode()).digest() for value in identity.values()]
        own = torch.frombuffer(bytearray(b"".join(digests)), dtype=torch.uint8).view(len(digests), -1)
        differing = (_gather(own) != own).any(dim=2).any(dim=0)
        if differing.any():
            names = ", ".join(name for name, differs in zip(identity, differing) if differs)
            raise ValueError(f"the processes of a training must be given the same, but differ in {names}")


class _OverAllRanks:
    """Batch normalisation whose moments are those of all ranks together (that of torch needs a GPU)."""

    def forward(self, x):
        if not self.training:
            return super().forward(x)
        variance, mean = torch.var_mean(x.float(), dim=(0, *range(2, x.ndim)), correction=0)
        variances, means = _Gather.apply(torch.stack([variance, mean])).unbind(1)
        mean = means.mean(0)
        variance = (variances + (means - mean).square()).mean(0)
        with torch.no_grad():
            n = len(means) * x.numel() / x.shape[1]
            self.num_batches_tracked.add_(1)
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * n / (n - 1), self.momentum)
        gain = self.weight * (variance + self.eps).rsqrt()
        mean, gain, shift = (per_channel.view(-1, *(1,) * (x.ndim - 2)) for per_channel in (mean, gain, self.bias))
        return torch.addcmul(shift, x - mean, gain).to(x.dtype)


class _BatchNorm1d(_OverAllRanks, nn.BatchNorm1d):
    pass


class _BatchNorm2d(_OverAllRanks, nn.BatchNorm2d):
    pass


def synchronise_norms(module, synchronised=True):
    """Whether every batch normalisation of a module is to take its moments over all ranks."""
    for part in module.modules():
        for plain, shared in ((nn.BatchNorm1d, _BatchNorm1d), (nn.BatchNorm2d, _BatchNorm2d)):
            if isinstance(part, plain):
                # The object stays, and with it parameters, moments and gradients.
                part.__class__ = shared if synchronised else plain


class _Gather(torch.autograd.Function):
    """Tensors of all ranks (size, ...) out of one of each; what all ranks make of mine counts in my gradient."""

    @staticmethod
    def forward(ctx, x):
        return _gather(x)

    @staticmethod
    def backward(ctx, gradient):
        gradient = gradient.contiguous()
        torch.distributed.all_reduce(gradient)
        return gradient[torch.distributed.get_rank()]


def _gather(x):
    x = x.contiguous()
    parts = [torch.empty_like(x) for _ in range(torch.distributed.get_world_size())]
    torch.distributed.all_gather(parts, x)
    return torch.stack(parts)
