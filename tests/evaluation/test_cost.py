import pytest
import timm
import torch
from torch import nn

from noisystudent.config import Execution
from noisystudent.evaluation.cost import cost, multiply_adds
from noisystudent.models.classifier import Classifier, Preprocessing

# Billions at a size, from timm's own table (results/benchmark-infer-amp-nchw-pt240-cu124-rtx3090.csv of its repository).
PUBLISHED = {
    ("resnet18", 160): 0.93,
    ("resnet50", 160): 2.10,
    ("resnext50_32x4d", 160): 2.17,
    ("seresnet50", 160): 2.10,
    ("efficientnet_b0", 224): 0.40,
    ("tf_efficientnet_b5", 456): 10.46,
    ("tf_efficientnet_b7", 600): 38.33,
    ("tf_efficientnet_l2", 475): 172.11,
    ("efficientnetv2_s", 288): 4.75,
    ("tf_efficientnet_lite0", 224): 0.40,
    ("convnext_tiny", 224): 4.47,
    ("vit_base_patch16_224", 224): 17.58,
    ("deit_small_patch16_224", 224): 4.61,
    ("swin_tiny_patch4_window7_224", 224): 4.51,
    ("regnety_032", 224): 3.20,
    ("densenet121", 224): 2.87,
    ("mixer_b16_224", 224): 12.62,
    ("res2net50_26w_4s", 224): 4.28,
    ("dpn92", 224): 6.54,
    ("vgg16", 224): 15.47,
    ("hrnet_w18", 224): 4.32,
    ("maxvit_tiny_tf_224", 224): 5.60,
    ("cait_s24_224", 224): 9.35,
}


@pytest.mark.parametrize(("name", "size"), PUBLISHED)
def test_multiply_adds_are_timms(name: str, size: int) -> None:
    with torch.device("meta"):
        network = timm.create_model(name)
    assert multiply_adds(network, channels=3, size=size) / 1e9 == pytest.approx(PUBLISHED[name, size], rel=0.01)


def test_both_counts_of_b7() -> None:
    with torch.device("meta"):
        network = timm.create_model("tf_efficientnet_b7")
    # Spec section 7: 37.75 of convolutions and linear layers; the paper's 37.
    counted = multiply_adds(network, channels=3, size=600, all_operations=False)
    assert counted / 1e9 == pytest.approx(37.75, rel=0.001)


def test_by_hand() -> None:
    network = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4 * 36, 10))
    convolutions = 36 * 4 * 9 + 4 * 36 * 10
    assert multiply_adds(network, channels=1, size=6, all_operations=False) == convolutions
    assert multiply_adds(network, channels=1, size=6) == convolutions + 2 * 4 * 36
    assert next(network.parameters()).device.type == "cpu"  # the network itself stays where it is


def test_a_trial_tells_time_and_memory() -> None:
    network = nn.Sequential(
        nn.Conv2d(3, 64, 3, padding=1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 2)
    ).eval()
    view = Preprocessing(32, 3, 1.0, (0.5,) * 3, (0.5,) * 3)
    classifier = Classifier(network, ("a", "b"), view, "test", {})
    small, large = (
        cost(classifier, size=size, batch=batch, execution=Execution(device="cpu"))
        for size, batch in ((32, 4), (256, 64))
    )
    assert small["params"] == large["params"] == 64 * 27 + 64 + 130
    assert large["macs"] == pytest.approx(64 * small["macs"], rel=0.01)
    assert small["images_per_second"] > 0
    if "peak_memory" in large:
        activations = 64 * 64 * 256 * 256 * 4  # what the convolution makes of the large batch
        assert 0.9 * activations < large["peak_memory"] < 4 * activations
        # What the process keeps of freed memory is not counted as in use before.
        again = cost(classifier, size=256, batch=64, execution=Execution(device="cpu"))
        assert 0.9 * activations < again["peak_memory"] < 4 * activations
