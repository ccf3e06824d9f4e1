"""The rasteriser against rays cast at every triangle, and what must hold for any picture."""

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation
from slow_rasteriser import cast_rays

from smc.worlds import Camera, Light, Mesh, pack_meshes, points_from_depth, pose_matrix, render

QUAD = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]], np.float32)
FRONT = np.concatenate([np.eye(3), [[0.0], [0.0], [2.0]]], axis=1)


def quad(color=(1.0, 1.0, 1.0), half=0.5, texture=None):
    faces = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
    uv = np.array([[0, 1], [1, 1], [1, 0], [0, 0]], np.float32)  # v upwards: the first texture row is at y = -half
    colors = np.tile(np.float32(color), (2, 1))
    return Mesh(half * QUAD, faces, colors, *((None,) * 3 if texture is None else (uv, faces, texture)))


def soup(rng, n_faces):
    """Triangles anywhere, half of them textured."""
    textured = np.arange(3 * n_faces, dtype=np.int32).reshape(n_faces, 3)
    textured[rng.random(n_faces) < 0.5] = -1
    return Mesh(
        vertices=rng.uniform(-0.6, 0.6, (3 * n_faces, 3)).astype(np.float32),
        faces=np.arange(3 * n_faces, dtype=np.int32).reshape(n_faces, 3),
        face_colors=rng.random((n_faces, 3)).astype(np.float32),
        uv=rng.random((3 * n_faces, 2)).astype(np.float32),
        face_uv=textured,
        texture=rng.random((5, 7, 3)).astype(np.float32),
    )


def rigid(rng, distance):
    rotation = Rotation.random(rng=rng).as_matrix()
    return np.concatenate([rotation, np.array([*rng.uniform(-0.3, 0.3, 2), distance])[:, None]], axis=1)


@settings(max_examples=200)
@given(st.integers(0, 2**32 - 1), st.integers(1, 3), st.integers(1, 6))
def test_pictures_equal_cast_rays(seed, n_objects, n_faces):
    """Colour, depth and ids, with occlusion, textures, and triangles through the near plane and behind the camera."""
    rng = np.random.default_rng(seed)
    meshes = [soup(rng, n_faces) for _ in range(n_objects)]
    poses = np.stack([rigid(rng, rng.uniform(0.2, 1.5)) for _ in meshes])
    camera = Camera(12, field_of_view=rng.uniform(0.4, 1.5), near=rng.uniform(0.02, 0.3))
    light = Light(rng.normal(size=3), rng.random(3), rng.random())
    color, depth, ids, sure = cast_rays(meshes, poses, camera, light)
    got = render(meshes, [range(n_objects)], poses[None], camera, light)
    np.testing.assert_array_equal(got.ids[0][sure], ids[sure])
    np.testing.assert_allclose(got.depth[0][sure], depth[sure], rtol=2e-6)
    shown = sure & (ids >= 0)
    assert np.abs(got.image[0][shown] - 255 * color[shown].clip(0, 1)).max(initial=0) < 0.51
    assert (got.image[0][sure & (ids < 0)] == 128).all()


def test_texture_is_perspective_correct_and_upright():
    """On a slanted quad the picture's columns are no affine function of the texture's; rows start at the top."""
    texture = np.zeros((1, 64, 3), np.float32)
    texture[0, :, 0] = np.arange(64) / 255
    slanted = pose_matrix(0.0, 0.0)
    slanted[:, :3] = Rotation.from_euler("y", 60, degrees=True).as_matrix()
    slanted[2, 3] = 1.2
    image = render([quad(texture=texture)], [0], slanted[None], Camera(32), Light(ambient=1.0)).image[0]
    row = image[16, :, 0].astype(int)
    camera = Camera(32)
    for column in np.flatnonzero(row != 128):
        slope = (column + 0.5 - 16) / camera.focal
        # x = s cos 60 and z = 1.2 - s sin 60 on the quad, and x = slope z on the ray
        s = slope * 1.2 / (np.cos(np.pi / 3) + slope * np.sin(np.pi / 3))
        assert abs(row[column] - np.floor((s + 0.5) * 64)) <= 1
    upright = np.zeros((2, 1, 3), np.float32)
    upright[0] = 1
    image = render([quad(texture=upright)], [0], FRONT[None], Camera(32), Light(ambient=1.0)).image[0]
    assert (image[12, 16] == 255).all() and (image[20, 16] == 0).all()


