"""Makes gymnasium know the environments of this package, without loading gymnasium for those who do not use it."""

from __future__ import annotations

import sys

MODULES = {  # of the environments that step one by one
    "Corridor": "smc.worlds._corridor",
    "GogglesReach": "smc.worlds._reach",
    "GridWorld": "smc.worlds._grid",
    "Mobile": "smc.worlds._mobile",
    "MovingStructures": "smc.worlds._structures",
    "PushObject": "smc.worlds._push",
    "TetrominoPatch": "smc.worlds._tetromino",
    "TouchRoom": "smc.worlds._room",
}


def register() -> None:
    """Make `gymnasium.make` and `make_vec` know the environments; each loads when one is made. Twice does no harm."""
    import gymnasium

    if "mesmrise/ManipulateObject-v0" in gymnasium.registry:
        return
    gymnasium.register(
        "mesmrise/ManipulateObject-v0",
        entry_point="smc.worlds._manipulate:ManipulateObject",
        vector_entry_point="smc.worlds._manipulate:ManipulateObjectVector",
    )
    for name, module in MODULES.items():
        gymnasium.register(f"mesmrise/{name}-v0", entry_point=f"{module}:{name}")


def register_when_loaded() -> None:
    """Register now if gymnasium is loaded, else as soon as somebody imports it.

    Gymnasium 1.0 no longer looks for plugins, so importing this package must be enough, in whatever order.
    """
    if "gymnasium" in sys.modules:
        register()
    else:
        sys.meta_path.insert(0, _RegisterAfterImport())


class _RegisterAfterImport:
    """Import hook: finds gymnasium as the other finders do, and registers the environments once its code has run."""

    def find_spec(self, name, path=None, target=None):
        if name != "gymnasium":
            return None
        found = (finder.find_spec(name, path, target) for finder in list(sys.meta_path) if finder is not self)
        spec = next((spec for spec in found if spec is not None), None)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def execute_and_register(module):
                execute(module)
                if self in sys.meta_path:
                    sys.meta_path.remove(self)
                register()

            spec.loader.exec_module = execute_and_register
        return spec
