import pytest

from noisystudent.errors import UserError
from noisystudent.evaluation.published import compare, published


def test_the_noisy_students_are_those_of_the_spec() -> None:
    # Spec section 4: top-1, top-5, ImageNet-A top-1 and top-5, -R, -V2, ReaL, -Sketch of L2 at 800 and 475 px.
    expected = {
        "tf_efficientnet_l2.ns_jft_in1k": (88.360, 98.656, 84.680, 96.053, 74.590, 80.130, 90.569, 47.401),
        "tf_efficientnet_l2.ns_jft_in1k_475": (88.246, 98.554, 83.373, 95.480, 76.350, 80.520, 90.527, 51.412),
    }
    keys = ("top1", "top5", "top1_a", "top5_a", "top1_r", "top1_v2", "top1_real", "top1_sketch")
    for name, values in expected.items():
        assert tuple(published(name)[key] for key in keys) == values


def test_a_name_without_its_tag_is_answered_with_the_tags() -> None:
    with pytest.raises(
        UserError, match=r"no 'tf_efficientnet_b0'; of that network they have .*tf_efficientnet_b0\.ns_jft_in1k"
    ):
        published("tf_efficientnet_b0")
    with pytest.raises(UserError, match=r"no 'my/folder'$"):
        published("my/folder")


def test_what_agrees_lies_within_the_sampling_interval() -> None:
    rows = compare(
        "tf_efficientnet_b0.ns_jft_in1k",
        {"top1": 79.5, "top5": 90.0, "nll": 1.0, "top1_a": 11.0},
        {"top1": (78.0, 81.0), "top5": (89.0, 91.0), "nll": (0.9, 1.1), "top1_a": (10.0, 12.0)},
    )
    assert [(row["metric"], row["agrees"]) for row in rows] == [("top1", True), ("top5", False), ("top1_a", True)]
    assert rows[0]["published"] == 78.68
