import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smc.worlds import ObjectBank
from smc.worlds._families import FAMILIES
from smc.worlds._shapes import box, lathe, smooth_curve, superquadric, tube

ARRAYS = ("vertices", "faces", "face_colors", "uv", "face_uv", "texture")


def same(a, b, arrays=ARRAYS):
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in arrays)


def volume(part):
    """Volume of a closed surface whose triangles face outwards."""
    a, b, c = (part.vertices[part.faces[:, k]] for k in range(3))
    return (a * np.cross(b, c)).sum() / 6


def test_twelve_families_or_more_and_each_object_is_well_formed():
    bank = ObjectBank.procedural(3, seed=5)
    assert len(bank.class_names) >= 12 and bank.class_names == tuple(sorted(FAMILIES))
    for i in range(len(bank)):
        mesh = bank[i]
        assert 200 <= len(mesh.faces) <= 2000
        assert mesh.vertices.dtype == mesh.face_colors.dtype == np.float32 and mesh.faces.dtype == np.int32
        assert np.isfinite(mesh.vertices).all() and mesh.faces.min() >= 0 and mesh.faces.max() < len(mesh.vertices)
        assert mesh.face_colors.shape == mesh.faces.shape
        assert mesh.face_colors.min() >= 0 and mesh.face_colors.max() <= 1
        assert np.linalg.norm(mesh.vertices, axis=1).max() == pytest.approx(0.1, abs=1e-6)
        assert np.allclose(mesh.vertices.min(axis=0), -mesh.vertices.max(axis=0), atol=1e-6)


@given(family=st.sampled_from(sorted(FAMILIES)), index=st.integers(0, 4), seed=st.integers(0, 10))
@settings(max_examples=15)
def test_an_object_does_not_depend_on_what_else_is_made(family, index, seed):
    few = ObjectBank.procedural(index + 1, [family], seed)
    many = ObjectBank.procedural(6, [family], seed)
    assert same(few[index], many[index])
    assert not same(few[index], many[(index + 1) % 6])


def test_order_and_choice_of_classes_change_nothing():
    both = ObjectBank.procedural(2, ["mug", "chair"], seed=3)
    turned = ObjectBank.procedural(2, ["chair", "mug"], seed=3)
    assert both.ids.tolist() == ["mug/00000", "mug/00001", "chair/00000", "chair/00001"]
    for i, name in enumerate(both.ids):
        assert same(both[i], turned[turned.ids.tolist().index(name)])


def test_each_factor_leaves_the_others_alone():
    base = ObjectBank.procedural(1, seed=1, checker=0.0)
    other_colors = ObjectBank.procedural(1, seed=1, checker=0.0, palette=[[1, 0, 0], [0, 1, 0], [0, 0, 1]])
    textured = ObjectBank.procedural(1, seed=1, checker=1.0)
    for i in range(len(base)):
        assert base[i].texture is None
        assert same(base[i], other_colors[i], ("vertices", "faces"))
        assert not same(base[i], other_colors[i], ("face_colors",))
        assert set(np.unique(other_colors[i].face_colors)) <= {0.0, 1.0}
        assert same(base[i], textured[i], ("vertices", "faces", "face_colors"))


def test_checker_texture_covers_the_main_part_through_valid_coordinates():
    bank = ObjectBank.procedural(1, seed=2, checker=1.0)
    for i in range(len(bank)):
        mesh = bank[i]
        covered = mesh.face_uv[:, 0] >= 0
        assert covered.any() and mesh.face_uv.max() < len(mesh.uv)
        assert mesh.uv.min() >= 0 and mesh.uv.max() <= 1
        assert len(np.unique(mesh.texture.reshape(-1, 3), axis=0)) == 2
        main = mesh.face_colors[covered]
        assert (main == main[0]).all() and not (mesh.face_colors[~covered] == main[0]).all(axis=1).any()


def test_share_of_textured_objects():
    bank = ObjectBank.procedural(100, ["superquadric"], checker=0.3)
    assert 15 <= sum(bank[i].texture is not None for i in range(100)) <= 45


def test_without_variation_all_objects_of_a_family_have_one_shape():
    bank = ObjectBank.procedural(3, variation=0.0)
    for name in bank.class_names:
        first, second, third = np.flatnonzero(bank.classes == name)
        assert same(bank[first], bank[second], ("vertices", "faces"))
        assert same(bank[first], bank[third], ("vertices", "faces"))
    varied = ObjectBank.procedural(2)
    assert not any(same(varied[i], varied[i + 1], ("vertices",)) for i in range(0, len(varied), 2))


def test_proportions_stretch_the_axes():
    plain = ObjectBank.procedural(1, seed=4)
    tall = ObjectBank.procedural(1, seed=4, proportions=(1, 1, 2))
    for i in range(len(plain)):
        before, after = (np.ptp(bank[i].vertices, axis=0) for bank in (plain, tall))
        assert after[2] / after[0] == pytest.approx(2 * before[2] / before[0], rel=1e-4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_per_class": 0}, "n_per_class must be an integer of at least 1"),
        ({"n_per_class": 1.5}, "n_per_class"),
        ({"seed": -1}, "seed must be an integer of at least 0"),
        ({"classes": ["unicorn"]}, "unknown.*unicorn.*families are airplane"),
        ({"classes": []}, "classes must name at least one"),
        ({"classes": ["mug", "mug"]}, "each once"),
        ({"variation": 1.5}, "variation must be in"),
        ({"variation": np.nan}, "variation must be in"),
        ({"checker": -0.1}, "checker must be in"),
        ({"proportions": (1, 1)}, "proportions must be 3 positive"),
        ({"proportions": (1, 0, 1)}, "proportions must be 3 positive"),
        ({"proportions": (1, np.inf, 1)}, "proportions must be 3 positive"),
        ({"palette": [[0, 0, 2]]}, "palette must be"),
        ({"palette": [0.5, 0.5, 0.5]}, "palette must be"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        ObjectBank.procedural(**arguments)


def test_a_string_is_not_a_list_of_classes():
    with pytest.raises(TypeError, match="classes must be a sequence"):
        ObjectBank.procedural(classes="mug")


def test_building_blocks_have_the_volumes_of_their_solids():
    assert volume(box((1, 2, 3), (5, -2, 1))) == pytest.approx(6)
    n = 64
    polygon = n / 2 * np.sin(2 * np.pi / n)  # area of a regular polygon in the unit circle
    assert volume(lathe([(0, 0), (1, 0), (1, 2), (0, 2)], n_sides=n)) == pytest.approx(2 * polygon)
    assert volume(lathe([(0, 0), (1, 0), (1, 2), (0, 2)], n_sides=n, scale=(1, 3))) == pytest.approx(6 * polygon)
    assert abs(volume(tube(np.linspace((0, 0, 0), (0, 3, 0), 5), 0.5, n_sides=n))) == pytest.approx(0.75 * polygon)
    assert volume(superquadric((1, 2, 3), n_sides=96)) == pytest.approx(4 / 3 * np.pi * 6, rel=0.01)
    assert volume(superquadric((1, 2, 3), (2, 2), n_sides=64)) == pytest.approx(8, rel=0.01)  # octahedron


def test_a_smooth_curve_passes_through_its_control_points():
    points = np.array([(0, 0, 0), (1, 2, 0), (3, 1, 1), (4, 0, 0)])
    curve = smooth_curve(points, 31)
    assert np.allclose(curve[::10], points)
    assert np.allclose(smooth_curve([(0, 0), (1, 2), (2, 4)], 9), np.linspace((0, 0), (2, 4), 9))
