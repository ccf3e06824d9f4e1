"""A map of a Dask array, counted by processes of their own, is the map of the same rows in memory."""

import doctest

import numpy as np
import pytest

from topology import SelfOrganizingMap

dask = pytest.importorskip("dask")
distributed = pytest.importorskip("distributed")


def documented_recipe():
    """`fit_dask` as the docstring of SelfOrganizingMap defines it."""
    names = {}
    for example in doctest.DocTestParser().get_examples(SelfOrganizingMap.__doc__):
        exec(example.source, names)
    return names["fit_dask"]


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    with (
        dask.config.set({"temporary-directory": str(tmp_path_factory.mktemp("dask"))}),
        distributed.LocalCluster(
            processes=True, n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1"
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@pytest.mark.parametrize("gaps", [False, True])
def test_map_of_a_dask_array(client, gaps):
    array = pytest.importorskip("dask.array")
    rng = np.random.default_rng(0)
    X = rng.normal(size=(4000, 12)) @ rng.normal(size=(12, 12))
    if gaps:
        X[rng.random(X.shape) < 0.1] = np.nan
    options = {"shape": (8, 6), "lattice": "hexagonal", "n_epochs": 6}
    expected = SelfOrganizingMap(**options).fit(X)
    som = documented_recipe()(SelfOrganizingMap(**options), array.from_array(X, chunks=(700, 5)))
    assert len(client.nthreads()) == 2
    assert np.abs(som.prototypes_ - expected.prototypes_).max() < 1e-9
    assert som.n_samples_seen_ == expected.n_samples_seen_ == 6 * 4000
