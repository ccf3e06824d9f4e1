"""The parametric families: what a mug, a chair or a fish is made of."""

from __future__ import annotations

import numpy as np

from smc.worlds._shapes import box, lathe, smooth_curve, superquadric, tube

# A family is a function of one `Shape` that yields parts; z is up, the front looks towards -y, and any unit will do.


class Shape:
    """Draws the shape parameters of one object, as far from the family's middle as `variation` allows."""

    def __init__(self, rng, variation):
        self._rng, self._variation = rng, variation

    def number(self, low, high):
        return (low + high) / 2 + self._variation * (self._rng.random() - 0.5) * (high - low)

    def one_of(self, *options):
        """The first option in an object without variation."""
        drawn = options[int(self._rng.random() * len(options))]
        return drawn if self._variation > 0 else options[0]


def _open_vessel(outline, wall):
    """Lathe profile of a vessel with a wall: up the outside, down the inside."""
    outside = smooth_curve(outline, 12)
    inside = outside[::-1].copy()
    inside[:, 0] = (inside[:, 0] - wall).clip(0.02)
    inside[-1, 1] += wall
    return np.concatenate([[[0, outside[0, 1]]], outside, inside, [[0, inside[-1, 1]]]])


def _arc(centre, radius_y, radius_z, start, end, n=12):
    """Curve in the plane x = centre_x; angles from +y towards +z."""
    angle = np.linspace(start, end, n)
    return np.stack(
        [np.full(n, centre[0]), centre[1] + radius_y * np.cos(angle), centre[2] + radius_z * np.sin(angle)], axis=1
    )


def _legs(x, y, bottom, top, thickness, color, *, splay=0.0, round_legs=True):
    """Four legs under the corners (+-x, +-y)."""
    for sx in (-1, 1):
        for sy in (-1, 1):
            foot, head = (sx * x * (1 + splay), sy * y * (1 + splay), bottom), (sx * x, sy * y, top)
            if round_legs or splay:
                yield tube(np.linspace(foot, head, 4), thickness, color)
            else:
                yield box((2 * thickness, 2 * thickness, top - bottom), (foot[0], foot[1], (top + bottom) / 2), color)


def _airplane(s):
    length, span, sweep = s.number(1.6, 2.4), s.number(1.6, 2.6), s.number(0.0, 0.5)
    girth, wing_tip, fin = s.number(0.8, 1.3), s.number(0.16, 0.3), s.number(0.4, 0.6)
    outline = smooth_curve([(0, 0), (0.12, 0.15), (0.14, 0.5), (0.12, 1.1), (0.04, 2.0)], 16) * (girth, length / 2)
    fuselage = lathe(np.concatenate([outline, [[0, length]]]))
    # The lathe's axis is laid down: the nose in front, the tail behind.
    yield fuselage._replace(vertices=fuselage.vertices[:, [0, 2, 1]] * (1, 1, -1))
    middle, tail = 0.40 * length, 0.92 * length
    for side in (-1, 1):
        yield _blade((0, middle, 0), (side * span / 2, middle + sweep, 0.08), 0.42, wing_tip, 0.05, 1)
        yield _blade((0, tail, 0), (side * span / 5, tail + sweep / 2, 0.03), 0.24, 0.14, 0.03, 1)
    yield _blade((0, 0.90 * length, 0), (0, 0.95 * length + sweep / 3, fin), 0.3, 0.16, 0.03, 2)


def _blade(root, tip, root_chord, tip_chord, thickness, color):
    """Wing: a flat ellipsoid drawn out from root to tip, chords along y."""
    root, tip = np.asarray(root), np.asarray(tip)
    flat = np.array([0, 0, 1.0]) if abs(tip[2] - root[2]) < abs(tip[0] - root[0]) else np.array([1.0, 0, 0])
    straight = tube(np.linspace((0, 0, 0), (0, 0, 1), 6), 1.0, color, n_sides=12)
    t = straight.vertices[:, 2:]
    half_chord = (root_chord + (tip_chord - root_chord) * t) / 2
    vertices = root + (tip - root) * t + straight.vertices[:, :1] * half_chord * (0, 1, 0)
    return straight._replace(vertices=vertices + straight.vertices[:, 1:2] * thickness / 2 * flat)


def _bottle(s):
    body, neck, shoulder = s.number(0.22, 0.42), s.number(0.07, 0.13), s.number(0.45, 0.75)
    profile = smooth_curve(
        [(body, 0), (body * s.number(0.85, 1.1), shoulder / 2), (body, shoulder), (neck, shoulder + 0.25), (neck, 1.1)],
        18,
    )
    yield lathe(np.concatenate([[[0, 0]], profile, [[0, 1.1]]]))
    yield lathe([(0, 1.1), (neck * 1.3, 1.1), (neck * 1.3, 1.22), (0, 1.22)], 1)


