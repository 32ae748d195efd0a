"""Lists of any data set: no false label, nobody seen, everybody equally often, chance as it should be."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from src.artifacts.people import People, Property
from src.core.errors import ListError
from src.metrics.matching import matching_by_gallery_size
from src.scoring.known_media import known_identities, unseen_media
from src.scoring.list_making import ListMaker, Stratum, stratum_of
from src.scoring.trial_scoring import FeatureStores
from tests.scoring.made_up_world import add_training_people, write_checkpoint


def maker_of(people, seed=0, most=4):
    random = np.random.default_rng(seed)
    names = [f"p{number:02d}" for number in range(people)]
    media = {
        modality: {
            name: [f"{name}/{number}{suffix}" for number in range(1 + random.integers(most))]
            for name in names
        }
        for modality, suffix in (("voice", ".wav"), ("face", ".jpg"))
    }
    return ListMaker(media, seed)


def owner(path):
    return path.split("/")[0]


def everybody(maker):
    return Stratum("random", (tuple(maker.people),))


@given(people=st.integers(2, 9), trials=st.integers(2, 60), seed=st.integers(0, 99))
def test_verification_lists_hold_no_false_label_and_everybody_alike(people, trials, seed):
    maker = maker_of(people, seed)
    made = maker.verification(everybody(maker), trials)
    assert len(made) == 2 * (trials // 2)
    assert made == maker_of(people, seed).verification(everybody(maker), trials)
    for place, one in enumerate(made):
        assert (owner(one.trial.voice), owner(one.trial.face)) == (one.voice_identity, one.face_identity)
        assert (one.voice_identity == one.face_identity) == (place % 2 == 0)
    assert [one.trial.trial_id for one in made] == [str(number + 1) for number in range(len(made))]
    for column in ("voice_identity", "face_identity"):
        for kind in (made[0::2], made[1::2]):
            counts = [Counter(getattr(one, column) for one in kind)[name] for name in maker.people]
            assert max(counts) - min(counts) <= 1 or column == "face_identity"


@given(
    people=st.integers(4, 9), candidates=st.integers(2, 4), rounds=st.integers(1, 4), seed=st.integers(0, 99)
)
def test_whole_rounds_are_balanced_for_every_candidate(people, candidates, rounds, seed):
    maker = maker_of(people, seed)
    for probe in ("voice", "face"):
        made = maker.matching(everybody(maker), probe, rounds * people, candidates)
        for one in made:
            owners = [owner(path) for path in one.candidates]
            assert owners[0] == owner(one.probe)
            assert len(set(owners)) == candidates
        for place in range(candidates):
            counts = Counter(owner(one.candidates[place]) for one in made)
            assert set(counts.values()) == {rounds}


@settings(max_examples=10)
@given(seed=st.integers(0, 1000))
def test_matching_accuracy_of_random_scores_is_chance(seed):
    maker = maker_of(12, seed)
    made = maker.matching(everybody(maker), "voice", 4000, 10)
    numbers = np.random.default_rng(seed).normal(size=(len(made), 10))
    for size, found in matching_by_gallery_size(numbers).items():
        chance = 1 / size
        assert found.mean == pytest.approx(chance, abs=5 * np.sqrt(chance * (1 - chance) / len(made)))


def test_people_within_a_stratum_are_alike(tmp_path):
    maker = maker_of(8)
    rows = [f"{name},{'fm'[place % 2]},{20 + 4 * place}" for place, name in enumerate(maker.people)]
    (tmp_path / "meta.csv").write_text("\n".join(["name,sex,age", *rows]))
    known = People.read(tmp_path / "meta.csv")
    sexes = dict(zip(maker.people, known.values(Property.parse("sex"), maker.people), strict=True))
    stratum = stratum_of(maker.people, Property.parse("sex"), known)
    assert stratum.name == "G"
    assert all(
        sexes[one.voice_identity] == sexes[one.face_identity] for one in maker.verification(stratum, 40)
    )
    assert all(
        len({sexes[owner(path)] for path in one.candidates}) == 1
        for one in maker.matching(stratum, "face", 40, 4)
    )
    assert stratum_of(maker.people, Property.parse("age:10+sex"), known).name == "GA"
    with pytest.raises(ListError, match=r"no group has 5 people \(the largest has 4\)"):
        maker.matching(stratum, "face", 40, 5)


def test_retrieval_lists_take_of_everybody_as_many():
    made = maker_of(6, most=9).retrieval("voice", 9)
    assert set(Counter(one.identity for one in made).values()) <= {1, 2}
    assert len(made) == 9
    assert all(owner(one.key) == one.identity for one in made)
    assert len(set(made)) == 9


def test_nobody_who_was_seen_is_in_a_list(world):
    add_training_people(world)
    stores = FeatureStores.open(world.features)
    table = world.truth / "media_identities.csv"
    with pytest.raises(ListError, match="nobody has both a voice and a face here and was not trained on"):
        unseen_media(stores, known_identities(stores, None), [])
    assert set(unseen_media(stores, known_identities(stores, table), [])["voice"]) == {
        f"id{n:04d}" for n in range(6)
    }
    write_checkpoint(world, "English", identities={"training": ["id0001"], "validation": ["id0002"]})
    media = unseen_media(stores, known_identities(stores, table), [world.checkpoint("English")])
    assert set(media["face"]) == {"id0000", "id0003", "id0004", "id0005"}
    by_store = unseen_media(stores, known_identities(stores, None), [world.checkpoint("English")], "Urdu")
    assert set(by_store["voice"]) == {f"id{n:04d}" for n in (0, *range(3, 12))}
    assert all("/Urdu/" in key for keys in by_store["voice"].values() for key in keys)


def test_people_are_known_by_their_media_whatever_they_are_called(world):
    add_training_people(world)
    stores = FeatureStores.open(world.features)
    text = (world.truth / "media_identities.csv").read_text()
    seen = "".join(f"{key},ann\n" for key in stores.voice.items.index if "id0003" in key)
    (world.truth / "media_identities.csv").write_text(text + seen + "voices/English/00000.wav,id0000\n")
    identities = known_identities(stores, world.truth / "media_identities.csv")
    assert "ann" in identities["voice"].values()
    assert "ann" not in unseen_media(stores, identities, [])["voice"]
