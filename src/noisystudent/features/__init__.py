"""What a pretrained network sees in pictures before it is trained any further: embedded once, and linear classifiers on it."""
