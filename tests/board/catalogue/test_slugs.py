"""Addresses as Papers with Code made them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noisystudent.board.catalogue.slugs import arxiv_id, slug_of_address, slugify


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Image Classification", "image-classification"),
        ("CIFAR-10", "cifar-10"),
        ("SQuAD1.1", "squad11"),
        ("Atari 2600 Ms. Pac-Man", "atari-2600-ms-pac-man"),
        ("Señor Café", "senor-cafe"),
        ("a_b - c", "a_b-c"),
        ("../../etc/passwd", "etcpasswd"),
        ("<script>", "script"),
    ],
)
def test_known_names(name: str, slug: str) -> None:
    assert slugify(name) == slug


@given(st.text(max_size=300))
def test_every_name_has_a_slug_that_is_its_own(name: str) -> None:
    slug = slugify(name)
    assert re.fullmatch(r"[a-z0-9_-]{1,200}", slug)
    assert slugify(slug) == slug
    assert slugify(name) == slug


def test_names_of_which_nothing_is_left_differ() -> None:
    assert slugify("图像分类") != slugify("目标检测")
    assert re.fullmatch(r"[0-9a-f]{8}", slugify("图像分类"))


def test_slugs_in_addresses() -> None:
    assert slug_of_address("https://paperswithcode.com/paper/noisy?x=1#top", "paper") == "noisy"
    assert slug_of_address("http://localhost:8000/sota/a-on-b", "sota") == "a-on-b"
    for other in (None, "", "https://paperswithcode.com/task/noisy", "https://paperswithcode.com/paper/", "noisy"):
        assert slug_of_address(other, "paper") is None


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("https://arxiv.org/abs/1911.04252", "1911.04252"),
        ("http://arxiv.org/pdf/1911.04252v4.pdf", "1911.04252"),
        ("arXiv:1911.04252v2", "1911.04252"),
        ("https://arxiv.org/abs/hep-th/9901001", "hep-th/9901001"),
        ("https://example.org/1911.04252", None),
        (None, None),
    ],
)
def test_arxiv_numbers(text: str | None, number: str | None) -> None:
    assert arxiv_id(text) == number
