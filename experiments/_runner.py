"""The part that all experiments share: command line, seeds, resume, results folder, verdict."""

import re
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, make_dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated

import joblib
import tyro

from experiments._environment import environment, limited_threads
from experiments._figures import close_figure, save_figure, style
from experiments._results import RefusedError, ResultsFolder
from experiments._table import format_table, stacked, to_csv
from topology.storage import CorruptFileError


@dataclass(frozen=True)
class Options:
    """How to run; the same for every experiment."""

    seeds: Annotated[int | None, tyro.conf.arg(metavar="N")] = None  # run seeds 0 to N-1
    smoke: bool = False  # seconds: the same code at the smallest size; the verdict is not assessed
    quick: bool = False  # half a minute or so; the verdict is not assessed
    out: Path = Path("results")  # folder of all results
    jobs: Annotated[int, tyro.conf.arg(metavar="N")] = 1  # seeds run at the same time
    threads: Annotated[int | None, tyro.conf.arg(metavar="N")] = None  # threads of each seed
    figure_only: bool = False  # table, figure and verdict from the finished seeds, without running any
    strict: bool = False  # exit with 3 if the verdict is FAIL

    def __post_init__(self):
        if self.smoke and self.quick:
            raise ValueError("--smoke and --quick exclude each other")
        for name in ("seeds", "jobs", "threads"):
            if getattr(self, name) is not None and getattr(self, name) < 1:
                raise ValueError(f"--{name} must be at least 1; got {getattr(self, name)}")


@dataclass(frozen=True)
class Experiment:
    """One experiment as its script declares it; see `experiment`."""

    Config: type
    run: Callable
    figure: Callable
    verdict: Callable
    smoke: object
    quick: object
    table: Callable
    artefacts: dict[str, Callable]
    default_seeds: int
    threads: int

    @property
    def name(self) -> str:
        """The script's name, also when it is run as the main module."""
        module = sys.modules[self.run.__module__]
        spec = getattr(module, "__spec__", None)
        parts = spec.name.split(".") if spec else [Path(module.__file__ or "").stem]
        return parts[1] if parts[0] == "experiments" else parts[-1]

    @property
    def text(self) -> str:
        """The script's docstring."""
        module = sys.modules.get(f"experiments.{self.name}") or sys.modules[self.run.__module__]
        return (module.__doc__ or self.name).strip()

    @property
    def title(self) -> str:
        """Its first line."""
        return self.text.splitlines()[0]

    def __call__(self, argv=None) -> int:
        """Run with the arguments of a command line and return its exit code."""
        try:
            options, config = self.parse(sys.argv[1:] if argv is None else list(argv))
        except SystemExit as stop:  # --help, or a usage error that was printed
            return int(stop.code or 0)
        except (ValueError, TypeError) as error:
            print(f"{self.name}: {error}", file=sys.stderr)
            return 2
        try:
            return self.carry_out(options, config)
        except (RefusedError, CorruptFileError) as error:
            print(f"{self.name}: {error}", file=sys.stderr)
            return 1

    def parse(self, argv) -> tuple[Options, object]:
        """Options and config; --smoke and --quick choose the config whose values are then the defaults."""
        base = self.smoke if "--smoke" in argv else self.quick if "--quick" in argv else self.Config()
        n_seeds = 1 if {"--smoke", "--quick"} & set(argv) else self.default_seeds

        flat = tyro.conf.arg(name="")
        fields = [
            ("options", Annotated[Options, flat, tyro.conf.FlagCreatePairsOff]),
            ("config", Annotated[self.Config, flat]),
        ]
        Arguments = make_dataclass("Arguments", fields)
        seeds = None if "--figure-only" in argv else n_seeds  # None: all that are finished
        defaults = Arguments(Options(seeds=seeds, threads=self.threads), base)
        prog = f"mesmrise run {self.name}"
        text = re.sub(r"\n+(?=\S)", "\n\n", self.text)  # tyro joins lines that are not indented
        arguments = tyro.cli(Arguments, default=defaults, args=argv, prog=prog, description=text)
        return arguments.options, arguments.config

    def carry_out(self, options: Options, config) -> int:
        folder = ResultsFolder(options.out, self.name, config)
        print(self.title)
        if options.figure_only:
            seeds = folder.finished_seeds() if options.seeds is None else range(options.seeds)
            if not set(seeds) or not set(seeds) <= set(folder.finished_seeds()):
                raise RefusedError(f"--figure-only needs finished seeds; {folder.path} has {folder.finished_seeds()}")
        else:
            seeds = range(options.seeds or self.default_seeds)
            self.run_seeds(folder, config, seeds, options)
        return self.report(folder, folder.load(list(seeds)), options)

    def run_seeds(self, folder, config, seeds, options) -> None:
        """Run the seeds that are not stored yet, in order or side by side; each is stored as soon as it is done."""
        now = environment(options.threads)
        folder.open(now)
        missing = [seed for seed in seeds if seed not in folder.finished_seeds()]
        done = len(seeds) - len(missing)
        if done:
            revision = folder.read_json("environment.json").get("revision")
            changed = "" if revision == now["revision"] else f", made at revision {revision}, now {now['revision']}"
            print(f"{done} of {len(seeds)} seeds are in {folder.path}{changed}")
        jobs = [joblib.delayed(run_seed)(self.run, config, seed, folder, options.threads) for seed in missing]
        with joblib.parallel_config("loky", inner_max_num_threads=options.threads):
            n_jobs = min(options.jobs, max(len(jobs), 1))
            finished = joblib.Parallel(n_jobs=n_jobs, return_as="generator_unordered")(jobs)
            for count, (seed, seconds) in enumerate(finished, done + 1):
                print(f"seed {seed}: {seconds:.1f} s ({count} of {len(seeds)})", flush=True)

    def report(self, folder, results, options) -> int:
        """Table, figure, artefacts and verdict of `results`, printed and stored."""
        n_seeds = len(next(iter(results.values())))
        tables = self.table(results)
        if not isinstance(tables, dict):
            tables = {"": tables}
        for title, rows in tables.items():
            print("\n" + (f"{title}\n" if title else "") + format_table(rows))
        folder.write_text("table.csv", to_csv(stacked(tables)))
        print()
        with style():
            drawing = self.figure(results)
            for name in ("figure.png", "figure.svg"):
                folder.write_through(name, partial(save_figure, drawing))
            close_figure(drawing)
            for name, write in self.artefacts.items():
                folder.write_through(name, partial(write, results))
        outcome = self.verdict(results)
        if options.smoke or options.quick:
            outcome = replace(outcome, status="NOT ASSESSED")
        folder.write_json("verdict.json", outcome.to_dict(n_seeds))
        print(outcome.to_text(n_seeds))
        print(f"files      {folder.path}: {', '.join(['figure.png', 'figure.svg', 'table.csv', *self.artefacts])}")
        return 3 if options.strict and outcome.status == "FAIL" else 0


