"""A sweep: every recipe on every language with every seed, each run trained once and measured, in one table.

    RUNS/<recipe>/<language>/seed_<n>/     a run folder as train.py writes it, and `test_measures.json`
    RUNS/runs.csv                          one row a run
    RUNS/table.csv                         one row a recipe: mean and standard deviation over the seeds

Started again with the same command, finished runs are not trained again, and a run that was stopped goes on.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from src.artifacts.checkpoints import METRICS_FILE, WEIGHTS_FILE, file_sha256, load_checkpoint
from src.core.config import config_mapping, load_config, parse_config
from src.core.device import choose_device
from src.core.errors import ConfigError, DatasetError, TrainingError
from src.core.files import read_json, write_json, write_text
from src.core.output_lock import locked_output
from src.core.progress import progress_bar
from src.experiments.sweep_table import TABLE_FILE, method_table, references
from src.scoring.evaluation import measure
from src.scoring.language_lists import find_test_lists, read_test_lists
from src.scoring.trial_scoring import FeatureStores, TrialScorer, UnscorablePolicy
from src.scoring.truth import join_truth, read_truth_of
from src.training.association_config import AssociationConfig
from src.training.association_training import train_association

LOGGER = logging.getLogger(__name__)
RUNS_FILE, MEASURES_FILE, TRUTH_SUFFIX = "runs.csv", "test_measures.json", "_test.csv"


@dataclass(frozen=True, kw_only=True)
class SweepRequest:
    """What is trained and measured.

    configs: recipes of heads. features: folder with the stores. languages: training languages. seeds: so many, from 0.
    out: RUNS. lists, truth: folders of `<Language>_test.txt` and `<Language>_test.csv`; None measures validation people
    alone. overrides: `key=value` settings of every recipe. unscorable: see TrialScorer.
    """

    configs: Sequence[Path]
    features: Path
    languages: Sequence[str]
    seeds: int
    out: Path
    lists: Path | None = None
    truth: Path | None = None
    overrides: Sequence[str] = ()
    device: str = "auto"
    unscorable: UnscorablePolicy = "error"


@dataclass(frozen=True)
class Run:
    """One training of a sweep."""

    config: Path
    language: str
    seed: int
    folder: Path


def run_sweep(request: SweepRequest) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Train and measure what is missing; the rows of all runs, and the table. Both are written to RUNS as well.

    Raises ConfigError before the first training for recipes that cannot be used, or two of one name. A run whose loss
    stops being finite is a row with a reason.
    """
    expected = {path: config_mapping(_head_config(path, request.overrides)) for path in request.configs}
    if len({path.stem for path in request.configs}) != len(request.configs):
        raise ConfigError("two recipes of a sweep have one name; its runs are kept by name")
    evaluation = Evaluation.open(request)
    runs = _runs(request)
    rows = []
    with progress_bar(total=len(runs), description="sweep", unit="run") as bar:
        for run in runs:
            bar.set_postfix_str(f"{run.config.stem} {run.language} {run.seed}")
            rows.append(_run_row(run, request, expected[run.config], evaluation))
            bar.update()
    table = pd.DataFrame(rows)
    methods = method_table(table)
    if evaluation is not None:
        methods = pd.concat([methods, references(evaluation.truths)], ignore_index=True)
    for frame, name in ((table, RUNS_FILE), (methods, TABLE_FILE)):
        text = frame.to_csv(index=False, float_format="%.6g", lineterminator="\n")
        write_text(request.out / name, text)
    return table, methods


