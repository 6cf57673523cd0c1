"""What the API says and takes about papers, code, authors, venues, areas, tasks, datasets and methods. An id is a slug."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, ConfigDict, Field

from noisystudent.board.api.pages import Page
from noisystudent.board.catalogue.texts import Line, Name, Text, Url


class Paper(BaseModel):
    """A paper. `authors` names all of them, in order."""

    id: str
    arxiv_id: str | None
    nips_id: str | None
    openreview_id: str | None
    url_abs: str
    url_pdf: str
    title: str
    abstract: str
    authors: list[str]
    published: date | None
    conference: str | None = Field(description="Id of the conference.")
    conference_url_abs: str | None
    conference_url_pdf: str | None
    proceeding: str | None = Field(description="Id of the proceeding.")


class Repository(BaseModel):
    """A repository of code."""

    url: str
    owner: str
    name: str
    description: str
    stars: int = Field(description="0 where the number is not known; see stars_known.")
    stars_known: bool
    framework: str
    is_official: bool | None = Field(None, description="Whether it is the paper's own; only in a paper's list.")


class NamedMethod(BaseModel):
    """A method of a paper."""

    id: str
    slug: str = Field(description="The same as the id.")
    name: str


class RelatedPaper(BaseModel):
    """A paper that another one follows, or is followed by."""

    route_identifier: str = Field(description="Its arXiv number, or else its id.")
    title: str
    published: date | None


class PaperResources(Paper):
    """A paper with what hangs on it, where `include_resources` asks for that; null where it does not."""

    repositories: list[Repository] | None = Field(description="Of its code, the official first.")
    methods: list[NamedMethod] | None


class PaperInFull(PaperResources):
    """One paper. What it follows is the paper whose results it reproduces: the catalogue knows of no other descent."""

    predecessor_papers: list[RelatedPaper]
    successor_papers: list[RelatedPaper] = Field(description="Reports on reproducing it.")


class FilteredPapers(Page[PaperResources]):
    """A page of papers, and of the filters that newer clients ask for those that were applied, as they were given."""

    applied_filters: dict[str, str]


class Lineage(BaseModel):
    """A paper, what it follows and what follows it."""

    class Member(BaseModel):
        reference: str = Field(description="Its arXiv number, or else its id.")
        title: str

    paper: Member
    predecessors: list[Member]
    successors: list[Member]


class PaperRepo(BaseModel):
    """A paper that was found, with one repository of its code: the official one, or else the one with most stars."""

    paper: Paper
    repository: Repository | None
    is_official: bool


class Author(BaseModel):
    id: str
    full_name: str


class Conference(BaseModel):
    """A conference, or with a year one of its meetings."""

    id: str
    slug: str = Field(description="The same as the id.")
    name: str
    year: int | None
    paper_count: int


class Proceeding(BaseModel):
    id: str
    name: str
    year: int | None
    month: int | None


class Area(BaseModel):
    id: str
    name: str


class TaskCounts(BaseModel):
    """A task, where it stands, and how much there is of it itself, without the tasks below it."""

    id: str
    slug: str = Field(description="The same as the id.")
    name: str
    area_id: str | None = Field(description="Of the first area that it is in.")
    parent_id: str | None = Field(description="Of the first task above it.")
    level: int | None = Field(description="How many tasks stand above it, on the shortest way; null in a circle.")
    paper_count: int
    benchmark_count: int = Field(description="Of leaderboards.")
    evaluation_count: int = Field(description="Of results on them.")


class Task(TaskCounts):
    """A task."""

    description: str = Field(description="Markdown.")


class AreaTasks(BaseModel):
    """An area with the tasks in it that have none above them; the last one, without an id, has those of no area."""

    id: str | None
    name: str
    tasks: list[TaskCounts]


class Benchmark(BaseModel):
    """A dataset with results, in the list of a task."""

    id: str
    slug: str = Field(description="The same as the id.")
    name: str
    full_name: str | None
    description: str = Field(description="Its beginning.")
    hf_url: str | None
    paper_count: int = Field(description="Papers with results on it.")
    evaluation_count: int


class BenchmarkTrend(Benchmark):
    """A dataset with how much it is used of late: `trend_score` is the number of papers with results of the last 365 days."""

    recent_paper_count: int
    all_time_paper_count: int
    trend_score: float
    best_model_name: str | None
    best_paper_title: str | None
    best_code_url: str | None


class TaskBenchmarks(BaseModel):
    id: str
    slug: str
    name: str
    benchmarks: list[Benchmark]


class AreaTaskBenchmarks(BaseModel):
    """An area with its tasks that have benchmarks; the last one, without an id, has those of no area."""

    id: str | None
    name: str
    tasks: list[TaskBenchmarks]


class SubtaskBenchmarks(BaseModel):
    subtask_id: str
    benchmarks: list[Benchmark]


class Recommended(BaseModel):
    """A repository of code of a task's papers."""

    id: str
    url: str
    owner: str
    name: str
    num_stars: int


