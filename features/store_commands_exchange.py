"""`python -m features export | import`: embedding stores to and from the files of features that the field passes around."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from src.artifacts.embedding_store import EmbeddingStore
from src.artifacts.feature_arrays import write_feature_arrays
from src.artifacts.feature_export import chosen_keys, export_cafnet, export_fop
from src.artifacts.feature_import import FORMATS, ImportRequest, import_features
from src.artifacts.sources import MODALITIES
from src.core.command_line import EXIT_DONE
from src.core.errors import ConfigError

EXPORT_EXAMPLES = """\
examples:
  python -m features export WORK/features/voice --format fop --keys English_train.txt --out English_voices_train.csv
  python -m features export WORK/features/face --format fop --keys English_train.txt --out English_faces_train.csv
  python -m features export WORK/features/voice --format cafnet --language English --split train --out VOICES
  python -m features export WORK/features/voice --format numpy --out voice.npz

fop: features, then the identity, no header; with the same --keys the rows of voices and faces belong together.
cafnet: label,feature_1,…; --out DIR has a file <identity>.csv a person, --out FILE.csv holds all.
Both take one vector of each medium: the whole utterance's, or the crop's. numpy takes every token.
"""
IMPORT_EXAMPLES = """\
examples:
  python -m features import --format fop --voice English_voices_train.csv --face English_faces_train.csv \\
      --voice-encoder utterance-level-aggregator --face-encoder vggface --language English --keys English_train.txt \\
      --out ENGLISH
  python -m features import --format cafnet --voice VOICES --voice-encoder ecapa --language English --out ENGLISH
  python -m features import --format numpy --voice voice.npz --out FEATURES

Writes ENGLISH/voice and ENGLISH/face, which train.py and inference.py take as --features. Join languages and splits
with: python -m features merge ENGLISH/voice URDU/voice --out ALL/voice
"""


def export_store(arguments: Sequence[str] | None = None) -> int:
    """Write a file of features."""
    options = _export_parser().parse_args(arguments)
    if options.format == "numpy":
        if options.keys or options.language or options.split:
            raise ConfigError("the format numpy takes every token; leave --keys, --language and --split away")
        write_feature_arrays(options.store, options.out)
        sys.stdout.write(f"export: all tokens -> {options.out}\n")
        return EXIT_DONE
    store = EmbeddingStore.open(options.store)
    keys = chosen_keys(store, options.keys, options.language, options.split)
    (export_fop if options.format == "fop" else export_cafnet)(store, keys, options.out)
    sys.stdout.write(f"export: {len(keys)} rows of {store.dimension} features -> {options.out}\n")
    return EXIT_DONE


def import_stores(arguments: Sequence[str] | None = None) -> int:
    """Make stores of files of features."""
    options = _import_parser().parse_args(arguments)
    files = {modality: getattr(options, modality) for modality in MODALITIES if getattr(options, modality)}
    if not files:
        raise ConfigError("nothing to import; give --voice FILE, --face FILE or both")
    if options.format != "numpy" and not options.language:
        raise ConfigError(
            f"the format {options.format} does not say a language; give --language, such as English"
        )
    if options.format == "numpy" and options.keys:
        raise ConfigError("the format numpy has its own keys; leave --keys away")
    if options.format != "fop" and options.unlabelled:
        raise ConfigError("--unlabelled belongs to the format fop")
    request = ImportRequest(
        format=options.format,
        files=files,
        encoders={
            modality: name
            for modality in files
            if (name := getattr(options, f"{modality}_encoder")) is not None
        },
        out=options.out,
        language=options.language,
        split=options.split,
        keys=options.keys,
        labelled=not options.unlabelled,
    )
    for modality, count in import_features(request).items():
        sys.stdout.write(f"import: {count} media -> {options.out / modality}\n")
    return EXIT_DONE


def _export_parser() -> argparse.ArgumentParser:
    parser = _parser("export", "Write the vectors of an embedding store for other programs.", EXPORT_EXAMPLES)
    parser.add_argument("store", type=Path, metavar="STORE", help="such as WORK/features/voice")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="PATH", help="the file (or folder) to write"
    )
    parser.add_argument(
        "--keys", type=Path, metavar="LIST", help="write the media of this list, in its order (see import)"
    )
    parser.add_argument("--language", help="write media of this language only")
    parser.add_argument("--split", choices=("train", "test"), help="write media of this split only")
    return parser


def _import_parser() -> argparse.ArgumentParser:
    parser = _parser("import", "Make embedding stores of files of features.", IMPORT_EXAMPLES)
    for modality in MODALITIES:
        parser.add_argument(f"--{modality}", type=Path, metavar="PATH", help=f"features of {modality}s")
        parser.add_argument(
            f"--{modality}-encoder",
            metavar="NAME",
            help="what made them; stores of different encoders are never mixed",
        )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the new stores")
    parser.add_argument("--language", default="", help="of all media")
    parser.add_argument(
        "--split", choices=("train", "test"), default="train", help="of all media (default: %(default)s)"
    )
    parser.add_argument(
        "--keys",
        type=Path,
        metavar="LIST",
        help="whose lines belong to the rows: <Language>_train.txt, <Language>_test.txt or a key a line "
        "(default: the file's name and the row's number)",
    )
    parser.add_argument(
        "--unlabelled", action="store_true", help="fop: rows are features alone, as test files may be"
    )
    return parser


def _parser(name: str, description: str, examples: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"python -m features {name}",
        description=description,
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--format", choices=FORMATS, required=True)
    return parser
