"""Images: from the sources that users have to one manifest, and from the manifest to decoded pictures.

`sources` reads any source into a `manifest`, with a reader for each kind (`folders`, `tables`, `tars`, `huggingface`); `kinds` knows
what kind of file something is, `labels` and `written_paths` what people write into tables; `decoding` turns one address into a picture,
with Pillow's `codecs`; `images` gives batches of them; `duplicates` finds pictures that occur twice; `split` sets validation images aside;
`digits` writes the demo's data set.
"""
