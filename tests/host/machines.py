"""Machines made of files: the root is injected."""

from pathlib import Path


def machine(root: Path, **contents: str) -> Path:
    places = {
        "cpuinfo": "proc/cpuinfo",
        "meminfo": "proc/meminfo",
        "model": "proc/device-tree/model",
        "modalias": "sys/devices/system/cpu/modalias",
        "governor": "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor",
        "clock_0": "sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq",
        "clock_1": "sys/devices/system/cpu/cpu1/cpufreq/scaling_cur_freq",
        "temperature": "sys/class/thermal/thermal_zone0/temp",
        "hottest": "sys/class/thermal/thermal_zone1/temp",
        "loadavg": "proc/loadavg",
        "stat": "proc/stat",
        "throttled": "sys/devices/platform/soc/soc:firmware/get_throttled",
        "product": "sys/class/dmi/id/product_name",
        "docker": ".dockerenv",
        "status": "proc/self/status",
    }
    for name, text in contents.items():
        path = root / places[name]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


FEATURES_4 = "fp asimd evtstrm crc32 cpuid"
FEATURES_5 = "fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp"
PI_4 = f"processor\t: 0\nFeatures\t: {FEATURES_4}\nCPU implementer\t: 0x41\nCPU part\t: 0xd08\n"
PI_5 = f"processor\t: 0\nBogoMIPS\t: 108.00\nFeatures\t: {FEATURES_5}\nCPU implementer\t: 0x41\nCPU part\t: 0xd0b\n"
PC = "processor\t: 0\nvendor_id\t: GenuineIntel\nmodel name\t: Intel(R) Core(TM) i5-7200U CPU @ 2.50GHz\n"
