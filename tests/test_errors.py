import pickle

from noisystudent.errors import RunError, UserError


def test_one_problem_is_the_message_and_several_are_a_list() -> None:
    assert str(UserError("a is missing")) == "a is missing"
    assert UserError("a is missing").problems == ["a is missing"]
    several = UserError(["a is missing", "b is empty"])
    assert str(several) == "2 problems:\n  - a is missing\n  - b is empty"
    assert several.problems == ["a is missing", "b is empty"]


def test_they_travel_between_processes() -> None:
    for error in (UserError("a is missing"), UserError(["a is missing", "b is empty"]), RunError("it diverged")):
        again = pickle.loads(pickle.dumps(error))
        assert (type(again), str(again)) == (type(error), str(error))


def test_the_users_mistakes_are_value_errors_and_a_failed_run_is_none() -> None:
    assert issubclass(UserError, ValueError)
    assert not issubclass(RunError, ValueError)
