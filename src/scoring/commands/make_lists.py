"""`inference.py make-lists`: verification, matching and retrieval lists of any data set."""

import argparse
import logging
from pathlib import Path

from src.artifacts.people import People
from src.artifacts.voxceleb_lists import (
    write_matching_list,
    write_retrieval_list,
    write_verification_list,
)
from src.core.command_line import EXIT_DONE
from src.core.errors import ConfigError
from src.metrics.matching import LARGEST_GALLERY, SMALLEST_GALLERY
from src.scoring.commands.command import Command
from src.scoring.commands.shared_arguments import (
    add_features_argument,
    add_identities_argument,
    add_metadata_arguments,
)
from src.scoring.known_media import known_identities, unseen_media
from src.scoring.list_making import ListMaker, stratum_of
from src.scoring.trial_scoring import FeatureStores

logger = logging.getLogger(__name__)


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_features_argument(parser)
    add_identities_argument(parser)
    parser.add_argument(
        "--unseen-by",
        type=Path,
        nargs="+",
        default=[],
        metavar="CHECKPOINT",
        help="leave out everybody whom these models were trained or validated on (default: everybody with a medium of "
        "the training split)",
    )
    parser.add_argument("--language", help="media of this language only")
    add_metadata_arguments(parser)
    for option, default, what in (
        ("--trials", 10_000, "verification trials of a list"),
        ("--questions", 10_000, "matching questions of a list"),
        ("--candidates", LARGEST_GALLERY, "candidates of a question"),
        ("--media", 20_000, "most media of a retrieval list"),
        ("--seed", 0, "other lists for another seed"),
    ):
        parser.add_argument(
            option, type=int, default=default, metavar="N", help=f"{what} (default: %(default)s)"
        )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the lists")


def _run(options: argparse.Namespace) -> int:
    _refuse_impossible(options)
    stores = FeatureStores.open(options.features)
    identities = known_identities(stores, options.identities)
    media = unseen_media(stores, identities, options.unseen_by, options.language)
    maker = ListMaker(media, options.seed)
    known = None if options.metadata is None else People.read(options.metadata)
    strata = [stratum_of(maker.people, wanted, known) for wanted in (None, *options.by)]
    trials = {one.name: maker.verification(one, options.trials) for one in strata}
    questions = {
        (probe, one.name): maker.matching(one, probe, options.questions, options.candidates)
        for one in strata
        for probe in ("voice", "face")
    }
    for name, made in trials.items():
        write_verification_list(options.out / f"veriflist_test_{name}_unseenunheard.txt", made)
    for (probe, name), asked in questions.items():
        direction = "v2f" if probe == "voice" else "f2v"
        write_matching_list(
            options.out / f"matching_{direction}_{'U' if name == 'random' else name}.csv", asked
        )
    write_retrieval_list(options.out / "wav_retrieval.csv", "voice", maker.retrieval("voice", options.media))
    write_retrieval_list(options.out / "jpg_retrieval.csv", "face", maker.retrieval("face", options.media))
    logger.info(
        "make-lists: %d unseen people, strata %s -> %s", len(maker.people), ", ".join(trials), options.out
    )
    return EXIT_DONE


def _refuse_impossible(options: argparse.Namespace) -> None:
    if options.by and options.metadata is None:
        raise ConfigError("--by needs to know about people: add --metadata CSV")
    if (
        options.candidates < SMALLEST_GALLERY
        or options.trials < 2
        or options.questions < 1
        or options.media < 1
    ):
        raise ConfigError(
            f"a list needs at least 2 trials, 1 question with {SMALLEST_GALLERY} candidates, and 1 medium"
        )


COMMAND = Command(
    name="make-lists",
    summary="make verification, matching and retrieval lists of people who were not trained on",
    examples="""  python inference.py make-lists --features WORK/features --identities truth/media_identities.csv --out lists
  python inference.py make-lists --features WORK/features --unseen-by checkpoints/English \\
      --metadata vox1_meta.csv --by gender nationality gender+nationality --out lists

Writes veriflist_test_random_unseenunheard.txt, matching_v2f_U.csv, matching_f2v_U.csv, wav_retrieval.csv and
jpg_retrieval.csv in the format of VoxCeleb's lists, and for each --by lists whose people agree in it (G, N, A, GNA for sex,
nationality, age). Everybody is asked about and stands among the others equally often; the same seed gives the same lists.""",
    add_arguments=_add_arguments,
    run=_run,
)
