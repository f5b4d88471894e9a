import pytest

from tests.cpus.table import CPUS
from toolkit import host
from toolkit.bench.instructions.cpus import CORES


@pytest.mark.parametrize("name", CPUS)
def test_the_cpuinfo_of_a_cpu_tells_its_name_and_its_instruction_sets(tmp_path, monkeypatch, name):
    cpu = CPUS[name]
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc" / "cpuinfo").write_text(cpu.cpuinfo_text())
    monkeypatch.setattr("platform.machine", lambda: cpu.architecture)
    described = host.describe(tmp_path)
    assert (described.cpu, described.emulated) == (cpu.core, False)
    assert {found for found, has in host.instruction_sets(tmp_path).items() if has} == cpu.sets
    assert cpu.cpuinfo_text().count("processor\t: ") == CORES
