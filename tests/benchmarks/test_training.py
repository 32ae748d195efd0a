"""The training benchmark: its own pieces on a few made-up people; speeds are not tested."""

import torch

from benchmarks.training_run import measure_fop_run
from benchmarks.training_speed import ITEMS, MadeUpPeople
from benchmarks.training_table import rows_of


def test_made_up_people_are_the_same_on_both_sides():
    people = MadeUpPeople(3, 5, identities=4)
    resident = people.resident(torch.device("cpu"))
    assert people.voices.shape == (4, ITEMS, 3)
    assert torch.equal(resident.faces.sequences.tokens[:, 0], torch.from_numpy(people.faces.reshape(-1, 5)))
    assert resident.voices.identities.tolist() == people.labels.tolist()
    assert resident.voices.videos.unique().numel() == 4 * 8


def test_a_whole_training_takes_every_row_in_every_epoch():
    found = measure_fop_run(MadeUpPeople(6, 7, identities=12), epochs=2)
    assert found["rows"] == 12 * ITEMS
    assert found["epochs_trained"] == found["epochs"] == 2
    assert 0 < found["training_seconds"] <= found["seconds"]


def test_the_table_says_what_was_reached():
    speed = {
        "a_second": {"published": 100.0, "same_vectors": 900.0, "same_pairs": 150.0},
        "times_faster": {"same_vectors": 9.0, "same_pairs": 1.5},
        "operations_each": {"published": 10.0, "same_vectors": 1.0, "same_pairs": 10.0},
        "batch": {"published": 65, "same_vectors": 1024, "same_pairs": 65},
    }
    run = {"rows": 6016, "epochs": 50, "seconds": 61.0, "training_seconds": 55.0}
    figures = {
        "bounds": {"processor": {"float32": 1e4}},
        "cafnet": speed,
        "fop_gpu": {"unavailable": "no GPU"},
        "fop_run": run,
    }
    rows = list(rows_of(figures))
    assert [row.met for row in rows] == [True, None, None, False]
    assert "9.0 times" in rows[0].measured
    assert "10,000" in rows[0].measured
    assert "no GPU" in rows[2].measured