def _bowl(s):
    rim, height = s.number(0.7, 1.1), s.number(0.35, 0.7)
    yield lathe(_open_vessel([(0.25, 0), (0.6 * rim, 0.2 * height), (0.9 * rim, 0.6 * height), (rim, height)], 0.06))
    yield lathe([(0, 0), (0.3, 0), (0.3, -0.08), (0, -0.08)], 1)


def _car(s):
    length, width, height = s.number(1.7, 2.5), s.number(0.8, 1.0), s.number(0.3, 0.45)
    yield superquadric((width / 2, length / 2, height / 2), (0.3, 0.3), centre=(0, 0, 0.35))
    cabin, back = s.number(0.35, 0.6), s.number(-0.1, 0.35)
    yield superquadric(
        (0.43 * width, cabin * length / 2 + 0.1, s.number(0.2, 0.3)),
        (0.5, 0.35),
        1,
        centre=(0, back, 0.35 + height / 2),
    )
    wheel = s.number(0.17, 0.25)
    for x in (-width / 2, width / 2):
        for y in (-0.32 * length, 0.32 * length):
            yield tube([(x - 0.07, y, wheel), (x, y, wheel), (x + 0.07, y, wheel)], wheel, 2, n_sides=14)


def _chair(s):
    seat, height, back = s.number(0.36, 0.5), s.number(0.6, 0.95), s.number(0.6, 1.1)
    yield box((2 * seat, 2 * seat, 0.1), (0, 0, height))
    yield from _legs(
        0.85 * seat,
        0.85 * seat,
        0,
        height,
        s.number(0.04, 0.08),
        1,
        splay=s.one_of(0.0, 0.25),
        round_legs=s.one_of(True, False),
    )
    if s.one_of("panel", "slats") == "panel":
        yield box((2 * seat, 0.08, back), (0, seat, height + back / 2))
    else:
        for x in np.linspace(-0.85, 0.85, 4) * seat:
            yield box((0.1, 0.06, back), (x, seat, height + back / 2), 1)
        yield box((2 * seat, 0.1, 0.18), (0, seat, height + back))
    if s.one_of(False, False, True):
        for x in (-seat, seat):
            yield tube([(x, seat, height + 0.4), (x, -0.6 * seat, height + 0.4), (x, -0.8 * seat, height)], 0.05, 1)


def _fish(s):
    length, depth, width = s.number(0.8, 1.2), s.number(0.28, 0.55), s.number(0.12, 0.24)
    yield superquadric((width, length, depth), (1.0, s.number(0.9, 1.3)), n_sides=20)
    tail = s.number(0.3, 0.55)
    for sign in (-1, 1):
        yield _fin((0, 0.85 * length, 0), (0, length + tail, sign * tail), 0.25, 1)
    yield _fin((0, 0, 0.7 * depth), (0, 0.35 * length, depth + s.number(0.1, 0.35)), 0.5, 1)
    for x in (-1, 1):
        yield _fin((x * 0.6 * width, -0.2 * length, -0.2 * depth), (x * 3 * width, 0.1, -0.6 * depth), 0.2, 1)
        yield superquadric((0.05, 0.07, 0.07), (1, 1), 2, centre=(x * 0.55 * width, -0.72 * length, 0.15), n_sides=8)


def _fin(root, tip, width, color):
    """Thin leaf from root to tip."""
    path = np.linspace(root, tip, 6)
    return tube(path, width * np.array([0.35, 0.5, 0.6, 0.6, 0.4, 0.1]), color, n_sides=8)


def _hammer(s):
    length, head = s.number(1.2, 2.0), s.number(0.35, 0.6)
    grip = s.number(0.06, 0.1)
    yield tube(
        np.linspace((0, 0, 0), (0, 0, length), 8), grip * np.array([1.2, 1.4, 1.2, 1, 0.9, 0.9, 1, 1]), n_sides=12
    )
    face = s.number(0.12, 0.2)
    yield tube(
        np.linspace((0, -head, length), (0, 0.2, length), 7),
        face * np.array([1, 1, 0.8, 0.7, 0.9, 1, 1]),
        1,
        n_sides=14,
    )
    yield tube(
        smooth_curve(
            [(0, 0.2, length), (0, 0.5 * head + 0.1, length), (0, head + 0.15, length - s.number(0.0, 0.3))], 6
        ),
        face * np.linspace(0.9, 0.15, 6),
        1,
        n_sides=10,
    )


