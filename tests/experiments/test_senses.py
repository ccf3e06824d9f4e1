"""The simulated senses tell y as finely as their physics allows, and the agent finds out how finely that is."""

import numpy as np
import pytest

from experiments._senses import Agent, Ears, Retina, Touch
from fusion import fuse_gaussians

SENSORS = {
    "retina": (Retina(), {"blur": 10.0, "photons": 50.0}),
    "foveated retina": (Retina(doubling=20.0, plateau=60.0), {"blur": 10.0, "photons": 50.0}),
    "ears": (Ears(), {"level": 20.0}),
    "touch": (Touch(), {"grip": 2.0}),
}


@pytest.mark.parametrize("name", SENSORS)
def test_samples(name):
    sensor, conditions = SENSORS[name]
    y = np.linspace(-20, 20, 500)
    X = sensor.sense(y, np.random.default_rng(0), **conditions)
    per_sample = {key: np.full(500, value) for key, value in conditions.items()}
    np.testing.assert_array_equal(X, sensor.sense(y, np.random.default_rng(0), **per_sample))
    lived = sensor.experience(y, np.random.default_rng(0))
    assert lived.shape == X.shape and np.isfinite(lived).all() and (lived != X).any()
    with pytest.raises(ValueError, match="y must have shape"):
        sensor.sense(y[:, None], np.random.default_rng(0), **conditions)


def test_a_retina_counts_the_photons_it_is_given():
    y = np.zeros(4000)
    for retina in (Retina(), Retina(spacing=1.0, doubling=10.0), Retina(spacing=1.0, doubling=10.0, plateau=30.0)):
        X = retina.sense(y, np.random.default_rng(0), blur=6.0, photons=50.0)
        counts = (X / 2) ** 2 - 3 / 8
        assert counts.sum(axis=1).mean() == pytest.approx(50 + len(retina.receptors), rel=0.02)


def test_receptors_of_a_fovea():
    retina = Retina(extent=60.0, spacing=1.0, doubling=10.0, plateau=30.0)
    receptors = retina.receptors
    np.testing.assert_allclose(receptors, -receptors[::-1])
    gaps = np.diff(receptors[receptors >= 0])
    np.testing.assert_allclose(gaps, 1 + np.minimum(receptors[receptors >= 0][:-1], 30) / 10)
    np.testing.assert_allclose(Retina().receptors, np.arange(-90, 91, 3))


def test_soft_and_jittered_sounds_spread_more():
    """The channel that answers most moves about as much as the time difference jitters."""

    def spread(**conditions):
        X = Ears().sense(np.zeros(3000), np.random.default_rng(0), **conditions)[:, :25]
        return np.std(np.linspace(-0.9, 0.9, 25)[X.argmax(axis=1)])

    assert spread(level=2000.0, jitter=10.0) == pytest.approx(0.085, rel=0.1)
    assert spread(level=20.0) > 1.5 * spread(level=2000.0)
    hidden = Ears(hidden_jitter=(0.4, 2.0))
    X = hidden.sense(np.zeros(3000), np.random.default_rng(0), level=2000.0)[:, :25]
    places = np.linspace(-0.9, 0.9, 25)[X.argmax(axis=1)]
    assert np.std(places) == pytest.approx(0.0085 * np.sqrt((0.4**2 + 2**2) / 2), rel=0.5)


@pytest.fixture(scope="module")
def agent():
    rng = np.random.default_rng(0)
    agent = Agent(random_state=0)
    for name, sensor in (("eye", Retina()), ("ear", Ears())):
        y = rng.uniform(-45, 45, 4000)
        agent.learn(name, sensor.experience(y, rng), y)
    return agent


def test_the_agent_knows_which_sense_to_trust(agent):
    rng = np.random.default_rng(1)
    y = rng.uniform(-20, 20, 2000)
    heard = Ears().sense(y, rng, level=20.0)
    variances = []
    for blur in (4.0, 48.0):
        samples = {"eye": Retina().sense(y, rng, blur=blur, photons=50.0), "ear": heard}
        estimates, variance = agent.perceive(samples)
        ratio = np.median(variance, axis=1) / np.mean((estimates - y) ** 2, axis=1)
        assert ((ratio > 0.4) & (ratio < 3)).all()
        variances.append(np.median(variance, axis=1))
        mean, fused = agent.combine(samples)
        wanted = fuse_gaussians(estimates, 1 / variance)
        np.testing.assert_allclose((mean, 1 / fused), wanted)
        assert np.mean((mean - y) ** 2) < 1.15 * np.mean((estimates - y) ** 2, axis=1).min()
    assert variances[0][0] < variances[0][1] < variances[1][0]


def test_the_prior_can_be_divided_out():
    """Sizes felt with a light grip are drawn to the usual size; without the prior they are not."""
    rng = np.random.default_rng(2)
    y, size = 6 * rng.standard_normal(20_000), np.linspace(-8, 8, 4000)
    touch = Touch(grip_range=(1.0, 1.4))
    agent = Agent(random_state=0).learn("hand", touch.experience(y, rng), y)
    samples = {"hand": touch.experience(size, rng)}
    for without, slope in ((False, 0.6), (True, 1.0)):
        estimates, variances = agent.perceive(samples, without_prior=without)
        assert np.polyfit(size, estimates[0], 1)[0] == pytest.approx(slope, abs=0.1)
    assert np.mean((estimates - size) ** 2 / variances) == pytest.approx(1, abs=0.25)


def test_learning_goes_on(agent):
    rng = np.random.default_rng(3)
    y = rng.uniform(-30, 30, 600)
    touch = Touch()
    young = Agent(random_state=0).learn("hand", touch.experience(y[:300], rng), y[:300], target_variance=1.0)
    assert young.priors["hand"] == pytest.approx((y[:300].mean(), y[:300].var() - 1))
    young.learn("hand", touch.experience(y[300:], rng), y[300:])
    assert young.senses["hand"].n_samples_seen_ == 600
    with pytest.raises(ValueError, match=r"not learned: \['eye'\]"):
        young.perceive({"eye": np.zeros((1, 61))})
