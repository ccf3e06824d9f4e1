"""What happened while something learned: a recorder for every `callback=` of the toolkit."""

import numpy as np

from topology import storage
from topology._validation import check_integer


class History:
    """Callback that copies chosen quantities of the learner's state.

    Parameters
    ----------
    every : int, default=1
        Record when at least this many steps have passed since the last record; steps are what the learner counts
        (a map: samples presented). The first call is always recorded.
    store : tuple of str
        Names of attributes (or keys) of the state.

    Examples
    --------
    >>> import numpy as np
    >>> from topology import GrowingNeuralGas, History
    >>> history = History(every=1000, store=("n_units",))
    >>> _ = GrowingNeuralGas(20, random_state=0).fit(np.random.default_rng(0).random((500, 2)), callback=history)
    >>> history.to_dict()["n_units"][-1]
    np.int64(20)
    """

    def __init__(self, every=1, store=("prototypes", "edges", "counts", "n_units", "quantization_error")):
        self.every = check_integer("every", every, 1)
        if isinstance(store, str) or not all(isinstance(name, str) for name in store):
            raise TypeError(f"store must be a tuple of names, got {store!r}")
        self.store = tuple(store)
        self._steps = []
        self._records = {name: [] for name in self.store}

    def __call__(self, state, step):
        if self._steps and step - self._steps[-1] < self.every:
            return
        values = {
            name: np.array(state[name] if isinstance(state, dict) else getattr(state, name)) for name in self.store
        }
        self._steps.append(int(step))
        for name, value in values.items():
            self._records[name].append(value)

    def to_dict(self):
        """The records by name, and "step" (n_records,).

        A quantity of constant shape is one array (n_records, ...), another one a list of arrays.
        """
        result = {"step": np.array(self._steps, dtype=np.int64)}
        for name, values in self._records.items():
            same = len({value.shape for value in values}) == 1
            result[name] = np.stack(values) if same else list(values)
        return result

    def save(self, path):
        """Write the records to a file that `load` reads."""
        arrays = {"step": np.array(self._steps, dtype=np.int64)}
        for name, values in self._records.items():
            arrays |= {f"{name}.{i:06d}": value for i, value in enumerate(values)}
        storage.save(path, arrays, kind="History", metadata={"every": self.every, "store": list(self.store)})

    @classmethod
    def load(cls, path):
        """Read what `save` wrote.

        Raises
        ------
        topology.storage.CorruptFileError
        """
        arrays, metadata = storage.load(path, kind="History")
        try:
            history = cls(metadata["every"], tuple(metadata["store"]))
            history._steps = arrays.pop("step").tolist()
            for name in history.store:
                history._records[name] = [arrays.pop(f"{name}.{i:06d}") for i in range(len(history._steps))]
        except (KeyError, TypeError, ValueError) as error:
            raise storage.CorruptFileError(f"{path}: not the records of a history ({error})") from error
        if arrays:
            raise storage.CorruptFileError(f"{path}: unexpected arrays {sorted(arrays)}")
        return history
