"""The table of the embedding benchmark: what is to be reached, what was measured, and what bounds it."""

from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.speech_table import Row
from src.artifacts.sources import Modality

_SMALLEST_COSINE = {"float32": 0.9999, "bfloat16": 0.999}
_TIMES = {
    ("voice", "float32"): 1.0,
    ("voice", "bfloat16"): 2.5,
    ("face", "float32"): 3.0,
    ("face", "bfloat16"): 6.0,
}
_REACH = {
    ("voice", "float32"): "not below the plain loop; cosine 0.9999",
    ("voice", "bfloat16"): "2.5 times, aim 3.5; cosine 0.999",
    ("face", "float32"): "3 times; cosine 0.9999",
    ("face", "bfloat16"): "6 times; cosine 0.999",
}
_GPU_TIMES = 15.0
_WHAT: dict[Modality, str] = {"voice": "ECAPA-TDNN", "face": "InceptionResnetV1"}
_UNIT: dict[Modality, str] = {"voice": "times real time", "face": "images a second"}


def rows_of(figures: Mapping[str, Any]) -> Iterator[Row]:
    """The lines of whatever was measured; figures: by section, as `benchmarks.embeddings` writes them."""
    for modality in _WHAT:
        if modality in figures:
            yield from _processor_rows(modality, figures[modality], figures["bounds"])
    for modality in _WHAT:
        if f"{modality}_gpu" in figures:
            yield from _gpu_rows(modality, figures[f"{modality}_gpu"], figures["bounds"])
    if "precision" in figures:
        yield _precision_row(figures["precision"])
    if "resuming" in figures:
        yield _resuming_row(figures["resuming"])


def _processor_rows(modality: Modality, found: Mapping[str, Any], bounds: Mapping[str, Any]) -> Iterator[Row]:
    on = f"{found['on']}, {found['processes']} processes, against one at a time with as many threads"
    decoding = bounds["decoding"].get(modality)
    for precision in ("float32", "bfloat16"):
        one = found[precision]
        bound = bounds["processor"][precision] / bounds["operations"][modality]
        measured = (
            f"{one['a_second']:.0f} {_UNIT[modality]}, {one['times_faster']:.1f} times the plain loop's "
            f"{found['plain']['a_second']:.0f} ({one['times_faster_by_processor_time']:.1f} by processor time); cosine "
            f"{one['smallest_cosine']:.5f}; bounds: {bound:.0f} by {_giga(bounds['processor'][precision])} of a matrix "
            f"product and {_giga(bounds['operations'][modality])} each"
        )
        if decoding:
            measured += f", {found['processes'] * decoding:.0f} by decoding"
        yield Row(
            what=f"{_WHAT[modality]}, {precision}",
            on=on,
            reach=_REACH[modality, precision],
            measured=measured,
            met=_met(one, precision, _TIMES[modality, precision])
            if precision == "float32" or found["fast_bfloat16"]
            else None,
        )


def _gpu_rows(modality: Modality, found: Mapping[str, Any], bounds: Mapping[str, Any]) -> Iterator[Row]:
    what, reach = f"{_WHAT[modality]} on a GPU", "15 times; share of the bf16 rate"
    if "unavailable" in found:
        yield Row(what=what, on="", reach=reach, measured=f"not available: {found['unavailable']}", met=None)
        return
    for precision in ("float32", "bfloat16"):
        one = found[precision]
        share = one["a_second"] * bounds["operations"][modality] / bounds["gpu"]["bfloat16"]
        measured = (
            f"{one['a_second']:.0f} {_UNIT[modality]}, {one['times_faster']:.1f} times the plain loop's "
            f"{found['plain']['a_second']:.0f}; cosine {one['smallest_cosine']:.5f}; {100 * share:.0f} % of the rate of a "
            f"bfloat16 matrix product, {_giga(bounds['gpu']['bfloat16'])}"
        )
        yield Row(
            what=f"{what}, {precision}",
            on=f"{found['on']}, against one at a time on it",
            reach=reach,
            measured=measured,
            met=_met(one, precision, _GPU_TIMES),
        )


def _precision_row(found: Mapping[str, Any]) -> Row:
    on, reach = "the embedded encoders' trained weights", "cosine 0.999"
    face = f"face cosine {found['face_smallest_cosine']:.5f}"
    if "unavailable" in found:
        measured = f"{face}; voice not available: {found['unavailable']}"
        return Row(what="bfloat16 against float32", on=on, reach=reach, measured=measured, met=None)
    measured = (
        f"{face}; voice cosine {found['voice_smallest_cosine']:.5f}; speaker EER of {found['utterances']} utterances "
        f"{100 * found['float32_equal_error_rate']:.2f} % and {100 * found['bfloat16_equal_error_rate']:.2f} %"
    )
    smallest = min(found["face_smallest_cosine"], found["voice_smallest_cosine"])
    met = smallest >= _SMALLEST_COSINE["bfloat16"]
    return Row(what="bfloat16 against float32", on=on, reach=reach, measured=measured, met=met)


def _resuming_row(found: Mapping[str, Any]) -> Row:
    return Row(
        what="resuming",
        on=f"a store of {found['parts']} parts that lost {found['lost']}",
        reach="nothing recomputed, the store identical",
        measured=f"{found['recomputed_needlessly']} parts recomputed needlessly, "
        f"{'every' if found['identical'] else 'not every'} byte the same; {found['whole_seconds']:.1f} s for the whole, "
        f"{found['resumed_seconds']:.1f} s for the rest, {found['nothing_to_do_seconds']:.1f} s where nothing is missing",
        met=not found["recomputed_needlessly"] and found["identical"],
    )


def _met(one: Mapping[str, float], precision: str, times: float) -> bool:
    return one["times_faster"] >= times and one["smallest_cosine"] >= _SMALLEST_COSINE[precision]


def _giga(operations: float) -> str:
    return f"{operations / 1e9:.3g} GFLOP{'/s' if operations > 2e10 else ''}"
