"""The features stage on hand-made work folders."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from features.__main__ import main
from features.extraction import PART_SIZES
from features.face_tokens import jittered_crop
from features.settings import TokenSettings
from features.voice_tokens import VoiceTokenWorker, embed_pieces
from src.artifacts.clean_media import CleanMedium
from src.artifacts.embedding_store import EmbeddingStore
from src.artifacts.sources import SourceRecord
from src.core.errors import ConfigError, DatasetError, StoreError, WeightsError
from src.core.files import write_json
from src.encoders.registry import load_encoder
from src.media.audio import read_audio, write_audio
from src.media.image import write_jpeg

SECONDS = {"a": 5.3, "b": 2.0, "c": 0.2}


def manifest_row(modality, key, output, reason=""):
    return {
        "key": key,
        "modality": modality,
        "identity": "id1",
        "language": "English",
        "video": "v",
        "split": "train",
        "size_bytes": 1,
        "status": "failed" if reason else "done",
        "reason": reason,
        "output": output,
        "speakers": 1,
    }


def write_manifest(work, modality, rows):
    folder = work / modality / "manifest"
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), folder / "part-00000.parquet")


@pytest.fixture
def work(tmp_path):
    stream = np.random.default_rng(1)
    folder = tmp_path / "work"
    voices = []
    for name, seconds in SECONDS.items():
        write_audio(folder / f"{name}.wav", 0.1 * stream.standard_normal(round(seconds * 16_000)))
        voices.append(manifest_row("voice", f"voices/{name}.wav", f"{name}.wav"))
    voices.append(manifest_row("voice", "voices/d.wav", "", reason="no_speech"))
    voices.append(manifest_row("voice", "voices/e.wav", "gone.wav"))
    faces = []
    for name in ("a", "b"):
        write_jpeg(folder / f"{name}.jpg", stream.integers(0, 256, (160, 160, 3), dtype=np.uint8))
        faces.append(manifest_row("face", f"faces/{name}.jpg", f"{name}.jpg"))
    faces.append(manifest_row("face", "faces/c.jpg", "", reason="no_face"))
    (folder / "broken.jpg").write_bytes(b"\xff\xd8")
    faces.append(manifest_row("face", "faces/d.jpg", "broken.jpg"))
    write_manifest(folder, "voice", voices)
    write_manifest(folder, "face", faces)
    write_json(
        folder / "preprocessing.json",
        {"generated_world": True, "stages": {"voice": {"settings": {"x": 1}}, "face": {"settings": {}}}},
    )
    return folder


def reasons(work, modality):
    table = pd.read_parquet(work / "features" / modality / "manifest")
    return dict(zip(table["key"].str[-5:], table["reason"], strict=True))


def test_every_row_is_there_with_its_tokens_or_its_reason(work):
    assert main([str(work), "--workers", "1", "--max-failures", "1"]) == 0
    assert reasons(work, "voice") == {
        "a.wav": "",
        "b.wav": "",
        "c.wav": "too_short",
        "d.wav": "no_speech",
        "e.wav": "missing",
    }
    assert reasons(work, "face") == {
        "a.jpg": "",
        "b.jpg": "",
        "c.jpg": "no_face",
        "d.jpg": "unreadable_image",
    }
    voice, face = (
        EmbeddingStore.open(work / "features" / "voice"),
        EmbeddingStore.open(work / "features" / "face"),
    )
    assert voice.items["count"].to_dict() == {"voices/a.wav": 1 + 4, "voices/b.wav": 1}
    assert list(voice.token_kinds) == ["whole", "window", "window", "window", "window", "whole"]
    assert face.items["count"].to_dict() == {"faces/a.jpg": 2, "faces/b.jpg": 2}
    assert list(face.token_kinds) == ["crop", "flip"] * 2
    assert voice.information["weights_sha256"] == load_encoder("ecapa-compact").provenance.weights_sha256
    assert voice.information["preprocessing"] == {"x": 1}
    assert voice.information["counts"]["failed"] == 3


def test_jittered_crops_are_tokens_and_the_same_in_every_run(work, tmp_path):
    arguments = [str(work), "--workers", "1", "--max-failures", "1", "--modality", "face"]
    stores = []
    for batch_crops in (1, 32):
        out = tmp_path / f"store{batch_crops}"
        main(
            [
                *arguments,
                "--out",
                str(out),
                "--set",
                "jittered_crops=3",
                "--set",
                f"batch_crops={batch_crops}",
            ]
        )
        stores.append(EmbeddingStore.open(out / "face"))
    assert list(stores[0].token_kinds) == ["crop", "flip", "jitter", "jitter", "jitter"] * 2
    assert stores[0].vectors == pytest.approx(stores[1].vectors, abs=1e-4)
    tokens = stores[0].tokens("faces/a.jpg")
    assert len(np.unique(tokens.round(4), axis=0)) == 5
    main(arguments)
    plain = EmbeddingStore.open(work / "features" / "face").tokens("faces/a.jpg")
    assert tokens[:2] == pytest.approx(plain, abs=1e-4)


def test_a_jittered_crop_stays_within_its_bounds():
    crop = np.zeros((101, 101, 3), np.uint8)
    crop[50, 50] = 255
    moved = set()
    for number in range(20):
        jittered = jittered_crop(crop, "faces/a.jpg", number, TokenSettings(jitter_shift=0.04))
        row, column = np.unravel_index(jittered[..., 0].argmax(), (101, 101))
        assert max(abs(row - 50), abs(column - 50)) <= 5
        moved.add((row, column))
    assert len(moved) > 5
    still = TokenSettings(jitter_degrees=0, jitter_zoom=0, jitter_shift=0)
    assert np.array_equal(jittered_crop(crop, "a", 0, still), crop)


def test_vectors_are_those_of_the_encoder_called_by_hand(work):
    main([str(work), "--workers", "1", "--max-failures", "1"])
    voice = EmbeddingStore.open(work / "features" / "voice")
    samples = torch.from_numpy(read_audio(work / "a.wav"))
    encoder = load_encoder("ecapa-compact")
    expected = torch.cat([encoder.embed(samples[None]), encoder.embed(samples[None, 16_000:48_000])]).numpy()
    assert voice.tokens("voices/a.wav")[[0, 2]] == pytest.approx(expected, abs=1e-4)


def test_a_failing_share_above_the_limit_is_an_exit_status(work):
    assert main([str(work), "--workers", "1"]) == 1


def test_running_again_recomputes_nothing(work, capsys):
    arguments = [str(work), "--workers", "1", "--max-failures", "1"]
    main(arguments)
    before = {path: path.stat().st_mtime_ns for path in (work / "features").rglob("*.parquet")}
    main(arguments)
    assert {path: path.stat().st_mtime_ns for path in (work / "features").rglob("*.parquet")} == before
    assert "already there" in capsys.readouterr().err


def stores_of(folder):
    files = [path for path in folder.rglob("*") if path.is_file() and path.parent.name != "logs"]
    return {path.relative_to(folder): path.read_bytes() for path in files}


@pytest.fixture
def small_parts(monkeypatch):
    monkeypatch.setitem(PART_SIZES, "voice", 2)
    monkeypatch.setitem(PART_SIZES, "face", 1)


def test_an_interrupted_store_is_finished_to_the_same_bytes(work, tmp_path, small_parts, monkeypatch):
    arguments = [str(work), "--workers", "1", "--max-failures", "1", "--out"]
    main([*arguments, str(tmp_path / "whole")])

    calls = []

    def stop_at_the_second_part(worker, media):
        calls.append(len(media))
        if len(calls) == 2:
            raise KeyboardInterrupt
        return embed_part(worker, media)

    embed_part = VoiceTokenWorker.__call__
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(VoiceTokenWorker, "__call__", stop_at_the_second_part)
        main([*arguments, str(tmp_path / "resumed")])
    first = tmp_path / "resumed/voice/manifest/part-00000.parquet"
    written = first.stat().st_mtime_ns
    assert len(list(first.parent.iterdir())) == 1

    main([*arguments, str(tmp_path / "resumed")])
    assert first.stat().st_mtime_ns == written
    assert stores_of(tmp_path / "resumed") == stores_of(tmp_path / "whole")


def test_the_number_of_workers_changes_no_byte(work, tmp_path, small_parts):
    for workers in ("1", "2"):
        arguments = ["--workers", workers, "--max-failures", "1", "--out", str(tmp_path / workers)]
        main([str(work), *arguments, "--modality", "voice"])
    assert stores_of(tmp_path / "1") == stores_of(tmp_path / "2")


def test_the_size_of_batches_changes_only_rounding(work, tmp_path):
    vectors = []
    for seconds in ("0.1", "100"):
        arguments = ["--workers", "1", "--max-failures", "1", "--out", str(tmp_path / seconds)]
        main([str(work), *arguments, "--modality", "voice", "--set", f"batch_seconds={seconds}"])
        vectors.append(EmbeddingStore.open(tmp_path / seconds / "voice").vectors)
    assert vectors[0] == pytest.approx(vectors[1], abs=1e-4)


def test_bfloat16_is_chosen_recorded_and_close(work, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr("features.extraction.has_fast_bfloat16", lambda device: False)
    stores = {}
    for precision in ("float32", "bfloat16"):
        arguments = ["--workers", "1", "--max-failures", "1", "--out", str(tmp_path / precision)]
        assert main([str(work), *arguments, "--set", f"precision={precision}"]) == 0
        stores[precision] = [EmbeddingStore.open(tmp_path / precision / name) for name in ("voice", "face")]
    assert "float32 is faster" in caplog.text
    for exact, low in zip(stores["float32"], stores["bfloat16"], strict=True):
        assert exact.information["tokens"]["precision"] == "float32"
        assert low.information["tokens"]["precision"] == "bfloat16"
        cosines = torch.cosine_similarity(torch.tensor(exact.vectors), torch.tensor(low.vectors))
        assert cosines.min() >= 0.999
        assert not np.array_equal(exact.vectors, low.vectors)


def test_a_recording_s_windows_are_where_the_settings_say(work):
    """Token i of a recording that has fewer than `most_windows` begins at (i - 1) hops of the clean file."""
    worker = VoiceTokenWorker(
        TokenSettings(window_seconds=1.5, hop_seconds=0.5), work, load_encoder("ecapa-compact")
    )
    windows = worker._windows(np.arange(16_000 * 3, dtype=np.float32))
    assert [window[0] for window in windows] == [0, 8_000, 16_000, 24_000]
    assert {len(window) for window in windows} == {24_000}
    assert worker._windows(np.zeros(24_000, np.float32)) == []


def test_more_speech_than_memory_should_hold_is_embedded_in_turns(work, monkeypatch):
    arguments = [str(work), "--workers", "1", "--max-failures", "1", "--modality", "voice"]
    main(arguments)
    together = EmbeddingStore.open(work / "features" / "voice").vectors
    monkeypatch.setattr("features.voice_tokens._HELD_SECONDS", 1.0)
    main([*arguments, "--out", str(work / "again")])
    assert EmbeddingStore.open(work / "again" / "voice").vectors == pytest.approx(together, abs=1e-4)


def test_another_encoder_is_not_mixed_into_a_store(work):
    arguments = [str(work), "--workers", "1", "--max-failures", "1", "--modality", "voice"]
    main(arguments)
    path = work / "features" / "voice" / "store.json"
    path.write_text(path.read_text().replace("ecapa-compact", "another"))
    with pytest.raises(StoreError, match="another encoder"):
        main(arguments)


def test_real_data_never_fall_back_to_the_embedded_encoders(work, monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("VOXFACE_WEIGHTS", str(tmp_path / "none"))
    write_json(work / "preprocessing.json", {"generated_world": False, "stages": {"voice": {"settings": {}}}})
    with pytest.raises(WeightsError, match=r"embedding_model\.ckpt"):
        main([str(work), "--modality", "voice"])
    assert not (work / "features" / "voice" / "tokens").exists()


def test_unusable_folders_and_settings_are_named(work, tmp_path):
    with pytest.raises(DatasetError, match="no such folder"):
        main([str(tmp_path / "absent")])
    with pytest.raises(DatasetError, match="preprocessing"):
        main([str(tmp_path)])
    with pytest.raises(ConfigError, match="windw_seconds"):
        main([str(work), "--set", "windw_seconds=1"])
    with pytest.raises(ConfigError, match="above 0"):
        main([str(work), "--set", "hop_seconds=0"])


def test_long_recordings_get_evenly_spread_windows(work):
    worker = VoiceTokenWorker(TokenSettings(most_windows=3), work, load_encoder("ecapa-compact"))
    samples = np.arange(16_000 * 11, dtype=np.float32)
    starts = [window[0] / 16_000 for window in worker._windows(samples)]
    assert starts == pytest.approx([0, 4, 9], abs=1)
    assert len(starts) == 3


def test_the_whole_of_a_very_long_recording_is_the_mean_of_equal_pieces(work):
    samples = np.random.default_rng(3).normal(0, 0.1, 16_000 * 7).astype(np.float32)
    source = SourceRecord(
        key="voices/a/1/0.wav",
        modality="voice",
        identity="a",
        language="",
        video="1",
        split="train",
        size_bytes=1,
    )
    medium = CleanMedium(source=source, output="", reason="")
    encoder = load_encoder("ecapa-compact")
    settings = TokenSettings(longest_whole_seconds=3.0, window_seconds=3.0, most_windows=2)
    (tokens,) = VoiceTokenWorker(settings, work, encoder)._embed([(medium, samples, "")])
    pieces = embed_pieces(encoder, np.array_split(samples, 3), 8.0)
    np.testing.assert_allclose(tokens.vectors[0], pieces.mean(axis=0), atol=1e-5)
    assert tokens.kinds == ["whole", "window", "window"]
    assert tokens.qualities == [7.0, 3.0, 3.0]


def test_help_shows_examples(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    assert "python -m features WORK" in capsys.readouterr().out
    assert min(PART_SIZES.values()) > 0
