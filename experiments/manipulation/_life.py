"""One life of the agent: it handles objects, learns, maps its senses, and is tested on objects it never met."""

from __future__ import annotations

import numpy as np

from experiments._reliability_calibration import calibrate
from smc.encoders import ConvEncoder, EquivarianceModule, PointEncoder, embed, pretrain
from smc.worlds import ObjectBank

from ._action import foreseen_change, hit_at_1, supervised_r2, turn_r2
from ._conditions import conditions, test_views
from ._experience import handle, live, look, random_poses, survey
from ._floors import RAW
from ._looking import Survey, look_around
from ._methods import SENSES
from ._pictures import N_THUMBNAILS, growth, picked
from ._recognition import Known, Reliabilities, floats_stored, recognise
from ._settings import SETTINGS
from ._split import draw_objects

ACTIONS = ("true", "shuffled", "none")
ENCODERS = (*ACTIONS, "random")
HEADS = ("mid", "backbone", "invariance", "equivariance")
EXPERT_HEAD = "backbone"
POSE_HEADS = ("backbone", "equivariance")  # where a turn may be read
N_PROBE_ROOMS = 4


class Life:
    """A trained agent with its objects; the methods are the three questions put to it."""

    def __init__(self, config, seed, actions=ACTIONS):
        self.config, self.seed = config, seed
        self.bank = ObjectBank.bundled()
        self.objects = draw_objects(self.bank, config.split, seed, config.n_objects, config.n_classes)
        self.rng = np.random.default_rng([seed, 3])
        self.experience = live(self.bank, self.objects.handled, config, seed)
        self.modules, self.losses = {}, []
        for action in actions:
            trained = pretrain(
                self.experience,
                self.fresh_encoders(),
                action=action,
                n_steps=config.n_steps,
                batch_size=config.batch_size,
                seed=seed,
                threads=config.n_threads,
            )
            self.modules[action] = trained
            self.losses.append(np.mean([trained.history[f"{m}_equivariance"] for m in SENSES], axis=0))
        self.modules["random"] = {m: EquivarianceModule(e, 2, seed=seed) for m, e in self.fresh_encoders().items()}

    def fresh_encoders(self):
        return {
            "image": ConvEncoder(size=self.config.image_size, seed=self.seed),
            "points": PointEncoder(seed=self.seed),
        }

    def new_seed(self):
        return int(self.rng.integers(2**31 - 1000))

    def embed(self, sensed):
        return {m: embed(self.modules["true"][m], sensed[m], HEADS) for m in SENSES}

    def columns(self, head):
        return {m: self.modules["true"][m].columns(HEADS)[head] for m in SENSES}

    def features(self, sensed):
        """What experts read: source -> sense -> features."""
        each = {m: self.features_of(m, sensed[m]) for m in SENSES}
        return {source: {m: each[m][source] for m in SENSES} for source in ("learned", "random", "raw")}

    def does_action_matter(self):
        config, bank, mapped, tested = self.config, self.bank, self.objects.mapped, self.objects.tested
        poses = random_poses(self.rng, (len(mapped) * N_PROBE_ROOMS, config.n_frames))
        known, turns = handle(bank, np.repeat(mapped, N_PROBE_ROOMS), poses, "familiar", config, self.new_seed())
        test_poses = random_poses(self.rng, (len(tested), config.n_frames))
        test, test_turns = handle(bank, tested, test_poses, "familiar", config, self.new_seed())
        frames, test_frames = (
            {m: x.reshape(len(p), config.n_frames, *x.shape[1:]) for m, x in v.sensed(revealed=True).items()}
            for v, p in ((known, poses), (test, test_poses))
        )
        n = len(tested)
        hit, r2 = np.empty((len(ENCODERS) + 1, 2, n)), np.empty((len(ENCODERS) + 1, 2, n))
        foreseen = np.empty((len(ENCODERS) + 1, 2, n))
        for s, sense in enumerate(SENSES):
            for e, source in enumerate(ENCODERS):
                module = self.modules[source][sense]
                hit[e, s] = hit_at_1(module, test_frames[sense], test_poses)
                seen, test_seen = (embed_episodes(module, x[sense]) for x in (frames, test_frames))
                r2[e, s] = turn_r2(
                    joined(seen, POSE_HEADS), poses, joined(test_seen, POSE_HEADS), test_poses, config, self.seed
                )
                f, t = seen[EXPERT_HEAD], test_seen[EXPERT_HEAD]
                for shuffled in (False, True) if source == "true" else (False,):
                    foreseen[-1 if shuffled else e, s] = foreseen_change(
                        f,
                        turns,
                        np.repeat(mapped, N_PROBE_ROOMS),
                        t,
                        test_turns,
                        config.n_units,
                        self.seed,
                        shuffled=shuffled,
                    )
            hit[-1, s] = hit_at_1(self.modules["true"][sense], test_frames[sense], test_poses, predicted=False)
            r2[-1, s] = supervised_r2(
                self.fresh_encoders()[sense], self.experience, sense, test_frames[sense], test_poses, config, self.seed
            )
        return {"hit": hit, "turn_r2": r2, "change_r2": foreseen, "chance": 1 / (config.n_frames - 1)}

    def does_reliability_matter(self):
        self.gather()
        self.trust = self.reliabilities(SETTINGS)
        correct, of, probabilities = self.recognise(self.trust, SETTINGS)
        told, neighbours = (
            np.array(
                [[by[m].reliability(self.tests[m][getattr(c, m)]["learned"]) for m in SENSES] for c in self.listed]
            )
            for by in (self.trust.gng, self.trust.knn)
        )
        senses = zip(told.swapaxes(0, 1), neighbours.swapaxes(0, 1), probabilities, strict=True)
        y = np.searchsorted(self.bank.class_names, self.bank.classes)[self.test_object]
        stored = [sum(map(floats_stored, kind.values())) for kind in (self.trust.gng, self.trust.knn, self.trust.gmm)]
        return {
            "correct": correct,
            "object": of,
            "weights": told,  # (n_conditions, n_senses, n_views)
            "memory": np.array(stored, float),
            "n_classes": len(np.unique(self.bank.classes[self.objects.tested])),
            "condition": np.array([c.name for c in self.listed]),
            "condition_kind": np.array([c.kind for c in self.listed]),
            "condition_strength": np.array([c.strength for c in self.listed]),
            "condition_confirms": np.array([c.confirms for c in self.listed]),
        } | calibrate(list(senses), y)

    def gather(self):
        """Features of the views on which maps and experts are fitted, and of the test views in every condition."""
        config, bank, objects = self.config, self.bank, self.objects
        views = look(bank, objects.mapped, config.n_map_views, "familiar", config, self.new_seed())
        sensed = views.sensed(revealed=True)
        self.mapped, self.mapped_object = self.embed(sensed), views.object
        self.draw_maps(sensed["image"], self.mapped)

        labelled = look(bank, objects.known, config.n_label_views, "familiar", config, self.new_seed())
        noisy = self.embed(labelled.with_own_noise(self.rng).sensed(revealed=True))
        self.known = Known({**self.features(labelled.sensed(revealed=True)), "noisy": noisy}, labelled.object)

        variants, clean = test_views(bank, objects.tested, config, self.new_seed())
        self.tests = {m: {name: self.features_of(m, x) for name, x in variants[m].items()} for m in SENSES}
        self.test_object = clean.object
        self.listed = conditions(config.split)

    def reliabilities(self, settings):
        layers = {m: list(self.modules["true"][m].columns(HEADS).values()) for m in SENSES}
        return Reliabilities(self.mapped, layers, self.mapped_object, self.config.n_units, settings, self.seed)

    def recognise(self, trust, settings):
        rivals = {"knn": trust.knn, "gmm": trust.gmm}
        told = {
            m: {
                name: {k: r[m].reliability(x["learned"]) for k, r in rivals.items()}
                for name, x in self.tests[m].items()
            }
            for m in SENSES
        }

        def inputs(c):
            chosen = {m: getattr(c, m) for m in SENSES}
            x = {s: {m: self.tests[m][chosen[m]][s] for m in SENSES} for s in ("learned", "random", "raw")}
            return {**x, "trust": {k: np.stack([told[m][chosen[m]][k] for m in SENSES]) for k in rivals}}

        return recognise(
            self.bank,
            self.objects,
            self.known,
            inputs,
            self.listed,
            self.test_object,
            trust,
            self.columns(EXPERT_HEAD),
            self.config,
            settings,
            self.seed,
        )

    def draw_maps(self, images, embedded):
        shown = picked(len(images), self.seed)
        self.pictures = {"map_thumbnails": images[shown][:N_THUMBNAILS]}
        for m in SENSES:
            drawn = growth(embedded[m][:, self.columns(EXPERT_HEAD)[m]], self.config.n_units, self.seed)
            self.pictures.update({f"map_{key}_{m}": array for key, array in drawn.items()})

    def features_of(self, sense, x):
        return {
            "learned": embed(self.modules["true"][sense], x, HEADS),
            "random": embed(self.modules["random"][sense], x, EXPERT_HEAD),
            "raw": RAW[sense](x),
        }

    def does_looking_matter(self):
        correct, of = look_around(
            self.bank,
            self.objects,
            self.known,
            self.survey(self.objects.tested),
            self.survey(self.objects.known),
            self.trust,
            self.columns(EXPERT_HEAD),
            self.config,
            self.seed,
        )
        return {"look_correct": correct, "look_object": of}

    def survey(self, objects):
        views, grid = survey(self.bank, objects, self.config, self.new_seed())
        features = {
            m: x.reshape(len(objects), len(grid), -1) for m, x in self.embed(views.sensed(revealed=True)).items()
        }
        return Survey(features, grid, objects)


def embed_episodes(module, X) -> dict[str, np.ndarray]:
    """X (n_episodes, n_frames, ...) -> head -> (n_episodes, n_frames, d)."""
    embedded = embed(module, X.reshape(-1, *X.shape[2:]), HEADS).reshape(*X.shape[:2], -1)
    return {head: embedded[..., columns] for head, columns in module.columns(HEADS).items()}


def joined(embedded, heads):
    return np.concatenate([embedded[head] for head in heads], axis=-1)


def live_and_test(config, seed) -> dict[str, np.ndarray]:
    life = Life(config, seed)
    return {
        "losses": np.array(life.losses),
        **life.does_action_matter(),
        **life.does_reliability_matter(),
        **life.does_looking_matter(),
        **life.pictures,
    }
