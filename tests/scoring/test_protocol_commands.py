"""make-lists, then score, evaluate, match and retrieve over what it wrote, as a user would."""

import json

import numpy as np
import pytest

import inference
from src.artifacts.truths import read_truth
from src.artifacts.voxceleb_lists import read_matching_list, read_retrieval_list
from src.core.command_line import EXIT_DONE, EXIT_UNUSABLE, run_command
from src.metrics.retrieval import retrieval
from src.scoring.trial_keys import resolve_key


def run(*arguments):
    return run_command(inference.main, [str(argument) for argument in arguments])


@pytest.fixture
def lists(world):
    people = [f"id{number:04d},{'fm'[number % 2]}" for number in range(6)]
    (world.root / "meta.csv").write_text("\n".join(["name,sex", *people]))
    out = world.root / "lists"
    made = ["make-lists", "--features", world.features, "--identities", world.truth / "media_identities.csv"]
    made += [
        "--metadata",
        world.root / "meta.csv",
        "--by",
        "sex",
        "--candidates",
        3,
        "--trials",
        60,
        "--questions",
        40,
    ]
    assert run(*made, "--out", out) == EXIT_DONE
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    assert run(*made, "--out", out) == EXIT_DONE
    assert before == {path.name: path.read_bytes() for path in out.iterdir()}
    return out


def common(world):
    return ["--checkpoint", world.checkpoint("English"), "--features", world.features]


def distance(world, voice, face):
    return abs(
        world.values[resolve_key(voice, "voice", world.values)]
        - world.values[resolve_key(face, "face", world.values)]
    )


def test_every_list_of_the_field_is_written(lists):
    assert sorted(path.name for path in lists.iterdir()) == [
        "jpg_retrieval.csv",
        "matching_f2v_G.csv",
        "matching_f2v_U.csv",
        "matching_v2f_G.csv",
        "matching_v2f_U.csv",
        "veriflist_test_G_unseenunheard.txt",
        "veriflist_test_random_unseenunheard.txt",
        "wav_retrieval.csv",
    ]


def test_a_verification_list_is_scored_and_evaluated_with_strata(world, lists, tmp_path, capsys):
    listed, scores, found = (
        lists / "veriflist_test_random_unseenunheard.txt",
        tmp_path / "s.txt",
        tmp_path / "m.json",
    )
    assert run("score", *common(world), "--trials", listed, "--out", scores) == EXIT_DONE
    evaluate = ["evaluate", "--scores", scores, "--truth", listed, "--replicates", 50, "--json", found]
    assert run(*evaluate, "--metadata", world.root / "meta.csv", "--by", "sex") == EXIT_DONE
    printed = capsys.readouterr().out
    assert "95 % interval" in printed
    assert "sex: all that agree" in printed
    measures = json.loads(found.read_text())
    assert measures["intervals"]["eer"]["low"] <= measures["eer"] <= measures["intervals"]["eer"]["high"]
    truth = read_truth(listed)
    agreeing = next(one for one in measures["strata"] if one["value"] == "all that agree")
    sexes = {f"id{number:04d}": number % 2 for number in range(6)}
    same = truth["voice_identity"].map(sexes) == truth["face_identity"].map(sexes)
    assert agreeing["trials"] == int(same.sum())


