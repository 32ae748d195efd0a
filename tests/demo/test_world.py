import re
from collections import Counter

import numpy as np
import pandas as pd
import pytest

from demo.__main__ import main
from demo.identity_model import standard_model
from demo.population import plan_media, populate
from demo.sizes import SIZES, WorldSettings, WorldSize, choose_size
from demo.trial_lists import bayes_limit, draw_trials
from demo.world import generate_world
from src.artifacts.trials import read_training_pairs, read_trials
from src.artifacts.truths import read_truth
from src.artifacts.turns import read_turns
from src.core.errors import ConfigError, DatasetError
from src.core.files import read_json
from src.media.audio import read_audio
from src.media.image import read_image

SMALLEST = WorldSize(
    name="tiny",
    training_identities=3,
    test_identities=2,
    videos=1,
    clips_per_video=1,
    photographs_per_video=1,
    test_clips=1,
    test_photographs=1,
    clip_seconds=(4.0, 4.5),
    trials=4,
)


@pytest.fixture(scope="module")
def settings():
    return WorldSettings(seed=3, languages=("English", "Urdu"), size=SIZES["small"])


@pytest.fixture(scope="module")
def people(settings):
    return populate(settings)


@pytest.fixture(scope="module")
def tasks(settings, people, tmp_path_factory):
    folder = tmp_path_factory.mktemp("planned")
    return plan_media(settings, people, folder / "dataset", folder / "truth")


def test_voice_ids_are_consecutive_and_face_ids_keep_gaps(people):
    training = [person for person in people if person.split == "train"]
    assert [person.voice_id for person in training] == [
        f"id{number:04d}" for number in range(1, SIZES["small"].training_identities + 1)
    ]
    faces = [int(person.face_id[2:]) for person in training]
    assert faces == sorted(faces) and faces[-1] > len(faces) and faces != list(range(1, len(faces) + 1))
    assert all(not person.voice_id and not person.face_id for person in people if person.split != "train")


def test_test_people_meet_only_outsiders(people, tasks):
    splits = {person.identity: person.split for person in people}
    for task in tasks:
        wanted = "outsider" if splits[task.person.name] == "test" else "train"
        assert {splits[other.name] for other in task.companions} == {wanted}
        assert task.person.name not in {other.name for other in task.companions}


def test_every_key_is_planned_once_and_test_files_are_numbered_through(settings, tasks):
    keys = [key for task in tasks for video in task.videos for key in (*video.voice_keys, *video.face_keys)]
    assert len(keys) == len(set(keys))
    assert {f"voices/Urdu/{number:05d}.wav" for number in range(120)} <= set(keys)
    assert {f"faces/English/{number:05d}.jpg" for number in range(200)} <= set(keys)


def test_trials_are_balanced_and_blind_to_sex(people, tasks):
    testing = {person.identity for person in people if person.split == "test"}
    testers = [task for task in tasks if task.person.name in testing]
    trials = draw_trials(testers, "English", 1000, standard_model(), np.random.default_rng(0))
    assert len(trials) == 1000 and sum(trial.same_person for trial in trials) == 500
    assert len({trial.trial.trial_id for trial in trials}) == 1000
    assert len({(trial.trial.voice, trial.trial.face) for trial in trials}) == 1000
    assert all(re.fullmatch(r"[a-z0-9]{8}", trial.trial.trial_id) for trial in trials)
    same_sex = np.mean([trial.same_sex for trial in trials if not trial.same_person])
    assert same_sex == pytest.approx(0.49, abs=0.07)  # so that sex alone reaches about a third
    assert min(Counter(trial.trial.voice for trial in trials).values()) >= 2
    limit = bayes_limit(trials)
    assert 0.05 < limit.equal_error_rate < 0.22
    assert limit.equal_error_rate < limit.same_sex_equal_error_rate < 0.32


def test_the_layout_is_that_of_mav_celeb(tiny_world):
    dataset = tiny_world.dataset
    voices = [path.relative_to(dataset).as_posix() for path in dataset.glob("voices/**/*.wav")]
    faces = [path.relative_to(dataset).as_posix() for path in dataset.glob("faces/**/*.jpg")]
    assert len(voices) == 10 * 2 * 2 + 6 * 2 * 2 and len(faces) == 10 * 2 * 2 * 2 + 6 * 2 * 3
    training_voice = re.compile(r"voices/id\d{4}/(English|Urdu)/[A-Za-z0-9]{11}/\d{5}\.wav")
    training_face = re.compile(r"faces/id\d{4}/(English|Urdu)/[A-Za-z0-9]{11}/\d{7}\.jpg")
    assert sum(bool(training_voice.fullmatch(key)) for key in voices) == 40
    assert sum(bool(training_face.fullmatch(key)) for key in faces) == 80
    assert read_audio(dataset / voices[0]).shape[0] > 5 * 16_000
    assert read_image(dataset / faces[0]).shape == (256, 256, 3)