class Evaluation:
    """The test lists of a sweep, scored and measured by the code that inference.py uses."""

    def __init__(self, request: SweepRequest, lists: Path, truth: Path) -> None:
        languages = sorted(path.name.removesuffix(TRUTH_SUFFIX) for path in truth.glob(f"*{TRUTH_SUFFIX}"))
        if not languages:
            raise DatasetError(f"{truth}: no truth there, such as English{TRUTH_SUFFIX}")
        self.trials = read_test_lists(lists, languages)
        self.truths = {name: read_truth_of(truth / f"{name}{TRUTH_SUFFIX}") for name in languages}
        self.stores = FeatureStores.open(request.features)
        self.device, self.unscorable = choose_device(request.device), request.unscorable
        files = [*find_test_lists(lists, languages).values()]
        files += [truth / f"{name}{TRUTH_SUFFIX}" for name in languages]
        self.of_files = {path.name: file_sha256(path) for path in files}

    @classmethod
    def open(cls, request: SweepRequest) -> "Evaluation | None":
        """The request's lists; None without any. Raises ConfigError for lists without a truth, or the reverse."""
        if request.lists is None or request.truth is None:
            if request.lists is not None or request.truth is not None:
                raise ConfigError("--lists and --truth belong together: give both, or neither")
            return None
        return cls(request, request.lists, request.truth)

    def measures(self, folder: Path) -> dict[str, dict[str, Any]]:
        """Measures of a checkpoint on the list of each language; kept beside it, and made once."""
        kept, weights = folder / MEASURES_FILE, file_sha256(folder / WEIGHTS_FILE)
        of_files = {**self.of_files, WEIGHTS_FILE: weights}
        if kept.is_file() and (content := read_json(kept))["files"] == of_files:
            return dict(content["languages"])
        scorer = TrialScorer.load(folder, self.stores, self.device)
        measures = {}
        for language, trials in self.trials.items():
            scored = scorer.score(trials, f"{language} list, {folder}", self.unscorable)
            measures[language] = asdict(
                measure(join_truth(scored.scores, self.truths[language], str(folder)))
            )
        write_json(kept, {"files": of_files, "languages": measures})
        return measures


def _runs(request: SweepRequest) -> list[Run]:
    return [
        Run(config, language, seed, request.out / config.stem / language / f"seed_{seed}")
        for config in request.configs
        for seed in range(request.seeds)
        for language in request.languages
    ]


def _head_config(path: Path, overrides: Sequence[str]) -> AssociationConfig:
    config = load_config(AssociationConfig, path, overrides)
    if config.encoders is not None:
        raise ConfigError(
            f"{path}: its encoders learn along, from media, and a sweep trains on one folder of features; train it by itself"
        )
    return config


def _run_row(
    run: Run, request: SweepRequest, expected: dict[str, Any], evaluation: Evaluation | None
) -> dict[str, Any]:
    row: dict[str, Any] = {"method": run.config.stem, "language": run.language, "seed": run.seed}
    try:
        _train_once(run, request, expected)
    except TrainingError as error:
        LOGGER.warning("%s: %s", run.folder, error)
        return {**row, "status": "failed", "reason": str(error)}
    metrics = read_json(run.folder / METRICS_FILE)
    row |= {"status": "done", "reason": "", "validation_eer": metrics["validation_eer"]}
    row |= {name: metrics[name] for name in ("epoch", "epochs_trained", "training_seconds")}
    return row if evaluation is None else row | _test_columns(evaluation.measures(run.folder), run.language)


def _train_once(run: Run, request: SweepRequest, expected: dict[str, Any]) -> None:
    if (run.folder / WEIGHTS_FILE).is_file():
        found = load_checkpoint(run.folder).config
        if _with_later_settings(found.get("training", {}), run.folder) == expected:
            return
        raise ConfigError(
            f"{run.folder}: holds a run of other settings. Remove it to train anew, or choose another --out."
        )
    with locked_output(run.folder):
        train_association(
            run.config,
            request.overrides,
            features=request.features,
            language=run.language,
            out=run.folder,
            device_name=request.device,
            seed=run.seed,
            resume=True,
        )


def _with_later_settings(training: dict[str, Any], folder: Path) -> dict[str, Any]:
    """A run's settings with those, at their defaults, that did not exist when it was made."""
    try:
        return config_mapping(parse_config(AssociationConfig, training, str(folder)))
    except ConfigError:
        return training


def _test_columns(measures: dict[str, dict[str, Any]], trained_on: str) -> dict[str, float]:
    """Mean rates over the lists that are heard, and over those that are not; absent where there are none."""
    columns = {}
    for condition in ("heard", "unheard"):
        of_condition = [
            found
            for language, found in measures.items()
            if (language == trained_on) == (condition == "heard")
        ]
        for rate in ("eer", "same_sex_eer"):
            value = _mean(found[rate] for found in of_condition)
            if value is not None:
                columns[f"{condition}_{rate}"] = value
    return columns


def _mean(values: Iterable[float | None]) -> float | None:
    known = list(values)
    numbers = [value for value in known if value is not None]
    return sum(numbers) / len(numbers) if numbers and len(numbers) == len(known) else None
