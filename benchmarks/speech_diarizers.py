"""Every diarizer that is available, through the preprocessing command, on recordings whose turns are known."""

import shutil
from collections import defaultdict
from pathlib import Path
from typing import Any, get_args

import torch

from benchmarks.keynote_measures import measure
from benchmarks.results_file import ROOT
from preprocessing.__main__ import main as preprocess
from preprocessing.diarizers import make_diarizer
from preprocessing.speech_settings import DiarizerName, SpeechSettings
from src.core.errors import DatasetError, VoxfaceError
from src.core.files import write_text

DIARIZERS: tuple[DiarizerName, ...] = get_args(DiarizerName)
VOICE_ENCODER = "ecapa-compact"


def why_not_available(diarizer: DiarizerName) -> str:
    """Why a diarizer cannot be used here, in a few words; empty where it can."""
    try:
        make_diarizer(SpeechSettings(diarizer=diarizer), VOICE_ENCODER, None, torch.device("cpu"))
    except (VoxfaceError, ImportError) as error:
        return str(error).splitlines()[0].replace(f"{ROOT}/", "").partition(". ")[0].partition(" (")[0]
    return ""


def measure_diarizer(diarizer: DiarizerName, dataset: Path, truth: Path, work: Path) -> dict[str, Any]:
    """Preprocess the data set with a diarizer and compare what was found and kept with the truth."""
    # whatever fails is a row with a reason, and counted: it never ends the benchmark
    arguments = [str(dataset), "--out", str(work), "--modality", "voice", "--max-failures", "1"]
    preprocess([*arguments, "--voice-encoder", VOICE_ENCODER, "--diarizer", diarizer])
    return measure(work, truth)


def prepare_meetings(folder: Path, out: Path) -> None:
    """Put recordings that lie beside one `reference.rttm` into OUT/dataset, their turns into OUT/truth.

    Each recording stands alone. Raises DatasetError when the folder holds no recording or no reference.
    """
    reference, recordings = folder / "reference.rttm", sorted(folder.glob("*.wav"))
    if not reference.is_file() or not recordings:
        raise DatasetError(f"{folder}: needs recordings (*.wav) and reference.rttm with their turns")
    turns: dict[str, list[str]] = defaultdict(list)
    for line in reference.read_text(encoding="utf-8").splitlines(keepends=True):
        if line.startswith("SPEAKER "):
            turns[line.split()[1]].append(line)
    for path in recordings:
        key = f"voices/{folder.name}/{path.name}"
        (out / "dataset" / key).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, out / "dataset" / key)
        write_text((out / "truth/rttm" / key).with_suffix(".rttm"), "".join(turns[path.stem]))
