"""What Linux tells of the time that a process waited for a CPU."""

from toolkit import host


def test_it_is_the_second_figure_of_schedstat(tmp_path):
    (tmp_path / "proc" / "7").mkdir(parents=True)
    (tmp_path / "proc" / "7" / "schedstat").write_text("270960332 1500000000 2184\n")
    assert host.process_waited_s(7, tmp_path) == 1.5


def test_a_system_that_does_not_tell_is_taken_to_have_let_nobody_wait(tmp_path):
    assert host.process_waited_s(7, tmp_path) == 0.0


def test_this_process_is_told_of():
    assert host.process_waited_s() >= 0.0
