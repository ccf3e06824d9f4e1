"""`python -m experiments.audiovisual_merging` is `mesmrise run audiovisual_merging`."""

from experiments.audiovisual_merging import main

raise SystemExit(main())
