"""`python -m experiments.ventriloquist` is `mesmrise run ventriloquist`."""

from experiments.ventriloquist import main

raise SystemExit(main())
