from noisystudent.config.settings import apply_settings
from noisystudent.recipes import recipe
from noisystudent.run_plan import planned_stages


def test_only_a_teacher_that_looks_at_the_images_is_counted_for_labeling() -> None:
    def looked_at(teachers: str, *more: str) -> float:
        config = apply_settings(recipe("photos-fast"), [f"generations.0.teachers={teachers}", *more])
        [labeling] = [stage for stage in planned_stages(config, unlabeled=10) if stage.name == "gen-1/label"]
        return labeling.amount

    assert looked_at("['previous']") == 10 * 160**2
    assert looked_at("['previous', 'frozen']") == 10 * 160**2
    assert looked_at("['previous', 'frozen']", "generations.0.mirrored=true") == 2 * 10 * 160**2
    assert looked_at("['frozen']") == 0  # which answers by what was embedded
    assert looked_at("['a/model']") == 0  # whose view is not known
