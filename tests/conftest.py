"""No test is timed, the first call of a compiled function least of all."""

from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
