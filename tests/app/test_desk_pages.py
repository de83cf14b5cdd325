"""The pages Study, Plan and Evidence in a real browser."""

import re
import shutil

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from dyadloop.app.commands import Fit
from dyadloop.evidence import edge_evidence
from tests.app.chromium import chromium, served
from tests.app.test_imports import HURT, ROWS
from tests.inference.small import make, shorten

DROP = """([selector, name, text]) => {
  const data = new DataTransfer();
  data.items.add(new File([text], name, { type: "text/csv" }));
  document.querySelector(selector).dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
}"""
CURVES = """async () => {
  const { shares, legend } = await import("/static/figures.js");
  const point = (x, y) => ({ x, y, low: Math.max(0, y - 0.1), high: Math.min(1, y + 0.1) });
  const series = [{ name: "C1", points: [point(20, 0), point(60, 0.5)] }, { name: "C2", points: [point(20, 1), point(60, 0.25)] }];
  document.getElementById("main").replaceChildren(legend(["C1", "C2"]), shares(series, { label: "curves", axisLabel: "dyads" }));
}"""
FITS = "tests.app.stand_in"
expect.set_options(timeout=20_000)  # a loaded machine reads and imports slowly


@pytest.fixture(scope="module")
def studies(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    tiny = shorten(make(folder / "tiny", ["trust"]), 4)
    hostile, faulty = folder / "hostile", folder / "faulty"
    shutil.copytree(tiny, hostile)
    text = (hostile / "study.yaml").read_text()
    (hostile / "study.yaml").write_text(text.replace("title: SIMULATED study", f"title: {HURT} study"))
    for name in ("participants", "measurements"):
        path = hostile / f"{name}.tsv"
        path.write_text(path.read_text().replace("\tD1", f"\t{HURT}1").replace("\nD1", f"\n{HURT}1"))
    shutil.copytree(tiny, faulty)
    path = faulty / "measurements.tsv"
    path.write_text(path.read_text().replace("\ttrust\t", f"\t{HURT}\t", 1))
    return tiny, hostile, faulty


@pytest.fixture(scope="module")
def address(studies, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Fit, "words", lambda self, study: [FITS, "{folder}", "10", "0.15"])
        patch.setattr(Fit, "total", 100)
        with served(tmp_path_factory.mktemp("work"), *studies) as found:
            yield found


@pytest.fixture(scope="module")
def browser():
    with chromium() as found:
        yield found


@pytest.fixture
def page(browser, address):
    context = browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True, base_url=address)
    found = context.new_page()
    found.errors = []
    found.on("pageerror", lambda error: found.errors.append(str(error)))
    found.on("dialog", lambda dialog: found.errors.append(dialog.message))
    found.goto("/?token=secret")
    yield found
    assert found.errors == []
    assert found.evaluate("window.hurt") is None
    assert found.locator("img").count() == 0, "no text became an element"
    context.close()


def opened(page, name):
    page.goto("/#/study")
    page.get_by_role("link", name=name).click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def accessible(page):
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_an_export_is_dropped_corrected_and_written(page):
    page.goto("/#/study")
    page.get_by_role("link", name="Bring in a table").click()
    page.wait_for_selector(".drop")
    page.evaluate(DROP, [".drop", "practice.csv", ROWS])
    expect(page.get_by_text("1 question is open")).to_be_visible()
    expect(page.get_by_text("its heading; 3 different entries")).to_be_visible()
    expect(page.get_by_role("button", name="Preview")).to_be_disabled()
    for row in page.get_by_role("table", name="Columns that are taken as measurements").locator("tbody tr").all():
        assert row.bounding_box()["height"] < 80, "no reason is squeezed into a narrow column"
    assert page.evaluate("[...document.querySelectorAll('.wide')].every((box) => box.scrollWidth <= box.clientWidth)")
    expect(page.get_by_role("table", name="Why they are taken so")).to_contain_text("guess, to be confirmed")
    page.get_by_label("Minutes of a session").fill("50")
    page.get_by_label("Minutes of a session").press("Tab")
    page.get_by_label("The numbers are made up").check()
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_text("3 persons, 6 sessions, 11 values.")).to_be_visible()
    accessible(page)
    page.get_by_role("button", name="Write the study").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("^practice"))
    expect(page.get_by_text("SIMULATED").first).to_be_visible()


def test_what_is_half_typed_stays_when_the_answer_to_the_field_before_comes(page):
    page.goto("/#/study")
    page.goto("/#/study/import")
    page.wait_for_selector(".drop")
    page.evaluate(DROP, [".drop", "half.csv", ROWS])
    minutes, title = page.get_by_label("Minutes of a session"), page.get_by_label("Title")
    expect(page.get_by_text("1 question is open")).to_be_visible()
    page.route("**/plan", lambda route: (page.wait_for_timeout(700), route.continue_()), times=1)
    minutes.fill("50")
    title.click()
    title.press("End")
    page.keyboard.type(" of ours")
    expect(page.get_by_role("status").filter(has_text="Reading the table")).to_be_visible()
    expect(page.get_by_text("Every question is answered")).to_be_visible()
    expect(title).to_have_value(re.compile(" of ours$"))
    expect(title).to_be_focused()
    expect(minutes).to_have_value("50")