@pytest.mark.parametrize("size", [15, 16, 64])
def test_edges_between_faces_leave_no_gap(size):
    """The quad's diagonal runs through pixel centres."""
    camera = Camera(size, field_of_view=2 * np.arctan(0.25))
    got = render([quad(half=0.5)], [0], FRONT[None], camera)
    assert (got.ids == 0).all() and np.allclose(got.depth, 2.0)


def test_near_plane_cuts_and_does_not_drop():
    """A floor from behind the camera to far away is seen from the near plane on."""
    floor = Mesh(10 * QUAD[:, [0, 2, 1]], quad().faces, quad().face_colors)
    pose = np.concatenate([np.eye(3), [[0], [0.5], [0]]], axis=1)
    camera = Camera(64, near=0.1)
    got = render([floor], [0], pose[None], camera)
    rows = np.arange(64) + 0.5 - 32
    seen = (rows > 0.5 / 10 * camera.focal) & (rows < 0.5 / camera.near * camera.focal)
    np.testing.assert_array_equal(got.ids[0] == 0, np.repeat(seen[:, None], 64, axis=1))
    np.testing.assert_allclose(got.depth[0, seen, 0], 0.5 * camera.focal / rows[seen], rtol=1e-6)


def test_nearer_object_hides_farther_whatever_the_order():
    near, far = FRONT.copy(), FRONT.copy()
    near[2, 3], far[2, 3] = 1.5, 2.5
    red, blue = quad((1, 0, 0), 0.2), quad((0, 0, 1), 0.6)
    first = render([red, blue], [[0, 1]], [[near, far]], light=Light(ambient=1.0))
    second = render([red, blue], [[1, 0]], [[far, near]], light=Light(ambient=1.0))
    np.testing.assert_array_equal(first.image, second.image)
    np.testing.assert_array_equal(first.ids, np.where(second.ids < 0, -1, 1 - second.ids))
    assert (first.image[0, 32, 32] == [255, 0, 0]).all() and set(np.unique(first.ids)) == {-1, 0, 1}


def test_light_falls_from_its_direction_in_its_color():
    ball = Rotation.random(400, rng=0).as_matrix()[:, :, 0] * 0.4
    from scipy.spatial import ConvexHull

    faces = ConvexHull(ball).simplices.astype(np.int32)
    ball = Mesh(ball.astype(np.float32), faces, np.full((len(faces), 3), 0.9, np.float32))
    lights = Light.from_azimuth(np.array([-1.2, 0.0, 1.2]), color=(1.0, 0.5, 0.25), ambient=0.2)
    got = render([ball], [0, 0, 0], np.repeat(FRONT[None], 3, axis=0), light=lights)
    seen = got.ids[0] == 0
    left, right = (got.image[:, :, part][:, seen[:, part]].mean((1, 2)) for part in (slice(0, 32), slice(32, 64)))
    assert left[0] > 1.5 * right[0] and right[2] > 1.5 * left[2] and abs(left[1] - right[1]) < 5
    top, bottom = got.image[1, :32][seen[:32]].mean(), got.image[1, 32:][seen[32:]].mean()
    assert top > 1.3 * bottom
    colors = got.image[1][seen].astype(float)
    assert np.abs(colors[:, 0] - 2 * colors[:, 1]).max() <= 2 and np.abs(colors[:, 0] - 4 * colors[:, 2]).max() <= 3


def test_open_surfaces_are_lit_on_both_sides():
    turned = FRONT.copy()
    turned[:, :3] = Rotation.from_euler("y", 180, degrees=True).as_matrix()
    got = render([quad()], [0, 0], np.stack([FRONT, turned]))
    np.testing.assert_array_equal(got.image[0], got.image[1])


