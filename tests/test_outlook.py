from noisystudent.outlook import PlannedStage, time_left

STAGES = [
    PlannedStage("prepare", "", "prepare"),
    PlannedStage("gen-0/train", "", "train", "small", 100),
    PlannedStage("gen-0/evaluate", "", "evaluate"),
    PlannedStage("gen-1/label", "", "label", "small", 30),
    PlannedStage("gen-1/train", "", "train", "small", 300),
    PlannedStage("gen-1/evaluate", "", "evaluate"),
]


def left(current: str, seconds: dict[str, float], own: float, stages: list[PlannedStage] = STAGES) -> str:
    return time_left(stages, current, seconds, own)


def test_nothing_is_said_before_a_training_has_told_how_fast_it_goes() -> None:
    assert left("prepare", {"prepare": 10}, 5) == ""


def test_the_rest_goes_as_fast_as_the_same_network_went() -> None:
    # 60 s of its own, 30 * (100 / 100) / 3 to label, 300 to train.
    assert left("gen-0/train", {"gen-0/train": 100}, 60) == "about 6 min of the whole run left"
    assert left("gen-1/train", {"gen-0/train": 100, "gen-0/evaluate": 9, "gen-1/train": 300}, 11) == (
        "about 20 s of the whole run left"
    )


def test_what_was_measured_counts_and_not_what_was_guessed() -> None:
    done = {"gen-0/train": 10, "gen-0/evaluate": 5, "gen-1/label": 300}
    assert left("gen-1/label", done, 1) == "about 36 s of the whole run left"


def test_a_network_that_was_not_trained_yet_may_be_larger() -> None:
    stages = [*STAGES[:4], STAGES[4]._replace(model="large"), STAGES[5]]
    assert left("gen-0/train", {"gen-0/train": 100}, 60, stages) == "at least 6 min of the whole run left"


def test_of_the_last_stage_its_own_bar_says_all() -> None:
    assert left("gen-1/evaluate", {"gen-0/train": 100, "gen-1/evaluate": 5}, 5) == ""


def test_a_stage_whose_work_was_not_counted_does_not_tell_how_fast_work_goes() -> None:
    embedding = PlannedStage("features/labeled", "", "label", "small", 0)
    done = {"features/labeled": 9, "gen-0/train": 100}
    assert left("gen-0/train", done, 60, [embedding, *STAGES]) == left("gen-0/train", done, 60)
