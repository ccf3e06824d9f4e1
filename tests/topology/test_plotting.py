"""Pictures hold what they should; how they look is for eyes."""

import numpy as np
import pytest

from topology import GrowingNeuralGas, History
from topology.plotting import animate_map, plot_dynamics, plot_map

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")


@pytest.fixture(autouse=True)
def close_figures():
    yield
    import matplotlib.pyplot as plt

    plt.close("all")


def grown(n_features, history=None):
    X = np.random.default_rng(0).random((300, n_features))
    return GrowingNeuralGas(15, random_state=0).fit(X, callback=history), X


def units_of(ax):
    return ax.collections[-1].get_offsets()


@pytest.mark.parametrize("n_features", [1, 2, 5])
@pytest.mark.parametrize("kind", ["graph", "hits"])
@pytest.mark.parametrize("with_data", [False, True])
def test_map_shows_units_and_edges(n_features, kind, with_data):
    gng, X = grown(n_features)
    ax = plot_map(gng, X if with_data else None, kind=kind)
    assert len(units_of(ax)) == 15
    segments = ax.collections[-2].get_segments()
    assert len(segments) == len(gng.edges_)
    if n_features == 2:
        assert np.array_equal(units_of(ax), gng.prototypes_)
    if kind == "hits":
        assert np.array_equal(ax.collections[-1].get_array(), gng.counts_)
    assert ax.get_xlabel().startswith("principal component 1" if n_features > 2 else "feature 0")


def test_axes_can_be_given():
    import matplotlib.pyplot as plt

    gng, _ = grown(2)
    ax = plt.figure().add_subplot()
    assert plot_map(gng, ax=ax) is ax


def test_dynamics_has_a_panel_per_number():
    history = History()
    grown(2, history)
    figure = plot_dynamics(history)
    assert [ax.get_ylabel().split("\n")[0] for ax in figure.axes] == ["units", "mean distance"]
    assert np.array_equal(figure.axes[0].lines[0].get_ydata(), history.to_dict()["n_units"])
    assert figure.axes[-1].get_xlabel() == "samples presented"


@pytest.mark.parametrize("n_features", [2, 4])
def test_animation(tmp_path, n_features):
    from PIL import Image

    history = History(every=500)
    _, X = grown(n_features, history)
    path = tmp_path / "growth.gif"
    animate_map(history, path, X, max_frames=4)
    with Image.open(path) as image:
        assert image.format == "GIF" and image.n_frames == 4
    assert [p.name for p in tmp_path.iterdir()] == ["growth.gif"]


def test_bad_input(tmp_path):
    gng, _ = grown(2)
    with pytest.raises(ValueError, match="kind must be one of 'graph', 'hits'"):
        plot_map(gng, kind="u_matrix")
    with pytest.raises(ValueError, match="X must have 2 columns"):
        plot_map(gng, np.zeros((3, 3)))
    with pytest.raises(ValueError, match="not fitted"):
        plot_map(GrowingNeuralGas())
    with pytest.raises(ValueError, match="history"):
        plot_dynamics(History())
    with pytest.raises(ValueError, match=r"missing \['edges', 'prototypes'\]"):
        animate_map(History(store=("n_units",)), tmp_path / "a.gif")
    assert not list(tmp_path.iterdir())
