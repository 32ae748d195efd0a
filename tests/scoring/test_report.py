import itertools
import re
import shutil
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
import torch

from src.artifacts.checkpoints import save_validation_scores
from src.artifacts.people import Property
from src.artifacts.trials import Trial, write_trials
from src.core.errors import CheckpointError, ConfigError, DatasetError, ListError
from src.scoring.report.hardest_trials import ProcessedMedia
from src.scoring.report.page import render_report
from src.scoring.report.sources import ReportSources
from src.scoring.score_commands import submit
from src.scoring.treatment import write_record
from src.scoring.unscorable_file import unscorable_path
from tests.scoring.made_up_world import make_world, score_by_nearness, write_checkpoint

VOID = {"meta", "img", "link", "br", "hr", "input"}


class Page(HTMLParser):
    """Every tag with its attributes, and whether all of them are closed in order."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.open, self.balanced = [], [], True
        self.feed(text)
        self.close()
        self.balanced &= not self.open

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        self.balanced &= bool(self.open) and self.open.pop() == tag

    def all(self, name):
        return [attributes for tag, attributes in self.tags if tag == name]


def sources_of(world, **changes):
    path = world.root / "submission.zip"
    if not path.exists():
        make_submission(world, path)
    given = {
        "submission": path,
        "truth": world.truth,
        "checkpoints": world.checkpoints,
        "lists": world.dataset,
        "work": world.work,
        "replicates": 40,
    }
    if (world.root / "people.csv").exists():
        given |= {
            "metadata": world.root / "people.csv",
            "by": (Property.parse("sex"), Property.parse("age:20")),
        }
    return ReportSources(**(given | changes))


def make_submission(world, path):
    submit(
        lists=world.dataset,
        features=world.features,
        checkpoints=world.checkpoints,
        out=path,
        device=torch.device("cpu"),
    )


@pytest.fixture(scope="module")
def shared_world(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        score_by_nearness(patch)
        world = make_world(tmp_path_factory.mktemp("shared") / "world")
        make_submission(world, world.root / "submission.zip")
    save_validation_scores(world.checkpoint("English"), validation_scores())
    (world.root / "people.csv").write_text(
        "name,sex,age\n" + "".join(f"id{n:04d},{'fm'[n % 2]},{20 + 7 * n}\n" for n in range(6))
    )
    return world


def validation_scores():
    random = np.random.default_rng(5)
    label = np.tile([0, 1], 50)
    return pd.DataFrame(
        {
            "score": np.where(label == 1, 0.3, 1.2) + 0.6 * random.standard_normal(100),
            "label": label,
            "voice_identity": "a",
            "face_identity": "b",
            "member": 0,
        }
    )


@pytest.fixture(scope="module")
def text(shared_world):
    """The page of a world that no test changes."""
    with pytest.MonkeyPatch.context() as patch:
        score_by_nearness(patch)
        return render_report(sources_of(shared_world))


def without_further_columns(world):
    for language in ("English", "Urdu"):
        path = world.truth / f"{language}_test.csv"
        pd.read_csv(path)[["trial_id", "label"]].to_csv(path, index=False)


def test_the_page_is_whole_self_contained_and_the_same_each_time(text, shared_world):
    assert text == render_report(sources_of(shared_world))
    page = Page(text)
    assert page.balanced
    assert not page.all("script")
    assert not page.all("link")
    outside = [
        value
        for _, attributes in page.tags
        for name, value in attributes.items()
        if name in ("src", "href", "xlink:href", "srcset", "poster") and not value.startswith(("data:", "#"))
    ]
    assert outside == []
    assert not re.search(r"url\(\s*[\"']?(?!#)|@import", text)


def test_the_page_can_be_read_by_a_screen_reader_and_on_a_phone(text):
    page = Page(text)
    assert page.all("html")[0]["lang"] == "en"
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in page.all("meta")
    assert all(image["alt"] for image in page.all("img"))
    assert all(player["aria-label"] and "controls" in player for player in page.all("audio"))
    assert all(cell.get("scope") in ("row", "col") for cell in page.all("th"))
    drawings = page.all("svg")
    # DET, ROC, histograms, reliability of one model, matching both ways, training, maps, and each voice
    assert len(drawings) == 2 + 2 + 4 + 1 + 2 + 4 + 2 + len(page.all("audio"))
    assert (
        len(page.all("main"))
        == len(page.all("nav"))
        == len(page.all("header"))
        == len(page.all("footer"))
        == 1
    )
    assert all(drawing["role"] == "img" and len(drawing["aria-label"]) > 40 for drawing in drawings)
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert all(second - first <= 1 for first, second in itertools.pairwise(levels))


def test_ids_are_unique_and_every_reference_finds_one(text):
    page = Page(text)
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    references = set(re.findall(r"url\(#([^)]+)\)", text))
    references |= {a["xlink:href"][1:] for _, a in page.tags if "xlink:href" in a}
    references |= {a["aria-labelledby"] for _, a in page.tags if "aria-labelledby" in a}
    assert references <= set(ids)


def test_plots_take_their_colours_from_the_page(text):
    drawings = re.findall(r"<svg.*?</svg>", text, flags=re.DOTALL)
    for drawing in drawings:
        assert set(re.findall(r"#[0-9a-fA-F]{6}\b", drawing)) <= {"#ffffff"}
    assert set(re.findall(r"var\((--[\w-]+)\)", text)) <= set(re.findall(r"(--[\w-]+):", text))


def test_numbers_of_the_page(text):
    assert "A generated world." in text
    assert "say nothing about MAV-Celeb" in text
    assert "6 people" in text
    assert text.count("best possible") >= 4
    assert "minDCF" in text
    assert "voice → face" in text
    assert "Cllr" in text
    assert "20–40" in text
    assert "Attention:" in text
    assert len(Page(text).all("audio")) == len(Page(text).all("img")) > 0


def test_hardest_trials_are_errors_of_their_kind(text, shared_world):
    truth = {
        language: pd.read_csv(shared_world.truth / f"{language}_test.csv", index_col=0)
        for language in ("English", "Urdu")
    }
    labels = pd.concat(truth.values())["label"]
    section = text[text.index('id="hardest"') : text.index('id="method"')]
    for block in re.split("<h4>", section)[1:]:
        genuine = block.startswith("One person")
        shown = re.findall(r"Face of the trial (\w+)", block)
        assert shown
        assert set(labels[shown]) == {int(genuine)}


def test_without_media_lists_and_further_columns_the_page_still_stands(world):
    without_further_columns(world)
    shutil.rmtree(world.checkpoint("Urdu"))
    write_checkpoint(world, "Urdu", identities={})
    (world.checkpoint("Urdu") / "training_log.csv").unlink()
    text = render_report(sources_of(world, lists=None, work=None))
    page = Page(text)
    assert page.balanced
    assert not page.all("audio")
    assert "generated world" not in text.lower()
    assert "best possible" not in text
    assert "same-sex" not in text.lower()
    assert "no training log" in text
    assert text.count("Not shown.") >= 6
    assert "Give --dataset DATASET" in text
    assert "people.csv --by" in text.lower()
    assert re.search(r"\d+ trials of the test", text)


def test_a_data_set_that_is_marked_as_generated_says_so(world):
    without_further_columns(world)
    (world.work / "preprocessing.json").write_text('{"generated_world": true}')
    assert "A generated world." in render_report(sources_of(world))


def test_names_are_escaped(world):
    evil = '<script>"&'
    for language in ("English", "Urdu"):
        trials = [Trial(evil + trial.trial_id, trial.voice, trial.face) for trial in world.trials(language)]
        write_trials(world.dataset / f"{language}_test.txt", trials)
        path = world.truth / f"{language}_test.csv"
        truth = pd.read_csv(path)
        truth["trial_id"] = evil + truth["trial_id"]
        truth.to_csv(path, index=False)
    write_checkpoint(world, "English", model={"name": "<b>&", "voice": 2, "face": 2})
    text = render_report(sources_of(world))
    page = Page(text)
    assert page.balanced
    assert not page.all("script")
    assert not page.all("b") or "<b>&" not in text
    assert "&lt;script&gt;" in text
    assert "&lt;b&gt;&amp;" in text


def test_keys_and_columns_are_escaped(world, monkeypatch):
    sources = sources_of(world)
    (world.truth / "media_identities.csv").unlink()
    for language in ("English", "Urdu"):
        trials = [
            Trial(t.trial_id, f"{t.voice}<script>", f"{t.face}<script>") for t in world.trials(language)
        ]
        write_trials(world.dataset / f"{language}_test.txt", trials)
        path = world.truth / f"{language}_test.csv"
        truth = pd.read_csv(path)
        truth["<script>column"] = np.where(np.arange(len(truth)) % 2, "<i>odd", "<i>even")
        truth.to_csv(path, index=False)
    plain = ProcessedMedia.path
    monkeypatch.setattr(
        ProcessedMedia, "path", lambda self, side, listed: plain(self, side, listed.removesuffix("<script>"))
    )
    text = render_report(sources)
    page = Page(text)
    assert page.balanced
    assert not page.all("script")
    assert ".wav&lt;script&gt;" in text
    assert "&lt;script&gt;column" in text
    assert "&lt;i&gt;odd" in text


def test_scores_that_used_the_test_set_as_a_whole_are_marked(world):
    sources = sources_of(world)
    save_validation_scores(world.checkpoint("English"), validation_scores())
    write_record(sources.submission, {"transductive": True})
    text = render_report(sources)
    assert "<strong>Transductive.</strong>" in text
    assert text.count("its calibration is that of the model") == 2


def test_unscorable_trials_are_told(world):
    sources = sources_of(world)
    unscorable_path(sources.submission).write_text(
        "file,trial_id,key,reason\nsub_score_Urdu_heard.txt,u1,k,silent\nsub_score_Urdu_heard.txt,u1,j,no_face\n"
        "sub_score_Urdu_heard.txt,u2,k,silent\n"
    )
    assert "2 in sub_score_Urdu_heard.txt." in render_report(sources)


def test_contradictions_are_errors(world):
    with pytest.raises(ConfigError, match="add --dataset"):
        render_report(sources_of(world, lists=None))
    with pytest.raises(ConfigError, match="--checkpoint names English"):
        render_report(sources_of(world, checkpoints={"English": world.checkpoint("English")}))
    swapped = {"English": world.checkpoint("Urdu"), "Urdu": world.checkpoint("English")}
    with pytest.raises(CheckpointError, match="trained on Urdu"):
        render_report(sources_of(world, checkpoints=swapped))
    with pytest.raises(DatasetError, match="not a work folder"):
        render_report(sources_of(world, work=world.truth))
    write_trials(world.dataset / "Urdu_test.txt", world.trials("Urdu")[1:])
    with pytest.raises(ListError, match="lacks 1 trials of the truth, such as u0000"):
        render_report(sources_of(world))
    (world.truth / "media_identities.csv").write_text("key,name\na,b\n")
    write_trials(world.dataset / "Urdu_test.txt", [Trial("u0000", "v", "f"), *world.trials("Urdu")])
    with pytest.raises(ListError, match="key and identity"):
        render_report(sources_of(world))
