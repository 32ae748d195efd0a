"""The table of the face benchmark: what is to be reached, and what was measured."""

from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.speech_table import Row

_MISSES, _RIGHT_SHARE, _GROWTH_SHARE = 1, 0.98, 0.05
_SMALL_TIMES, _LARGE_TIMES, _GPU_TIMES = 2.0, 5.0, 20.0
_SAME_BOXES_SHARE = 0.99  # where two boxes are equally probable, rounding decides which one stays


def rows_of(figures: Mapping[str, Any]) -> Iterator[Row]:
    """The lines of whatever was measured; figures: by section, as `benchmarks.faces` writes them."""
    for section, make_row in _SECTIONS.items():
        if section in figures:
            yield make_row(figures[section])


def _recall_row(found: Mapping[str, Any]) -> Row:
    return Row(
        what="faces found",
        on="every face that a person sees in the photographs",
        reach="all but 1",
        measured=f"{found['found']} of {found['faces']} ({found['false_boxes']} false boxes, "
        f"{found['certain_false_boxes']} of them at the default threshold)",
        met=found["faces"] - found["found"] <= _MISSES,
    )


def _background_row(found: Mapping[str, Any]) -> Row:
    return Row(
        what="false boxes",
        on=f"{found['images']} backgrounds of the demo",
        reach="none at the default threshold",
        measured=f"{found['certain_boxes']} ({found['boxes']} of any probability)",
        met=found["certain_boxes"] == 0,
    )


def _speed_row(found: Mapping[str, Any]) -> Row:
    same = found["images_with_same_boxes"]
    measured = (
        f"{_speeds(found)}; {same} of {found['images']} images have the same boxes within 2 pixels; the networks take "
        f"{found['multiply_adds_per_image'] / 1e6:.0f} million multiply-adds an image"
    )
    on = f"{found['images']} images of 256 pixels, {found['workers']} processes, against facenet-pytorch one at a time"
    met = found["times_faster"] >= _SMALL_TIMES and same >= _SAME_BOXES_SHARE * found["images"]
    return Row(what="detection speed", on=on, reach="2 times, aim 4; same boxes", measured=measured, met=met)


def _large_row(found: Mapping[str, Any]) -> Row:
    lost = found["published_faces_lost"]
    measured = (
        f"{_speeds(found)}; {found['published_faces_found']} of its faces found, {lost} not; decoding alone a core: "
        f"{found['decoding_alone_per_second']:.0f} a second, {found['reduced_decoding_alone_per_second']:.0f} reduced"
    )
    return Row(
        what="detection speed, decoding included",
        on=f"{found['images']} files of 1920 x 1080, {found['workers']} processes, against facenet-pytorch at full size",
        reach="5 times, same faces",
        measured=measured,
        met=found["times_faster"] >= _LARGE_TIMES and lost == 0,
    )


def _gpu_row(found: Mapping[str, Any]) -> Row:
    absent = "unavailable" in found
    return Row(
        what="detection speed on a GPU",
        on="256-pixel images, against facenet-pytorch one at a time on it",
        reach="20 times",
        measured=f"not available: {found['unavailable']}" if absent else _speeds(found),
        met=None if absent else found["times_faster"] >= _GPU_TIMES,
    )


def _right_person_row(found: Mapping[str, Any]) -> Row:
    what, reach = "the right person", "98 %"
    if "unavailable" in found:
        measured = f"not available: {found['unavailable']}"
        return Row(what=what, on="photographs with bystanders", reach=reach, measured=measured, met=None)
    share = found["right_person_share_with_bystanders"]
    measured = f"{100 * share:.1f} % ({100 * found['right_person_share']:.1f} % of all {found['portraits']})"
    on = f"{found['portraits_with_bystanders']} photographs of the demo with bystanders"
    return Row(what=what, on=on, reach=reach, measured=measured, met=share >= _RIGHT_SHARE)


def _memory_row(found: Mapping[str, Any]) -> Row:
    growth, peak = found["growth_bytes"], found["peak_bytes"]
    return Row(
        what="memory",
        on=f"{found['images']:,} images of mixed sizes, {found['workers']} processes",
        reach="flat",
        measured=f"{growth / 1e6:+.0f} MB from the second to the last quarter, at most {peak / 1e9:.2f} GB a process",
        met=growth <= _GROWTH_SHARE * peak,
    )


def _speeds(found: Mapping[str, Any]) -> str:
    return (
        f"{found['times_faster']:.1f} times ({found['images_per_second']:.0f} against "
        f"{found['published_per_second']:.0f} a second; processor time an image "
        f"{1000 * found['processor_seconds_per_image']:.1f} against "
        f"{1000 * found['published_processor_seconds_per_image']:.1f} ms)"
    )


_SECTIONS = {
    "recall": _recall_row,
    "backgrounds": _background_row,
    "speed": _speed_row,
    "large_files": _large_row,
    "gpu": _gpu_row,
    "right_person": _right_person_row,
    "memory": _memory_row,
}
