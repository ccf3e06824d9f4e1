"""`python -m experiments.unreliable_senses` is `mesmrise run unreliable_senses`."""

from experiments.unreliable_senses import main

raise SystemExit(main())
