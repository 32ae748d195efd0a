import argparse
import logging
import os
from operator import attrgetter
from pathlib import Path

import cv2
import numpy as np
import pytest

from preprocessing.__main__ import main
from preprocessing.face_options import add_face_arguments, apply_face_options
from preprocessing.settings import PreprocessingSettings
from preprocessing.speech_options import add_speech_arguments, apply_speech_options
from src.artifacts.sources import read_sources
from src.core.command_line import run_command
from src.core.config import parse_config
from src.core.files import read_json
from src.core.stage import read_parts
from src.media.image import write_jpeg

PAIRS = [("id0001", "id0002"), ("id0002", "id0004")]


@pytest.fixture
def dataset(tmp_path, portraits):
    """A folder in the layout of MAV-Celeb v1, double numbering included, faces alone, one of them none."""
    root = tmp_path / "dataset"
    rows = []
    for number, (voice, face) in enumerate(PAIRS):
        key = f"{face}/English/video/0000025.jpg"
        write_jpeg(
            root / "faces" / key, cv2.resize(portraits[number][0], (128, 128), interpolation=cv2.INTER_AREA)
        )
        rows.append(f"{voice}/English/video/00000.wav {key}\r\n")
    write_jpeg(root / "faces/English/00000.jpg", np.full((80, 80, 3), 90, np.uint8))
    (root / "English_train.txt").write_bytes("".join(rows).encode())
    (root / "English_test.txt").write_bytes(b"t1 voices/English/00000.wav faces/English/00000.jpg\r\n")
    return root


def run(*arguments):
    return run_command(main, [str(argument) for argument in (*arguments, "--workers", "1")])


