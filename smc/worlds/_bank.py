"""A bank of labelled objects, from parameters, from the objects shipped with the package, or from the user's folder."""

from __future__ import annotations

import numpy as np


class ObjectBank:
    """Labelled triangle meshes, all of one size: bounding box centred, bounding sphere of radius 0.1 m, z up.

    Make one with `procedural`, `bundled` or `from_folder`. A bank is indexed like a list.

    Parameters
    ----------
    meshes : sequence of Mesh
    classes : array_like (n_objects,) of str
        Category of every object.
    groups : array_like (n_objects,) of str, optional
        Objects that must stay on one side of every split, as near-copies must. By default each object is its own.
    ids : array_like (n_objects,) of str, optional
        Unique names. By default "class/number".

    Attributes
    ----------
    classes, groups, ids : ndarray (n_objects,) of str
    class_names : tuple of str
        Sorted.
    """

    def __init__(self, meshes, classes, *, groups=None, ids=None):
        self._meshes = list(meshes)
        self.classes = self._names("classes", classes)
        if ids is None:
            ids = [f"{name}/{i:04d}" for i, name in enumerate(self.classes)]
        self.ids = self._names("ids", ids)
        if len(np.unique(self.ids)) < len(self.ids):
            raise ValueError("ids must be unique; use prefixes to tell equal names of different classes apart")
        self.groups = self._names("groups", self.ids if groups is None else groups)
        self.class_names = tuple(np.unique(self.classes).tolist())

    def _names(self, argument, names):
        if not self._meshes:
            raise ValueError("meshes must hold at least one object")
        names = np.array(names, dtype=str)
        if names.shape != (len(self._meshes),):
            raise ValueError(f"{argument} has shape {names.shape}; expected one name per mesh, ({len(self._meshes)},)")
        names.flags.writeable = False
        return names

    def __len__(self):
        return len(self._meshes)

    def __getitem__(self, index):
        if not isinstance(index, (int, np.integer)):
            raise TypeError(f"an object is indexed by one integer, got {index!r}; use subset(indices) for several")
        return self._meshes[index]

    def __repr__(self):
        names, counts = np.unique(self.classes, return_counts=True)
        shown = ", ".join(f"{name} {count}" for name, count in zip(names[:20], counts))
        more = f", and {len(names) - 20} more classes" if len(names) > 20 else ""
        n_faces = int(np.median([len(mesh.faces) for mesh in self._meshes]))
        return (
            f"ObjectBank({len(self)} objects, {len(np.unique(self.groups))} groups, {len(names)} classes, "
            f"median {n_faces} faces: {shown}{more})"
        )

    def subset(self, indices):
        """Bank of the objects at `indices`, in that order.

        Parameters
        ----------
        indices : array_like (n,) of int, or (n_objects,) of bool
        """
        indices = np.asarray(indices)
        if indices.dtype == bool and indices.shape != (len(self),):
            raise ValueError(f"indices as a mask must have shape ({len(self)},), got {indices.shape}")
        if indices.ndim != 1 or indices.dtype.kind not in "bui" or not indices.size:
            raise ValueError("indices must be a non-empty list of integers, or a mask with one entry per object")
        chosen = np.arange(len(self))[indices]
        if not chosen.size:
            raise ValueError("indices as a mask must choose at least one object")
        if len(np.unique(chosen)) < len(chosen):
            raise ValueError("indices must name every object at most once")
        return ObjectBank(
            [self._meshes[i] for i in chosen], self.classes[chosen], groups=self.groups[chosen], ids=self.ids[chosen]
        )

    @classmethod
    def procedural(
        cls,
        n_per_class=10,
        classes=None,
        seed=0,
        *,
        variation=1.0,
        proportions=(1.0, 1.0, 1.0),
        palette=None,
        checker=0.5,
    ):
        """Objects of parametric families, as many as you like.

        Object i of a family depends on the seed and the factors only, not on which others are made; and each factor has
        random numbers of its own, so that changing the colours leaves the shapes as they were.

        Parameters
        ----------
        n_per_class : int
        classes : sequence of str, optional
            Default all: airplane, bottle, bowl, car, chair, fish, hammer, humanoid, lamp, mug, quadruped, shelf,
            superquadric, table, teapot, tree, umbrella, vase.
        seed : int
            At least 0.
        variation : float in [0, 1]
            Spread of the shape parameters: 0 makes every object of a family the same shape.
        proportions : tuple of 3 floats
            Stretch along x (width), y (depth) and z (height) before the size is normalised.
        palette : array_like (n_colors, 3), optional
            Colours in [0, 1] to draw the parts' colours from; by default any vivid colour.
        checker : float in [0, 1]
            Share of objects whose main part bears a checker texture; 0 or 1 turns it off or on for all.

        Returns
        -------
        ObjectBank
            Ordered by class as given, then by number.
        """
        from ._procedural import make_objects

        meshes, names, ids = make_objects(n_per_class, classes, seed, variation, proportions, palette, checker)
        return cls(meshes, names, ids=ids)