def scene(bank, n, seed=0):
    rng = np.random.default_rng(seed)
    objects = rng.integers(-1, len(bank), (n, 2))
    poses = pose_matrix(*rng.uniform(-1, 1, (3, n, 2)), *rng.uniform(-0.05, 0.05, (2, n, 2)), 0.4)
    return {"objects": objects, "poses": poses, "n_points": 32, "seed": rng.integers(2**40, size=n)}


def test_same_bits_at_any_thread_count_and_in_any_batch(bank):
    meshes, given_ = pack_meshes(bank), scene(bank, 9)
    n_threads = numba.get_num_threads()
    together = render(meshes, **given_, camera=Camera(24))
    numba.set_num_threads(1)
    try:
        serial = render(meshes, **given_, camera=Camera(24))
    finally:
        numba.set_num_threads(n_threads)
    alone = [
        render(meshes, given_["objects"][[i]], given_["poses"][[i]], Camera(24), n_points=32, seed=given_["seed"][[i]])
        for i in range(9)
    ]
    for name, values in together._asdict().items():
        np.testing.assert_array_equal(values, getattr(serial, name))
        np.testing.assert_array_equal(values, np.concatenate([getattr(one, name) for one in alone]))


def test_points_lie_on_the_visible_surface(bank):
    given_ = scene(bank, 6) | {"n_points": 200}
    camera = Camera(32)
    got = render(bank, **given_, camera=camera, points_of=1)
    for points, depth, ids in zip(got.points, got.depth, got.ids):
        n_pixels = (ids == 1).sum()
        if n_pixels == 0:
            assert (points == 0).all()
            continue
        column, row = (points[:, :2] / points[:, 2:] * camera.focal + 16 - 0.5).T
        column, row = np.rint(column).astype(int), np.rint(row).astype(int)
        np.testing.assert_allclose(points[:, 0], (column + 0.5 - 16) * points[:, 2] / camera.focal, atol=1e-7)
        np.testing.assert_array_equal(points[:, 2], depth[row, column])
        assert (ids[row, column] == 1).all()
        # every pixel as often as any other, give or take one
        counts = np.bincount(row * 32 + column, minlength=32 * 32)[(ids == 1).ravel()]
        assert counts.max() - counts.min() <= 1
    np.testing.assert_array_equal(
        points_from_depth(got.depth, got.ids, camera, 200, given_["seed"], points_of=1), got.points
    )


def test_choice_of_points_follows_the_seed_and_is_even():
    first, second = (render([quad()], [0], FRONT[None], n_points=50, seed=seed).points for seed in (1, 2))
    assert not np.array_equal(first, second)
    many = render([quad()], np.zeros(300, int), np.repeat(FRONT[None], 300, axis=0), n_points=50, seed=3).points
    assert np.abs(many.mean((0, 1))[:2]).max() < 0.01 and abs(many[..., 0].std() - 1 / np.sqrt(12)) < 0.01


def test_pose_is_turntable_then_tilt_then_roll():
    point = {"right": [1, 0, 0], "away": [0, 1, 0], "top": [0, 0, 1]}

    def seen(name, **angles):
        return pose_matrix(**({"yaw": 0, "pitch": 0} | angles))[:, :3] @ point[name]

    np.testing.assert_allclose(seen("right"), [1, 0, 0])
    np.testing.assert_allclose(seen("away"), [0, 0, 1])
    np.testing.assert_allclose(seen("top"), [0, -1, 0])
    np.testing.assert_allclose(seen("right", yaw=np.pi / 2), [0, 0, 1], atol=1e-12)
    assert seen("top", pitch=0.5)[2] < 0 and seen("top", yaw=1.0, pitch=0.5)[2] < 0
    assert seen("top", roll=0.5)[0] > 0
    np.testing.assert_allclose(seen("top", yaw=1.0), [0, -1, 0], atol=1e-12)
    many = pose_matrix(*np.random.default_rng(0).uniform(-3, 3, (3, 5, 2)), 0.1, 0.2, 0.3)
    assert many.shape == (5, 2, 3, 4)
    np.testing.assert_allclose(np.linalg.det(many[..., :3]), 1)
    np.testing.assert_allclose(many[..., 3], np.broadcast_to([0.1, 0.2, 0.3], (5, 2, 3)))


