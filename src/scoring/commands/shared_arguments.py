"""Arguments that mean the same in several commands."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from src.artifacts.people import Property
from src.core.determinism import add_deterministic_argument
from src.core.errors import ConfigError
from src.metrics.bootstrap import REPLICATES
from src.scoring.challenges import CHALLENGES
from src.scoring.treatment import Normalisation, Treatment


def add_checkpoint_argument(parser: argparse.ArgumentParser) -> None:
    """Add `--checkpoint DIR`, one model."""
    parser.add_argument("--checkpoint", type=Path, required=True, metavar="DIR", help="the trained model")


def add_checkpoints_argument(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    """Add `--checkpoint LANGUAGE=DIR`, given once a training language; read it with `by_language`."""
    parser.add_argument(
        "--checkpoint",
        type=_language_and_folder,
        action="append",
        required=required,
        default=[],
        metavar="LANGUAGE=DIR",
        help="the model trained on that language; given once for each of the two languages",
    )


def by_language(pairs: Sequence[tuple[str, Path]]) -> dict[str, Path]:
    """Training language → folder. Raises ConfigError for a language that is named twice."""
    folders = dict(pairs)
    if len(folders) != len(pairs):
        raise ConfigError("--checkpoint names a language twice; give one checkpoint a training language")
    return folders


def add_features_argument(parser: argparse.ArgumentParser) -> None:
    """Add `--features WORK/features`."""
    parser.add_argument("--features", type=Path, required=True, metavar="WORK/features", help="embeddings")


def add_device_argument(parser: argparse.ArgumentParser) -> None:
    """Add `--device`, read with `src.core.device.choose_device`, and `--deterministic`, which `inference.py` carries out."""
    parser.add_argument("--device", default="auto", help="auto (a GPU where there is one), cpu or cuda")
    add_deterministic_argument(parser)


def add_unscorable_argument(parser: argparse.ArgumentParser) -> None:
    """Add `--unscorable`."""
    parser.add_argument(
        "--unscorable",
        choices=("error", "median"),
        default="error",
        help="what becomes of trials whose voice or face has no embedding: an error that says why (default), "
        "or the median score, recorded in OUT.unscorable.csv",
    )


def add_treatment_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what may be done to scores; read it with `treatment_of`."""
    treatment = parser.add_argument_group("beyond the model's own scores", "recorded in OUT.scoring.json")
    treatment.add_argument(
        "--average-tokens",
        action="store_true",
        help="mean over every window with every crop, instead of all of them looked at together",
    )
    treatment.add_argument(
        "--normalise",
        choices=get_args(Normalisation),
        default="none",
        help="by scores with training people: z for the voice, t for the face, s for both, adaptive for both with the "
        "nearest strangers (default: none)",
    )
    treatment.add_argument(
        "--nearest",
        type=int,
        default=Treatment.nearest,
        metavar="N",
        help="of adaptive (default: %(default)s)",
    )
    treatment.add_argument(
        "--transductive",
        action="store_true",
        help="pool scores over clusters of the test voices and of the test faces; uses the test set as a whole, which "
        "must be declared",
    )


def treatment_of(options: argparse.Namespace) -> Treatment:
    """What `add_treatment_arguments` was told. Raises ConfigError."""
    if options.nearest < 2:
        raise ConfigError(f"--nearest {options.nearest}: a deviation needs at least 2 strangers")
    return Treatment(
        average_tokens=options.average_tokens,
        normalisation=options.normalise,
        nearest=options.nearest,
        transductive=options.transductive,
    )


def add_scoring_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what every command takes that scores trials: embeddings, device, policy."""
    add_features_argument(parser)
    add_device_argument(parser)
    add_unscorable_argument(parser)


def add_lists_arguments(parser: argparse.ArgumentParser, *, required: bool) -> None:
    """Add `--dataset` and `--lists`; the lists are in `options.lists or options.dataset`."""
    parser.add_argument(
        "--dataset",
        type=Path,
        required=required,
        help="the data set; its <Language>_test.txt lists are there, or in a folder directly below",
    )
    parser.add_argument(
        "--lists", type=Path, metavar="DIR", help="where the lists are, when not in the data set"
    )


def add_challenge_argument(parser: argparse.ArgumentParser) -> None:
    """Add `--challenge`; look it up in `src.scoring.challenges.CHALLENGES`."""
    parser.add_argument(
        "--challenge",
        choices=sorted(CHALLENGES),
        help="checks the languages, and knows file names and folders (default: four files of any two languages)",
    )


def add_metadata_arguments(parser: argparse.ArgumentParser) -> None:
    """Add `--metadata` and `--by`, properties of people (src/artifacts/people.py)."""
    parser.add_argument(
        "--metadata",
        type=Path,
        metavar="CSV",
        help="what is known about people: a row a person, named in any column (vox1_meta.csv is read as published)",
    )
    parser.add_argument(
        "--by",
        type=_property,
        nargs="+",
        default=[],
        metavar="COLUMN",
        help="strata: columns such as sex, age:10 (in steps of 10), sex+nationality (both at once)",
    )


def add_identities_argument(parser: argparse.ArgumentParser) -> None:
    """Add `--identities`."""
    parser.add_argument(
        "--identities",
        type=Path,
        metavar="CSV",
        help="who is in each medium: columns key and identity (default: what the embeddings say)",
    )


def add_results_arguments(parser: argparse.ArgumentParser) -> None:
    """Add `--replicates` and `--json`."""
    parser.add_argument(
        "--replicates",
        type=int,
        default=REPLICATES,
        metavar="N",
        help="bootstrap draws of people for the intervals, 0 for none (default: %(default)s)",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the measures there too")


def _property(text: str) -> Property:
    try:
        return Property.parse(text)
    except ConfigError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _language_and_folder(text: str) -> tuple[str, Path]:
    language, separator, folder = text.partition("=")
    if not (language and separator and folder):
        raise argparse.ArgumentTypeError(f"{text!r} is not LANGUAGE=DIR, such as English=checkpoints/English")
    return language, Path(folder)
