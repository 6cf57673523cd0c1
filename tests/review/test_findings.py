from noisystudent.review.findings import Finding, chosen


def findings(why: str, *ids: str) -> list[Finding]:
    return [Finding("unlabeled", id, why) for id in ids]


def test_each_kind_has_its_turn_and_no_more_images_than_asked_for() -> None:
    kinds = [findings("unsure", *"abcdef"), findings("changed", "x", "a"), []]
    assert list(chosen(kinds, most=4)) == [("unlabeled", id) for id in ("a", "x", "b", "c")]


def test_an_image_says_all_that_was_found_about_it() -> None:
    found = chosen([findings("unsure", "a", "b"), findings("changed", "b"), [Finding("train", "a", "wrong")]], most=9)
    assert found == {
        ("unlabeled", "a"): ["unsure"],
        ("unlabeled", "b"): ["unsure", "changed"],
        ("train", "a"): ["wrong"],
    }


def test_nothing_found_is_nothing_to_show() -> None:
    assert chosen([[], []], most=5) == {}
