"""`python -m experiments.human_heading` is `mesmrise run human_heading`."""

from experiments.human_heading import main

raise SystemExit(main())
