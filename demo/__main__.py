"""`python -m demo OUT`: generate a world with known truth."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from demo.pretraining import generate_corpus
from demo.sentences import LANGUAGES
from demo.sizes import DEFAULT_PRETRAINING_IDENTITIES, SIZES, WorldSettings, choose_size
from demo.world import MARKER, generate_world
from src.core.command_line import EXIT_DONE, run_command
from src.core.errors import ConfigError
from src.core.files import read_json
from src.core.output_lock import locked_output

_EXAMPLES = """examples:
  python -m demo demo_output/world                       the world of `make demo`
  python -m demo world --size large --seed 7             a large one, for measurements
  python -m demo world --languages English German        other languages
  python -m demo corpus --size none --pretraining        only the corpus that encoders are trained on
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Generate what was asked for and say what is there."""
    options = _parser().parse_args(arguments)
    if options.size == "none" and options.pretraining is None:
        raise ConfigError("--size none leaves nothing to do: add --pretraining, or name a size")
    with locked_output(options.out):
        _generate(options)
    return EXIT_DONE


def _generate(options: argparse.Namespace) -> None:
    languages = tuple(options.languages)
    if options.size != "none":
        settings = WorldSettings(
            seed=options.seed,
            languages=languages,
            size=choose_size(options.size, options.identities, options.test_identities),
        )
        made = generate_world(options.out, settings, options.workers)
        _tell_world(options.out, made)
    if options.pretraining is not None:
        made = generate_corpus(options.out, options.pretraining, options.seed, languages, options.workers)
        _tell(f"{options.out / 'pretraining'}: {options.pretraining} identities", made)


def _tell_world(folder: Path, made: bool) -> None:
    marker = read_json(folder / "dataset" / MARKER)
    counts = marker["counts"]
    _tell(
        f"{folder / 'dataset'}: {counts['training_identities']} training and {counts['test_identities']} test "
        f"identities, {counts['voice_files']} voice files ({counts['voice_minutes']} min), "
        f"{counts['photographs']} photographs ({counts['photographs_with_bystander']} with a bystander)",
        made,
    )
    for language, limit in marker["bayes_limit"].items():
        same_sex = limit["same_sex_equal_error_rate"]
        print(
            f"  {language}: {limit['trials']} trials, Bayes-optimal EER {limit['equal_error_rate']:.1%}"
            + ("" if same_sex is None else f" (same sex {same_sex:.1%})")
        )


def _tell(what: str, made: bool) -> None:
    print(what if made else f"{what} - already there")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m demo",
        description="Generate raw voices and photographs of people who do not exist, in the layout of MAV-Celeb v1, "
        "with the truth about them. Results on it say nothing about MAV-Celeb.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "out", type=Path, metavar="OUT", help="folder; gets dataset/, truth/ and pretraining/"
    )
    parser.add_argument("--size", choices=[*SIZES, "none"], default="small", help="default: %(default)s")
    parser.add_argument(
        "--identities", type=int, metavar="N", help="training identities instead of the size's"
    )
    parser.add_argument(
        "--test-identities", type=int, metavar="M", help="test identities instead of the size's"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="another seed, another world")
    parser.add_argument(
        "--languages", nargs="+", default=["English", "Urdu"], metavar="L", help=", ".join(LANGUAGES)
    )
    parser.add_argument("--workers", type=int, default=0, metavar="W", help="processes (default: one a core)")
    parser.add_argument(
        "--pretraining",
        type=int,
        nargs="?",
        const=DEFAULT_PRETRAINING_IDENTITIES,
        metavar="N",
        help="also a clean corpus of N other identities (%(const)s when N is not given)",
    )
    return parser


if __name__ == "__main__":
    sys.exit(run_command(main))