def _humanoid(s):
    leg, torso, arm = s.number(0.6, 1.0), s.number(0.55, 0.8), s.number(0.5, 0.8)
    shoulder, head, limb = s.number(0.22, 0.36), s.number(0.16, 0.26), s.number(0.07, 0.11)
    yield superquadric((shoulder, 0.17, torso / 2), (0.6, 0.7), centre=(0, 0, leg + torso / 2))
    yield superquadric(
        (head, head, head * s.number(1.0, 1.25)), s.one_of((1, 1), (0.3, 0.3)), 1, centre=(0, 0, leg + torso + head)
    )
    lift, step = s.number(-1.3, 1.0), s.number(0.0, 0.25)
    for side in (-1, 1):
        joint = np.array([side * shoulder, 0, leg + 0.9 * torso])
        hand = joint + arm * np.array([side * np.cos(lift), -0.1, np.sin(lift)])
        yield tube(np.linspace(joint, hand, 6), limb * np.array([1, 1, 0.9, 0.8, 0.9, 1.1]), 1)
        yield tube(np.linspace((side * 0.14, 0, leg + 0.05), (side * 0.17, side * step, 0.05), 6), 1.2 * limb, 2)
        yield superquadric((0.1, 0.18, 0.06), (0.6, 0.6), 2, centre=(side * 0.17, side * step - 0.07, 0.05), n_sides=10)


def _lamp(s):
    height, top, bottom = s.number(0.9, 1.8), s.number(0.15, 0.4), s.number(0.4, 0.65)
    shade = s.number(0.4, 0.6)
    yield lathe(np.linspace((bottom, height - shade / 2), (top, height + shade / 2), 8), n_sides=24)
    foot = s.number(0.25, 0.45)
    yield lathe([(0, 0), (foot, 0), (foot, 0.05), (0.3 * foot, 0.12), (0.04, 0.18), (0.04, height), (0, height)], 1)
    bulge = s.one_of(0.0, 0.16)
    if bulge:
        yield superquadric((bulge, bulge, 0.3 * height), (1, 1), 1, centre=(0, 0, 0.35 * height))
    yield superquadric((0.1, 0.1, 0.13), (1, 1), 2, centre=(0, 0, height), n_sides=12)


def _mug(s):
    radius, height, wall = s.number(0.35, 0.55), s.number(0.7, 1.2), 0.05
    waist = s.number(0.85, 1.1)
    yield lathe(_open_vessel([(0.9 * radius, 0), (waist * radius, height / 2), (radius, height)], wall), n_sides=24)
    drop = s.number(0.22, 0.34) * height
    handle = _arc((0, 0.95 * radius, 0.5 * height), s.number(0.25, 0.45), drop, -np.pi / 2, np.pi / 2)
    yield tube(handle, s.number(0.045, 0.08), 1)


def _quadruped(s):
    length, girth, leg = s.number(0.55, 0.9), s.number(0.2, 0.38), s.number(0.3, 0.8)
    yield superquadric((girth, length, girth), (0.8, 0.8), centre=(0, 0, leg + girth))
    yield from _legs(0.6 * girth, 0.75 * length, 0, leg + girth, s.number(0.06, 0.12), 1)
    rise, head = s.number(0.1, 0.9), s.number(0.14, 0.24)
    neck = np.array([0, -0.85 * length, leg + 1.3 * girth])
    skull = neck + np.array([0, -0.3, rise])
    yield tube(smooth_curve([neck, (neck + skull) / 2 + (0, 0.03, 0), skull], 6), head * np.linspace(0.9, 0.6, 6))
    yield superquadric((head, head * s.number(1.1, 1.8), head), (0.9, 0.9), centre=skull - (0, 0.1, 0), n_sides=14)
    ear = s.number(0.08, 0.3)
    for x in (-0.7 * head, 0.7 * head):
        yield tube(
            skull + np.array([(x, 0, 0.5 * head), (x, 0, head + ear / 2), (1.3 * x, 0, head + ear)]),
            (0.06, 0.05, 0.02),
            1,
        )
    tail = np.array([0, 0.95 * length, leg + 1.3 * girth])
    yield tube(
        smooth_curve(tail + np.array([(0, 0, 0), (0, 0.2, 0), (0, 0.35, s.number(-0.4, 0.4))]), 6),
        np.linspace(0.07, 0.03, 6),
        2,
    )


def _shelf(s):
    width, depth, height = s.number(0.7, 1.4), s.number(0.3, 0.5), s.number(1.2, 2.0)
    for x in (-width / 2, width / 2):
        yield box((0.06, depth, height), (x, 0, height / 2))
    for z in np.linspace(0.03, height - 0.03, s.one_of(4, 3, 5)):
        yield box((width, depth, 0.06), (0, 0, z), 1)
    if s.one_of(True, False):
        yield box((width, 0.03, height), (0, depth / 2, height / 2), 2)


def _superquadric(s):
    yield superquadric([s.number(0.4, 1.0) for _ in range(3)], (s.number(0.15, 2.2), s.number(0.15, 2.2)), n_sides=28)


