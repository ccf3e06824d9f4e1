"""Three actions with two possible outcomes each, as vectors and as images, on objects seen in training or not."""

from typing import NamedTuple

import numpy as np

from smc.worlds import ManipulateObjectVector, ObjectBank, PushedObjects

UNIT = 0.1  # metres; the radius of the objects
PUSH_SIZE, PUSH_ROWS, PUSH_COLUMNS = 64, slice(20, 44), slice(2, 62)  # of the picture, where objects can be
HELD_SIZE = 36  # of the picture of an object that is held
POOL = 3  # pixels of a side that become one
OCCLUDER, SHARE_UNCOVERED = 1.0, 0.6
P_SLOPE = 0.3  # from where the first of two objects was shown to the probability that it is the one that was hidden
TURNS = (0.6, 1.0)  # radians
N_EMPTY = 500  # trials that the empty scene is read from
SURE = 1e-6, 1e6  # frictions at which every push slides, and every push tips


class Trials(NamedTuple):
    """What n actions may lead to.

    before : (n, d_in), what was sensed and done, the action last
    branches : (n, 2, d), both outcomes
    plus : (n,), probability of the first
    n_action : int
    """

    before: np.ndarray
    branches: np.ndarray
    plus: np.ndarray
    n_action: int


def split_objects(n_known, n_unseen, seed):
    """Known and unseen objects of all families, as many of each family."""
    bank = ObjectBank.procedural(n_known + n_unseen, seed=seed)
    number = np.arange(len(bank)) % (n_known + n_unseen)
    return bank.subset(number < n_known), bank.subset(number >= n_known)


def pushes(bank, n, rng):
    """Trials of a push that tips (first branch) or slides: {"vector": Trials, "image": Trials}."""
    table = PushedObjects(n, bank, size=PUSH_SIZE)
    table.begin(rng)
    state = {"object": table.object.copy(), "yaw": table.yaw.copy()}
    side = np.where(rng.random(n) < 0.5, -1.0, 1.0)
    actions = np.column_stack([rng.uniform(-1, 1, n), side * rng.uniform(0.3, 1.0, n), np.zeros(n)])
    plus = table.tip_probability(actions)
    seen, (slid, tipped) = table.look(rng), (_push(table, state, friction, actions, rng) for friction in SURE)
    # The scene without objects: the median over trials, in each pixel.
    empty = np.median(_cropped(seen["image"][:N_EMPTY]), axis=0)

    def image(found):
        return pooled(contrast(_cropped(found["image"]), empty))

    before = {"vector": seen["box"] / UNIT, "image": image(seen)}
    after = {
        "vector": [found["pose"] / [UNIT, 1, 1] for found in (tipped, slid)],
        "image": [image(found) for found in (tipped, slid)],
    }
    return {name: _trials(before[name], actions[:, :2], after[name], plus) for name in before}


def _push(table, state, friction, actions, rng):
    table.begin(0, state | {"friction": friction})
    table.act(actions)
    return table.look(rng)


def hidings(bank, n, rng):
    """Trials of the occluder: two objects are shown, then one of them is behind it, which is taken away or left.

    The further right the first was shown, the more probably it is the one.
    """
    first, second = (rng.integers(len(bank), size=n) for _ in range(2))
    second = np.where(first == second, (second + 1) % len(bank), second)
    yaw, place = rng.uniform(-np.pi / 2, np.pi / 2, (2, n)), rng.uniform(-1, 1, (2, n))
    uncovers = rng.random(n) < SHARE_UNCOVERED
    world = _hands(bank, n, occluder=OCCLUDER)
    shown, seen = [], []
    for which, turn, x in zip((first, second), yaw, place):
        always, action = np.zeros((2, n, 8))
        always[:, 3] = action[:, 3] = x
        always[:, 7], action[:, 7] = -1, np.where(uncovers, -1, 1)
        pose = np.column_stack([turn, np.zeros((n, 2))])
        for done, found in ((always, shown), (action, seen)):
            found.append(_handled(world, which, pose, done, rng))
    before = {name: np.column_stack([item[name] for item in shown]) for name in shown[0]}
    after = {name: [item[name] for item in seen] for name in shown[0]}
    plus = 0.5 + P_SLOPE * place[0]
    return {name: _trials(before[name], uncovers[:, None], after[name], plus) for name in before}


