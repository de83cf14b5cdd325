"""How long the explorer takes from a slider to a figure, for one browser tab and for twenty at once.

``python benchmarks/explorer.py [--tabs 20] [--moves 15] [--theory framework]`` starts the app and waits until it has
compiled. In Chromium, where there is one, a slider is dragged at two widths: the time goes from the event of the
slider to the frame after the redrawn figures. Beside it stand answers of the server alone, as one tab and as many ask
for them: a new question once the last is answered, each tab with numbers of its own.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

from playwright.sync_api import Page, sync_playwright

SLIDER = "w_trust"
WIDTHS = (1280, 390)
FRAME = """() => { window.took = [];
addEventListener("drawn", (event) => {
  if (event.detail.dyads !== 1) return;
  const drawn = performance.now();
  requestAnimationFrame(() => setTimeout(() => window.took.push(event.detail.ms + performance.now() - drawn)));
}); }"""
"""Notes in a page how long each figure took, its next frame included."""


class Tab:
    """One browser tab: a connection that stays open, with its cookie."""

    def __init__(self, address: str, theory: str, number: int = 0) -> None:
        place = urlsplit(address)
        self.token, self.host = parse_qs(place.query)["token"][0], place.netloc
        self.connection = HTTPConnection(place.netloc, timeout=600)
        self.theory, self.number = theory, number

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

    def moves(self, number: int, path: str = "/api/courses", **more: object) -> list[float]:
        """Return how long the answers to some moves of a slider took [ms]."""
        took = []
        for step in range(number):
            values = {SLIDER: 0.2 + 0.03 * step + 0.001 * self.number}
            begin = time.perf_counter()
            self.ask(path, {"theory": self.theory, "values": values, **more})
            took.append(1e3 * (time.perf_counter() - begin))
        return took


def told(name: str, took: list[float]) -> None:
    """Print median and 95th percentile."""
    took = sorted(took)
    print(f"{name:<38} p50 {took[len(took) // 2]:6.0f} ms   p95 {took[int(0.95 * len(took))]:6.0f} ms   n {len(took)}")


def status(process: int, name: str) -> float:
    """Return a number of the status of a process, where the system tells."""
    path = Path(f"/proc/{process}/status")
    rows = path.read_text().splitlines() if path.exists() else []
    return next((float(row.split()[1]) for row in rows if row.startswith(name)), float("nan"))


def processor_ms(process: int) -> float:
    """Return the processor time of a process so far [ms], where the system tells."""
    path = Path(f"/proc/{process}/stat")
    words = path.read_text().rpartition(")")[2].split() if path.exists() else []
    return 1e3 * (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK") if words else float("nan")


def dragged(page: Page, steps: int) -> list[float]:
    """Return how long each figure took while a slider is dragged with the mouse [ms]."""
    slider = page.locator(f"[data-parameter={SLIDER}]")
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box() or {}
    middle = box["y"] + box["height"] / 2
    page.evaluate(FRAME)
    page.mouse.move(box["x"] + 0.3 * box["width"], middle)
    page.mouse.down()
    for step in range(steps):
        page.mouse.move(box["x"] + box["width"] * (0.3 + 0.5 * step / steps), middle)
        page.wait_for_timeout(30)
    page.mouse.up()
    page.locator("[data-settled=true]").wait_for()
    return page.evaluate("window.took")


def in_chromium(address: str, theory: str, steps: int) -> None:
    """Print how long a drag takes in a real browser, at each width."""
    own = shutil.which("chromium") or shutil.which("chromium-browser")
    if own is None:
        print("no chromium on the PATH: no drag in a browser")
        return
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=own, args=["--no-sandbox"])
        for width in WIDTHS:
            page = browser.new_page(viewport={"width": width, "height": 900})
            page.set_default_timeout(180_000)
            page.goto(address)
            page.goto(f"{address.split('?')[0]}#/explore/{quote(json.dumps([{'theory': theory}]))}")
            page.locator("[data-settled=true]").wait_for()
            if width < 960:
                page.get_by_text("Numbers", exact=True).click()
            told(f"Chromium, {width} px, slider to figure", dragged(page, steps))
            page.close()
        browser.close()


def measured(address: str, process: int, asked: argparse.Namespace) -> None:
    """Print what one tab and many take."""
    first, begin = Tab(address, asked.theory), time.perf_counter()
    while not first.ask("/api/state")["ready"]:
        time.sleep(0.5)
    load, waited = os.getloadavg()[0], time.perf_counter() - begin
    print(f"compiled after {waited:.0f} s; {status(process, 'VmRSS') / 1024:.0f} MiB; load of the machine {load:.1f}")
    in_chromium(address, asked.theory, 6 * asked.moves)
    first = Tab(address, asked.theory)  # the server has closed a connection that was idle
    shown = [entry["id"] for entry in first.ask("/api/courses", {"theory": asked.theory})["variables"]][:8]
    for name, number, path, more in (
        ("one tab, the average dyad", 3 * asked.moves, "/api/courses", {"shown": shown}),
        ("one tab, gains and loop gains", asked.moves, "/api/loops", {}),
        ("one tab, bands of 50 dyads", asked.moves, "/api/courses", {"shown": shown, "dyads": 50}),
    ):
        first.moves(1, path, **more)
        spent = processor_ms(process)
        told(name, first.moves(number, path, **more))
        print(f"{'':<38} {(processor_ms(process) - spent) / number:.0f} ms of processor time each")
    with ThreadPoolExecutor(asked.tabs) as pool:
        tabs = [Tab(address, asked.theory, number) for number in range(asked.tabs)]
        took = [ms for part in pool.map(lambda tab: tab.moves(asked.moves, shown=shown), tabs) for ms in part]
    told(f"{asked.tabs} tabs at once, the average dyad", took)
    print(f"{status(process, 'VmRSS') / 1024:.0f} MiB afterwards; load of the machine {os.getloadavg()[0]:.1f}")


def main() -> None:
    """Start the app and measure it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tabs", type=int, default=20)
    parser.add_argument("--moves", type=int, default=15)
    parser.add_argument("--theory", default="framework")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        command = [sys.executable, "-m", "dyadloop", "app", "--port", "0", "--no-browser", "--work", work]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            try:
                measured(next(iter(server.stdout or ())).strip(), server.pid, asked)
            finally:
                server.terminate()


if __name__ == "__main__":
    main()
