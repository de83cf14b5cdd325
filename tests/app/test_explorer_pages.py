"""The pages Theory and Explore in a real browser: what runs, what is loaded, the keyboard, hostile words, the pace."""

import json
import re
from urllib.parse import quote
from xml.etree import ElementTree

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.app.chromium import chromium, served
from tests.small import small

HURT = "<img src=x onerror=window.hurt=1><script>window.hurt=2</script>\"'></svg><svg onload=window.hurt=3>"
WIDTHS = (1280, 390)
PAGES = ("theory", "explore", "study", "plan", "evidence")
expect.set_options(timeout=60_000)  # a loaded machine reads and compiles slowly
_SLOWEST = 3000.0  # [ms] a generous bound: the machine of a test may do other things too


@pytest.fixture(scope="module")
def browser():
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    with served(tmp_path_factory.mktemp("explorer")) as found:
        yield found


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """A theory file that is small, so that it compiles quickly, and whose every text is markup."""
    found = small().model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)
    found["title"] = found["source"] = found["explanation"] = HURT
    for entry in found["variables"]:
        entry["label"] = f"{HURT} {entry['label']}"
    for entry in found["couplings"]:
        entry["coefficient"]["assumed"] = HURT
        entry["coefficient"].pop("evidence", None)
    path = tmp_path_factory.mktemp("hostile") / "hurt.json"
    path.write_text(json.dumps(found), encoding="utf-8")
    return path


class Visit:
    """A page of a browser that notes what it says, asks for and refuses."""

    def __init__(self, browser, address, width=1280, **options):
        self.address, self.said, self.outside = address, [], []
        self.context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        self.page = self.context.new_page()
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.outside.append(request.url))
        self.page.goto(f"{address}/?token=secret")

    def at(self, place):
        self.page.goto(f"{self.address}/#/{place}")
        expect(self.page.locator("main h1")).to_be_visible()
        return self.page

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.context.close()
        if not any(error):
            assert self.said == []  # a refusal of the policy would stand here too
            assert [url for url in self.outside if not url.startswith((self.address, "blob:"))] == []


def bring(page, path):
    page.locator("input[type=file]").set_input_files(path)
    expect(page.locator("select").first).to_have_value(re.compile("^file-"))


def explore(visit, page):
    """Open Explore with the theory that the page shows."""
    name = page.locator("select").first.input_value()
    page = visit.at("explore/" + quote(json.dumps([{"theory": name, "sessions": 6}])))
    ready(page)
    return page


def ready(page):
    page.set_default_timeout(120_000)
    expect(page.locator("[data-settled=true]")).to_have_count(1, timeout=120_000)
    expect(page.locator(".figures svg").first).to_be_visible()


@pytest.mark.parametrize("width", WIDTHS)
def test_every_page_opens_without_a_word_of_the_console(browser, address, width):
    with Visit(browser, address, width) as visit:
        for name in PAGES:
            if name == "explore":
                continue  # below, with a theory that compiles quickly
            page = visit.at(name)
            page.wait_for_timeout(150)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, name


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_stands_in_the_way_of_those_who_read_otherwise(browser, address, scheme):
    with Visit(browser, address, color_scheme=scheme) as visit:
        page = visit.at("theory")
        expect(page.locator(".arrow").first).to_be_visible()
        page.locator(".arrow").nth(3).press("Enter")
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_stands_in_the_way_on_explore(browser, address, hostile, scheme):
    with Visit(browser, address, color_scheme=scheme) as visit:
        page = visit.at("theory")
        bring(page, hostile)
        page = explore(visit, page)
        page.get_by_label("two scenarios side by side").check()
        ready(page)
        for name in ("Shown", "Protocol", "Gain matrix"):
            page.locator("summary", has_text=re.compile(f"^{name}")).first.click()
        page.get_by_role("button", name="Add an event").click()
        page.get_by_label("Rhythm").select_option("equilibrium")
        page.get_by_role("button", name="Follow the branch").click()
        expect(page.get_by_label("Branch").locator("svg")).to_be_visible(timeout=120_000)
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()


def test_figures_are_one_drawing_that_opens_alone(browser, address, hostile):
    with Visit(browser, address, color_scheme="dark") as visit:
        page = visit.at("theory")
        bring(page, hostile)
        page = explore(visit, page)
        with page.expect_download() as loaded:
            page.get_by_role("button", name="SVG").click()
        text = loaded.value.path().read_text(encoding="utf-8")
        root = ElementTree.fromstring(text)
        figures = root.findall("{http://www.w3.org/2000/svg}svg")
        assert len(figures) == page.locator("[data-settled] svg").count()
        assert "var(" not in text
        assert "class=" not in text
        words = [entry.text for entry in root.iter("{http://www.w3.org/2000/svg}text")]
        assert "SIMULATED" in words
        assert "Line: median of 50 simulated dyads; bands: the middle 50 and 89 % of them." in words


