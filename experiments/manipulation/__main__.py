"""`python -m experiments.manipulation` is `mesmrise run manipulation`."""

from experiments.manipulation import main

raise SystemExit(main())
