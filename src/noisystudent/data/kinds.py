"""What kind of file something is, told by its name or by its first bytes, and what to do about a kind that is not read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from importlib.util import find_spec

from noisystudent.extras import how_to_install

READ = "JPEG, PNG, WebP, AVIF, BMP, GIF, TIFF"
_ENDINGS = frozenset(
    ("jpg", "jpeg", "jpe", "jfif", "mpo", "png", "apng", "webp", "avif", "bmp", "dib", "gif", "tif", "tiff")
)
_HEIF_ENDINGS = frozenset({"heic", "heif", "hif"})
HEIF_ADVICE = how_to_install("heic")
HEAD = 512  # bytes that `kind_of_bytes` wants
# The way a name ends is a kind of file if a letter is in it: the ends of clip.0001 and of "photo 3.5 m" are none.
_ENDING = re.compile(r"[a-z0-9_]*[a-z][a-z0-9_]*")
_LONGEST = 12
# What operating systems, file servers and editors leave beside pictures. Hidden names are left out as well.
_LEFT_BEHIND = frozenset(
    ("__macosx", "icon\r", "thumbs.db", "ehthumbs.db", "desktop.ini", "picasa.ini", "$recycle.bin", "lost+found")
) | {"system volume information", "@eadir", "@tmp", "@recycle", "#recycle", "#snapshot", "~snapshot"}


# Kinds of files that hold pictures, or might, in a way that is not read here: their endings, and what a user can do.
_NOT_READ = {
    "heic heif hif": HEIF_ADVICE,
    "3fr arw cr2 cr3 crw dng erf iiq kdc mef mos mrw nef nrw orf pef raf raw rw2 rwl sr2 srf srw x3f": (
        "export these camera files as JPEG"
    ),
    "hdr pic exr pfm dcm dicom nii fits fit fts mha nrrd svs ndpi czi nd2 lif npy npz mat": "convert them to TIFF or PNG",
    "jp2 j2k jpf jpx jpc jxl jxr wdp jls ppm pgm pbm pnm pam tga dds ico icns cur pcx qoi sgi rgb ras xbm xpm": (
        "convert them to PNG or JPEG"
    ),
    "psd psb xcf kra svg svgz ai eps ps pdf wmf emf bpg flif": "convert them to PNG or JPEG",
    "mp4 mov m4v avi mkv webm mpg mpeg wmv flv 3gp mts m2ts": "save frames of these videos as images",
    "zip gz tgz bz2 xz 7z rar zst": "unpack them first",
    "tar": "give shards as FOLDER/*.tar",
    "csv tsv parquet": "give a table itself as the source, if it lists the images",
}
_ADVICE = {ending: advice for endings, advice in _NOT_READ.items() for ending in endings.split()}
# The first bytes of kinds of files.
_MAGIC = {
    "JPEG": [b"\xff\xd8\xff"],
    "PNG": [b"\x89PNG\r\n\x1a\n"],
    "GIF": [b"GIF87a", b"GIF89a"],
    "TIFF": [b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"],
    "JPEG 2000": [b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51"],
    "JPEG XL": [b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n"],
    "Photoshop": [b"8BPS"],
    "PDF": [b"%PDF-"],
    "PostScript": [b"%!PS", b"\xc5\xd0\xd3\xc6"],
    "SVG": [b"<svg"],
    "Radiance HDR": [b"#?RADIANCE", b"#?RGBE"],
    "OpenEXR": [b"\x76\x2f\x31\x01"],
    "ICO": [b"\0\0\1\0"],
    "FITS": [b"SIMPLE  ="],
    "QOI": [b"qoif"],
    "DDS": [b"DDS "],
}
_AVIF_BRANDS, _HEIF_BRANDS = (
    (b"avif", b"avis"),
    (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"),
)
_BMP_HEADERS = (12, 16, 40, 52, 56, 64, 108, 124)  # bytes
_READ_KINDS = ("JPEG", "PNG", "GIF", "TIFF", "BMP", "WebP", "AVIF")


def reads_heif() -> bool:
    """Whether HEIC pictures can be read here, for which a package of its own is needed."""
    return find_spec("pillow_heif") is not None


def ending(name: str) -> str:
    """How a file's name ends, in lower case; "" where that says nothing of its kind.

    Example:
        >>> ending("Cat.JPG"), ending("clip.0001"), ending("README")
        ('jpg', '', '')
    """
    stem, _, last = name.rpartition(".")
    last = last.lower()
    return last if stem and len(last) <= _LONGEST and _ENDING.fullmatch(last) else ""


def is_image_name(name: str) -> bool:
    """Whether a file name ends as those of images do that can be read here."""
    last = name.rpartition(".")[2].lower()
    return last in _ENDINGS or (last in _HEIF_ENDINGS and reads_heif())


def is_left_behind(name: str) -> bool:
    """Whether a file or folder is hidden, or one that systems put beside pictures unasked: no picture of the user's."""
    return (name.startswith(".") and name not in (".", "..")) or name.lower() in _LEFT_BEHIND


