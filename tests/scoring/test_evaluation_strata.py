import pandas as pd
import pytest

from src.artifacts.people import People, Property
from src.artifacts.truths import FACE_IDENTITY, VOICE_IDENTITY
from src.core.errors import ConfigError, ListError
from src.scoring.evaluation_strata import strata_of, strata_table

PEOPLE = "VoxCeleb1 ID\tVGGFace1 ID\tGender\tage\nid1\tAnn\tf\t31\nid2\tBea\tf\t38\nid3\tCid\tm\t45\nid4\tDan\tm\t\n"
ROWS = [  # score, label, voice, face
    (0.1, 1, "Ann", "Ann"),
    (0.2, 0, "Ann", "Bea"),
    (0.3, 0, "Ann", "Cid"),
    (0.4, 1, "Bea", "Bea"),
    (0.5, 1, "Cid", "Cid"),
    (0.6, 0, "Bea", "Dan"),
]


@pytest.fixture
def people(tmp_path):
    (tmp_path / "meta.csv").write_text(PEOPLE)
    return People.read(tmp_path / "meta.csv")


@pytest.fixture
def trials():
    return pd.DataFrame(ROWS, columns=["score", "label", VOICE_IDENTITY, FACE_IDENTITY])


def measured(trials, people, *columns):
    found = strata_of(trials, [Property.parse(text) for text in columns], people, replicates=20)
    return {(one.stratum, one.value): one for one in found}


def test_trials_agree_where_voice_and_face_have_the_same_value(trials, people):
    found = measured(trials, people, "gender")
    women = found["gender", "f"]
    # same 0.1, 0.4, different 0.2: one pair of two is in order; 1 - x = ROC(x) at 1/2
    assert (women.trials, women.genuine, women.auc, women.eer) == (3, 2, 0.5, 0.5)
    assert found["gender", "m"].reason == "no different-person trial"
    everybody = found["gender", "all that agree"]
    assert (everybody.trials, everybody.genuine) == (4, 3)
    assert everybody.eer_interval is None or everybody.eer_interval.low <= everybody.eer
    assert "no different-person trial" in strata_table(list(found.values()))


def test_steps_and_several_columns_at_once(trials, people):
    assert ("age:10", "30–40") in measured(trials, people, "age:10")
    assert ("gender+age:10", "f 30–40") in measured(trials, people, "gender+age:10")
    assert not [key for key in measured(trials, people, "age:10") if "nan" in key[1].lower()]


def test_a_column_of_the_truth_is_a_value_of_the_trial(trials):
    channel = ["phone", "phone", "phone", "studio", "studio", None]
    found = measured(trials.assign(channel=channel), None, "channel")
    assert found["channel", "phone"].trials == 3
    assert found["channel", "studio"].reason == "no different-person trial"
    with pytest.raises(ConfigError, match="no column height"):
        measured(trials, None, "height")


def test_what_cannot_be_told_is_an_error(trials, people, tmp_path):
    with pytest.raises(ListError, match="no column height; it has"):
        measured(trials, people, "height")
    with pytest.raises(ListError, match="does not know 1 people of the list: Eve"):
        measured(trials.assign(face_identity="Eve"), people, "gender")
    with pytest.raises(ConfigError, match="who is in a trial"):
        measured(trials[["score", "label"]], people, "gender")
    with pytest.raises(ListError, match="gender is not a number but 'f'"):
        measured(trials, people, "gender:10")
    (tmp_path / "twice.csv").write_text("name,sex\nAnn,f\nAnn,m\nBea,f\n")
    with pytest.raises(ListError, match="must name each person once"):
        People.read(tmp_path / "twice.csv")


@pytest.mark.parametrize("text", ["", "age:", "age:0", "age:x", "sex+"])
def test_properties_that_are_none(text):
    with pytest.raises(ConfigError, match="is not a property"):
        Property.parse(text)


def test_people_are_known_by_any_of_their_names(people):
    assert people.values(Property.parse("Gender"), ["id3", "Cid", "Ann"]) == ["m", "m", "f"]


def test_measurements_name_nobody(tmp_path):
    (tmp_path / "meta.csv").write_text("name,height,weight\nAnn,0.5,1.25\nBea,1.25,2.0\n")
    assert People.read(tmp_path / "meta.csv").rows == {"Ann": 0, "Bea": 1}
