"""Lists of pairs as people write them."""

import pandas as pd
import pytest

from src.core.errors import ListError
from src.raw_pairs.pair_list import read_pair_list, write_scored_pairs
from src.raw_pairs.pair_scorer import PairScore


def test_rows_are_carried_over_and_paths_start_at_the_list(tmp_path):
    listed = tmp_path / "pairs.csv"
    listed.write_bytes(
        '\ufeffid,voice,face,note\r\n7, a.wav ,b/c.jpg,"x, y"\r\n\r\n8,/v.wav,../f.jpg,\r\n'.encode()
    )
    found = read_pair_list(listed)
    assert found.pairs[0] == (tmp_path / "a.wav", tmp_path / "b/c.jpg")
    assert [str(path) for path in found.pairs[1]] == ["/v.wav", str(tmp_path / "../f.jpg")]
    scored = [
        PairScore(voice="", face="", score=0.25, log_likelihood_ratio=1.0, probability=1 / 3),
        PairScore(voice="", face="", reason="voice no_speech"),
    ]
    write_scored_pairs(tmp_path / "out.csv", found, scored)
    assert (tmp_path / "out.csv").read_text().splitlines() == [
        "id,voice,face,note,status,reason,score,log_likelihood_ratio,probability",
        '7, a.wav ,b/c.jpg,"x, y",done,,0.25,1,0.33333333',
        "8,/v.wav,../f.jpg,,failed,voice no_speech,,,",
    ]
    assert pd.read_csv(tmp_path / "out.csv")["id"].tolist() == [7, 8]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not readable as a CSV"),
        (b"\xff\xfe", "not readable as a CSV in UTF-8"),
        (b"voice,face\n", "holds no pair"),
        (b"sound,face\na,b\n", "header lacks voice; it has sound, face"),
        (b"voice,face\na,b\nc\n", "1 pairs without a path, in lines 3"),
        (b"voice,face\na,b\n,d\n", "without a path, in lines 3"),
        (b"voice,face\na,b,c\n", "not readable as a CSV"),
        (b"id,voice,face\n1,a,b\n2,a,b\n1,c,d\n", "2 pairs whose id stands more than once, in lines 2, 4"),
        (b"voice,face,score\na,b,1\n", "written anew: score"),
    ],
)
def test_malformed_lists_are_errors_that_name_the_place(tmp_path, content, message):
    listed = tmp_path / "pairs.csv"
    listed.write_bytes(content)
    with pytest.raises(ListError, match=message):
        read_pair_list(listed)


def test_an_absent_list(tmp_path):
    with pytest.raises(ListError, match="no such list of pairs"):
        read_pair_list(tmp_path / "pairs.csv")
