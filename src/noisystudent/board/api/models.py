"""What the API says and takes about papers, code, authors, venues, areas, tasks, datasets and methods. An id is a slug."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, ConfigDict, Field

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


class PaperRepo(BaseModel):
    """A paper that was found, with one repository of its code: the official one, or else the one with most stars."""

    paper: Paper
    repository: Repository | None
    is_official: bool


class Author(BaseModel):
    id: str
    full_name: str


class Conference(BaseModel):
    id: str
    name: str


class Proceeding(BaseModel):
    id: str
    name: str
    year: int | None
    month: int | None


class Area(BaseModel):
    id: str
    name: str


class Task(BaseModel):
    id: str
    name: str
    description: str = Field(description="Markdown.")


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
    name: str
    full_name: str | None
    url: str | None


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
    name: str
    full_name: str
    description: str = Field(description="Markdown.")
    paper: str | None = Field(description="Id of the paper that introduces it.")