def test_training_lists_pair_one_person_under_two_numberings(tiny_world):
    identities = pd.read_csv(tiny_world.truth / "identities.csv", keep_default_na=False)
    face_of_voice = dict(zip(identities.voice_id, identities.face_id, strict=True))
    other_video = []
    for language in ("English", "Urdu"):
        path = tiny_world.dataset / f"{language}_train.txt"
        assert path.read_bytes().count(b"\r\n") == path.read_bytes().count(b"\n")
        for pair in read_training_pairs(path):
            assert (tiny_world.dataset / "voices" / pair.voice).is_file()
            assert (tiny_world.dataset / "faces" / pair.face).is_file()
            voice_id, voice_language, voice_video, _ = pair.voice.split("/")
            face_id, face_language, face_video, _ = pair.face.split("/")
            assert face_of_voice[voice_id] == face_id and voice_language == face_language == language
            other_video.append(voice_video != face_video)
    assert 0.6 < np.mean(other_video) < 0.95
    assert any(voice_id != face_id for voice_id, face_id in face_of_voice.items() if voice_id)


def test_test_lists_agree_with_the_truth_about_their_files(tiny_world):
    media = pd.read_csv(tiny_world.truth / "media_identities.csv").set_index("key")
    sexes = pd.read_csv(tiny_world.truth / "identities.csv").set_index("identity")["sex"]
    trained = set(media[media.split == "train"].identity)
    for language in ("English", "Urdu"):
        trials = read_trials(tiny_world.dataset / f"{language}_test.txt")
        truth = read_truth(tiny_world.truth / f"{language}_test.csv")
        assert [trial.trial_id for trial in trials] == list(truth.index) and truth["label"].mean() == 0.5
        for trial, answer in zip(trials, truth.itertuples(), strict=True):
            speaker, sitter = media.identity[trial.voice], media.identity[trial.face]
            assert answer.label == (speaker == sitter) and speaker not in trained
            assert (answer.voice_identity, answer.face_identity) == (speaker, sitter)
            assert answer.same_sex == (sexes[speaker] == sexes[sitter])


def test_every_recording_has_turns_in_which_its_person_talks_most(tiny_world):
    media = pd.read_csv(tiny_world.truth / "media_identities.csv")
    for row in media[media.modality == "voice"].itertuples():
        turns = read_turns((tiny_world.truth / "rttm" / row.key).with_suffix(".rttm"))
        seconds = Counter()
        for turn in turns:
            seconds[turn.speaker] += turn.duration_seconds
        assert seconds.most_common(1)[0][0] == row.identity


def test_every_photograph_has_the_box_of_its_person_first(tiny_world):
    media = pd.read_csv(tiny_world.truth / "media_identities.csv").set_index("key")
    boxes = pd.read_parquet(tiny_world.truth / "faces.parquet")
    main_faces = boxes[boxes.role == "main"].set_index("key")
    photographs = media[media.modality == "face"]
    assert set(main_faces.index) == set(photographs.index) and (main_faces.face_index == 0).all()
    assert (main_faces.identity == photographs.identity[main_faces.index]).all()
    bystanders = boxes[boxes.role == "bystander"]
    assert (bystanders.identity != media.identity[bystanders.key].to_numpy()).all()
    assert 0.05 < len(bystanders) / len(photographs) < 0.3
    assert (boxes.right > boxes.left).all() and (boxes.bottom > boxes.top).all()


def test_the_marker_tells_what_there_is_and_a_second_run_leaves_it(tiny_world, capsys):
    path = tiny_world.dataset / "GENERATED_WORLD.json"
    marker = read_json(path)
    assert marker["languages"] == ["English", "Urdu"] and marker["size"] == "tiny" and marker["seed"] == 0
    assert marker["counts"]["voice_files"] == 64
    before = path.stat().st_mtime_ns
    assert main([str(tiny_world.world), "--size", "tiny"]) == 0
    assert "already there" in capsys.readouterr().out and path.stat().st_mtime_ns == before
    with pytest.raises(DatasetError, match="other settings"):
        main([str(tiny_world.world), "--size", "tiny", "--seed", "5"])


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_bytes_do_not_depend_on_the_number_of_workers(tmp_path):
    for workers in (1, 2):
        world = WorldSettings(seed=1, languages=("German", "Hindi"), size=SMALLEST)
        assert generate_world(tmp_path / str(workers), world, workers)
    first, second = contents(tmp_path / "1"), contents(tmp_path / "2")
    assert first.keys() == second.keys() and len(first) > 30
    assert [path for path in first if first[path] != second[path]] == []


def test_impossible_worlds_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="Klingon"):
        WorldSettings(seed=0, languages=("Klingon",), size=SIZES["tiny"])
    with pytest.raises(ConfigError, match="at least 2"):
        WorldSettings(seed=0, languages=("Urdu",), size=choose_size("tiny", training_identities=0))
    with pytest.raises(ConfigError, match="nothing to do"):
        main([str(tmp_path), "--size", "none"])
