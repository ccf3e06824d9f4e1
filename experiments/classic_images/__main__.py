"""`python -m experiments.classic_images` is `mesmrise run classic_images`."""

from experiments.classic_images import main

raise SystemExit(main())
