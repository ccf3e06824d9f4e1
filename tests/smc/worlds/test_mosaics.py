"""Mosaics are made of the frames that they are given and of nothing else."""

import numba
import numpy as np
import pytest

from smc.worlds import backgrounds, mosaics

FRAMES = backgrounds("texture", range(5), 16)


def test_a_mosaic_depends_on_its_own_seed_only():
    seeds = np.array([5, 2**62, 11, 5])
    together = mosaics(FRAMES, seeds)
    assert together.shape == (4, 16, 16, 3) and together.dtype == np.uint8
    for i, seed in enumerate(seeds):
        np.testing.assert_array_equal(together[i], mosaics(FRAMES, [seed])[0])
    np.testing.assert_array_equal(together[0], together[3])
    assert len(np.unique(mosaics(FRAMES, np.arange(20)), axis=0)) == 20
    n_threads = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        np.testing.assert_array_equal(mosaics(FRAMES, seeds), together)
    finally:
        numba.set_num_threads(n_threads)


def test_pieces_have_the_colours_of_frames():
    """Of frames of one colour each, a mosaic has one colour per piece: the frame's, in another contrast and tint."""
    grey = np.full((1, 16, 16, 3), 128, np.uint8)
    laid = mosaics(grey, np.arange(200), most_pieces=12)
    n_colors = np.array([len(np.unique(m.reshape(-1, 3), axis=0)) for m in laid])
    assert n_colors.min() == 1 and 8 < n_colors.max() <= 12
    assert np.abs(laid.astype(int) - 128).max() <= 0.25 * 255 + 1  # grey has no contrast, only a tint
    bright, dark = (mosaics(np.full_like(grey, value), np.arange(200)).mean() for value in (200, 56))
    assert bright - dark > 100


def test_one_piece_fills_the_picture():
    smooth = mosaics(FRAMES, np.arange(50), most_pieces=1)
    pieces = mosaics(FRAMES, np.arange(50), most_pieces=48)
    edges = [np.abs(np.diff(m.astype(int), axis=2)).max(axis=(1, 2, 3)) for m in (smooth, pieces)]
    assert np.median(edges[0]) < np.median(edges[1])


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((FRAMES / 255, [1]), ValueError, "frames is float64"),
        ((FRAMES[:, :8], [1]), ValueError, "frames is uint8"),
        ((FRAMES[:0], [1]), ValueError, "frames is uint8"),
        ((FRAMES, 1), ValueError, "seeds has shape"),
        ((FRAMES, []), ValueError, "seeds has shape"),
        ((FRAMES, [0.5]), TypeError, "seeds is"),
        ((FRAMES, [1], 0), ValueError, "most_pieces is 0"),
    ],
)
def test_bad_input_is_refused_by_name(arguments, error, message):
    with pytest.raises(error, match=message):
        mosaics(*arguments)
