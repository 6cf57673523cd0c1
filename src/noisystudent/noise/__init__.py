"""Input noise: RandAugment, cutout, crops and flips on whole batches of uint8 images."""
