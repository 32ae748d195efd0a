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
from src.scoring.trial_scoring import FeatureStores, ScoredTable, ScoredTrials, TrialScorer, UnscorablePolicy
from src.scoring.unscorable_file import write_unscorable


def score_list(
    *,
    checkpoint: Path,
    features: Path,
    trials: Path,
    out: Path,
    device: torch.device,
    unscorable: UnscorablePolicy = "error",
) -> ScoredTable:
    """Write the scores of one list. Errors: see `TrialScorer`."""
    listed = TrialTable.read(trials)
    scored = TrialScorer.load(checkpoint, FeatureStores.open(features), device).score_table(
        listed, str(trials), unscorable
    )
    write_scores(out, scored.columns)
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
) -> dict[str, ScoredTrials]:
    """Write the submission of two models, one trained on each language.

    lists: the data set, or the folder of its test lists. checkpoints: training language → folder.
    challenge: None for four files without folders, of any two languages. file_names: None for the challenge's own.
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
    stores = FeatureStores.open(features)
    scorers = {
        language: TrialScorer.load(folder, stores, device, language)
        for language, folder in checkpoints.items()
    }
    scored = {}
    with progress_bar(total=len(cells), description="submit", unit="list") as bar:
        for cell in cells:
            source = f"{cell.test_language} list, model trained on {cell.training_language}"
            scored[cell] = scorers[cell.training_language].score(trials[cell], source, unscorable)
            bar.update()
    write_submission(out, {cell: result.scores for cell, result in scored.items()}, trials, prefix)
    named = {cell.file_name(prefix): result for cell, result in scored.items()}
    write_unscorable(out, {name: result.unscorable for name, result in named.items()})
    return named
