"""`inference.py pair`: score a voice and a face straight from their files."""

import argparse
import sys
from pathlib import Path

from src.core.command_line import (
    EXIT_DONE,
    add_common_arguments,
    add_failure_argument,
    report_summaries,
    share,
)
from src.core.errors import ConfigError
from src.scoring.commands.command import Command
from src.scoring.commands.shared_arguments import add_checkpoint_argument


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "voice", type=Path, nargs="?", metavar="VOICE", help="a recording, or a video's sound"
    )
    parser.add_argument(
        "face", type=Path, nargs="?", metavar="FACE", help="a photograph, or the frames of a video"
    )
    add_checkpoint_argument(parser)
    parser.add_argument(
        "--pairs",
        type=Path,
        metavar="CSV",
        help="many pairs instead: columns voice, face and perhaps id; paths relative to the CSV",
    )
    parser.add_argument(
        "--out", type=Path, metavar="CSV", help="written for --pairs: its rows with their scores"
    )
    parser.add_argument(
        "--prior",
        type=share,
        default=0.5,
        metavar="SHARE",
        help="expected share of same-person pairs, which probabilities depend on (default: %(default)s)",
    )
    parser.add_argument(
        "--work",
        type=Path,
        metavar="DIR",
        help="keep clean speech, face crops and embeddings there; the same command again goes on where it stopped",
    )
    parser.add_argument("--voice-weights", type=Path, metavar="PATH", help="weights of the voice encoder")
    parser.add_argument("--face-weights", type=Path, metavar="PATH", help="weights of the face encoder")
    parser.add_argument(
        "--diarizer-model",
        metavar="PATH_OR_NAME",
        help="pipeline or checkpoint, where the checkpoint's media went through the diarizer pyannote or keynote",
    )
    parser.add_argument("--offline", action="store_true", help="download nothing")
    add_common_arguments(parser)
    add_failure_argument(parser)


def _run(options: argparse.Namespace) -> int:
    _refuse_contradictions(options)
    # both media stages and their libraries, which take seconds that no other command should pay
    from src.encoders.weights import forbid_downloads
    from src.raw_pairs.media_worker import WeightPaths
    from src.raw_pairs.pair_list import read_pair_list, write_scored_pairs
    from src.raw_pairs.pair_scorer import PairScorer

    listed = None if options.pairs is None else read_pair_list(options.pairs)
    if options.offline:
        forbid_downloads()
    scorer = PairScorer.load(
        options.checkpoint,
        device=options.device,
        weights=WeightPaths(
            voice=options.voice_weights, face=options.face_weights, diarizer=options.diarizer_model
        ),
        work=options.work,
    )
    if listed is None:
        pair = scorer.score(options.voice, options.face, same_prior=options.prior)
        print(f"score                 {pair.score:.6g}  (lower = same person)")
        print(f"log likelihood ratio  {pair.log_likelihood_ratio:.4g}  (above 0 speaks for one person)")
        print(
            f"probability           {pair.probability:.4g}  (of one person, where {options.prior:.0%} of pairs are)"
        )
        return EXIT_DONE
    scored = scorer.score_pairs(listed.pairs, same_prior=options.prior, workers=options.workers)
    write_scored_pairs(options.out, listed, scored.pairs)
    for summary in scored.files:
        sys.stderr.write(summary.line() + "\n")
    return report_summaries([scored.summary], options.max_failures)


def _refuse_contradictions(options: argparse.Namespace) -> None:
    if not 0 < options.prior < 1:
        raise ConfigError(f"--prior {options.prior:g}: must lie between 0 and 1, or nothing is left to say")
    if options.pairs is None:
        if options.voice is None or options.face is None:
            raise ConfigError("name a voice and a face, or a list of them with --pairs CSV --out CSV")
        if options.out is not None:
            raise ConfigError("--out goes with --pairs; one pair is printed")
        return
    if options.voice is not None:
        raise ConfigError("give either a voice and a face, or --pairs CSV")
    if options.out is None:
        raise ConfigError("--pairs needs --out CSV, the file to write")
    if options.out.resolve() == options.pairs.resolve():
        raise ConfigError(f"--out {options.out}: is the list itself; name another file")


COMMAND = Command(
    name="pair",
    summary="score a voice and a face straight from their files",
    examples="""  python inference.py pair voice.wav face.jpg --checkpoint checkpoints/English
  python inference.py pair interview.mp4 portrait.jpg --checkpoint checkpoints/English --prior 0.1
  python inference.py pair interview.mp4 interview.mp4 --checkpoint checkpoints/English   # does the voice fit the face?
  python inference.py pair --pairs pairs.csv --out scored.csv --checkpoint checkpoints/English

Files go through the same preprocessing and encoders as the media that the checkpoint was trained on: diarization,
the speech of the main speaker, cleaning; face detection, alignment. Of a video the scores of its frames are averaged. A
row of pairs.csv whose file cannot be used is written with its reason, and the others go on.

In Python:
  from src.raw_pairs.pair_scorer import PairScorer
  scorer = PairScorer.load("checkpoints/English")
  print(scorer.score("voice.mp4", "face.jpg").probability)""",
    add_arguments=_add_arguments,
    run=_run,
)
