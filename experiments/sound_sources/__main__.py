"""`python -m experiments.sound_sources` is `mesmrise run sound_sources`."""

from experiments.sound_sources import main

raise SystemExit(main())
