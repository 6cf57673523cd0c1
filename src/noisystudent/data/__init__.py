"""Images: from the sources that users have to one manifest, and from the manifest to decoded pictures.

`sources` reads any source into a `manifest`; `decoding` turns one address into a picture; `images` gives batches of
them; `duplicates` finds pictures that occur twice; `split` sets validation images aside; `digits` writes the
demo's data set.
"""
