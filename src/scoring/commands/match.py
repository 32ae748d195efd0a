"""`inference.py match`: which of N candidates is the person of the probe?"""

import argparse
from dataclasses import asdict
from pathlib import Path

from src.artifacts.people import People
from src.artifacts.voxceleb_lists import read_matching_list
from src.core.command_line import EXIT_DONE
from src.core.device import choose_device
from src.core.files import write_json
from src.scoring.commands.command import Command
from src.scoring.commands.shared_arguments import (
    add_checkpoint_argument,
    add_device_argument,
    add_features_argument,
    add_identities_argument,
    add_metadata_arguments,
    add_results_arguments,
)
from src.scoring.known_media import known_identities
from src.scoring.matching_protocol import DIRECTIONS, match, matching_results, matching_table
from src.scoring.trial_scoring import FeatureStores, TrialScorer


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_checkpoint_argument(parser)
    add_features_argument(parser)
    parser.add_argument(
        "--list",
        type=Path,
        nargs="+",
        required=True,
        metavar="LIST",
        help="lines `probe true other …`, voice or face as the probe",
    )
    add_identities_argument(parser)
    add_metadata_arguments(parser)
    add_results_arguments(parser)
    add_device_argument(parser)


def _run(options: argparse.Namespace) -> int:
    lists = {path: read_matching_list(path) for path in options.list}
    people = None if options.metadata is None else People.read(options.metadata)
    stores = FeatureStores.open(options.features)
    scorer = TrialScorer.load(options.checkpoint, stores, choose_device(options.device))
    identities = known_identities(stores, options.identities)
    content = []
    for path, questions in lists.items():
        matched = match(scorer, questions, str(path))
        results = matching_results(matched, identities, options.by, people, options.replicates)
        direction = DIRECTIONS[matched.probe]
        print(f"{path.name}, {direction}\n{matching_table(results)}")
        content.append(
            {"list": path.name, "direction": direction, "results": [asdict(one) for one in results]}
        )
    if options.json is not None:
        write_json(options.json, content)
    return EXIT_DONE


COMMAND = Command(
    name="match",
    summary="match a voice with one of N faces, or a face with one of N voices",
    examples="""  python inference.py match --checkpoint checkpoints/English --features WORK/features --list matching_v2f_U.csv
  python inference.py match --checkpoint checkpoints/English --features WORK/features \\
      --list matching_v2f_U.csv matching_f2v_G.csv --metadata vox1_meta.csv --by gender --json matching.json

Lists are read as published for VoxCeleb: the probe, the true candidate, then the others. With up to 10 candidates the
accuracy is printed for N = 2 … 10, the first N of each line. --by measures the questions whose candidates all agree.""",
    add_arguments=_add_arguments,
    run=_run,
)
