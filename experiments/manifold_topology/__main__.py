"""`python -m experiments.manifold_topology` is `mesmrise run manifold_topology`."""

from experiments.manifold_topology import main

raise SystemExit(main())