def content(folder):
    return {
        path: (path.stat().st_mtime_ns, path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_data_set_becomes_a_work_folder_and_is_not_touched(dataset, tmp_path, capfd, caplog):
    caplog.set_level(logging.INFO)
    before, work = content(dataset), tmp_path / "work"
    assert run(dataset, "--out", work) == 1
    error = capfd.readouterr().err
    assert "faces: 2 done, 1 failed (no_face 1)" in error
    assert "33.3% failed, more than --max-failures 10%" in error
    assert "no voices: that half is left out" in caplog.text
    assert "2 have another number as a voice than as a face" in caplog.text
    assert content(dataset) == before
    rows = {row["key"]: row for row in read_parts(work / "face/manifest").to_pylist()}
    assert rows["faces/id0002/English/video/0000025.jpg"]["identity"] == "id0002"
    assert {record.key for record in read_sources(work)} == set(rows)
    record = read_json(work / "preprocessing.json")
    assert record["generated_world"] is False
    assert record["dataset"] == str(dataset.resolve())
    assert record["identities"]["voice_names"] == {"id0001": "id0002", "id0002": "id0004"}
    assert record["stages"]["face"]["reasons"] == {"no_face": 1}
    assert record["stages"]["face"]["settings"]["crop_side_pixels"] == 160


def test_more_failures_may_be_allowed_and_a_second_run_does_nothing_anew(dataset, tmp_path, capfd):
    work = tmp_path / "work"
    assert run(dataset, "--out", work, "--modality", "face", "--max-failures", "0.5") == 0
    crop = work / "face/crops/faces/id0002/English/video/0000025.jpg"
    os.utime(crop, (1, 1))
    assert run(dataset, "--out", work, "--modality", "face", "--max-failures", "0.5") == 0
    assert crop.stat().st_mtime == 1
    assert "(3 of all were already there)" in capfd.readouterr().err


def padded_jpeg(image, size_bytes):
    """A JPEG of exactly this size: the rest is a comment."""
    encoded = cv2.imencode(".jpg", image)[1].tobytes()
    padding = size_bytes - len(encoded) - 4
    return encoded[:2] + b"\xff\xfe" + (padding + 2).to_bytes(2, "big") + bytes(padding) + encoded[2:]


def test_a_source_changed_without_a_change_of_size_is_done_anew(dataset, tmp_path):
    def reason():
        assert run(dataset, "--out", work, "--max-failures", "1") == 0
        return {row["key"]: row["reason"] for row in read_parts(work / "face/manifest").to_pylist()}[key]

    work, key = tmp_path / "work", "faces/id0002/English/video/0000025.jpg"
    photograph = dataset / key
    face, before = photograph.read_bytes(), photograph.stat()
    assert reason() == ""
    photograph.write_bytes(padded_jpeg(np.full((80, 80, 3), 90, np.uint8), before.st_size))
    changed = before.st_mtime_ns + 1_000_000
    os.utime(photograph, ns=(changed, changed))
    assert photograph.stat().st_size == before.st_size
    assert reason() == "no_face"
    photograph.write_bytes(face)
    os.utime(
        photograph, ns=(changed, changed)
    )  # what keeps both size and time is not noticed: docs/reliability.md
    assert reason() == "no_face"


def test_settings_come_from_a_file(dataset, tmp_path, capfd):
    config = tmp_path / "settings.yaml"
    config.write_text("face:\n  crop_side_pixels: 112\n")
    assert run(dataset, "--out", tmp_path / "work", "--config", config, "--max-failures", "1") == 0
    assert (
        read_json(tmp_path / "work/preprocessing.json")["stages"]["face"]["settings"]["crop_side_pixels"]
        == 112
    )
    config.write_text("face:\n  crop_size: 112\n")
    assert run(dataset, "--out", tmp_path / "other", "--config", config) == 2
    assert "face.crop_size: unknown key" in capfd.readouterr().err


def test_the_generated_world_marks_itself(dataset, tmp_path):
    (dataset / "GENERATED_WORLD.json").write_text("{}")
    run(dataset, "--out", tmp_path / "work")
    assert read_json(tmp_path / "work/preprocessing.json")["generated_world"] is True


def test_a_list_that_names_absent_files_gives_rows(dataset, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    with (dataset / "English_train.txt").open("a") as stream:
        stream.write("id0001/English/video/00000.wav id0002/English/video/0000099.jpg\n")
    assert run(dataset, "--out", tmp_path / "work", "--max-failures", "0.5") == 0
    rows = {row["key"]: row["reason"] for row in read_parts(tmp_path / "work/face/manifest").to_pylist()}
    assert rows["faces/id0002/English/video/0000099.jpg"] == "missing"
    assert "lists name 1 files that are not there, for example faces/id0002" in caplog.text


def refused(capfd, *arguments):
    assert run(*arguments) == 2
    error = capfd.readouterr().err
    assert "Traceback" not in error
    return error


def test_unusable_commands_are_refused_with_advice(dataset, tmp_path, capfd):
    work = tmp_path / "work"
    assert "lies inside the data set" in refused(capfd, dataset, "--out", dataset / "work")
    assert "no such folder" in refused(capfd, tmp_path / "absent", "--out", work)
    assert "holds no voice" in refused(capfd, dataset, "--out", work, "--modality", "voice")
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken/thesis.txt").write_text("mine")
    assert "is no work folder" in refused(capfd, dataset, "--out", tmp_path / "taken")
    assert "name a folder" in refused(capfd, dataset, "--out", tmp_path / "taken/thesis.txt")
    assert not work.exists()


def test_the_work_of_another_data_set_is_not_mixed_in(dataset, tmp_path, capfd):
    work = tmp_path / "work"
    run(dataset, "--out", work)
    dataset.rename(tmp_path / "moved")
    error = refused(capfd, tmp_path / "moved", "--out", work)
    assert "holds the work of another data set" in error
    assert "put its new path" in error


def test_contradictory_lists_are_refused(dataset, tmp_path, capfd):
    with (dataset / "English_train.txt").open("a") as stream:
        stream.write("id0001/English/video/00000.wav id0004/English/video/0000025.jpg\n")
    assert "voice id0001 is paired with id0002" in refused(capfd, dataset, "--out", tmp_path / "work")


@pytest.mark.parametrize(
    ("arguments", "place", "value"),
    [
        (["--diarizer", "keynote", "--diarizer-model", "a: b"], "keynote_diarizer.model", Path("a: b")),
        (["--diarizer", "pyannote", "--diarizer-model", "org/name"], "pyannote.pipeline", "org/name"),
        (["--wiener", "percentile"], "cleaning.wiener", "percentile"),
        (["--no-band-pass"], "cleaning.band_pass", False),
        (["--no-level"], "cleaning.level_db", None),
        (["--trim"], "cleaning.trim", True),
        (["--keep-overlap"], "keynote.keep_overlap", True),
    ],
)
def test_options_of_the_speech_half_win_over_the_file(arguments, place, value):
    parser = argparse.ArgumentParser()
    add_speech_arguments(parser)
    mapping = {"speech": {"diarizer": "embedded", "cleaning": {"wiener": "tracked"}}}
    apply_speech_options(parser.parse_args(arguments), mapping)
    settings = parse_config(PreprocessingSettings, mapping, "here").speech
    assert attrgetter(place)(settings) == value


@pytest.mark.parametrize(
    ("arguments", "place", "value"),
    [(["--face-choice", "image"], "face_choice", "image"), (["--crop", "aligned"], "crop", "aligned")],
)
def test_options_of_the_face_half_win_over_the_file(arguments, place, value):
    parser = argparse.ArgumentParser()
    add_face_arguments(parser)
    mapping = {"face": {"face_choice": "folder", "crop": "square"}}
    apply_face_options(parser.parse_args(arguments), mapping)
    assert attrgetter(place)(parse_config(PreprocessingSettings, mapping, "here").face) == value


def test_a_folder_of_several_photographs_needs_a_face_encoder_or_leave_to_do_without(
    dataset, portraits, tmp_path, capfd, caplog
):
    caplog.set_level(logging.INFO)
    write_jpeg(dataset / "faces/id0002/English/video/0000050.jpg", portraits[0][0])
    work = tmp_path / "work"
    arguments = (dataset, "--out", work, "--max-failures", "1")
    error = refused(capfd, *arguments, "--face-weights", tmp_path / "absent.pt")
    assert "told by the face encoder vggface2" in caplog.text
    assert "--face-choice image" in error
    assert "--face-weights PATH" in error
    assert not (work / "sources.parquet").exists()
    assert run(*arguments, "--face-choice", "image", "--plots") == 0
    settings = read_json(work / "preprocessing.json")["stages"]["face"]["settings"]
    assert (settings["face_choice"], settings["face_encoder"]) == ("image", None)
    assert (work / "face/plots/faces/id0002/English/video.png").is_file()
    assert run(*arguments, "--face-encoder", "face-compact") == 0
    settings = read_json(work / "preprocessing.json")["stages"]["face"]["settings"]
    assert settings["face_encoder"]["encoder"] == "face-compact"
    assert settings["same_person_similarity"] == 0.6


def test_a_model_for_a_diarizer_that_has_none_is_refused(dataset, tmp_path, capfd):
    error = refused(capfd, dataset, "--out", tmp_path / "work", "--diarizer-model", "models/any")
    assert "--diarizer-model: the diarizer `embedded` has no model of its own" in error


def test_help_shows_examples_and_layouts(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    shown = capsys.readouterr().out
    assert "python -m preprocessing MAV-Celeb_v1 --out work/v1" in shown
    assert "voices/<person>/<Language>/<video>/00000.wav" in shown
