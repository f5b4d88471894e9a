"""``toolkit study`` and ``toolkit report-study``: their mistakes. tests/study/test_command.py has what it does."""

import pytest

MISTAKES = [
    (("study", "--model", "vgg"), "unknown model 'vgg'; allowed: cnn, mlp"),
    (("study", "--model", "cnn,tiny:width=8,depth=9,mlp"), "tiny takes no 'depth=9'; allowed after its colon"),
    (("study", "--loss", "mse,mse"), "the values of loss are 'mse', 'mse'; name at least one, and each once"),
    (("study", "--learning-rate", "fast"), "--learning-rate is 'fast'; it must be numbers with commas"),
    (("study", "--epochs", "many"), "--epochs is 'many'; it must be numbers with commas, as in 20,100"),
    (("study", "--learning-rate", ","), "the values of learning_rate are none"),
    (("study", "--jobs", "0"), "the number of jobs is 0; it must be from 1 to 64"),
    (("study", "--device", "tpu"), "Invalid value for '--device': 'tpu' is not one of 'auto', 'gpu', 'cpu'"),
    (("study", "--name", "../x"), "'../x' is no name; allowed: one without a slash"),
    (("study", "--name", ""), "'' is no name; allowed: one without a slash"),
    (("study", "--data", "nowhere"), "no data source and no path is called 'nowhere'"),
    (("report-study",), "no study is there, it has no study.json; 'toolkit study' makes one"),
    (("report-study", "--name", "../x"), "'../x' is no name; allowed: one without a slash"),
]


@pytest.mark.parametrize(("arguments", "message"), MISTAKES)
def test_a_mistake_gets_one_clear_line_and_exit_code_2(mistake, arguments, message):
    mistake(*arguments, says=message)