def run_seed(run, config, seed, folder, threads):
    """One seed, stored; a worker process does the same as the main one. Returns the seed and the seconds it took."""
    start = time.perf_counter()
    with limited_threads(threads):
        arrays = run(config, seed)
    folder.save_seed(seed, arrays)
    return seed, time.perf_counter() - start


def seed_table(results) -> list[dict]:
    """The table of an experiment that has none of its own: one row per seed, with every single number."""
    single = {key: array for key, array in results.items() if array.ndim == 1}
    n_seeds = len(next(iter(results.values())))
    return [{"seed": i, **{key: array[i].item() for key, array in single.items()}} for i in range(n_seeds)]


def experiment(
    Config, run, figure, verdict, *, smoke, quick, table=None, artefacts=None, default_seeds=1, threads=1
) -> Experiment:
    """Bind the parts of a script to a command line.

    Parameters
    ----------
    Config : type
        Frozen dataclass; every field is a flag. `Config()` is the full run.
    run : callable
        `run(config, seed) -> dict of arrays`: one seed; no files, no printing. Shapes must not depend on the seed.
    figure : callable
        `figure(results) -> matplotlib Figure`. `results` maps each key to an array of shape (n_seeds, ...).
    verdict : callable
        `verdict(results) -> Verdict`. Printed as NOT ASSESSED with --smoke and --quick.
    smoke, quick : Config
        Sizes for seconds and for about half a minute.
    table : callable, optional
        `table(results) -> list of dict`, one per row, or dict of title to such a list. By default one row per seed with
        all single numbers.
    artefacts : dict of str to callable, optional
        File name -> `write(results, path)`, for instance an animation.
    default_seeds : int
        Seeds of the full run; --smoke and --quick run one.
    threads : int
        Threads of each seed, recorded with the results.

    Returns
    -------
    main : callable
        `main(argv=None) -> exit code`: 0 ran, 1 error, 2 usage, 3 verdict FAIL with --strict.
    """
    return Experiment(
        Config, run, figure, verdict, smoke, quick, table or seed_table, artefacts or {}, default_seeds, threads
    )