def rotations(bank, n, rng):
    """Trials of a push beside an object's middle that rolls it in the plane of the picture, one way or the other.

    It turns about a hidden point, anywhere from its left to its right end; in the first branch the push is to the right
    of that. The action tells where the push is, in [-1, 1], and how far the object turns.
    """
    which, yaw = rng.integers(len(bank), size=n), rng.uniform(-np.pi / 2, np.pi / 2, n)
    pose = np.column_stack([yaw, np.zeros(n), rng.uniform(-np.pi, np.pi, n)])
    place, turn = rng.uniform(-1, 1, n), rng.uniform(*TURNS, n)
    world = _hands(bank, n)
    found = []
    for sign in (0, 1, -1):
        action = np.zeros((n, 7))
        action[:, 2] = sign * turn / (np.pi / 2)  # the largest turn of a step
        found.append(_handled(world, which, pose, action, rng))
    seen, *after = found
    actions = np.column_stack([place, turn])
    return {
        name: _trials(seen[name], actions, [item[name] for item in after], (1 + place) / 2)
        for name in seen
    }  # fmt: skip


def _hands(bank, n, **handling):
    return ManipulateObjectVector(
        n, bank, size=HELD_SIZE, backgrounds=("plain",), light_azimuth=(-0.5, -0.5), **handling
    )


def _handled(world, which, pose, action, rng):
    """What is sensed of objects in a pose after an action."""
    options = {"object": which, "pose": pose, "background_seed": 0}
    world.reset(seed=int(rng.integers(2**31)), options=options)
    return _sensed(world.step(action)[0])


def _sensed(observation):
    """Place, extent and slant of the visible surface (n, 9), and the picture against its corner, where nothing is."""
    points, image = observation["points"] / UNIT, observation["image"]
    middle, spread = points.mean(axis=1), points.std(axis=1)
    apart = points - middle[:, None]
    slant = np.stack([(apart[..., i] * apart[..., j]).mean(axis=1) for i, j in ((0, 1), (0, 2), (1, 2))], axis=1)
    middle[:, 2] -= 4 * points.any(axis=(1, 2))  # the distance at which objects are held
    return {
        "vector": np.concatenate([middle, spread, slant], axis=1),
        "image": pooled(contrast(image, image[:, :1, :1])),
    }


def _cropped(image):
    return image[:, PUSH_ROWS, PUSH_COLUMNS]


def contrast(image, empty):
    """How far each pixel is from the empty scene in its most different channel, as a share of the full range."""
    difference = np.abs(image.astype(np.int16) - empty.astype(np.int16))
    return np.maximum(np.maximum(difference[..., 0], difference[..., 1]), difference[..., 2]) / np.float32(255)


def pooled(picture):
    """Means over POOL x POOL pixels, as rows (n, n_pixels)."""
    n, height, width = picture.shape
    blocks = picture.reshape(n, height // POOL, POOL, width // POOL, POOL)
    return blocks.mean(axis=(2, 4)).reshape(n, -1)


def _trials(before, action, after, plus):
    return Trials(
        np.column_stack([before, action]).astype(np.float32), np.stack(after, axis=1).astype(np.float32), plus,
        action.shape[1],
    )  # fmt: skip


TASKS = {"push": pushes, "occluder": hidings, "rotation": rotations}
_HELD = HELD_SIZE // POOL
PICTURES = {"push": (8, 20), "occluder": (_HELD, _HELD), "rotation": (_HELD, _HELD)}  # rows, columns of predictions