@pytest.mark.parametrize(("name", "direction"), [("v2f_U", "V2F"), ("f2v_G", "F2V")])
def test_matching_by_hand(world, lists, tmp_path, capsys, name, direction):
    path, found = lists / f"matching_{name}.csv", tmp_path / "m.json"
    command = ["match", *common(world), "--list", path, "--json", found, "--replicates", 30]
    command += ["--identities", world.truth / "media_identities.csv", "--metadata", world.root / "meta.csv"]
    assert run(*command, "--by", "sex") == EXIT_DONE
    assert f"matching_{name}.csv, {direction}" in capsys.readouterr().out
    questions = read_matching_list(path)
    right = []
    for one in questions:
        pairs = [(one.probe, other) if direction == "V2F" else (other, one.probe) for other in one.candidates]
        distances = [distance(world, *pair) for pair in pairs]
        right.append([distances[0] == min(distances[:size]) for size in (2, 3)])
    (result,) = json.loads(found.read_text())
    whole = {one["candidates"]: one for one in result["results"] if one["stratum"] == "all"}
    assert [whole[size]["accuracy"] for size in (2, 3)] == pytest.approx(np.mean(right, axis=0).tolist())
    assert whole[2]["interval"] is not None
    agreeing = [one for one in result["results"] if one["stratum"] == "sex: all that agree"]
    assert (len(agreeing) > 0) and (name == "v2f_U" or agreeing[0]["questions"] == len(questions))


def test_retrieval_by_hand(world, lists, tmp_path, capsys):
    voices, faces, found = lists / "wav_retrieval.csv", lists / "jpg_retrieval.csv", tmp_path / "r.json"
    command = ["retrieve", *common(world), "--voices", voices, "--faces", faces, "--json", found]
    assert (
        run(*command, "--metadata", world.root / "meta.csv", "--by", "sex", "--replicates", 30) == EXIT_DONE
    )
    assert "R@10" in capsys.readouterr().out
    heard, seen = read_retrieval_list(voices, "voice"), read_retrieval_list(faces, "face")
    table = np.array([[distance(world, voice.key, face.key) for face in seen] for voice in heard])
    names = [one.identity for one in heard], [one.identity for one in seen]
    results = {(one["stratum"], one["direction"]): one for one in json.loads(found.read_text())}
    assert set(results) == {(s, d) for s in ("all", "sex: f", "sex: m") for d in ("V2F", "F2V")}
    for direction, expected in (
        ("V2F", retrieval([table], *names)),
        ("F2V", retrieval([table.T], *names[::-1])),
    ):
        assert results["all", direction]["mean_average_precision"] == pytest.approx(
            expected.mean_average_precision
        )
        assert results["all", direction]["recall"]["1"] == pytest.approx(expected.recall_at(1))
    assert results["sex: f", "V2F"]["probes"] == len([name for name in names[0] if int(name[2:]) % 2 == 0])


def test_what_cannot_be_used_is_an_error_and_nothing_is_written(world, lists, tmp_path, capsys):
    out = tmp_path / "out.json"
    questions = tmp_path / "q.csv"
    match = ["match", *common(world), "--list", questions, "--json", out]
    retrieve = [
        "retrieve",
        *common(world),
        "--voices",
        questions,
        "--faces",
        lists / "jpg_retrieval.csv",
        "--json",
        out,
    ]
    voice, face = "voices/English/00000.wav", "faces/English/00001.jpg"
    made = ["make-lists", "--features", world.features, "--out", out]
    for command, text, message in (
        (match, f"{voice} {face} faces/none.jpg\n", "1 of 2 faces have no embedding.*faces/none.jpg"),
        (match, f"{voice} {face} ../../secret.jpg\n", "lead out of the data set: ../../secret.jpg"),
        (match, f"none.wav {face} {face}x\n", "no store holds none.wav"),
        (match, f"{voice} {face}\n", "do not have a probe and 2 candidates"),
        (retrieve, f"VoxCeleb1 ID\twav\nstranger\t{voice}\n", "not in the gallery, such as stranger"),
        (retrieve, f"VoxCeleb1 ID\twav\nid0000\t../{voice}\n", "lead out of the data set"),
        (made, "", "nobody has both a voice and a face"),
        ([*made, "--by", "sex"], "", "add --metadata"),
        ([*made, "--candidates", "1"], "", "a list needs at least"),
    ):
        questions.write_text(text)
        assert run(*command) == EXIT_UNUSABLE
        printed = capsys.readouterr().err
        assert all(part in printed for part in message.split(".*"))
        assert not out.exists()
