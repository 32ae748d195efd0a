import pandas as pd
import pytest

from src.core.errors import ListError
from src.scoring.evaluation import equal_error_threshold, measure, overall
from src.scoring.evaluation_table import evaluation_table
from src.scoring.truth import join_truth, read_truth_of

WHO = "trial_id,label,voice_identity,face_identity\n"
TRUTH = "trial_id,label,same_sex,bayes_log_likelihood_ratio\n"
ROWS = ["a,1,1,2.0", "b,1,1,-1.0", "c,0,1,0.5", "d,0,0,-3.0"]
SCORES = {"a": 0.1, "b": 0.4, "c": 0.3, "d": 0.9}


def truth_of(tmp_path, text):
    path = tmp_path / "truth.csv"
    path.write_bytes(text.encode("utf-8"))
    return read_truth_of(path)


def test_measures_by_hand(tmp_path):
    trials = join_truth(SCORES, truth_of(tmp_path, TRUTH + "\n".join(ROWS)), "scores")
    found = measure(trials)
    # In order of score: a 1, c 0, b 1, d 0. ROC (0, .5), (.5, .5), (.5, 1): 1 - x = ROC(x) at x = .5.
    assert found.eer == pytest.approx(0.5)
    assert found.auc == pytest.approx(0.75)
    assert (found.trials, found.genuine, found.same_sex_trials) == (4, 2, 3)
    # Same sex: a 1, c 0, b 1. ROC (0, .5), (1, .5), (1, 1): x = .5.
    assert found.same_sex_eer == pytest.approx(0.5)
    # The ratio's order is the scores' order.
    assert found.bayes_eer == found.eer
    assert found.same_sex_bayes_eer == found.same_sex_eer
    # Sex alone accepts both genuine trials and half the others: on the line to (.5, 1), 1 - x = 2x.
    assert found.sex_alone_eer == pytest.approx(1 / 3)
    assert equal_error_threshold(trials) == 0.3


def test_the_fields_other_measures_by_hand():
    scores = [0.1, 0.3, 0.4, 0.6, 0.7, 0.9, 1.1, 1.2, 1.3, 1.4]
    frame = pd.DataFrame({"score": scores, "label": [1, 0, 1, 0, 1, 0, 0, 0, 0, 0]})
    found = measure(frame)
    # No false accept is allowed among 7: only the first trial is accepted.
    assert found.tpr_at_fpr_1_percent == found.tpr_at_fpr_0_1_percent == pytest.approx(1 / 3)
    # Prior 0.05: (0.05 * 2/3) / 0.05.
    assert found.min_dcf == pytest.approx(2 / 3)
    assert measure(frame.head(4)).ten_fold_accuracy is None
    # Ten parts of a trial each, both kinds far apart: only the highest same-person trial is missed, since the strictest
    # threshold that accepts all others of its kind is its own score.
    apart = pd.DataFrame({"score": [0, 9, 1, 8, 2, 7, 3, 6, 4, 5], "label": [1, 0] * 5})
    assert measure(apart).ten_fold_accuracy == pytest.approx(0.9)


def test_measures_without_further_columns(tmp_path):
    truth = truth_of(tmp_path, "a 1\nb 1\nc 0\nd 0\n")
    found = measure(join_truth(SCORES, truth, "scores"))
    assert found.eer == pytest.approx(0.5)
    assert found.same_sex_eer is found.bayes_eer is found.sex_alone_eer is None
    assert "same-sex" not in evaluation_table({"x": (4, overall([found]))})


@pytest.mark.parametrize(
    "text",
    [
        "﻿" + TRUTH + "\r\n".join(ROWS),
        TRUTH + "\n\n".join(ROWS) + "\n\n",
        "a\t1\r\n\r\nb 1\nc  0 \nd 0\n",
        "﻿a 1\nb 1\nc 0\nd 0\n",
    ],
    ids=["BOM and CRLF", "blank lines", "tabs and spaces", "BOM, plain"],
)
def test_marks_and_white_space_change_nothing(tmp_path, text):
    assert measure(join_truth(SCORES, truth_of(tmp_path, text), "scores")).auc == pytest.approx(0.75)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a 1\nb 1\n", "no different-person trial"),
        ("a 0\nb 0\n", "no same-person trial"),
        ("a 2\nb 1\n", "label '2'"),
        ("a 1\nb 0 x\n", "line 2"),
        ("a 1\nb 0\na 0\n", "more than once: a"),
        ("trial_id,label,same_sex\na,1,1\nb,0,2\n", "trial b: same_sex is 2"),
        ("trial_id,label,bayes_log_likelihood_ratio\na,1,inf\nb,0,2\n", "trial a: bayes"),
        ("trial_id,label,bayes_log_likelihood_ratio\na,1,\nb,0,2\n", "trial a: bayes"),
        ("", "no same-person trial"),
        (WHO + "a,1,x,x\nb,0,x,\n", "trials b have no face_identity"),
        (WHO + "a,1,x,x\nb,0,y,y\n", "contradict each other in 1 trials: b"),
    ],
)
def test_a_truth_that_cannot_be_used_is_an_error(tmp_path, text, message):
    with pytest.raises(ListError, match=message):
        truth_of(tmp_path, text)


def test_scores_and_truth_must_cover_each_other(tmp_path):
    truth = truth_of(tmp_path, TRUTH + "\n".join(ROWS))
    with pytest.raises(ListError, match="1 trials have a truth but no score: d"):
        join_truth({name: SCORES[name] for name in "abc"}, truth, "scores")
    with pytest.raises(ListError, match=r"cover each other; 2 trials have a score but no truth: e, f"):
        join_truth(SCORES | {"e": 1.0, "f": 1.0}, truth, "scores")


def test_same_sex_trials_of_one_class_have_no_rate():
    frame = pd.DataFrame({"score": [0.1, 0.2], "label": [1, 0], "same_sex": [1.0, 0.0]}, index=["a", "b"])
    assert measure(frame).same_sex_eer is None
    assert overall([measure(frame)])["same_sex_eer"] is None


def test_overall_is_the_plain_mean():
    frames = [
        pd.DataFrame({"score": scores, "label": [1, 0]}) for scores in ([0.1, 0.2], [0.2, 0.1], [0.1, 0.2])
    ]
    assert overall([measure(frame) for frame in frames])["eer"] == pytest.approx(1 / 3)
