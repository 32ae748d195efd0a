"""`python -m features info | verify | merge`: look into embedding stores, check them, join them."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from src.artifacts.store_check import check_store
from src.artifacts.store_merge import merge_stores
from src.artifacts.store_summary import StoreSummary, summarise_store
from src.core.command_line import EXIT_DONE, EXIT_FAILURES

INFO_EXAMPLES = """\
examples:
  python -m features info WORK/features/voice WORK/features/face

Prints the encoder, its weights' checksum, the dimension, counts by language, split and kind of token, how long the
vectors are, and why media have none.
"""
VERIFY_EXAMPLES = """\
examples:
  python -m features verify WORK/features/voice WORK/features/face

Reads every part: parts that are truncated or of another dimension, vectors that are not finite, keys that stand twice
or whose tokens are apart, and what the manifest and the tokens say differently. Exit status 1 when anything is wrong.
"""
MERGE_EXAMPLES = """\
examples:
  python -m features merge WORK1/features/voice WORK2/features/voice --out ALL/features/voice
  python -m features merge WORK/features/voice --out COMPACT/voice    # one store: few large parts, opened faster

Stores of different encoders or settings are refused, and so are keys that stand in more than one.
"""


def info(arguments: Sequence[str] | None = None) -> int:
    """Print what stores hold."""
    options = _parser("info", "Say what embedding stores hold.", INFO_EXAMPLES).parse_args(arguments)
    for folder in options.stores:
        sys.stdout.write("\n".join(_summary_lines(folder, summarise_store(folder))) + "\n")
    return EXIT_DONE


def verify(arguments: Sequence[str] | None = None) -> int:
    """Check stores; status 1 when one has a problem."""
    options = _parser("verify", "Check embedding stores, part by part.", VERIFY_EXAMPLES).parse_args(
        arguments
    )
    status = EXIT_DONE
    for folder in options.stores:
        check = check_store(folder)
        for problem in check.problems:
            sys.stdout.write(f"{folder}: {problem}\n")
        verdict = f"{len(check.problems)} problems" if check.problems else "sound"
        sys.stdout.write(f"{folder}: {check.keys} media, {check.tokens} tokens: {verdict}\n")
        if check.problems:
            status = EXIT_FAILURES
    return status


def merge(arguments: Sequence[str] | None = None) -> int:
    """Join stores into a new one."""
    parser = _parser("merge", "Join embedding stores of one encoder into a new one.", MERGE_EXAMPLES)
    parser.add_argument("--out", type=Path, required=True, metavar="STORE", help="the new store")
    options = parser.parse_args(arguments)
    counts = merge_stores(options.stores, options.out)["counts"]
    sys.stdout.write(
        f"merge: {len(options.stores)} stores, {counts['done']} media with tokens, {counts['failed']} without "
        f"-> {options.out}\n"
    )
    return EXIT_DONE


def _parser(name: str, description: str, examples: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"python -m features {name}",
        description=description,
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "stores",
        type=Path,
        nargs="+",
        metavar="STORE",
        help="an embedding store, such as WORK/features/voice",
    )
    return parser


def _summary_lines(folder: Path, summary: StoreSummary) -> list[str]:
    information = summary.information
    tokens = f"{sum(summary.kinds.values())} tokens ({_counts(summary.kinds)})"
    failed = f"{sum(summary.failures.values())} ({_counts(summary.failures)})"
    return [
        f"{folder}",
        f"  {information['modality']} embeddings of {information['encoder']}, dimension {information['dimension']}",
        f"  weights     sha256 {information.get('weights_sha256', 'unknown')}",
        f"              {information.get('weights_source', 'source unknown')}",
        f"  made by     voxface {information.get('version', 'unknown')}",
        f"  held        {summary.keys} media, {tokens} in {summary.parts} parts",
        f"  people      {_people(summary)}",
        *(
            f"  {row['language'] or 'no language'}, {row['split'] or 'no split'}: {row['media']} media, "
            f"{row['tokens']} tokens, {row['identities']} people"
            for row in summary.groups.to_dict("records")
        ),
        f"  norms       {_norms(summary)}",
        f"  failed      {failed}",
    ]


def _people(summary: StoreSummary) -> str:
    counts = summary.media_per_identity
    if not len(counts):
        return "0"
    return f"{len(counts)}, with {counts[0]} to {counts[-1]} media each (median {counts[len(counts) // 2]})"


def _norms(summary: StoreSummary) -> str:
    if not len(summary.norm_quantiles):
        return "none"
    smallest, low, middle, high, largest = summary.norm_quantiles
    return f"{smallest:.4g} to {largest:.4g}, half below {middle:.4g}, 90 % from {low:.4g} to {high:.4g}"


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items()) or "none"
