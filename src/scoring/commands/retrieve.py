"""`inference.py retrieve`: rank all faces for each voice, and all voices for each face."""

import argparse
from pathlib import Path

from src.artifacts.people import People
from src.artifacts.voxceleb_lists import read_retrieval_list
from src.core.command_line import EXIT_DONE
from src.core.device import choose_device
from src.core.files import write_json
from src.scoring.commands.command import Command
from src.scoring.commands.shared_arguments import (
    add_checkpoint_argument,
    add_device_argument,
    add_features_argument,
    add_metadata_arguments,
    add_results_arguments,
)
from src.scoring.retrieval_protocol import retrieval_table, retrieve
from src.scoring.trial_scoring import FeatureStores, TrialScorer


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_checkpoint_argument(parser)
    add_features_argument(parser)
    for option, column in (("--voices", "wav"), ("--faces", "jpg")):
        parser.add_argument(
            option,
            type=Path,
            required=True,
            metavar="LIST",
            help=f"table with the columns `VoxCeleb1 ID` and `{column}`",
        )
    add_metadata_arguments(parser)
    add_results_arguments(parser)
    add_device_argument(parser)


def _run(options: argparse.Namespace) -> int:
    voices, faces = read_retrieval_list(options.voices, "voice"), read_retrieval_list(options.faces, "face")
    people = None if options.metadata is None else People.read(options.metadata)
    stores = FeatureStores.open(options.features)
    scorer = TrialScorer.load(options.checkpoint, stores, choose_device(options.device))
    results = retrieve(scorer, {"voice": voices, "face": faces}, options.by, people, options.replicates)
    print(retrieval_table(results))
    if options.json is not None:
        write_json(options.json, [one.mapping() for one in results])
    return EXIT_DONE


COMMAND = Command(
    name="retrieve",
    summary="rank all faces for each voice, and all voices for each face",
    examples="""  python inference.py retrieve --checkpoint checkpoints/English --features WORK/features \\
      --voices wav_20k.csv --faces jpg_20k.csv
  python inference.py retrieve --checkpoint checkpoints/English --features WORK/features \\
      --voices wav_20k.csv --faces jpg_20k.csv --metadata vox1_meta.csv --by gender --json retrieval.json

Prints mAP and recall at 1, 5 and 10 in both directions, with intervals over the probes' people; --by ranks people among
those who are alike.""",
    add_arguments=_add_arguments,
    run=_run,
)
