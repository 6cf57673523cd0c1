import pyarrow as pa
import pytest

from noisystudent.data.labels import joined_labels, plain_labels, twins


@pytest.mark.parametrize(
    "column",
    [
        pa.array(["0", "1", None, "10"]),
        pa.array(["0.0", "1", "", "10.00"]),
        pa.array([" 0", "1.0 ", None, "10"]),
        pa.array([0.0, 1.0, float("nan"), 10.0]),
        pa.array([0, 1, None, 10], pa.uint8()),
        pa.array(["0", "1", None, "10"]).dictionary_encode(),
    ],
)
def test_whole_numbers_are_the_same_however_they_are_written(column: pa.Array) -> None:
    assert plain_labels(column).to_pylist() == [0, 1, None, 10]


@pytest.mark.parametrize("names", [["007", "1"], ["1.5", "1.0"], ["0x1", "1"], ["9" * 20, "1"], ["v1.0", "1.0"]])
def test_other_names_stay_names(names: list[str]) -> None:
    assert plain_labels(pa.array(names)).to_pylist() == names


def test_names_that_look_alike_are_one() -> None:
    assert plain_labels(pa.array(["re\u0301sine", "r\u00e9sine", " dog\u00a0", "dog\t"])).to_pylist() == [
        "r\u00e9sine",
        "r\u00e9sine",
        "dog",
        "dog",
    ]


def test_fractions_are_refused() -> None:
    with pytest.raises(pa.ArrowException):
        plain_labels(pa.array([0.5, 1.0]))


def test_text_of_several_tables_is_numbers_only_if_all_of_it_is() -> None:
    def column(*values: object) -> pa.ChunkedArray:
        return pa.chunked_array([list(values)])

    assert joined_labels([column("1"), column("cat")]).to_pylist() == ["1", "cat"]
    assert joined_labels([column("1.0"), column("0")]).to_pylist() == [1, 0]
    assert joined_labels([column(1.0), column(0)]).to_pylist() == [1, 0]
    with pytest.raises(pa.ArrowException):
        joined_labels([column(1), column("cat")])


def test_twins_are_found() -> None:
    names = ["Dog", "dog", "polar bear", "polar_bear", "polar-bear", "cat", "c\u200bat", "C++", "C#", "--", "__"]
    assert twins(names) == [
        ("Dog", "dog"),
        ("polar bear", "polar_bear", "polar-bear"),
        ("cat", "c\u200bat"),
    ]