def _table(s):
    width, depth, height, thick = s.number(0.6, 1.3), s.number(0.5, 0.8), s.number(0.5, 1.1), s.number(0.06, 0.12)
    if s.one_of("legs", "legs", "pedestal") == "legs":
        yield box((2 * width, 2 * depth, thick), (0, 0, height), divisions=4)
        yield from _legs(
            0.88 * width, 0.85 * depth, 0, height, s.number(0.04, 0.1), 1, round_legs=s.one_of(True, False)
        )
    else:
        yield lathe([(0, height - thick), (width, height - thick), (width, height), (0, height)], n_sides=28)
        foot = s.number(0.35, 0.6)
        yield lathe([(0, 0), (foot, 0), (foot, 0.06), (0.1, 0.16), (0.08, height - thick)], 1)


def _teapot(s):
    radius, height = s.number(0.45, 0.65), s.number(0.6, 0.95)
    yield lathe(
        smooth_curve(
            [
                (0, 0),
                (0.6 * radius, 0.02),
                (radius, 0.45 * height),
                (0.6 * radius, 0.9 * height),
                (0.3 * radius, height),
            ],
            14,
        )
    )
    yield lathe([(0.42 * radius, 0.95 * height), (0.3 * radius, 1.05 * height), (0, 1.1 * height)], 1)
    yield superquadric((0.08, 0.08, 0.08), (1, 1), 1, centre=(0, 0, 1.15 * height), n_sides=10)
    reach = radius + s.number(0.35, 0.6)
    spout = smooth_curve(
        [
            (0, -0.8 * radius, 0.3 * height),
            (0, -radius - 0.12, 0.45 * height),
            (0, -reach, s.number(0.8, 1.0) * height),
        ],
        8,
    )
    yield tube(spout, np.linspace(0.15, 0.05, 8), 1)
    yield tube(
        _arc((0, 0.85 * radius, 0.5 * height), s.number(0.3, 0.45), 0.3 * height, -np.pi / 2, np.pi / 2), 0.06, 1
    )


def _tree(s):
    trunk, crown, width = s.number(0.3, 0.7), s.number(0.9, 1.5), s.number(0.4, 0.75)
    yield lathe([(0, 0), (0.1, 0), (0.07, trunk + 0.2), (0, trunk + 0.2)], 1, n_sides=12)
    if s.one_of("fir", "broadleaf") == "fir":
        for k in range(s.one_of(3, 4)):
            base, spread = trunk + 0.28 * k * crown, width * (1 - 0.22 * k)
            yield lathe(
                [(0, base), (spread, base), (0.5 * spread, base + 0.2 * crown), (0, base + 0.45 * crown)], n_sides=18
            )
    else:
        for dx, dy, dz, size in ((0, 0, 0.5, 1), (-0.5, 0.2, 0.3, 0.7), (0.5, 0.1, 0.35, 0.7), (0, -0.5, 0.3, 0.65)):
            centre = (dx * width, dy * width, trunk + dz * crown)
            yield superquadric((size * width, size * width, 0.4 * size * crown), (1, 1), centre=centre, n_sides=14)


def _umbrella(s):
    radius, rise, stick = s.number(0.8, 1.2), s.number(0.3, 0.6), s.number(1.2, 1.8)
    angle = np.linspace(0, np.pi / 2, 10)
    canopy = lathe(
        np.stack([radius * np.sin(angle), stick - rise + rise * np.cos(angle)], axis=1), n_sides=s.one_of(8, 10)
    )
    yield canopy
    hook = s.number(0.1, 0.2)
    yield tube([(0, 0, 0), (0, 0, stick / 2), (0, 0, stick), (0, 0, stick + 0.15)], (0.04, 0.035, 0.035, 0.01), 1)
    yield tube(_arc((0, hook, 0), hook, hook, np.pi, 2 * np.pi), 0.05, 2)


def _vase(s):
    base, belly, neck, rim = s.number(0.2, 0.35), s.number(0.35, 0.65), s.number(0.1, 0.25), s.number(0.2, 0.45)
    middle = s.number(0.35, 0.6)
    yield lathe(_open_vessel([(base, 0), (belly, middle), (neck, middle + 0.5), (rim, 1.3)], 0.04), n_sides=24)


FAMILIES = {
    "airplane": _airplane,
    "bottle": _bottle,
    "bowl": _bowl,
    "car": _car,
    "chair": _chair,
    "fish": _fish,
    "hammer": _hammer,
    "humanoid": _humanoid,
    "lamp": _lamp,
    "mug": _mug,
    "quadruped": _quadruped,
    "shelf": _shelf,
    "superquadric": _superquadric,
    "table": _table,
    "teapot": _teapot,
    "tree": _tree,
    "umbrella": _umbrella,
    "vase": _vase,
}
