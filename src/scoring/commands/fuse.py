"""`inference.py fuse`: several systems' scores of the same trials as one."""

import argparse
import logging
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from src.artifacts.scores import format_scores, read_scores, write_scores
from src.core.command_line import EXIT_DONE
from src.core.errors import ConfigError
from src.scoring.cells import cells_of_file_names
from src.scoring.commands.command import Command
from src.scoring.fusing import (
    Fuse,
    LogisticFusion,
    fit_on_checkpoints,
    fit_on_scores,
    fuse_ranks,
    fuse_scores,
)
from src.scoring.submission import read_submission, read_submission_files, write_submission_files
from src.scoring.treatment import TRANSDUCTIVE, fused_record, write_record

logger = logging.getLogger(__name__)
ANY_LANGUAGE = ""


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "systems",
        type=Path,
        nargs="+",
        metavar="SCORES",
        help="score files, or submissions (zip in, zip out)",
    )
    parser.add_argument(
        "--method",
        choices=("rank", "logistic"),
        default="rank",
        help="rank: mean rank of each trial, which needs no labels (default); logistic: weights fitted on validation pairs",
    )
    parser.add_argument(
        "--validation",
        type=_language_and_path,
        action="append",
        default=[],
        metavar="[LANGUAGE=]PATH",
        help="for logistic, once a system in their order: its checkpoint folder, or its scores of a validation list; for "
        "submissions once a system and training language",
    )
    parser.add_argument("--truth", type=Path, help="the truth of the validation list, where scores are given")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="SCORES", help="the scores or zip to write"
    )


def _run(options: argparse.Namespace) -> int:
    if len(options.systems) < 2:
        raise ConfigError("one system alone is nothing to fuse; name two score files or more")
    if options.out.resolve() in {system.resolve() for system in options.systems}:
        raise ConfigError(f"--out {options.out}: is one of the systems; name another file")
    kinds = {system.is_dir() or zipfile.is_zipfile(system) for system in options.systems}
    if len(kinds) > 1:
        raise ConfigError("score files and submissions cannot be fused with each other; name one kind")
    fuses = _fuses(options)
    record: dict[str, Any] = fused_record(options.method, options.systems)
    fitted = {language: fuse.weights for language, fuse in fuses.items() if isinstance(fuse, LogisticFusion)}
    if fitted:
        record["fitted"] = fitted.get(ANY_LANGUAGE) if ANY_LANGUAGE in fitted else fitted
    count = _fuse_submissions(options, fuses) if kinds == {True} else _fuse_lists(options, fuses)
    write_record(options.out, record)
    if record[TRANSDUCTIVE]:
        logger.warning("fuse: one of the systems used the test set as a whole (transductive); declare it")
    logger.info(
        "fuse: %d systems, %d trials -> %s (lower = same person)", len(options.systems), count, options.out
    )
    return EXIT_DONE


def _fuses(options: argparse.Namespace) -> dict[str, Fuse]:
    """How to fuse, by training language; ANY_LANGUAGE where it is not told."""
    if options.method == "rank":
        if options.validation or options.truth:
            raise ConfigError("--validation and --truth go with --method logistic")
        return {ANY_LANGUAGE: fuse_ranks}
    by_language: dict[str, list[Path]] = {}
    for language, path in options.validation:
        by_language.setdefault(language, []).append(path)
    if not by_language or any(len(paths) != len(options.systems) for paths in by_language.values()):
        counts = {language or "no language": len(paths) for language, paths in by_language.items()}
        raise ConfigError(
            f"--method logistic needs --validation once for each of the {len(options.systems)} systems, in their order"
            f" (given: {counts or 'none'})"
        )
    return {language: _fitted(paths, options.truth) for language, paths in by_language.items()}


def _fitted(paths: Sequence[Path], truth: Path | None) -> LogisticFusion:
    if all(path.is_dir() for path in paths):
        return fit_on_checkpoints(paths)
    if truth is None:
        raise ConfigError(
            "--validation names score files (or folders that are not there); their labels are needed too: --truth FILE"
        )
    return fit_on_scores(paths, truth)


def _fuse_lists(options: argparse.Namespace, fuses: Mapping[str, Fuse]) -> int:
    if list(fuses) != [ANY_LANGUAGE]:
        raise ConfigError(
            "--validation LANGUAGE=PATH is for submissions; for score files leave the language away"
        )
    names = [str(system) for system in options.systems]
    fused = fuse_scores([read_scores(system) for system in options.systems], names, fuses[ANY_LANGUAGE])
    write_scores(options.out, fused)
    return len(fused)


def _fuse_submissions(options: argparse.Namespace, fuses: Mapping[str, Fuse]) -> int:
    if options.out.suffix != ".zip":
        raise ConfigError(f"--out {options.out}: submissions are fused into a zip file; name it so")
    systems = [read_submission(system) for system in options.systems]
    names = cells_of_file_names(read_submission_files(options.systems[0]))
    for path, system in zip(options.systems, systems, strict=True):
        if system.keys() != names.keys():
            raise ConfigError(f"{path} and {options.systems[0]} are submissions of different challenges")
    files, count = {}, 0
    for cell, name in names.items():
        fuse = fuses.get(cell.training_language, fuses.get(ANY_LANGUAGE))
        if fuse is None:
            raise ConfigError(f"--validation says nothing of the models trained on {cell.training_language}")
        sources = [f"{path}, {name}" for path in options.systems]
        fused = fuse_scores([system[cell] for system in systems], sources, fuse)
        files[name] = format_scores(fused).encode("utf-8")
        count += len(fused)
    write_submission_files(options.out, files)
    return count


def _language_and_path(text: str) -> tuple[str, Path]:
    language, separator, path = text.partition("=")
    return (language, Path(path)) if separator and "/" not in language else (ANY_LANGUAGE, Path(text))


COMMAND = Command(
    name="fuse",
    summary="make one system of several",
    examples="""  python inference.py fuse a.txt b.txt c.txt --out fused.txt
  python inference.py fuse a.zip b.zip --method rank --out fused.zip
  python inference.py fuse a.txt b.txt --method logistic --validation checkpoints/A --validation checkpoints/B --out fused.txt
  python inference.py fuse a.txt b.txt --method logistic --validation a_val.txt --validation b_val.txt --truth val.csv \\
      --out fused.txt
  python inference.py fuse a.zip b.zip --method logistic --validation English=checkpoints/A_English \\
      --validation English=checkpoints/B_English --validation Urdu=checkpoints/A_Urdu \\
      --validation Urdu=checkpoints/B_Urdu --out fused.zip

Ranks change with the company that a trial is in. Weights are fitted on validation pairs alone: those that train.py kept in the
checkpoint folders (of systems that were trained with one seed), or a list of your own with its truth. OUT.scoring.json says
what was fused, and whether any of it was scored transductively.""",
    add_arguments=_add_arguments,
    run=_run,
)
