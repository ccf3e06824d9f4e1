"""`python -m experiments.action_views` is `mesmrise run action_views`."""

from experiments.action_views import main

raise SystemExit(main())
