"""What an encoder gains by knowing what it did, in familiar and in unknown rooms.

Finding     An encoder that must predict the consequences of its turns knows them and the turns, and in familiar rooms
            pays with at most one point of accuracy on objects. On unknown backgrounds it still knows its turns, but
            objects no better: two points worse. Where the room never changes, objects are not learned at all. An agent
            that puts the object away for a moment and keeps what changed (`acting`) knows objects in unknown rooms as
            in familiar ones; clouds add accuracy, predicted consequences cost one or two points of it and bring the
            knowledge of turns, in unknown light too. Where it acted in rooms of its own only (`glance`), a single image
            of an unknown room is enough for .76 of the views (time contrast .37): a network learns what the reveal
            showed to be the object, in front of mosaics of all that was seen, and covers the ground of single images.
            Learned without the mosaics it does not help (.33), mosaics without knowledge of the object little (.49).
Prediction  (P1) The supervised action decoder reaches R2 0.6 and beats a random encoder, else the table is void. (P2)
            Predicted consequences beat shuffled actions and "nothing changes" on H@1 among views of one object. (P3) R2
            exceeds that of time contrast and of shuffled actions. (P4) Accuracy is at most 2 points lower, with all and
            with 5 labels. (P5) The signs of R2 and H@1 hold on unknown backgrounds; accuracy there as in P4. (acting)
            In unknown rooms 10 points above time contrast with all labels and 20 with 5, at most 2 below the same
            without action; on unknown backgrounds R2 0.15 above time contrast, H@1 0.4; shuffled actions lose both.
            (glance) In unknown rooms 3 points above time contrast with all and with 5 labels, and above the same
            mosaics and clouds without knowledge of the object.
Controls    Random encoder, identity, shuffled and no action, supervised decoder; the room told by each head; of single
            glances mosaics over the whole frame, masks of other views, twice the time; paired objects and initial
            weights; settings from three tries each, SimCLR five, of the designs for single glances two of those
            (experiments/data/action_views_tuning.csv), on seeds, rooms and lights that no table shows.
Citation    Devillers and Lefort (2023), EquiMod, ICLR; Aubret et al. (2023), Time to augment, ICLR; Garrido et al.
            (2023), SIE and 3DIEBench, ICML.
Cost        17 minutes of processor time for the five seeds of the table `main`, 12 for `acting`, 6 for `planning`, 45
            for `glance`, 17 for `ablations`, 15 for `multimodal` and for `bundled`.

experiments/data/action_views_main.csv is the table of `mesmrise run action_views --jobs 2`; action_views_acting.csv is
that of `mesmrise run action_views --jobs 2 --table acting`, and so for every other table.

`--table` chooses the question: main, bundled (objects made by people), ablations, multimodal (image and cloud),
acting (the object is put away for a moment, which shows the room alone), glance (that is done in training only), or
planning (turning an object to a goal view). `_data` makes objects, rooms, views and experience; `_train` trains any
`Method` of `_methods`; `_measure` says what an encoder knows; `_comparison` does that for all methods of a table,
`_glance` for designs that first make something of the experience (`_pasting`); `_claims` judges them and `_page` shows
them; `_planning` has all of its own table.
"""

from __future__ import annotations

from experiments._runner import experiment

from . import _claims, _comparison, _glance, _page, _planning
from ._config import QUICK, SMOKE, Config

__all__ = ["QUICK", "SMOKE", "Config", "main"]

RUN = {"planning": _planning.pursue, "glance": _glance.compare}  # all others compare methods on the same frames
SHOW = {"planning": _planning}


def run(config: Config, seed: int):
    """One seed of the table that the config names."""
    return RUN.get(config.table, _comparison.compare)(config, seed)


def table(results):
    return SHOW.get(str(results["table"][0]), _page).table(results)


def figure(results):
    return SHOW.get(str(results["table"][0]), _page).figure(results)


def verdict(results):
    return SHOW.get(str(results["table"][0]), _claims).verdict(results)


main = experiment(Config, run, figure, verdict, smoke=SMOKE, quick=QUICK, table=table, default_seeds=5)
