"""Papers as BibTeX."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from noisystudent.board.catalogue.store import Store
from noisystudent.board.exporting.bibtex import entry, escaped

SITE = "https://paperswithcode.com/paper"


def test_a_paper_of_a_conference(
    store: Store, import_objects: Callable[..., dict[str, Any]], exported: Callable[..., bytes]
) -> None:
    import_objects(
        [
            {
                "paper_url": f"{SITE}/noisy-student",
                "title": "Self-training with 100% {Noisy} Student & more_",
                "abstract": "",
                "authors": ["Qizhe Xie", "Quoc V. Le", "Smith, John", "Research and Development Team", "Zoë Ü"],
                "proceeding": "CVPR 2020 6",
                "date": "2019-11-11",
                "arxiv_id": "1911.04252",
                "url_abs": "https://arxiv.org/abs/1911.04252v4?a={b}",
            }
        ]
    )

    expected = r"""@inproceedings{noisy-student,
  title = {{Self-training with 100\% \{Noisy\} Student \& more\_}},
  author = {Qizhe Xie and Quoc V. Le and {Smith, John} and {Research and Development Team} and Zoë Ü},
  booktitle = {CVPR},
  year = {2020},
  month = jun,
  eprint = {1911.04252},
  archiveprefix = {arXiv},
  url = {https://arxiv.org/abs/1911.04252v4?a=%7Bb%7D}
}
"""
    with store.reading() as connection:
        assert entry(connection, 1) == expected
    assert exported(store, "bibtex").decode() == exported(store, "bibtex", of=1).decode() == expected


def test_a_paper_of_which_little_is_known(store: Store, import_objects: Callable[..., dict[str, Any]]) -> None:
    import_objects(
        [
            {"paper_url": f"{SITE}/bare", "title": "Bare", "abstract": None},
            {"paper_url": f"{SITE}/only-a-year", "title": "Year", "date": "1951", "abstract": None},
        ]
    )

    with store.reading() as connection:
        assert entry(connection, 1) == "@misc{bare,\n  title = {{Bare}}\n}\n"
        assert entry(connection, 2) == "@misc{only-a-year,\n  title = {{Year}},\n  year = {1951}\n}\n"
        with pytest.raises(LookupError, match="no paper 3"):
            entry(connection, 3)


def test_all_papers_are_written_by_slug(
    store: Store, import_objects: Callable[..., dict[str, Any]], exported: Callable[..., bytes]
) -> None:
    import_objects(
        [{"paper_url": f"{SITE}/p-{n}", "title": f"Title {n}", "abstract": None} for n in range(2_500, 0, -1)]
    )

    text = exported(store, "bibtex").decode()

    assert re.findall(r"^@misc\{(.*),$", text, re.MULTILINE) == sorted(f"p-{n}" for n in range(1, 2_501))


def test_no_command_is_left_in_a_text() -> None:
    text = escaped(r"\input{/etc/passwd} $x^2$ ~ #1 a_b 5% & {")

    assert text == r"\textbackslash{}input\{/etc/passwd\} \$x\textasciicircum{}2\$ \textasciitilde{} \#1 a\_b 5\% \& \{"
