"""Nested parameters of a list of named modalities, such as ``vision__expert__C``."""

PARTS = ("columns", "expert", "reliability")


def nested_params(modalities):
    """Every part of every modality, and their own parameters, by nested name; nothing for a malformed list."""
    try:
        modalities = [(str(name), parts) for name, *parts in modalities]
    except (TypeError, ValueError):
        return {}
    params = {}
    for name, parts in modalities:
        for part, value in zip(PARTS, parts):
            params[f"{name}__{part}"] = value
            params |= inner_params(f"{name}__{part}", value)
    return params


def inner_params(name, part):
    """Parameters of one part by nested name; nothing for a part that has none."""
    if not hasattr(part, "get_params") or isinstance(part, type):
        return {}
    return {f"{name}__{key}": value for key, value in part.get_params(deep=True).items()}


def replace_parts(modalities, params):
    """Modalities with some parts replaced or reparametrised; the list given is left as it is.

    Parameters
    ----------
    modalities : list of tuple (name, columns, expert, reliability)
    params : dict
        ``name__part`` replaces a part, ``name__part__key`` sets a parameter of it.
    """
    result = {name: dict(zip(PARTS, parts)) for name, *parts in modalities}
    inner = {}
    for key, value in params.items():
        name, _, rest = key.partition("__")
        part, _, parameter = rest.partition("__")
        if name not in result or part not in PARTS:
            allowed = [f"{name}__{part}" for name in result for part in PARTS]
            raise ValueError(f"invalid parameter {key!r}; nested parameters begin with one of {allowed}")
        if parameter:
            inner.setdefault((name, part), {})[parameter] = value
        else:
            result[name][part] = value
    for (name, part), values in inner.items():
        if not hasattr(result[name][part], "set_params"):
            raise ValueError(f"{name}__{part} is {result[name][part]!r}, which has no parameters to set")
        result[name][part].set_params(**values)
    return [(name, *parts.values()) for name, parts in result.items()]
