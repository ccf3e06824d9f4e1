"""`python -m experiments.manipulation_matters` is `mesmrise run manipulation_matters`."""

from experiments.manipulation_matters import main

raise SystemExit(main())
