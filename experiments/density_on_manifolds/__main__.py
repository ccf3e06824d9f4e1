"""`python -m experiments.density_on_manifolds` is `mesmrise run density_on_manifolds`."""

from experiments.density_on_manifolds import main

raise SystemExit(main())
