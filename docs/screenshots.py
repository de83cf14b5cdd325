"""Pictures of the app for docs/app.md: each page, wide and narrow, light and dark.

``python docs/screenshots.py`` starts the app with the study of a school, opens each page in Chromium and writes
docs/_static/app-NAME-WIDTH-SCHEME.png; with names behind it, such as ``theory plan``, only these pages. ``report`` is the
first page of docs/reports/school.html, for the README: docs/report.png.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

HERE = Path(__file__).parent
PAGES = ("theory", "explore", "study", "plan", "evidence")
SIZES = {1280: 860, 390: 800}
COLOURS = 128
"""Colours of a picture: few flat ones, so that files stay small."""


def settle(page: Page, name: str) -> None:
    """Wait until a page shows what it is for."""
    expect(page.locator("main h1")).to_be_visible()
    if name == "theory":
        page.locator("[data-arrow=w_trust]").press("Enter")
    if name == "study":  # not the first view, which names a folder of this machine
        page.get_by_text("school", exact=True).first.click()
        expect(page.get_by_text("dyads").first).to_be_visible()
        page.wait_for_timeout(4000)
    if name == "explore":
        expect(page.locator("[data-settled=true]")).to_have_count(1)
        if page.viewport_size["width"] < 600:
            page.get_by_role("heading", name="Courses").scroll_into_view_if_needed()
            page.evaluate("scrollBy(0, document.querySelector('.figures').getBoundingClientRect().top - 110)")
    page.wait_for_timeout(600)


def picture(browser: Browser, address: str, name: str, width: int, scheme: str) -> None:
    """Write one picture."""
    context = browser.new_context(viewport={"width": width, "height": SIZES[width]}, color_scheme=scheme)
    page = context.new_page()
    page.set_default_timeout(180_000)
    page.goto(address)
    page.goto(f"{address.split('?')[0]}#/{name}")
    settle(page, name)
    path = HERE / "_static" / f"app-{name}-{width}-{scheme}.png"
    page.screenshot(path=path)
    Image.open(path).convert("RGB").quantize(COLOURS).save(path, optimize=True)
    print(f"{path.name}: {path.stat().st_size // 1024} kB")
    context.close()


def report(browser: Browser) -> None:
    """Write the picture of the first page of a report."""
    page = browser.new_page(viewport={"width": 1100, "height": 900}, color_scheme="light")
    page.goto((HERE / "reports" / "school.html").as_uri())
    page.screenshot(path=HERE / "report.png")
    print("report.png")


def main(names: list[str]) -> None:
    """Write the pictures of some pages, by default of all."""
    expect.set_options(timeout=180_000)
    own = shutil.which("chromium") or shutil.which("chromium-browser")
    with tempfile.TemporaryDirectory() as place, sync_playwright() as play:
        study = shutil.copytree(HERE.parent / "examples" / "school", Path(place) / "school")
        command = [sys.executable, "-m", "dyadloop", "app", "--port", "0", "--no-browser", str(study)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=place) as server:
            try:
                address = server.stdout.readline().strip()
                browser = play.chromium.launch(executable_path=own, args=["--no-sandbox"])
                if not names or "report" in names:
                    report(browser)
                for name in [name for name in PAGES if not names or name in names]:
                    for width in SIZES:
                        for scheme in ("light", "dark"):
                            picture(browser, address, name, width, scheme)
                browser.close()
            finally:
                server.terminate()


if __name__ == "__main__":
    main(sys.argv[1:])
