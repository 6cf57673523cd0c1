"""A trained model put to use: the classes of images, what the network sees in them, written where a user wants it."""
