"""The site's secret, and signatures made with it: of sessions, of forms, of what tells one visitor from another."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import secrets
from contextlib import suppress
from pathlib import Path

from noisystudent.errors import UserError

VARIABLE = "NOISYSTUDENT_BOARD_SECRET"
LEAST = 32  # characters


def secret_of(store: Path) -> bytes:
    """The secret of a site: out of the environment, or out of a file beside the store that only its owner can read, made at first.

    Several workers, started at once, get the same one.

    Raises:
        UserError: it is too short, others can read the file, or there can be no file.
    """
    given = os.environ.get(VARIABLE)
    if given is not None:
        return _long_enough(given, VARIABLE)
    path = store.with_name(f"{store.name}.secret")
    try:
        if not path.exists():
            _make(path)
        if path.stat().st_mode & 0o077:
            raise UserError(
                f"{path} can be read by others: `chmod 600 {path}`, or delete it and everyone signs in again"
            )
        return _long_enough(path.read_text(encoding="ascii"), str(path))
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}; make the folder writable or set {VARIABLE}") from error


def sign(secret: bytes, *parts: str | int) -> str:
    """A signature of some texts and numbers in their order; the first one says what for.

    Example:
        >>> sign(b"key", "form", "ab") == sign(b"key", "form", "a", "b")
        False
    """
    digest = hmac.digest(secret, json.dumps(parts).encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def is_signature(given: str, secret: bytes, *parts: str | int) -> bool:
    """Whether a text is the signature of those parts; the time that it takes says nothing about the right one."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), sign(secret, *parts).encode())


def _make(path: Path) -> None:
    """A new file, whole from the moment that it is there; where another process was quicker, its file stays."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(48) + "\n")
        with suppress(FileExistsError):
            os.link(temporary, path)
    finally:
        temporary.unlink()


def _long_enough(text: str, where: str) -> bytes:
    text = text.strip()
    if len(text) < LEAST:
        raise UserError(f"{where}: a secret has {LEAST} characters at least")
    return text.encode()
