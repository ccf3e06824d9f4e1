"""A training that several processes share equals that of one."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from shared_trainings import train, trainings

from topology import storage

SIZE = 2
NAMES = ("recorded", "looks", "live", "normalised")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What two processes wrote, started as `torchrun` starts them."""
    folder = tmp_path_factory.mktemp("processes")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    script = Path(__file__).with_name("shared_trainings.py")
    common = os.environ | {
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "WORLD_SIZE": str(SIZE),
        "TORCHELASTIC_RUN_ID": "test",
        "GLOO_SOCKET_IFNAME": "lo",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    command = [sys.executable, "-W", "error", str(script), str(folder)]
    processes = [
        subprocess.Popen([*command, str(rank)], env=common | {"RANK": str(rank)}, stderr=subprocess.PIPE, text=True)
        for rank in range(SIZE)
    ]
    try:
        told = [process.communicate(timeout=120)[1] for process in processes]
    finally:
        for process in processes:
            process.kill()
    assert all(process.returncode == 0 for process in processes), "\n".join(told)
    return folder


@pytest.mark.parametrize("name", NAMES)
def test_losses_gradients_and_weights_are_those_of_one_process(folder, name):
    alone = train(trainings()[name])
    together = np.load(folder / f"{name}-0.npz")
    assert set(alone) == set(together) and any(key.startswith("gradient") for key in alone)
    for key, value in alone.items():
        scale = max(1.0, np.abs(value).max())
        np.testing.assert_allclose(together[key] / scale, value / scale, rtol=0, atol=1e-5, err_msg=key)


@pytest.mark.parametrize("name", NAMES)
def test_all_processes_end_with_the_same_bits(folder, name):
    one, other = (np.load(folder / f"{name}-{rank}.npz") for rank in range(SIZE))
    for key in other:
        np.testing.assert_array_equal(one[key], other[key], err_msg=key)


def test_one_calls_back_all_stop_and_go_on_from_its_file(folder):
    whole = np.load(folder / "recorded-0.npz")
    for rank, calls in enumerate(([1, 2], [])):
        resumed = np.load(folder / f"resumed-{rank}.npz")
        np.testing.assert_array_equal(resumed["calls"], calls)
        for key in resumed.files[:-1]:
            np.testing.assert_array_equal(resumed[key], whole[key], err_msg=key)


def test_a_file_of_several_processes_is_refused_by_one(folder):
    storage.load(folder / "training.safetensors", kind="PretrainingCheckpoint")
    with pytest.raises(ValueError, match="training with other processes;"):
        train(trainings()["recorded"], checkpoint=folder / "training.safetensors")


def test_processes_that_differ_and_batches_that_cannot_be_shared_are_refused(folder):
    for rank in range(SIZE):
        different, unequal = (folder / f"refusals-{rank}.txt").read_text().splitlines()
        assert different.endswith("must be given the same, but differ in seed")
        assert unequal == "batch_size must be a multiple of the number of processes, 2; got 7"
