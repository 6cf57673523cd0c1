from urllib.parse import parse_qsl

import pyarrow as pa
import pytest

from noisystudent.data import uris as uris_of_images
from noisystudent.data.uris import inside, places_in_shards


@pytest.mark.parametrize(
    "place",
    [
        "",
        "row=3",
        "column=image&row=3",
        "offset=5&size=7",
        "column=a%20b&row=3",
        "column=a+b&row=1",
        "row=",
        "a&b=1",
        "é=1&=2",
    ],
)
def test_the_place_in_an_address_is_read_as_a_query_is(place: str) -> None:
    assert inside(f"file:///a%23b.tar#{place}") == ("file:///a%23b.tar", dict(parse_qsl(place)))


@pytest.mark.parametrize("at_a_time", [2**16, 5, 1])
def test_places_of_many_addresses_are_those_of_each(monkeypatch: pytest.MonkeyPatch, at_a_time: int) -> None:
    monkeypatch.setattr(uris_of_images, "AT_A_TIME", at_a_time)
    tables = [
        f"file:///{name}.parquet#column={column}&row={row}"
        for name in "ba"
        for column in ("image", "x")
        for row in (7, 0)
    ]
    tars = [f"file:///s%20{number}.tar#offset={number * 512}&size=9" for number in range(3)]
    uris = [*tables, *tars, *tables[::-1]]
    places = places_in_shards(pa.chunked_array([uris[:5], [], uris[5:]]))
    assert places is not None
    assert places.names == list(dict.fromkeys(places.names))
    for uri, shard, at, size in zip(uris, places.shard, places.at, places.size, strict=True):
        container, place = inside(uri)
        name, column = inside(places.names[shard])
        assert name == container
        assert column.get("column") == place.get("column")
        assert at == int(place.get("row", place.get("offset", -1)))
        assert size == int(place.get("size", 0))
    assert len(places.names) == 7
