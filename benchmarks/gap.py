"""Where the error of the generated world's demo comes from: the encoders, the head, or the number of people.

    python -m benchmarks.gap DATASET WORK TRUTH [--identities 70 140] [--out FILE]

The Bayes limit scores every trial by the exact log-likelihood ratio of the true parameters. Here the true parameters of
one modality, or of both, are replaced by what a ridge regression, fitted on the training people, reads from the embeddings;
what that costs is the encoders' (and the front end's) part. The head trained on the same embeddings adds its own part, and the
same head trained on fewer people shows what their number is worth.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.linear_model import RidgeCV

from benchmarks.results_file import write_results
from demo.identity_model import FACE_PARAMETERS, VOICE_PARAMETERS, SharedLatentModel, standard_model
from src.artifacts.embedding_store import EmbeddingStore
from src.artifacts.sources import MODALITIES, Modality
from src.artifacts.trials import Trial, read_trials
from src.artifacts.truths import read_truth
from src.core.command_line import run_command
from src.core.device import choose_device
from src.core.polarity import score_from_similarity
from src.core.seeding import random_stream
from src.metrics.verification import equal_error_rate
from src.scoring.trial_scoring import FeatureStores, TrialScorer
from src.training.association_training import train_association

PARAMETERS: dict[Modality, tuple[str, ...]] = {"voice": VOICE_PARAMETERS, "face": FACE_PARAMETERS}
RIDGE_PENALTIES = np.logspace(-3, 3, 13)
RECIPE = Path("configs/best.yaml")


class ParameterReadings:
    """True parameters of each file's person, and what the embeddings say of them.

    true, read: (files, parameters) by modality. error: (parameters,) variance of the reading's error on
    the training people, by modality. row: of each key.
    """

    def __init__(self, features: Path, truth: Path) -> None:
        people = pd.read_csv(truth / "identities.csv").set_index("identity")
        owners = pd.read_csv(truth / "media_identities.csv").set_index("key")["identity"]
        self.true: dict[Modality, np.ndarray] = {}
        self.read: dict[Modality, np.ndarray] = {}
        self.error: dict[Modality, np.ndarray] = {}
        self.row: dict[str, int] = {}
        for modality in MODALITIES:
            store = EmbeddingStore.open(features / modality)
            keys = list(store.items.index)
            columns = [f"{modality}_{name}" for name in PARAMETERS[modality]]
            self.true[modality] = people.loc[owners.loc[keys], columns].to_numpy(float)
            vectors = np.stack([_mean_direction(store.tokens(key)) for key in keys])
            train = (store.items["split"] == "train").to_numpy()
            self.read[modality], self.error[modality] = _regress(vectors, self.true[modality], train)
            self.row.update({key: row for row, key in enumerate(keys)})

    def of(self, trials: Sequence[Trial], modality: Modality, *, true: bool) -> np.ndarray:
        """Parameters of the voice or the face of each trial, (trials, parameters)."""
        keys = [trial.voice if modality == "voice" else trial.face for trial in trials]
        return (self.true if true else self.read)[modality][[self.row[key] for key in keys]]


def _mean_direction(tokens: np.ndarray) -> np.ndarray:
    return np.asarray((tokens / np.linalg.norm(tokens, axis=1, keepdims=True)).mean(0))


def _regress(vectors: np.ndarray, targets: np.ndarray, train: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Readings of all vectors, and the variance of their error by leave-one-out on the training rows."""
    model = RidgeCV(RIDGE_PENALTIES, store_cv_results=True).fit(vectors[train], targets[train])
    chosen = int(np.flatnonzero(model.alpha_ == RIDGE_PENALTIES)[0])
    return model.predict(vectors), model.cv_results_[:, :, chosen].mean(axis=0)