def test_a_fit_is_started_stopped_resumed_and_its_report_taken(page):
    opened(page, "tiny")
    start = page.get_by_role("button", name="Start the fit")
    start.focus()
    page.keyboard.press("Enter")
    job = page.locator(".job").first
    expect(job).to_contain_text(re.compile(r"at work: sampling [1-9]\d* of 100"), timeout=15000)
    job.get_by_role("button", name="Stop").click()
    expect(job).to_contain_text(
        re.compile(r"interrupted; [1-9]\d* of 100 draws, warm-up included, are kept"), timeout=15000
    )
    job.get_by_role("button", name="Resume").click()
    expect(job).to_contain_text("done in", timeout=20000)
    results = page.locator("#results")
    expect(results).to_contain_text("undecided")
    expect(results).to_contain_text("0.3 [0.1, 0.5]")
    expect(results).to_contain_text(HURT)
    for label in ("Estimates of the tested claims [SD]", "Estimates of the tested claims"):  # no axis for two units
        expect(results.get_by_role("img", name=label, exact=True).locator(".point")).to_have_count(1)
    assert results.get_by_role("cell", name="1", exact=True).count() == 0, "a pure number has no unit"
    accessible(page)
    with page.expect_download() as taken:
        results.get_by_role("link", name="Download the report").click()
    assert taken.value.suggested_filename.endswith("-report.html")
    with page.context.expect_page() as tab:
        results.get_by_role("link", name="Open the report").click()
    expect(tab.value.get_by_role("heading")).to_have_text("SIMULATED report")


def test_faults_name_file_row_and_column_and_nothing_of_them_runs(page):
    opened(page, "faulty")
    expect(page.get_by_role("heading", name="Faults to mend")).to_be_visible()
    faults = page.locator(".faults")
    expect(faults).to_contain_text("measurements.tsv row")
    expect(faults).to_contain_text(HURT)
    assert page.get_by_role("button", name="Start the fit").count() == 0
    accessible(page)


def test_hostile_labels_are_shown_as_text(page):
    opened(page, "hostile")
    expect(page.locator("#main")).to_contain_text(HURT)
    page.wait_for_timeout(300)


def test_who_was_measured_when_is_drawn_and_told(page):
    opened(page, "tiny")
    drawn = page.get_by_role("img", name="Values of each person over time")
    expect(drawn).to_be_visible()
    assert drawn.locator("path").count() > 0
    page.get_by_text("Numbers of values as a table").click()
    assert page.get_by_role("table", name="Values of each person").locator("tbody tr").count() >= 4


def test_the_forest_plot_of_an_arrow_is_drawn_with_its_numbers(page):
    page.goto("/#/evidence")
    page.get_by_role("button", name=re.compile("^alliance to outcome")).click()
    edge = edge_evidence("alliance", "outcome")
    plot = page.get_by_role("img", name="Forest plot of alliance to outcome")
    expect(plot).to_be_visible()
    assert plot.locator("rect.point").count() == len(edge.studies)
    assert plot.locator(".diamond").count() == 1
    expect(page.locator("#arrow")).to_contain_text(
        f"{edge.pooled.estimate:+.2f} [{edge.pooled.low:+.2f}, {edge.pooled.high:+.2f}]"
    )
    page.get_by_label("From", exact=True).select_option("trust")
    expect(page.get_by_text(re.compile(r"^9 of 162 rows|^\d of 162 rows"))).to_be_visible()


def test_a_design_says_its_faults_as_it_is_typed(page):
    page.goto("/#/plan/haifa")
    expect(page.get_by_text("No faults. 592 sessions")).to_be_visible()
    dyads = page.get_by_label("Dyads", exact=True)
    dyads.fill("1")
    expect(page.get_by_role("alert")).to_contain_text("dyads")
    expect(page.get_by_role("button", name="Ask what it can tell")).to_be_disabled()
    dyads.fill("60")
    expect(page.get_by_text("No faults. 960 sessions")).to_be_visible()
    page.get_by_label("One more event").select_option("dose")
    page.get_by_role("button", name="Add").nth(1).click()
    expect(page.locator("legend", has_text="dose")).to_be_visible()
    page.get_by_text("The design as a file").click()
    expect(page.locator("pre").first).to_contain_text("dose:")
    accessible(page)


def test_curves_of_simulated_studies_are_drawn_to_scale(page):
    page.goto("/#/plan")
    page.evaluate(CURVES)
    plot = page.get_by_role("img", name="curves")
    expect(plot.locator("circle")).to_have_count(4)
    heights = [float(mark.get_attribute("cy")) for mark in plot.locator("circle").all()]
    assert heights == [230 - share * 220 for share in (0, 0.5, 1, 0.25)]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_scrolls_sideways_on_a_narrow_screen(page, scheme):
    page.set_viewport_size({"width": 390, "height": 844})
    page.emulate_media(color_scheme=scheme)
    for path in ("study", "study/import", "plan", "plan/proposed", "evidence"):
        page.goto(f"/#/{path}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        page.wait_for_timeout(150)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
    for name in ("tiny", "faulty", "hostile"):
        opened(page, name)
        page.wait_for_timeout(400)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, name