def advice(name: str) -> str:
    """What a user can do about a file that is no image by its name; "" where there is nothing to do."""
    return _ADVICE.get(ending(name), "")


def kind_of_bytes(head: bytes) -> str:
    """The kind of file that begins with these bytes, `HEAD` of them or the whole; "" if it is none that is known here.

    Example:
        >>> kind_of_bytes(b"GIF89a"), kind_of_bytes(b"hello")
        ('GIF', '')
    """
    for kind, beginnings in _MAGIC.items():
        if any(head.startswith(beginning) for beginning in beginnings):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WebP"
    if head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in _BMP_HEADERS:
        return "BMP"
    if head[4:8] == b"ftyp":
        brands = head[8 : min(int.from_bytes(head[:4], "big"), len(head))]
        for kind, known in (("AVIF", _AVIF_BRANDS), ("HEIC", _HEIF_BRANDS)):
            if any(brand in brands for brand in known):
                return kind
        return "video"
    if head[128:132] == b"DICM":
        return "DICOM"
    start = head.lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return "HTML"
    if b"<svg" in start and start.startswith((b"<?xml", b"<!--", b"<!doctype svg")):
        return "SVG"
    return "Git LFS" if head.startswith(b"version https://git-lfs.github.com/") else ""


def is_image(head: bytes) -> bool:
    """Whether a file that begins with these bytes is an image that can be read here."""
    kind = kind_of_bytes(head)
    return kind in _READ_KINDS or (kind == "HEIC" and reads_heif())


def why_not_read(kind: str) -> str:
    """Why a file of a kind that `kind_of_bytes` told is not read."""
    match kind:
        case "":
            return "not an image"
        case "HEIC":
            return f"HEIC is not supported without a package: {HEIF_ADVICE}"
        case "HTML":
            return "not an image but a web page: download the picture itself"
        case "Git LFS":
            return "not an image but a pointer of Git LFS: `git lfs pull` fetches the picture"
        case "video":
            return "not an image but a video"
    return f"{kind} is not supported: convert it to PNG or JPEG"


class PassedOver:
    """Counts the files that a listing leaves out, by kind, so that none is passed over unsaid; `counts` has them by their ending.

    Example:
        >>> passed = PassedOver()
        >>> for name in ("a.psd", "b.txt", "c.txt"):
        ...     passed.add(name)
        >>> passed.notes("photos")[0]
        'photos: left out: 1 .psd file: convert them to PNG or JPEG'
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._special = 0

    def add(self, name: str) -> None:
        """A file that is no image, by its name or by its first bytes."""
        self.counts[ending(name)] += 1

    def add_special(self) -> None:
        """A pipe, a socket or a device."""
        self._special += 1

    def notes(self, source: str) -> list[str]:
        """A sentence for each thing that a user can do, and one for all that are no images."""
        groups: dict[str, list[str]] = {}
        for last, count in sorted(self.counts.items(), key=lambda item: (-item[1], item[0])):
            what = f"{count:,} .{last} file{'s' * (count > 1)}" if last else f"{count:,} without an ending"
            groups.setdefault(_ADVICE.get(last, ""), []).append(what)
        if self._special:
            groups.setdefault("", []).append(f"{self._special:,} pipes, sockets or devices")
        return [
            f"{source}: left out, since they are no images: {_listed(found)}"
            if not do
            else f"{source}: left out: {_listed(found)}: {do}"
            for do, found in sorted(groups.items(), reverse=True)
        ]


def _listed(words: Iterable[str]) -> str:
    """A few words with commas; there may be many endings."""
    listed = list(words)
    return ", ".join(listed[:8]) + (f" and {len(listed) - 8} other kinds" if len(listed) > 8 else "")
