"""The short version of `make fuzz`, and whether it would notice."""

import numpy as np
import pytest

from benchmarks import fuzz
from benchmarks.fuzz_file_seeds import FileKind
from benchmarks.fuzz_media_seeds import image_seeds
from benchmarks.fuzz_mutations import mutated
from src.core.errors import ListError


def test_damaged_files_give_a_result_or_an_error_with_a_name(tmp_path):
    outcomes = fuzz.run(0.04, tmp_path, seed=1)
    for kind, found in outcomes.items():
        assert not found.findings, kind
    assert {"sound", "images", "videos"} < set(outcomes)
    for kind in ("sound", "images"):
        counts = outcomes[kind].counts
        assert counts.total() == 80
        assert counts[fuzz.READ] > 4  # damage that no decoder minds
        assert counts.total() - counts[fuzz.READ] > 40  # and damage that they do


@pytest.mark.parametrize(
    ("fault", "outcome", "hangs"),
    [
        (ZeroDivisionError("0"), "ZeroDivisionError (not named)", 0),
        (MemoryError(), "MemoryError (not named)", 0),
        (fuzz._HangError(), "hang", 3),
    ],
)
def test_what_must_not_happen_is_a_finding_whose_file_is_kept(tmp_path, fault, outcome, hangs):
    seed, found = tmp_path / "seed", tmp_path / "found"
    seed.write_text("a list")
    found.mkdir()
    reads = iter([None])

    def read(path):
        if next(reads, fault) is fault:
            raise fault

    outcomes = fuzz.fuzz_files([FileKind(name="any", seed=seed, read=read)], 3, found)["any"]
    assert (outcomes.counts, outcomes.hangs) == ({outcome: 3}, hangs)
    assert outcomes.figures()["crashes"] == 3 - hangs
    assert len(list(found.iterdir())) == 3
    assert seed.read_text() == "a list"


def test_errors_with_a_name_are_no_findings(tmp_path):
    outcomes = fuzz.Outcomes()

    def read(path):
        raise ListError("line 1")

    assert fuzz._observe(outcomes, tmp_path, read)
    assert outcomes.counts == {"ListError": 1}


def test_damage_is_drawn_from_its_name_and_every_kind_is_damaged():
    seeds = image_seeds()
    for content in seeds.values():
        damaged = [mutated(content, list(seeds.values()), np.random.default_rng(n)) for n in range(20)]
        assert damaged == [
            mutated(content, list(seeds.values()), np.random.default_rng(n)) for n in range(20)
        ]
        assert sum(one != content for one in damaged) > 15