def limit(
    model: SharedLatentModel,
    readings: ParameterReadings,
    trials: Sequence[Trial],
    labels: np.ndarray,
    true: dict[Modality, bool],
) -> float:
    """EER of the log-likelihood ratio that knows how noisy the readings are."""
    noise = {
        modality: np.zeros(len(PARAMETERS[modality])) if true[modality] else readings.error[modality]
        for modality in MODALITIES
    }
    noisy = replace(
        model,
        face_noise_std=np.sqrt(model.face_noise_std**2 + noise["face"]),
        voice_noise_std=np.sqrt(model.voice_noise_std**2 + noise["voice"]),
    )
    ratios = noisy.log_likelihood_ratio(
        readings.of(trials, "face", true=true["face"]), readings.of(trials, "voice", true=true["voice"])
    )
    return equal_error_rate(score_from_similarity(ratios), labels)


def measure_gap(dataset: Path, work: Path, truth: Path, counts: Sequence[int]) -> dict[str, Any]:
    """Mean EER over the languages' test lists (limits), and over the four cells (heads), by step."""
    features = work / "features"
    readings = ParameterReadings(features, truth)
    model = standard_model()
    languages = sorted(path.stem.removesuffix("_test") for path in dataset.glob("*_test.txt"))
    lists: dict[str, tuple[list[Trial], np.ndarray]] = {}
    for language in languages:
        trials = [
            trial
            for trial in read_trials(dataset / f"{language}_test.txt")
            if trial.voice in readings.row and trial.face in readings.row
        ]
        labels = read_truth(truth / f"{language}_test.csv").loc[[trial.trial_id for trial in trials], "label"]
        lists[language] = (trials, labels.to_numpy())
    steps = {
        "true voices, true faces (Bayes limit)": {"voice": True, "face": True},
        "true voices, read faces": {"voice": True, "face": False},
        "read voices, true faces": {"voice": False, "face": True},
        "read voices, read faces": {"voice": False, "face": False},
    }
    result: dict[str, Any] = {
        name: float(np.mean([limit(model, readings, *lists[language], true) for language in languages]))  # type: ignore[arg-type]
        for name, true in steps.items()
    }
    for count in counts:
        result[f"head trained on {count or 'all'} people"] = head_error(features, lists, count)
    return result


def head_error(features: Path, lists: dict[str, tuple[list[Trial], np.ndarray]], count: int) -> float:
    """Mean EER over the four cells of heads trained on `count` of the training people (0: all)."""
    rates = []
    with tempfile.TemporaryDirectory() as folder:
        chosen = features if count == 0 else _with_fewer_people(features, Path(folder) / "features", count)
        for language in lists:
            checkpoint = Path(folder) / language
            train_association(RECIPE, (), features=chosen, language=language, out=checkpoint)
            scorer = TrialScorer.load(checkpoint, FeatureStores.open(chosen), choose_device())
            for trials, labels in lists.values():
                scores = scorer.score(trials, "gap").scores
                rates.append(equal_error_rate(np.array([scores[trial.trial_id] for trial in trials]), labels))
    return float(np.mean(rates))


def _with_fewer_people(features: Path, out: Path, count: int) -> Path:
    """Copies of the stores without the other training people."""
    people: set[str] | None = None
    for modality in MODALITIES:
        table = pa.concat_tables(
            [pq.read_table(path) for path in sorted((features / modality / "tokens").glob("*.parquet"))]
        )
        frame = table.select(["identity", "split"]).to_pandas()
        if people is None:
            names = sorted(frame["identity"][frame["split"] == "train"].unique())
            people = set(random_stream("gap", count).permutation(names)[:count])
        kept = (frame["split"] != "train") | frame["identity"].isin(people)
        (out / modality / "tokens").mkdir(parents=True)
        pq.write_table(table.filter(pa.array(kept)), out / modality / "tokens" / "part-00000.parquet")
        (out / modality / "store.json").write_bytes((features / modality / "store.json").read_bytes())
    return out


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.gap", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("dataset", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("truth", type=Path)
    parser.add_argument("--identities", type=int, nargs="*", default=[70, 140], help="fewer training people")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/gap.json"))
    options = parser.parse_args(arguments)
    rates = measure_gap(options.dataset, options.work, options.truth, [*options.identities, 0])
    for name, rate in rates.items():
        print(f"{name:45s} {100 * rate:5.1f} %")
    write_results(options.out, {"what": "EER, generated world", "rates": rates})
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
