import pytest

from noisystudent import recipes
from noisystudent.config import Config
from noisystudent.errors import UserError
from noisystudent.stages.networks import check_networks


@pytest.mark.parametrize("name", list(recipes.RECIPES))
def test_every_recipe_names_networks_and_operations_that_exist(name: str) -> None:
    config = recipes.recipe(name)
    check_networks(config)
    assert config.recipe == name
    assert config.generations
    assert Config.model_validate(config.model_dump()) == config  # model_copy, which recipes use, does not validate


@pytest.mark.parametrize("name", list(recipes.RECIPES))
def test_every_recipe_says_in_one_line_what_it_is_for(name: str) -> None:
    line = recipes.summary(name)
    assert 10 < len(line) < 200
    assert "\n" not in line


@pytest.mark.parametrize("name", list(recipes.RECIPES))
def test_students_see_pseudo_labels_and_noise(name: str) -> None:
    for generation in recipes.recipe(name).generations:
        assert generation.student.unlabeled_ratio > 0
        noise = generation.student.noise
        assert noise.randaugment is not None or noise.cutout or noise.crop != "none"


def test_an_unknown_recipe_is_answered_with_those_there_are() -> None:
    with pytest.raises(UserError) as caught:
        recipes.recipe("didgits")
    assert "'didgits'" in str(caught.value)
    assert all(name in str(caught.value) for name in recipes.RECIPES)
