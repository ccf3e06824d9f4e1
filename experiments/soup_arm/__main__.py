"""`python -m experiments.soup_arm` is `mesmrise run soup_arm`."""

from experiments.soup_arm import main

raise SystemExit(main())
