"""Actions as typed vectors: what was done, in which units and frame, and which senses can tell."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from scipy.spatial.transform import Rotation

from smc._kernels import pictures
from topology._validation import read_only

FRAMES = ("camera", "object")
SIZES = {
    "rotation": 3,
    "translation": 3,
    "zoom": 1,
    "crop": 2,
    "flip": 1,
    "color": 3,
    "background": 1,
    "light": 1,
}
COMPONENTS = tuple(SIZES)
CONSEQUENCES = {
    "image": COMPONENTS,
    "points": ("rotation", "translation"),
    "proprioception": ("rotation", "translation"),
}
IN_THE_PICTURE = ("zoom", "crop", "flip", "color")  # what pixels alone let us compute


@dataclass(frozen=True, eq=False)
class Action:
    """n actions, each a vector with named components; a component that is left out is null.

    `compose` and `invert` are exact for each component but `background`. Zoom, crop and flip together are the maps
    u -> D u + crop of picture coordinates, u in [-1, 1] rightward and downward; D = exp(zoom), mirrored where flipped.

    Parameters
    ----------
    rotation : array_like (n, 3), optional
        Rotation vector (axis times angle, radians) of the object about its own origin.
    translation : array_like (n, 3), optional
        Of that origin in the camera frame: right, down, forward, metres.
    zoom : array_like (n,), optional
        Logarithm of the picture's magnification.
    crop : array_like (n, 2), optional
        Shift of the picture rightward and downward, in half picture sizes; with zoom, a crop.
    flip : array_like (n,) of 0 or 1, optional
        Left and right exchanged.
    color : array_like (n, 3), optional
        Logarithm of the gain of red, green and blue.
    background : array_like (n,) of 0 or 1, optional
        Whether the surroundings are others than before.
    light : array_like (n,), optional
        Change of the light's azimuth, radians.
    frame : {"camera", "object"}, default="camera"
        Whose axes `rotation` refers to.

    Raises
    ------
    TypeError, ValueError
        For a component of the wrong type, shape or range.

    Examples
    --------
    >>> import numpy as np
    >>> from smc import Action
    >>> turn = Action(rotation=[[0, 0, np.pi / 2]])
    >>> turn.apply(np.array([[[1.0, 0, 0]]]), "points", center=np.zeros((1, 3))).round(6)
    array([[[0., 1., 0.]]])
    >>> turn.compose(turn.invert()).vector().any()
    np.False_
    """

    rotation: np.ndarray | None = None
    translation: np.ndarray | None = None
    zoom: np.ndarray | None = None
    crop: np.ndarray | None = None
    flip: np.ndarray | None = None
    color: np.ndarray | None = None
    background: np.ndarray | None = None
    light: np.ndarray | None = None
    frame: str = "camera"

    def __post_init__(self):
        if self.frame not in FRAMES:
            raise ValueError(f"frame must be one of {FRAMES}, got {self.frame!r}")
        given = {name: getattr(self, name) for name in COMPONENTS if getattr(self, name) is not None}
        if not given:
            raise ValueError(f"an Action needs at least one component of {', '.join(COMPONENTS)}; got none")
        checked = {name: _checked(name, value) for name, value in given.items()}
        lengths = {name: len(value) for name, value in checked.items()}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"components must agree in their number of actions, got {lengths}")
        n = next(iter(lengths.values()))
        for name, size in SIZES.items():
            value = checked.get(name, np.zeros((n, size) if size > 1 else n))
            value.flags.writeable = False
            object.__setattr__(self, name, value)

    @classmethod
    def from_vector(cls, vector, components=COMPONENTS, *, frame="camera") -> Action:
        """Actions from the columns (n, d) of the named components, as `vector` writes them."""
        names = _check_components(components)
        vector = np.asarray(vector)
        width = sum(SIZES[name] for name in names)
        if vector.ndim != 2 or vector.shape[1] != width:
            raise ValueError(f"vector must have shape (n, {width}) for {', '.join(names)}; got {vector.shape}")
        ends = np.cumsum([SIZES[name] for name in names])
        parts = np.split(vector, ends[:-1], axis=1)
        return cls(**{name: part if SIZES[name] > 1 else part[:, 0] for name, part in zip(names, parts)}, frame=frame)

    @classmethod
    def between(cls, pose, next_pose, **others) -> Action:
        """What led from one pose of an object to another, in the camera's frame.

        Parameters
        ----------
        pose, next_pose : array_like (n, 3, 4)
            Object-to-camera poses, as `smc.worlds.pose_matrix` makes them.
        **others
            Further components, such as `background` or `light`.
        """
        pose, next_pose = (_check_pose(name, p) for name, p in (("pose", pose), ("next_pose", next_pose)))
        if pose.shape != next_pose.shape:
            raise ValueError(f"next_pose must have the shape of pose, {pose.shape}; got {next_pose.shape}")
        turn = Rotation.from_matrix(next_pose[..., :3] @ pose[..., :3].transpose(0, 2, 1))
        return cls(rotation=turn.as_rotvec(), translation=next_pose[..., 3] - pose[..., 3], **others)

    def __len__(self):
        return len(self.rotation)

    def __getitem__(self, index) -> Action:
        """Return the actions of a slice, a mask, an array of numbers, or one number."""
        index = [index] if isinstance(index, int | np.integer) else index
        return Action(**{name: getattr(self, name)[index] for name in COMPONENTS}, frame=self.frame)

    def __array__(self, dtype=None, copy=None):
        raise TypeError("an Action becomes an array by action.vector(components), which names its columns")

    def __repr__(self):
        return f"Action(n={len(self)}, {', '.join(self.active()) or 'null'}; frame={self.frame!r})"

    def active(self) -> tuple[str, ...]:
        """Names of the components that are not null in all actions."""
        return tuple(name for name in COMPONENTS if getattr(self, name).any())

    def vector(self, components=COMPONENTS) -> np.ndarray:
        """Columns (n, d) of the named components, in their order: what predictors are told."""
        return np.column_stack([getattr(self, name) for name in _check_components(components)])

    def has_consequence(self, sense) -> np.ndarray:
        """Whether each action (n,) changes what a sense delivers: "image", "points" or "proprioception".

        A translation changes a cloud, but not what an encoder makes of it that centres its clouds.
        """
        parts = [getattr(self, name).reshape(len(self), -1) for name in _consequences(sense)]
        return np.column_stack(parts).any(axis=1)

    def compose(self, then: Action) -> Action:
        """These actions, each followed by one of `then` (as many, in the same frame)."""
        if not isinstance(then, Action):
            raise TypeError(f"then must be an Action, got {type(then).__name__}")
        if len(then) != len(self):
            raise ValueError(f"then must hold as many actions, {len(self)}; got {len(then)}")
        if then.frame != self.frame:
            raise ValueError(f"then must be in the {self.frame} frame, got {then.frame!r}; see in_frame")
        first, second = self._turn(), then._turn()
        turn = second * first if self.frame == "camera" else first * second
        added = {name: getattr(self, name) + getattr(then, name) for name in ("translation", "zoom", "color", "light")}
        return Action(
            rotation=turn.as_rotvec(),
            crop=then._scale() * self.crop + then.crop,
            flip=np.abs(self.flip - then.flip),
            background=np.maximum(self.background, then.background),
            frame=self.frame,
            **added,
        )

    def invert(self) -> Action:
        """Actions that undo these; another background is undone by yet another one."""
        negated = {name: -getattr(self, name) for name in ("rotation", "translation", "zoom", "color", "light")}
        kept = {"flip": self.flip, "background": self.background, "frame": self.frame}
        return Action(crop=-self.crop / self._scale(), **negated, **kept)

    def in_frame(self, frame, attitude) -> Action:
        """The same actions about the axes of the other frame.

        Parameters
        ----------
        frame : {"camera", "object"}
        attitude : array_like (n, 3, 3)
            Object-to-camera rotation before each action.
        """
        if frame not in FRAMES:
            raise ValueError(f"frame must be one of {FRAMES}, got {frame!r}")
        attitude = np.asarray(attitude, float)
        if attitude.shape != (len(self), 3, 3):
            raise ValueError(f"attitude must have shape ({len(self)}, 3, 3), got {attitude.shape}")
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        if frame != self.frame:
            to_other = attitude if frame == "camera" else attitude.transpose(0, 2, 1)
            values |= {"rotation": np.einsum("nij,nj->ni", to_other, self.rotation), "frame": frame}
        return Action(**values)

    def apply(self, X, sense, *, center=None) -> np.ndarray:
        """What a sense delivers after the actions, computed from what it delivered before.

        Parameters
        ----------
        X : array (n, ...)
            With "points" clouds (n, n_points, 3) of float, metres, camera frame; with "image" pictures (n, height,
            width, 3), uint8 or float in [0, 1].
        sense : {"points", "image"}
        center : array_like (n, 3), optional
            With "points": the object's origin, about which it turns (default: the mean of each cloud).

        Returns
        -------
        ndarray like X

        Raises
        ------
        ValueError
            If X does not tell what follows: pictures of a turned, moved or newly lit object must be rendered.
        """
        X = np.asarray(X)
        if sense == "points":
            return self._apply_to_points(X, center)
        if sense == "image":
            return self._apply_to_images(X)
        raise ValueError(f"sense must be 'points' or 'image', got {sense!r}")

    def _apply_to_points(self, X, center):
        if X.dtype.kind != "f" or X.ndim != 3 or X.shape[2] != 3 or len(X) != len(self) or X.shape[1] == 0:
            raise ValueError(f"X must be float clouds ({len(self)}, n_points, 3), got {X.dtype} {X.shape}")
        if self.frame != "camera" and self.rotation.any():
            raise ValueError("clouds are in the camera frame, the action in the object's; see in_frame")
        center = X.mean(axis=1) if center is None else np.asarray(center)
        if center.shape != (len(self), 3):
            raise ValueError(f"center must have shape ({len(self)}, 3), got {center.shape}")
        turned = (X - center[:, None]) @ self._turn().as_matrix().transpose(0, 2, 1)
        return (turned + (center + self.translation)[:, None]).astype(X.dtype)

    def _apply_to_images(self, X):
        fits = X.ndim == 4 and X.shape[3] == 3 and len(X) == len(self) and X.size > 0
        if not fits or X.dtype not in (np.uint8, np.float32, np.float64):
            shape = f"({len(self)}, height, width, 3)"
            raise ValueError(f"X must be pictures {shape}, uint8 or float; got {X.dtype} {X.shape}")
        rendered = [name for name in self.active() if name not in IN_THE_PICTURE]
        if rendered:
            raise ValueError(f"a picture does not tell what {', '.join(rendered)} would change: render it")
        out = np.empty_like(X, order="C")
        highest, rounding = (255.0, 0.5) if X.dtype == np.uint8 else (1.0, 0.0)
        pictures.warp(read_only(X), self._scale(), self.crop, np.exp(self.color), highest, rounding, out)
        return out

    def _turn(self):
        return Rotation.from_rotvec(self.rotation.copy())  # scipy takes no read-only arrays

    def _scale(self):
        """Diagonal (n, 2) of D."""
        magnification = np.exp(self.zoom)
        return np.column_stack([magnification * (1 - 2 * self.flip), magnification])


def _checked(name, value):
    value = np.array(value)
    if value.dtype.kind not in "fiub":
        raise TypeError(f"{name} must be numeric, got {value.dtype}")
    shape = "(n, " + f"{SIZES[name]})" if SIZES[name] > 1 else "(n,)"
    if value.ndim != (2 if SIZES[name] > 1 else 1) or len(value) == 0 or value.shape[1:] not in ((), (SIZES[name],)):
        raise ValueError(f"{name} must have shape {shape} with n >= 1, got {value.shape}")
    value = value.astype(float)
    if not np.isfinite(value).all():
        raise ValueError(f"{name} must be finite, but holds NaN or infinity")
    if name in ("flip", "background") and not np.isin(value, (0, 1)).all():
        raise ValueError(f"{name} must be 0 or 1 in each action")
    return value


def _check_components(components):
    names = (components,) if isinstance(components, str) else tuple(components)
    if not names or len(set(names)) < len(names) or not set(names) <= set(COMPONENTS):
        raise ValueError(f"components must be different ones of {COMPONENTS}, got {components!r}")
    return names


def _check_pose(name, pose):
    pose = np.asarray(pose, float)
    if pose.ndim != 3 or pose.shape[1:] != (3, 4) or len(pose) == 0 or not np.isfinite(pose).all():
        raise ValueError(f"{name} must be finite poses (n, 3, 4), got shape {pose.shape}")
    return pose


def _consequences(sense):
    if sense not in CONSEQUENCES:
        raise ValueError(f"sense must be one of {tuple(CONSEQUENCES)}, got {sense!r}")
    return CONSEQUENCES[sense]
