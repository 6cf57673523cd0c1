"""The list of papers, and the page of a paper."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from noisystudent.board.catalogue.change import Result
from noisystudent.board.catalogue.store import Store

AddPaper = Callable[..., int]
HERE = "/paper/self-training-with-noisy-student-improves"
EVIL = "<script>alert(1)</script>"


def listed(client: TestClient, query: str = "") -> list[str]:
    answer = client.get(f"/papers.json{query}")
    assert answer.status_code == 200
    return [paper["title"] for paper in answer.json()["papers"]]


@pytest.mark.usefixtures("noisy_student")
class TestPage:
    def test_says_everything_that_is_known(self, client: TestClient) -> None:
        html = client.get(HERE).text
        for text in (
            "<h1>Self-training with Noisy Student improves ImageNet classification</h1>",
            '<a href="/author/qizhe-xie">Qizhe Xie</a>',
            '<time class="muted" datetime="2019-11-11">2019-11-11</time>',
            '<a class="tag" href="/venue/cvpr">CVPR 2020 6 <span class="muted">June 2020</span></a>',
            '<a class="tag" href="/task/general-classification">General Classification</a>',
            'href="https://arxiv.org/abs/1911.04252">Paper</a>',
            'href="https://arxiv.org/pdf/1911.04252.pdf">PDF</a>',
            "A <em>teacher</em> labels pictures",
            '<a class="tag" href="/method/randaugment">RandAugment</a>',
            '<a class="tag" href="/dataset/jft-with-labels">JFT with labels</a>',
            '<a href="https://archive.example/">PWC Archive</a>, CC-BY-SA 4.0',
            '<p class="crumbs"><a href="/papers">Papers</a> / Self-training with',
            "@inproceedings{self-training-with-noisy-student-improves",
        ):
            assert text in html, text

    def test_marks_official_code_and_shows_framework_and_stars(self, client: TestClient) -> None:
        html = client.get(HERE).text
        official, other = html.index("google-research/noisystudent</a>"), html.index("somebody/noisy</a>")
        assert official < other
        assert "official" in html[official:other]
        assert "official" not in html[other : html.index("</ul>", other)]
        assert '<span class="muted">PyTorch · 1,234 stars · its README names the paper</span>' in html

    def test_shows_each_claim_with_its_rank_of_today(self, client: TestClient) -> None:
        rows = client.get(f"{HERE}.json").json()["results"]
        assert [(row["metric"], row["value"], row["rank"]) for row in rows] == [
            ("Top 1 Accuracy", "88.5%", 1),
            ("GFLOPs", "about 500", None),
        ]
        html = client.get(HERE).text
        assert f'<a href="/sota/image-classification-on-imagenet?at={rows[0]["result"]}#r{rows[0]["result"]}"' in html
        assert '<strong>88.5%</strong> Top 1 Accuracy <span class="muted">#1</span>' in html
        assert "#1 of the leaderboard</a>" in html

    def test_a_retired_claim_is_gone(self, client: TestClient, noisy_student: Store) -> None:
        number = client.get(f"{HERE}.json").json()["results"][0]["result"]
        with noisy_student.changing("anna", "retire") as change:
            change.retire_result(number)
        assert client.get(f"{HERE}.json").json()["results"] == []

    def test_shows_what_was_measured_with_its_verdict(self, client: TestClient) -> None:
        assert '<span class="verdict reproduced">reproduced</span>' in client.get(HERE).text
        (run,) = client.get(f"{HERE}.json").json()["measured"]
        assert (run["claim"], run["run"], run["verdict"]) == ("88.5%", "88.3%", "reproduced")

    def test_related_papers_share_most_tasks_and_none_is_of_the_future(self, client: TestClient) -> None:
        related = client.get(f"{HERE}.json").json()["related"]
        assert [paper["title"] for paper in related] == ["Two tasks in common", "One task in common"]
        assert '<time class="muted" datetime="2025-07-18">2025-07-18</time>' in client.get(HERE).text

    def test_gives_badges_to_copy(self, client: TestClient) -> None:
        (badge,) = client.get(f"{HERE}.json").json()["badges"]
        image = "/badge/image-classification-on-imagenet/self-training-with-noisy-student-improves.svg"
        assert badge["markdown"] == (
            f"[![Image Classification on ImageNet](http://testserver{image})]"
            "(http://testserver/sota/image-classification-on-imagenet)"
        )
        assert client.get(image).status_code == 200
        assert badge["markdown"] in client.get(HERE).text

    def test_has_what_reference_managers_read(self, client: TestClient) -> None:
        html = client.get(HERE).text
        assert '<meta name="citation_author" content="Minh-Thang Luong">' in html
        assert '<meta name="citation_publication_date" content="2019/11/11">' in html
        assert '<meta name="citation_arxiv_id" content="1911.04252">' in html

    def test_bibtex_is_a_file_too(self, client: TestClient) -> None:
        answer = client.get(f"{HERE}.bib")
        assert answer.headers["content-type"] == "application/x-bibtex; charset=utf-8"
        assert "author = {Qizhe Xie and Minh-Thang Luong and Eduard Hovy and Quoc V. Le}" in answer.text

    def test_old_addresses_lead_here(self, client: TestClient, noisy_student: Store) -> None:
        with noisy_student.changing("anna", "alias") as change:
            number = change.find_paper(url=f"https://paperswithcode.com{HERE}")
            change.connection.execute("INSERT INTO alias VALUES ('paper', 'old', ?)", (number,))
        for ending in ("", ".json", ".bib"):
            answer = client.get(f"/paper/old{ending}", follow_redirects=False)
            assert (answer.status_code, answer.headers["location"]) == (301, HERE + ending)

    def test_submitting_starts_with_this_paper(self, client: TestClient) -> None:
        address = "/submit/result?paper=http%3A%2F%2Ftestserver" + HERE.replace("/", "%2F")
        assert f'href="{address}"' in client.get(HERE).text
        assert f"http://testserver{HERE}" in client.get(address).text


def test_a_report_names_what_it_reproduces(client: TestClient, add_paper: AddPaper) -> None:
    add_paper("The method", slug="the-method")
    add_paper("A report", reproduces_paper="https://paperswithcode.com/paper/the-method")
    add_paper("Another", reproduces_paper="https://paperswithcode.com/paper/unknown")
    assert 'A report on reproducing <a href="/paper/the-method">The method</a>' in client.get("/paper/a-report").text
    assert "reproducing" not in client.get("/paper/another").text
    assert 'Reproduced by others: <a href="/paper/a-report">A report</a>' in client.get("/paper/the-method").text


def test_of_thousands_the_first_stand_there_with_a_count(client: TestClient, store: Store, add_paper: AddPaper) -> None:
    add_paper(
        "By a crowd",
        authors=[f"Person {number}" for number in range(3_310)],
        tasks=[f"Task {number}" for number in range(147)],
        methods=[f"Method {number}" for number in range(1_500)],
        code={f"https://github.com/a/{number}": {} for number in range(90)},
    )
    html = client.get("/paper/by-a-crowd").text
    assert "and 3,260 more" in html
    assert "and 107 more" in html
    assert "and 1,460 more" in html
    assert "The first 60 of 90." in html
    assert len(html) < 40_000
    assert "Person 3309" in client.get("/paper/by-a-crowd.bib").text
    assert "and 3,306 more" in client.get("/search?q=crowd").text


@pytest.mark.parametrize("address", ["/paper/nothing", "/paper/nothing.json", "/paper/nothing.bib"])
def test_what_is_not_there_is_not_found(client: TestClient, address: str) -> None:
    assert client.get(address).status_code == 404


@pytest.mark.parametrize("published", [None, "some day", "2020", "2020-13-45", "2222-01-01"])
def test_any_date_can_be_shown(client: TestClient, add_paper: AddPaper, published: str | None) -> None:
    add_paper("Dated", published=published, tasks=["A task"])
    add_paper("Beside it", published="2020-01-01", tasks=["A task"])
    assert client.get("/paper/dated").status_code == 200
    assert client.get("/paper/dated.bib").status_code == 200
    assert client.get("/paper/beside-it").status_code == 200
    assert client.get("/search?q=dated").status_code == 200


def test_nothing_that_somebody_wrote_runs(client: TestClient, store: Store, add_paper: AddPaper) -> None:
    paper = add_paper(
        EVIL,
        slug="evil",
        abstract=f"{EVIL} [x](javascript:alert(1)) <img src=x onerror=alert(1)>",
        published='2020"><script>',
        conference=EVIL,
        url_abs="javascript:alert(1)",
        url_pdf="data:text/html,<script>",
        authors=[EVIL + "author"],
        tasks=[EVIL + "task"],
        methods=[EVIL + "method"],
        used=[EVIL + "data"],
        code={f"javascript:alert(1)//{EVIL}": {"framework": EVIL}},
        layer=EVIL,
    )
    with store.changing("anna", "claim") as change:
        change.edit("source", 1, url="javascript:alert(1)", licence=EVIL)
        board = change.leaderboard(change.task(EVIL + "task"), change.dataset(EVIL + "data"))
        change.add_result(Result(board, EVIL + "model", {EVIL + "metric": EVIL + "1"}, paper=paper))
    for address in ("/paper/evil", "/papers", "/papers?q=%3Cscript%3E", "/search?q=%3Cscript%3E", "/about"):
        html = client.get(address).text
        assert "<script" not in html.replace(
            '<script type="application/ld+json">', "", 1
        )  # data, which no browser runs
        assert 'href="javascript' not in html
        assert 'href="data' not in html
        assert "<img src=x" not in html


class TestList:
    def test_the_newest_come_first_and_nothing_is_of_the_future(self, client: TestClient, add_paper: AddPaper) -> None:
        for title, published in (("Old", "2001-02-03"), ("Future", "2222-01-01"), ("New", "2024-01-01")):
            add_paper(title, published=published)
        add_paper("Undated")
        assert listed(client) == ["New", "Old"]

    def test_filters_narrow_together(self, client: TestClient, noisy_student: Store) -> None:
        title = "Self-training with Noisy Student improves ImageNet classification"
        for query in (
            "?q=pictures teacher",
            "?task=data-augmentation&year=2019",
            "?task=Data Augmentation&code=yes",
            "?code=official",
            "?venue=cvpr",
            "?q=student&task=image-classification&code=official&year=2019&venue=cvpr",
        ):
            assert listed(client, query) == [title], query
        for query in ("?q=student&year=2020", "?code=official&year=2021", "?task=image-classification&q=zebra"):
            assert listed(client, query) == [], query
        assert listed(client, "?task=image-classification") == ["One task in common", "Two tasks in common", title]

    @pytest.mark.parametrize("few", [0, 20_000])
    def test_common_and_rare_words_find_the_same(
        self, client: TestClient, add_paper: AddPaper, monkeypatch: pytest.MonkeyPatch, few: int
    ) -> None:
        monkeypatch.setattr("noisystudent.board.queries.papers.FEW", few)
        for year in (2019, 2021, 2020):
            add_paper(f"Deep learning {year}", published=f"{year}-01-01", tasks=["A task"])
        add_paper("Shallow learning", published="2022-01-01", tasks=["A task"])
        assert listed(client, "?q=deep") == ["Deep learning 2021", "Deep learning 2020", "Deep learning 2019"]
        assert listed(client, "?q=deep&task=a-task&year=2020") == ["Deep learning 2020"]

    def test_a_page_has_fifty(self, client: TestClient, store: Store) -> None:
        with store.changing("anna", "add") as change:
            for number in range(120):
                change.insert(
                    "paper", slug=f"p{number}", title=f"P {number}", published=f"2020-01-{1 + number % 28:02d}"
                )
        pages = [listed(client, f"?page={page}") for page in (1, 2, 3)]
        assert [len(page) for page in pages] == [50, 50, 20]
        assert len({title for page in pages for title in page}) == 120
        assert 'rel="next" href="/papers?year=2020&amp;page=2"' in client.get("/papers?year=2020").text
        assert 'rel="next"' not in client.get("/papers?page=3").text
        assert client.get("/papers?page=4").status_code == 404

    @pytest.mark.parametrize(
        "query",
        [
            "?task=no-such",
            "?venue=no-such",
            "?year=abcd",
            "?year=99999",
            "?year=²0²0",
            "?code=maybe",
            "?q=%00",
            "?q=%22",
        ],
    )
    def test_a_wrong_value_finds_nothing(self, client: TestClient, noisy_student: Store, query: str) -> None:
        answer = client.get(f"/papers{query}")
        assert answer.status_code == 200
        assert listed(client, query) == []

    @pytest.mark.parametrize("page", ["0", "-1", "x", "1e9", "99999999999999999999"])
    def test_a_wrong_page_is_refused(self, client: TestClient, page: str) -> None:
        assert client.get(f"/papers?page={page}").status_code == 422