def test_the_loop_can_be_read_with_the_keyboard_alone(browser, address):
    with Visit(browser, address) as visit:
        page = visit.page
        expect(page.locator(".arrow").first).to_be_visible()
        page.keyboard.press("Tab")
        expect(page.locator("#skip")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("main")).to_be_focused()
        arrow = page.locator("[data-arrow=w_trust]")
        arrow.focus()
        page.keyboard.press("Enter")
        panel = page.get_by_label("The chosen arrow")
        expect(panel.get_by_role("heading")).to_have_text("w_trust")
        expect(panel.locator("a").first).to_have_attribute("href", re.compile(r"^https://doi\.org/10\."))
        expect(arrow).to_have_attribute("aria-pressed", "true")
        page.get_by_text("M2 driver").click()
        expect(page.locator("[data-arrow=a_trust]")).to_have_count(0)
        expect(page.locator("[data-arrow=w_trust]")).to_have_count(1)
        assert "hypothesis=driver" in page.url


@pytest.mark.parametrize("width", WIDTHS)
def test_hostile_words_stay_words_and_a_slider_redraws_at_once(browser, address, hostile, width, capsys):
    with Visit(browser, address, width) as visit:
        page = visit.at("theory")
        bring(page, hostile)
        expect(page.locator("main p").get_by_text("window.hurt=1").first).to_be_visible()
        page = explore(visit, page)
        expect(page.get_by_text("onerror=window.hurt").first).to_be_attached()
        assert page.evaluate("window.hurt") is None
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.get_by_text("Numbers", exact=True).click() if width < 960 else None
        times = drag(page, "w_trust", 24)
        with capsys.disabled():
            middle, late = sorted(times)[len(times) // 2], sorted(times)[int(0.95 * len(times))]
            print(f"\n{width} px: {len(times)} figures, from slider to figure p50 {middle:.0f} ms, p95 {late:.0f} ms")
        assert sorted(times)[len(times) // 2] < _SLOWEST
        assert page.evaluate("window.hurt") is None


def test_each_change_is_asked_once_and_bands_only_when_it_rests(browser, address, hostile):
    with Visit(browser, address) as visit:
        page = visit.at("theory")
        bring(page, hostile)
        page = explore(visit, page)
        before, questions = page.url, []
        page.on("request", lambda found: questions.append((found.url.rpartition("/")[2], found.post_data_json)))
        # as an arrow key that is held: it lets go at every step
        page.locator("[data-parameter=w_trust]").evaluate(
            """(slider) => { for (let step = 0; step < 4; step += 1) {
            slider.stepUp(); slider.dispatchEvent(new Event("input")); slider.dispatchEvent(new Event("change"));
            } }"""
        )
        ready(page)
        bands = [body["values"] for name, body in questions if name == "courses" and body["dyads"] > 1]
        moves = [body["values"]["w_trust"] for name, body in questions if name == "courses" and body["dyads"] == 1]
        assert len(moves) == len(set(moves)) <= 4
        assert bands == [{"w_trust": moves[-1]}]
        assert len([name for name, _ in questions if name == "loops"]) == 1
        assert page.url != before


def drag(page, name, steps):
    """Return how long each redraw took while a slider is moved with the mouse [ms]."""
    page.evaluate(
        """() => { window.took = [];
        addEventListener("drawn", (event) => { if (event.detail.dyads === 1) window.took.push(event.detail.ms); }); }"""
    )
    slider = page.locator(f"[data-parameter={name}]")
    if not slider.is_visible():
        page.get_by_text(re.compile("^coefficients")).click()
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, middle)
    page.mouse.down()
    for step in range(steps):
        page.mouse.move(box["x"] + box["width"] * (0.3 + 0.4 * step / steps), middle)
        page.wait_for_timeout(60)
    page.mouse.up()
    ready(page)
    return page.evaluate("window.took")


def test_a_permalink_brings_back_both_scenarios_and_a_broken_one_does_no_harm(browser, address, hostile):
    with Visit(browser, address) as visit:
        page = visit.at("theory")
        bring(page, hostile)
        page = explore(visit, page)
        page.get_by_label("two scenarios side by side").check()
        slider = page.locator("[data-parameter=w_trust]")
        slider.focus()
        page.keyboard.press("End")
        ready(page)
        expect(page.get_by_role("heading", name="Scenario B")).to_be_visible()
        expect(page.get_by_text("SIMULATED").first).to_be_visible()
        with page.expect_download() as loaded:
            page.get_by_role("button", name="CSV").click()
        rows = loaded.value.path().read_text(encoding="utf-8").splitlines()
        assert rows[0].startswith("simulated,scenario")
        assert all(row.startswith("SIMULATED,") for row in rows[1:])
        assert {row.split(",")[1] for row in rows[1:]} == {"A", "B"}
        link = page.url
        page.goto(f"{address}/#/plan")
        page.goto(link)
        ready(page)
        expect(page.get_by_role("heading", name="Scenario B")).to_be_visible()
        largest = page.evaluate("document.querySelector('[data-parameter=w_trust]').max")
        assert f"w_trust = {float(largest):g}" in page.get_by_label("Loops").inner_text()
        page.goto(f"{address}/#/theory/theory=%3Cscript%3E&arrow=%3Cimg%20src%3Dx%3E")
        expect(page.locator(".arrow").first).to_be_visible()
        visit.said[:] = [text for text in visit.said if "404" not in text]  # the theory that the address invents
