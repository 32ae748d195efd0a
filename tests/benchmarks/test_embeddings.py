import numpy as np
import pytest
import torch

from benchmarks.embeddings_bounds import decoding_rates, operations
from benchmarks.embeddings_networks import draw_crops, draw_recordings, published_ecapa, speech_files
from benchmarks.embeddings_precision import measure_precision
from benchmarks.embeddings_resume import measure_resuming
from benchmarks.embeddings_table import rows_of
from benchmarks.speech_table import format_table
from features.extraction import PART_SIZES

BOUNDS = {
    "processor": {"float32": 2e11, "bfloat16": 4e11},
    "gpu": {"bfloat16": 8e14},
    "operations": {"voice": 4e9, "face": 2e9},
    "decoding": {"face": 500.0},
}


def speed(a_second, cosine):
    return {
        "a_second": a_second,
        "times_faster": a_second / 40,
        "times_faster_by_processor_time": a_second / 50,
        "smallest_cosine": cosine,
    }


def speeds(low, cosine=0.9995):
    return {
        "on": "media",
        "processes": 2,
        "fast_bfloat16": True,
        "plain": {"a_second": 40.0},
        "float32": speed(44.0, 0.99999),
        "bfloat16": speed(low, cosine),
    }


def test_rows_say_what_is_met_beside_its_bound():
    figures = {
        "bounds": BOUNDS,
        "voice": speeds(100.0),
        "face": speeds(300.0, cosine=0.99),
        "voice_gpu": {"unavailable": "no GPU"},
        "face_gpu": speeds(80_000.0),
        "precision": {"face_smallest_cosine": 0.9999, "unavailable": "no speech"},
        "resuming": {
            "parts": 4,
            "lost": 2,
            "recomputed_needlessly": 0,
            "identical": True,
            "whole_seconds": 2.0,
            "resumed_seconds": 1.0,
            "nothing_to_do_seconds": 0.5,
        },
    }
    rows = list(rows_of(figures))
    assert [row.met for row in rows] == [True, True, False, False, None, False, True, None, True]
    assert "bounds: 50 by 200 GFLOP/s of a matrix product and 4 GFLOP each" in rows[0].measured
    assert "1000 by decoding" in rows[2].measured
    assert "20 % of the rate" in rows[6].measured
    assert len(format_table(rows).splitlines()) == 2 + len(rows)


def test_bfloat16_is_asked_for_only_where_the_processor_has_it():
    slow = {**speeds(20.0), "fast_bfloat16": False}
    assert [row.met for row in rows_of({"bounds": BOUNDS, "voice": slow})] == [True, None]


def test_the_networks_arithmetic_is_that_of_their_publications():
    """ECAPA-TDNN with 1024 channels: 18.7 million multiply-adds a frame by hand (Desplanques et al., table 1)."""
    counted = operations()
    assert counted["voice"] == pytest.approx(2 * 18.7e6 * 100, rel=0.01)
    assert counted["face"] == pytest.approx(2.85e9, rel=0.02)


def test_decoding_is_counted():
    assert decoding_rates([], draw_crops(2))["face"] > 0


def test_weights_are_the_same_in_every_process():
    first, second = (published_ecapa().network.state_dict() for _ in range(2))
    assert all(torch.equal(value, second[name]) for name, value in first.items())


def test_without_speech_noise_of_mixed_lengths_takes_its_place(tmp_path):
    assert speech_files(tmp_path) == []
    assert len({len(one) for one in draw_recordings()}) > 30
    found = measure_precision(tmp_path)
    assert found["face_smallest_cosine"] >= 0.999
    assert "no speech" in found["unavailable"]


def test_resuming_is_compared_byte_by_byte(monkeypatch):
    monkeypatch.setattr("benchmarks.embeddings_resume._RECORDINGS", 6)
    monkeypatch.setattr("benchmarks.embeddings_resume._WORKERS", 1)
    monkeypatch.setitem(PART_SIZES, "voice", 2)
    recordings = [np.random.default_rng(1).standard_normal(24_000).astype(np.float32) * 0.1]
    found = measure_resuming(recordings)
    assert (found["parts"], found["lost"]) == (3, 2)
    assert found["recomputed_needlessly"] == 0
    assert found["identical"]
