"""The table of the speech benchmark: what is to be reached, and what was measured."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

CONVERSATIONS = "conversations of unseen speakers"
MEETINGS = "meeting excerpts"
_SPEAKER_EER, _PURITY, _RECALL, _DIARIZATION_ERROR = 0.03, 0.95, 0.85, 0.15
_NOISE_GAIN_DB, _CLEAN_KEPT_DB, _CLEANING_SPEED = 5.0, 20.0, 2.5
_TIMES_REAL_TIME, _MEMORY_GB = 40.0, 1.5


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the table. met: None where nothing is asked for, or nothing could be measured."""

    what: str
    on: str
    reach: str
    measured: str
    met: bool | None


def rows_of(figures: Mapping[str, Any]) -> Iterator[Row]:
    """The lines of whatever was measured; figures: by section, as `benchmarks.speech` writes them."""
    for section, make_rows in _SECTIONS.items():
        if section in figures:
            yield from make_rows(figures[section])


def _encoder_rows(found: Mapping[str, Any]) -> Iterator[Row]:
    rate = found["equal_error_rate"]
    on = f"all pairs of {found['utterances']} utterances of {found['speakers']} unseen speakers"
    yield _row("speaker EER of the embedded encoder", on, "at most 3 %", _percent(rate), rate <= _SPEAKER_EER)


def _conversation_rows(found: Mapping[str, Any]) -> Iterator[Row]:
    for name, one in found.items():
        if "unavailable" in one:
            yield _row(f"{name}: keynote purity / recall", CONVERSATIONS, "95 % / 85 %", _absent(one), None)
            continue
        # what others talk over is left out by default, so the recall that can be asked for is of the rest
        met = one["purity"] >= _PURITY and one["recall_alone"] >= _RECALL
        yield _row(f"{name}: keynote purity / recall", CONVERSATIONS, "95 % / 85 %", _keynote(one), met)
        error = one["diarization_error"]
        asked = name == "embedded"
        yield _row(
            f"{name}: DER, no collar",
            CONVERSATIONS,
            "at most 15 %" if asked else "",
            f"{_percent(error)} ({_parts(one)})",
            error <= _DIARIZATION_ERROR if asked else None,
        )


def _meeting_rows(found: Mapping[str, Any]) -> Iterator[Row]:
    for name, one in found.items():
        measured = _absent(one)
        if not measured:
            measured = f"{_keynote(one)}, DER {_percent(one['diarization_error'])} ({_parts(one)})"
        yield _row(f"{name}: keynote purity / recall, DER", MEETINGS, "reported", measured, None)


def _keynote(one: Mapping[str, Any]) -> str:
    """Purity, and recall of what the keynote speaker says alone and of all that they say."""
    return (
        f"{_percent(one['purity'])} / {_percent(one['recall_alone'])} of what nobody talks over "
        f"({_percent(one['recall'])} of all)"
    )


def _cleaning_rows(found: Mapping[str, Any]) -> Iterator[Row]:
    distortion, speed = found["distortion"], found["speed"]
    default = distortion["default"]
    for one in distortion["by_filter"]:
        chosen = all(one[name] == default[name] for name in default)
        gain_db, kept_db = min(one["white_gain_db"], one["pink_gain_db"]), one["clean_db"]
        yield _row(
            f"Wiener filter, {one['wiener']}, floor {one['gain_floor_db']:.0f} dB{' (default)' if chosen else ''}: SI-SDR",
            f"speech + white and pink noise at {distortion['noise_ratio_db']:.0f} dB / clean speech",
            "+5 dB / 20 dB" if one["wiener"] == "tracked" else "reported",
            f"{gain_db:+.1f} dB / {kept_db:.1f} dB",
            (gain_db >= _NOISE_GAIN_DB and kept_db >= _CLEAN_KEPT_DB) if one["wiener"] == "tracked" else None,
        )
    ratio = speed[default["wiener"]]["times_faster"]
    on = f"{speed['workers']} processes, against the plain loop"
    yield _row("speed of cleaning", on, "2.5 times", f"{ratio:.1f} times", ratio >= _CLEANING_SPEED)


def _speed_rows(found: Mapping[str, Any]) -> Iterator[Row]:
    rate, minutes = found["times_real_time"], found["audio_seconds"] / 60
    measured = (
        f"{rate:.0f} times ({found['with_start_up']:.0f} with start-up; one core {found['one_core']:.0f}, "
        f"plain loop {found['plain_loop']:.0f}, decoding alone {found['decoding_alone_one_core']:.0f} a core)"
    )
    on = f"{found['workers']} processes, {minutes:.0f} min of sound"
    yield _row("speed of `embedded`", on, "40 times real time", measured, rate >= _TIMES_REAL_TIME)


def _memory_rows(found: Mapping[str, Any]) -> Iterator[Row]:
    gigabytes = found["peak_bytes"] / 1e9
    measured = f"{gigabytes:.2f} GB ({found['times_real_time']:.0f} times real time, cleaning included)"
    on = f"a file of {found['file_seconds'] / 3600:.1f} h"
    yield _row("memory", on, "under 1.5 GB", measured, gigabytes < _MEMORY_GB)


def _cleaning_choice_rows(found: Mapping[str, Any]) -> Iterator[Row]:
    for name, rates in found.items():
        measured = ", ".join(f"{_percent(rate)} {kind.replace('_', ' ')}" for kind, rate in rates.items())
        yield _row(
            f"speaker EER, cleaning: {name}", f"kept speech of {CONVERSATIONS}", "reported", measured, None
        )


_SECTIONS = {
    "encoder": _encoder_rows,
    "conversations": _conversation_rows,
    "meetings": _meeting_rows,
    "cleaning": _cleaning_rows,
    "speed": _speed_rows,
    "memory": _memory_rows,
    "cleaning_choice": _cleaning_choice_rows,
}


def format_table(rows: list[Row]) -> str:
    """The rows as a Markdown table with aligned columns."""
    heads = ("what", "on", "reach", "measured", "met?")
    cells = [heads, *((row.what, row.on, row.reach, row.measured, _MET[row.met]) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(heads))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |"
        for line in cells
    ]
    return "\n".join([lines[0], "| " + " | ".join("-" * width for width in widths) + " |", *lines[1:]])


_MET = {True: "yes", False: "NO", None: ""}


def _row(what: str, on: str, reach: str, measured: str, met: bool | None) -> Row:
    return Row(what=what, on=on, reach=reach, measured=measured, met=met)


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _absent(one: Mapping[str, Any]) -> str:
    return f"not available: {one['unavailable']}" if "unavailable" in one else ""


def _parts(one: Mapping[str, Any]) -> str:
    parts = ", ".join(
        f"{name.replace('_', ' ')} {_percent(one[name])}" for name in ("missed", "false_alarm", "confusion")
    )
    return f"{parts}; number of speakers right {100 * one['speakers_right_share']:.0f} %, {one['speakers_surplus']:+.1f}"