def broken(**changes):
    fields = dict(vertices=QUAD, faces=quad().faces, face_colors=quad().face_colors)
    return Mesh(**(fields | changes))


@pytest.mark.parametrize(
    ("mesh", "message"),
    [
        (broken(vertices=QUAD * np.nan), "vertices has values that are not finite"),
        (broken(faces=np.array([[0, 1, 4]])), "outside 0..3"),
        (broken(faces=np.zeros((0, 3), int)), "no faces"),
        (broken(face_colors=np.ones((1, 3))), "1 rows for 2 faces"),
        (broken(vertices=QUAD[:, :2]), r"shape \(4, 2\)"),
        (broken(texture=np.ones((2, 2, 3))), "no uv"),
        (broken(texture=np.ones((2, 2)), uv=np.ones((4, 2)), face_uv=quad().faces), "texture has shape"),
        (broken(texture=np.ones((2, 2, 3)), uv=np.ones((2, 2)), face_uv=quad().faces), "outside 0..1"),
    ],
)
def test_broken_meshes_are_refused_by_name(mesh, message):
    with pytest.raises(ValueError, match=message) as error:
        pack_meshes([quad(), mesh])
    assert "meshes[1]" in str(error.value)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"objects": [1]}, ValueError, "outside -1..0"),
        ({"objects": [-2]}, ValueError, "outside -1..0"),
        ({"objects": [0.0]}, ValueError, "integers"),
        ({"objects": np.zeros((0, 1), int)}, ValueError, "objects has shape"),
        ({"poses": FRONT}, ValueError, "poses has shape"),
        ({"poses": FRONT[None] * np.nan}, ValueError, "not finite"),
        ({"poses": 2 * FRONT[None]}, ValueError, "no rotations"),
        ({"background": np.zeros((64, 64, 3))}, ValueError, "background is float64"),
        ({"background": np.zeros((32, 32, 3), np.uint8)}, ValueError, r"uint8 \(32, 32, 3\)"),
        ({"light": Light(np.ones((2, 3)))}, ValueError, "another number of frames"),
        ({"n_points": -1}, ValueError, "n_points"),
        ({"points_of": 1}, ValueError, "points_of"),
        ({"seed": [1, 2]}, ValueError, "seed has shape"),
        ({"seed": -1}, ValueError, "seed is -1"),
        ({"seed": 0.5}, TypeError, "seed is float"),
        ({"meshes": []}, ValueError, "meshes is empty"),
        ({"meshes": [QUAD]}, TypeError, "a Mesh is needed"),
    ],
)
def test_bad_scenes_are_refused_by_name(changes, error, message):
    with pytest.raises(error, match=message):
        render(**({"meshes": [quad()], "objects": [0], "poses": FRONT[None]} | changes))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Camera(0), "size is 0"),
        (lambda: Camera(64, field_of_view=3.2), "field_of_view"),
        (lambda: Camera(64, near=0.0), "near"),
        (lambda: Light((0, 0, 0)), "direction of the light is 0"),
        (lambda: Light((0, 1)), "direction of the light has shape"),
        (lambda: Light(color=(1, -1, 1)), "color of the light is negative"),
        (lambda: Light(ambient=1.5), "ambient"),
        (lambda: Light(color=(1, np.inf, 1)), "not finite"),
        (lambda: points_from_depth(np.ones((1, 4, 4)), np.zeros((1, 4, 5)), Camera(4), 3), "must both be"),
        (lambda: points_from_depth(np.full((1, 4, 4), np.inf), np.zeros((1, 4, 4)), Camera(4), 3), "not finite"),
    ],
)
def test_bad_cameras_and_lights_are_refused_by_name(make, message):
    with pytest.raises(ValueError, match=message):
        make()
