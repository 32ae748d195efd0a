"""Score a list, and make a submission: from checkpoints, embeddings and lists to files."""

from collections.abc import Mapping
from pathlib import Path

import torch

from src.artifacts.scores import write_scores
from src.artifacts.trial_table import TrialTable
from src.core.errors import SubmissionError
from src.core.progress import progress_bar
from src.scoring.cells import cells_of
from src.scoring.challenges import Challenge, FileNames, file_prefix
from src.scoring.language_lists import read_cell_lists
from src.scoring.submission import write_submission
from src.scoring.treated_scoring import load_scorer, record_of
from src.scoring.treatment import TRANSDUCTIVE, Treatment, write_record
from src.scoring.trial_scoring import FeatureStores, ScoredTable, ScoredTrials, UnscorablePolicy
from src.scoring.unscorable_file import write_unscorable


def score_list(
    *,
    checkpoint: Path,
    features: Path,
    trials: Path,
    out: Path,
    device: torch.device,
    unscorable: UnscorablePolicy = "error",
    treatment: Treatment | None = None,
) -> ScoredTable:
    """Write the scores of one list. treatment: None for the model's own. Errors: see `TrialScorer` and `load_scorer`."""
    listed, treatment = TrialTable.read(trials), treatment or Treatment()
    scorer = load_scorer(checkpoint, FeatureStores.open(features), device, treatment)
    scored = scorer.score_table(listed, str(trials), unscorable)
    write_scores(out, scored.columns)
    write_record(out, record_of(scorer, treatment))
    write_unscorable(out, {out.name: scored.unscorable})
    return scored


def submit(
    *,
    lists: Path,
    features: Path,
    checkpoints: Mapping[str, Path],
    out: Path,
    device: torch.device,
    challenge: Challenge | None = None,
    file_names: FileNames | None = None,
    unscorable: UnscorablePolicy = "error",
    treatment: Treatment | None = None,
) -> dict[str, ScoredTrials]:
    """Write the submission of two models, one trained on each language.

    lists: the data set, or the folder of its test lists. checkpoints: training language → folder.
    challenge: None for four files without folders, of any two languages. file_names: None for the challenge's own.
    treatment: None for the models' own scores.
    Returns what was scored by file name. Raises SubmissionError for what the challenge's scorer would
    reject, besides the errors of `TrialScorer`; nothing is written then.
    """
    if out.suffix != ".zip":
        raise SubmissionError(f"{out}: a submission is a zip file; name it so")
    if challenge is not None:
        challenge.require_languages(checkpoints)
    cells = cells_of(checkpoints, challenge.tracks if challenge else ("",))
    prefix = file_prefix(checkpoints, challenge, file_names)
    trials = read_cell_lists(lists, cells)
    stores, treatment = FeatureStores.open(features), treatment or Treatment()
    scorers = {
        language: load_scorer(folder, stores, device, treatment, language)
        for language, folder in checkpoints.items()
    }
    scored = {}
    with progress_bar(total=len(cells), description="submit", unit="list") as bar:
        for cell in cells:
            source = f"{cell.test_language} list, model trained on {cell.training_language}"
            scored[cell] = scorers[cell.training_language].score(trials[cell], source, unscorable)
            bar.update()
    write_submission(out, {cell: result.scores for cell, result in scored.items()}, trials, prefix)
    records = {language: record_of(scorer, treatment) for language, scorer in scorers.items()}
    marked = {TRANSDUCTIVE: treatment.transductive, "models": records}
    write_record(out, None if treatment.is_plain else marked)
    named = {cell.file_name(prefix): result for cell, result in scored.items()}
    write_unscorable(out, {name: result.unscorable for name, result in named.items()})
    return named
