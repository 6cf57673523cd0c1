"""A small classifier with random weights, one of whose classes has a name that is no plain text."""

from noisystudent.config import Training
from noisystudent.models.classifier import Classifier, build_classifier

CLASS_NAMES = ("cat", "<script>|\n", "dog")


def small_classifier() -> Classifier:
    training = Training(model="resnet9_8", image_size=8)
    mean, std = [0.5, 0.4, 0.3], [0.2, 0.3, 0.4]
    made = build_classifier(training, class_names=CLASS_NAMES, channels=3, mean=mean, std=std, seed=0)
    made.network.eval()
    return made
