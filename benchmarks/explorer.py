"""How long the explorer takes from a slider to numbers, for one browser tab and for twenty at once.

``python benchmarks/explorer.py [--tabs 20] [--moves 15]`` starts the app and waits until it has compiled. Each tab then
moves a slider of the framework one step after the other, as a browser does: a new question once the last is answered.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

SHOWN = [
    "oxytocin_patient",
    "oxytocin_therapist",
    "attachment",
    "empathy",
    "synchrony",
    "trust",
    "support",
    "depression",
]


class Tab:
    """One browser tab: a connection that stays open, with its cookie."""

    def __init__(self, address: str) -> None:
        place = urlsplit(address)
        self.token, self.host = parse_qs(place.query)["token"][0], place.netloc
        self.connection = HTTPConnection(place.netloc, timeout=600)

    def ask(self, path: str, body: dict | None = None) -> dict:
        """Return an answer of the server."""
        headers = {"cookie": f"dyadloop-{self.host.rsplit(':', 1)[1]}={self.token}", "origin": f"http://{self.host}"}
        text = None if body is None else json.dumps(body)
        headers |= {} if body is None else {"content-type": "application/json"}
        self.connection.request("GET" if body is None else "POST", path, text, headers)
        answer = self.connection.getresponse()
        content = json.loads(answer.read())
        if answer.status != 200:
            raise RuntimeError(content["error"])
        return content

    def moves(self, number: int, dyads: int) -> list[float]:
        """Return how long each of some moves of a slider took [ms]."""
        took = []
        for step in range(number):
            begin = time.perf_counter()
            self.ask("/api/courses", {"values": {"w_trust": 0.2 + 0.03 * step}, "dyads": dyads, "shown": SHOWN})
            took.append(1e3 * (time.perf_counter() - begin))
        return took

    def loops(self, number: int) -> list[float]:
        """Return how long gains took [ms]."""
        took = []
        for step in range(number):
            begin = time.perf_counter()
            self.ask("/api/loops", {"values": {"w_trust": 0.2 + 0.03 * step}})
            took.append(1e3 * (time.perf_counter() - begin))
        return took


def told(name: str, took: list[float]) -> None:
    """Print median and 95th percentile."""
    took = sorted(took)
    print(f"{name:<34} p50 {took[len(took) // 2]:6.0f} ms   p95 {took[int(0.95 * len(took))]:6.0f} ms   n {len(took)}")


def memory_mib(process: int) -> float:
    """Return the resident memory of a process [MiB], where the system tells."""
    status = Path(f"/proc/{process}/status")
    line = next((row for row in status.read_text().splitlines() if row.startswith("VmRSS")), "VmRSS: nan")
    return float(line.split()[1]) / 1024


def measured(address: str, process: int, tabs: int, moves: int) -> None:
    """Print what one tab and many take."""
    first, begin = Tab(address), time.perf_counter()
    while not first.ask("/api/state")["ready"]:
        time.sleep(0.5)
    load, waited = os.getloadavg()[0], time.perf_counter() - begin
    print(f"compiled after {waited:.0f} s; {memory_mib(process):.0f} MiB; load of the machine {load:.1f}")
    told("one tab, the average dyad", first.moves(3 * moves, 1))
    told("one tab, gains and loop gains", first.loops(moves))
    told("one tab, bands of 50 dyads", first.moves(moves, 50))
    with ThreadPoolExecutor(tabs) as pool:
        took = [ms for part in pool.map(lambda _: Tab(address).moves(moves, 1), range(tabs)) for ms in part]
    told(f"{tabs} tabs at once, the average dyad", took)
    print(f"{memory_mib(process):.0f} MiB afterwards")


def main() -> None:
    """Start the app and measure it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tabs", type=int, default=20)
    parser.add_argument("--moves", type=int, default=15)
    asked = parser.parse_args()
    command = [sys.executable, "-m", "dyadloop", "app", "--port", "0", "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            measured(server.stdout.readline().strip(), server.pid, asked.tabs, asked.moves)
        finally:
            server.terminate()


if __name__ == "__main__":
    main()
