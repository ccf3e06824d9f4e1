"""`python -m experiments.curious_recognition` is `mesmrise run curious_recognition`."""

from experiments.curious_recognition import main

raise SystemExit(main())
