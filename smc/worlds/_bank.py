"""A bank of labelled objects, from parameters, from the objects shipped with the package, or from the user's folder."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from smc.worlds._packing import pack_meshes


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

    def __iter__(self):
        return iter(self._meshes)

    def __repr__(self):
        names, counts = np.unique(self.classes, return_counts=True)
        shown = ", ".join(f"{name} {count}" for name, count in zip(names[:20], counts))
        more = f", and {len(names) - 20} more classes" if len(names) > 20 else ""
        n_faces = int(np.median([len(mesh.faces) for mesh in self._meshes]))
        return (
            f"ObjectBank({len(self)} objects, {len(np.unique(self.groups))} groups, {len(names)} classes, "
            f"median {n_faces} faces: {shown}{more})"
        )

    @cached_property
    def packed(self):
        """The meshes as `render` takes them (`PackedMeshes`), laid out at first use."""
        return pack_meshes(self)

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
        from smc.worlds._procedural import make_objects

        meshes, names, ids = make_objects(n_per_class, classes, seed, variation, proportions, palette, checker)
        return cls(meshes, names, ids=ids)

    @classmethod
    def bundled(cls):
        """The household objects shipped with the package: about 2000 faces each, coloured, in classes of at least 10.

        The models were made by many authors, named in `smc/worlds/data/CREDITS.csv`, for Blend Swap (CC0 1.0 and
        CC BY 3.0) and by Scopia (CC BY 3.0); here they are decimated, and their textures baked into colours of faces.
        Near-copies share a group.

        Returns
        -------
        ObjectBank

        Raises
        ------
        topology.storage.CorruptFileError
            The data file is damaged.
        """
        from smc.worlds._bundled import load_bundled

        meshes, classes, groups, ids = load_bundled()
        return cls(meshes, classes, groups=groups, ids=ids)

    @classmethod
    def from_folder(cls, path, *, max_faces=100_000, strict=False, labels=None, up="z", n_faces=None):
        """Any folder of class-labelled meshes: OBJ, PLY, STL, OFF and GLB.

        Without `labels` the class of a mesh is the first subfolder on its path (`path/chair/a.obj`,
        `path/chair/train/a.off`) and its id the path below the folder. Textures become one colour per face. Nothing
        in a file is executed, and nothing outside the folder is read.

        Parameters
        ----------
        path : str or path-like
        max_faces : int
            Meshes with more triangles are refused: from the file's header, before memory is taken, where the format
            says; and whatever the format, files beyond 500 bytes for each of these faces (at least 1 MiB).
        strict : bool
            Raise at the first mesh that cannot be used, rather than skip such meshes and name them in one warning.
        labels : str or path-like, optional
            CSV file with the columns `id` (a mesh's path below the folder, with or without suffix), `class` and, if
            you like, `group`; only the meshes that it lists are read.
        up : {"z", "y"}
            Which axis of the files points upwards; "y" turns (x, y, z) into (x, -z, y).
        n_faces : int, optional
            Decimate meshes with more triangles to about this number, at least 50; 2000 are quick to draw.

        Returns
        -------
        ObjectBank
            Ordered by id, or as in `labels`.

        Raises
        ------
        ImportError
            trimesh or pillow is absent (extra `meshes`).
        ValueError
            A wrong argument, a folder without any mesh that can be used, or (strict) any unusable mesh.
        """
        from smc.worlds._folder import load_folder

        meshes, classes, groups, ids = load_folder(path, labels, up, max_faces, n_faces, strict)
        return cls(meshes, classes, groups=groups, ids=ids)
