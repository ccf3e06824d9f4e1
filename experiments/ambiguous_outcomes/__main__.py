"""`python -m experiments.ambiguous_outcomes` is `mesmrise run ambiguous_outcomes`."""

from experiments.ambiguous_outcomes import main

raise SystemExit(main())
