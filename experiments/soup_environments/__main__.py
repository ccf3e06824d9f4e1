"""`python -m experiments.soup_environments` is `mesmrise run soup_environments`."""

from experiments.soup_environments import main

raise SystemExit(main())
