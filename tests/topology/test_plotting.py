"""Pictures hold what they should; how they look is for eyes."""

import numpy as np
import pytest
from sklearn.cluster import KMeans

from topology import GrowingNeuralGas, GrowWhenRequired, History, NeuralGas, SelfOrganizingMap
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


def trained(lattice="rectangular", periodic=False, n_features=3, shape=(4, 5)):
    X = np.random.default_rng(0).random((300, n_features))
    return SelfOrganizingMap(shape, lattice=lattice, periodic=periodic, n_epochs=3, random_state=0).fit(X), X


def centers_of(cells):
    return np.array([path.vertices[:-1].mean(axis=0) for path in cells.get_paths()])


@pytest.mark.parametrize("lattice, n_corners", [("rectangular", 4), ("hexagonal", 6)])
@pytest.mark.parametrize("periodic", [False, True])
def test_u_matrix_on_the_lattice(lattice, n_corners, periodic):
    som, _ = trained(lattice, periodic)
    ax = plot_map(som, kind="u_matrix")
    cells, walls = ax.collections[:2]
    assert np.allclose(centers_of(cells), som.positions_)
    assert {len(path.vertices) - 1 for path in cells.get_paths()} == {n_corners}
    graph = som.to_networkx()
    length = {(i, j): np.linalg.norm(som.prototypes_[i] - som.prototypes_[j]) for i, j in graph.edges}
    means = [np.mean([length[min(i, j), max(i, j)] for j in graph[i]]) for i in graph]
    assert np.allclose(cells.get_array(), means)
    assert np.allclose(np.sort(walls.get_array()), np.sort(2 * list(length.values())))
    # Every wall lies half a step from the unit that it was drawn for, and inside walls are drawn twice at one place.
    places = centers_of(walls)
    assert np.allclose(np.linalg.norm(places[:, None] - som.positions_, axis=2).min(axis=1), 0.5)
    n_places = len(np.unique(places.round(6), axis=0))
    assert (n_places > len(length)) == periodic
    assert (ax.get_title() == "opposite sides are joined") == periodic
    assert ax.yaxis_inverted()


@pytest.mark.parametrize("kind", ["graph", "u_matrix", "hits", "planes"])
@pytest.mark.parametrize("est", [NeuralGas(8, random_state=0), GrowWhenRequired(8, random_state=0)], ids=repr)
def test_every_kind_fits_every_map(est, kind):
    X = np.random.default_rng(0).random((200, 3))
    axes = np.ravel(plot_map(est.fit(X), X, kind=kind))
    assert len(axes) == (3 if kind == "planes" else 1)
    assert len(axes[0].collections[-1].get_offsets()) == est.n_units_


def test_hits_of_samples_with_missing_values():
    som, X = trained()
    X[::3, 0] = np.nan
    assert plot_map(som, X, kind="hits").collections[0].get_array().sum() == len(X)


def test_two_sheets_are_parted_by_a_wall():
    """The largest distances of the U-matrix lie between the clusters."""
    X = np.random.default_rng(0).random((200, 2)) + np.repeat([[0, 0], [20, 0]], 100, axis=0)
    som = SelfOrganizingMap((1, 10), random_state=0).fit(X)
    walls = plot_map(som, kind="u_matrix").collections[1]
    middle = centers_of(walls)[np.argmax(walls.get_array()), 0]
    assert 3 < middle < 6


@pytest.mark.parametrize("lattice", ["rectangular", "hexagonal"])
def test_hits_on_the_lattice(lattice):
    som, X = trained(lattice)
    assert np.array_equal(plot_map(som, kind="hits").collections[0].get_array(), som.counts_)
    hits = plot_map(som, X[:50], kind="hits").collections[0].get_array()
    assert np.array_equal(hits, np.bincount(som.predict(X[:50]), minlength=20))


def test_u_matrix_among_the_data():
    gng, X = grown(2)
    ax = plot_map(gng, X, kind="u_matrix")
    lines, dots = ax.collections[-2:]
    lengths = np.linalg.norm(np.diff(gng.prototypes_[gng.edges_], axis=1)[:, 0], axis=1)
    assert np.allclose(lines.get_array(), lengths)
    assert np.allclose(dots.get_array()[3], lengths[(gng.edges_ == 3).any(axis=1)].mean())
    lines.update_scalarmappable()
    assert len(np.unique(lines.get_colors(), axis=0)) > 5


