"""`python -m experiments.ambiguous_quadrants` is `mesmrise run ambiguous_quadrants`."""

from experiments.ambiguous_quadrants import main

raise SystemExit(main())