class TaskPage(BaseModel):
    """What a task's page says: the tasks above it (the nearest first), beside it and below it, its code and its benchmarks."""

    task: Task
    parents: list[TaskCounts]
    sisters: list[TaskCounts]
    children: list[TaskCounts]
    recommended_frameworks: list[Recommended] = Field(description="The code of its papers with most stars.")
    benchmarks: list[Benchmark]
    subtask_benchmarks: list[SubtaskBenchmarks]


class TaskCreateRequest(BaseModel):
    """A new task. `area` is the id or the name of one, and is made where there is none; `parent_task` is the id of a task."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"name": "Image Classification", "area": "Computer Vision"}}
    )
    name: Name
    description: Text = ""
    area: Line | None = None
    parent_task: Line | None = None


class TaskUpdateRequest(BaseModel):
    """What is to change of a task; what is null stays. An area or a parent is added to those that it has."""

    model_config = ConfigDict(json_schema_extra={"example": {"description": "Say what a picture shows."}})
    name: Name | None = None
    description: Text | None = None
    area: Line | None = None
    parent_task: Line | None = None


class Dataset(BaseModel):
    id: str
    slug: str = Field(description="The same as the id.")
    name: str
    full_name: str | None
    url: str | None
    description: str = Field(description="Markdown; the short one, where there are two.")
    hf_url: str | None = Field(description="Its address on Hugging Face's hub.")
    paper_count: int = Field(description="Papers with results on it.")
    evaluation_count: int = Field(description="Results on it.")


class DatasetCreateRequest(BaseModel):
    """A new dataset."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"name": "VeryTinyImageNet", "url": "https://example.org/"}}
    )
    name: Name
    full_name: Line | None = None
    url: Url | None = None


class DatasetUpdateRequest(BaseModel):
    """What is to change of a dataset; what is null stays."""

    model_config = ConfigDict(json_schema_extra={"example": {"full_name": "A very tiny ImageNet"}})
    name: Name | None = None
    full_name: Line | None = None
    url: Url | None = None


class Method(BaseModel):
    id: str
    slug: str = Field(description="The same as the id.")
    name: str
    full_name: str
    description: str = Field(description="Markdown.")
    paper: str | None = Field(description="Id of the paper that introduces it.")
    area_id: str | None = Field(description="Of the first area that its collections are in.")
    introduced_year: int | None
    paper_count: int = Field(description="Of papers here that use it.")
    source_title: str | None
    source_url: str | None


class Framework(BaseModel):
    """What code is written with."""

    id: str
    slug: str = Field(description="The same as the id.")
    name: str
    paper_count: int = Field(description="Papers with code in it.")
    platforms: list[str] = Field(description="Not known here.")


class FrameworkCategory(BaseModel):
    slug: str
    name: str
    frameworks: list[Framework]


class FrameworkDomain(BaseModel):
    slug: str
    name: str
    categories: list[FrameworkCategory]


class FrameworkCatalogue(BaseModel):
    """All frameworks that code here is written with, those of most papers first."""

    domains: list[FrameworkDomain]


class Organization(BaseModel):
    """An organization. The catalogue has none: no source that it reads says of papers where their authors work."""

    id: str
    slug: str
    name: str