@pytest.mark.parametrize("metric", ["cosine", "manhattan"])
def test_u_matrix_measures_as_the_map_does(metric):
    X = np.random.default_rng(0).random((300, 3)) + 0.1
    gng = GrowingNeuralGas(8, metric=metric, random_state=0).fit(X)
    lengths = plot_map(gng, kind="u_matrix").collections[-2].get_array()
    to_units = gng.transform(gng.prototypes_)
    assert np.allclose(lengths, to_units[gng.edges_[:, 0], gng.edges_[:, 1]], atol=1e-6)


def test_planes_have_names_and_values():
    pandas = pytest.importorskip("pandas")
    X = pandas.DataFrame(np.random.default_rng(0).random((200, 3)), columns=["width", "height", "depth"])
    for est in (SelfOrganizingMap((3, 4), random_state=0).fit(X), GrowingNeuralGas(12, random_state=0).fit(X)):
        axes = plot_map(est, kind="planes")
        assert [ax.get_title().split("\n")[0] for ax in axes] == list(X.columns)
        for ax, values in zip(axes, est.prototypes_.T):
            assert np.array_equal(ax.collections[-1].get_array(), values)
    assert plot_map(GrowingNeuralGas(5, random_state=0).fit(X.iloc[:, :2])).get_ylabel() == "height"


def test_planes_of_many_features_are_those_that_vary():
    X = np.random.default_rng(0).random((100, 70)) * np.where(np.arange(70) % 10 == 0, 0.01, 1)
    axes = plot_map(GrowingNeuralGas(5, random_state=0).fit(X), kind="planes")
    assert len(axes) == 64
    shown = {int(ax.get_title().split()[1]) for ax in axes}
    assert shown >= {i for i in range(70) if i % 10}


def test_planes_in_given_axes():
    import matplotlib.pyplot as plt

    gng, _ = grown(2)
    given = plt.figure().subplots(1, 2)
    assert list(plot_map(gng, kind="planes", ax=given)) == list(given)
    with pytest.raises(ValueError, match="ax must hold 2 Axes for kind 'planes', one per feature, got 1"):
        plot_map(gng, kind="planes", ax=given[0])


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


MAPS_OF_FIXED_SIZE = [
    SelfOrganizingMap((3, 4), lattice="hexagonal", n_epochs=6, random_state=0),
    NeuralGas(12, n_epochs=6, random_state=0),
]


@pytest.mark.parametrize("n_features", [2, 5])
@pytest.mark.parametrize("est", MAPS_OF_FIXED_SIZE, ids=lambda est: type(est).__name__)
def test_a_history_of_a_map_of_fixed_size(tmp_path, est, n_features):
    from PIL import Image

    history = History(store=("prototypes", "edges", "quantization_error", "n_samples_seen"))
    X = np.random.default_rng(0).random((200, n_features))
    est.fit(X, callback=history)
    figure = plot_dynamics(history)
    assert [ax.get_ylabel() for ax in figure.axes] == ["mean distance\nto the winner", "samples presented"]
    assert figure.axes[0].lines[0].get_xdata().tolist() == [200, 400, 600, 800, 1000, 1200]
    animate_map(history, tmp_path / "unfolding.gif", X)
    with Image.open(tmp_path / "unfolding.gif") as image:
        assert image.n_frames == 6
        assert image.convert("RGB").getpixel((1, 1)) == (255, 255, 255)


def test_bad_input(tmp_path):
    gng, _ = grown(2)
    with pytest.raises(ValueError, match="kind must be one of 'graph', 'u_matrix', 'hits', 'planes', got 'tree'"):
        plot_map(gng, kind="tree")
    with pytest.raises(ValueError, match="has no edges; 'graph', 'hits' and 'planes' fit it"):
        plot_map(SelfOrganizingMap((1, 1)).fit(np.eye(3)), kind="u_matrix")
    with pytest.raises(TypeError, match="map with prototypes_ and edges_, got KMeans"):
        plot_map(KMeans(2, n_init=1).fit(np.eye(3)))
    with pytest.raises(TypeError, match="est must be a fitted map, got array"):
        plot_map(np.zeros((3, 2)))
    with pytest.raises(ValueError, match="X must have 2 columns"):
        plot_map(gng, np.zeros((3, 3)))
    with pytest.raises(ValueError, match="not fitted"):
        plot_map(GrowingNeuralGas())
    with pytest.raises(ValueError, match="history"):
        plot_dynamics(History())
    with pytest.raises(ValueError, match=r"missing \['edges', 'prototypes'\]"):
        animate_map(History(store=("n_units",)), tmp_path / "a.gif")
    assert not list(tmp_path.iterdir())
