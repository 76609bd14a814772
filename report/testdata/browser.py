"""Opens the report and the live page in headless Chromium and fails on what a reader would notice.

Usage: browser.py RSIE CHROMIUM FOLDER [report|large|live|watch]. FOLDER gets the runs and a screenshot of each page at
1440 and 390 pixels, light and dark.
"""
import json
import os
import re
import subprocess
import sys
import threading
import time

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

RSIE, CHROMIUM, FOLDER = sys.argv[1:4]
SMALL = ["--suite", "quick", "--meta-population", "8", "--meta-generations", "5", "--base-budget", "300", "--candidates", "16"]


def rsie(*args):
    return subprocess.run([RSIE, *args], cwd=FOLDER, check=True, capture_output=True, text=True).stdout


class Page:
    """A page that remembers what it should not have done."""

    def __init__(self, browser, width, scheme, host):
        self.context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        self.page = self.context.new_page()
        self.width = width
        self.faults = []
        self.page.on("console", lambda m: self.faults.append("console: " + m.text) if m.type in ("error", "warning") else None)
        self.page.on("pageerror", lambda e: self.faults.append(f"error: {e}"))
        self.page.on("request", lambda r: None if r.url.startswith((host, "data:", "blob:null")) else self.faults.append("request: " + r.url))

    def check(self, figures):
        p = self.page
        count = p.evaluate("""() => Array.from(document.querySelectorAll('svg.figure')).filter(s =>
            s.getBoundingClientRect().width > 100 && s.querySelectorAll('path[d^=M], circle, rect').length > 0).length""")
        assert count >= figures, f"{count} figures with data, want {figures}"
        assert "NaN" not in p.content()
        wide = p.evaluate("document.documentElement.scrollWidth")
        assert wide <= self.width, f"the page is {wide} pixels wide on a screen of {self.width}"
        found = Axe().run(p)
        serious = [v for v in found.response["violations"] if v["impact"] in ("serious", "critical")]
        assert not serious, [(v["id"], v["help"], [n["target"] for n in v["nodes"][:3]]) for v in serious]
        assert not self.faults, self.faults

    def keyboard(self):
        """Every control is reached by Tab alone."""
        p = self.page
        wanted = p.evaluate("""() => { let n = 0; for (const e of document.querySelectorAll(
            'a[href], button, summary, [tabindex="0"]')) if (!e.disabled && e.checkVisibility()) e.dataset.stop = n++; return n; }""")
        p.evaluate("() => { document.activeElement.blur(); window.scrollTo(0, 0); }")
        reached = set()
        for _ in range(wanted + 20):
            p.keyboard.press("Tab")
            reached.add(p.evaluate("() => document.activeElement.dataset.stop"))
        missed = p.evaluate("""reached => Array.from(document.querySelectorAll('[data-stop]')).filter(
            e => !reached.includes(e.dataset.stop)).map(e => e.outerHTML.slice(0, 80))""", list(reached - {None}))
        assert wanted > 2 and not missed, f"the keyboard misses {missed} of {wanted}"


def report(browser):
    rsie("evolve", *SMALL, "--out", "a")
    rsie("evolve", *SMALL, "--seed", "2", "--out", "b")
    rsie("explain", "a", "--budget", "200000")
    rsie("report", "a")
    rsie("report", "a", "b")
    rsie("strategy", "show", "a/strategies.json", "--html", "--out", "card.html")
    for name, figures in [("a/report.html", 18), ("compare.html", 3), ("card.html", 0)]:
        for width in (1440, 390):
            for scheme in ("light", "dark"):
                page = Page(browser, width, scheme, "file://")
                page.page.goto(f"file://{FOLDER}/{name}")
                page.check(figures)
                if width == 1440 and scheme == "light":
                    page.keyboard()
                shot = os.path.basename(name).replace(".html", "") + f"-{width}-{scheme}.png"
                page.page.screenshot(path=f"{FOLDER}/{shot}", full_page=True)
                page.context.close()
    page = Page(browser, 1440, "light", "file://")
    page.page.goto(f"file://{FOLDER}/a/report.html")
    page.page.emulate_media(media="print")
    assert page.page.locator("nav").is_hidden(), "the print has no navigation"
    pdf = page.page.pdf()
    assert pdf.startswith(b"%PDF") and len(pdf) > 50_000
    with open(f"{FOLDER}/report.pdf", "wb") as f:
        f.write(pdf)
    page.context.close()


def large(browser):
    """A run of 100,000 evaluations and more than 600 strategies is drawn; the times are printed, the size is bounded."""
    rsie("evolve", "--tasks", "iris,wine", "--meta-population", "40", "--meta-generations", "36", "--candidates", "40", "--base-budget", "60",
         "--runs-per-task", "1", "--out", "large")
    shown = json.loads(rsie("show", "large", "--json"))
    began, before = time.time(), os.times()
    rsie("report", "large")
    seconds, after = time.time() - began, os.times()
    own = after.children_user + after.children_system - before.children_user - before.children_system
    size = os.path.getsize(f"{FOLDER}/large/report.html")
    assert size <= 3_000_000, size
    page = Page(browser, 1440, "light", "file://")
    page.page.goto(f"file://{FOLDER}/large/report.html")
    drawn = page.page.evaluate("() => performance.timing.loadEventEnd - performance.timing.navigationStart") / 1000
    page.check(14)
    facts = dict(zip(page.page.locator("header dt").all_inner_texts(), page.page.locator("header dd").all_inner_texts()))
    assert int(facts["strategies tried"]) >= 600, facts
    assert shown["generations"][-1]["evaluations"] >= 100_000, shown["generations"][-1]
    page.page.screenshot(path=f"{FOLDER}/large-1440-light.png", full_page=True)
    page.context.close()
    print(f"report of {facts['strategies tried']} strategies: {seconds:.2f} s, {own:.2f} s of them computing; "
          f"the browser draws it in {drawn:.2f} s; {size / 1000:.0f} kB")


class Run:
    """rsie evolve --live in the background, with the addresses that it prints."""

    def __init__(self):
        self.process = subprocess.Popen([RSIE, "evolve", "--suite", "quick", "--meta-generations", "400", "--meta-population", "12",
                                         "--candidates", "12", "--base-budget", "400", "--out", "live", "--live"],
                                        cwd=FOLDER, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.links = []
        self.arrived = threading.Condition()
        self.text = ""
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stderr:
            self.text += line
            if m := re.match(r"page: (\S+)", line):
                with self.arrived:
                    self.links.append(m[1])
                    self.arrived.notify_all()

    def link(self, number):
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.links) > number, timeout=30), self.text
        return self.links[number]


def wait(p, condition):
    """Waits for a condition in the page, without eval, which the page's policy forbids."""
    for _ in range(600):
        if p.evaluate("() => " + condition):
            return
        p.wait_for_timeout(100)
    raise AssertionError("not within a minute: " + condition)


def live(browser):
    run = Run()
    first = run.link(0)
    host = first.split("/?")[0] + "/"
    page = Page(browser, 1440, "light", host)
    p = page.page
    p.on("dialog", lambda d: d.accept())
    p.goto(first)
    p.wait_for_selector("svg.figure", timeout=60_000)
    wait(p, "document.querySelector('#runs td:nth-child(4)').textContent.split(' ')[0] > 2")
    wait(p, "document.querySelectorAll('svg.figure').length > 8")
    page.check(8)
    p.screenshot(path=f"{FOLDER}/live-1440-light.png", full_page=True)
    phone = Page(browser, 390, "dark", host)
    phone.page.goto(run.link(1))
    phone.page.wait_for_selector("svg.figure", timeout=60_000)
    phone.check(8)
    phone.page.screenshot(path=f"{FOLDER}/live-390-dark.png", full_page=True)
    phone.context.close()

    rsie("report", "live")
    begun = Page(browser, 1440, "light", "file://")
    begun.page.goto(f"file://{FOLDER}/live/report.html")
    begun.check(8)
    assert "generation" in begun.page.locator("header dd").first.inner_text(), "the report of a run under way says so"
    begun.context.close()

    p.focus("#pause-0")
    p.keyboard.press("Enter")
    wait(p, "document.querySelector('#runs .state').textContent === 'paused'")
    p.wait_for_timeout(1500)  # the last pictures of what was stored
    page.keyboard()
    stored = rsie("show", "live", "--json")
    p.wait_for_timeout(2500)
    assert rsie("show", "live", "--json") == stored, "a paused run stores nothing"
    p.click("#resume-0")
    wait(p, "document.querySelector('#runs .state').textContent === 'running'")
    p.click("#stop-0")
    run.process.wait(timeout=60)
    assert run.process.returncode == 3, (run.process.returncode, run.text)
    wait(p, "document.getElementById('link').textContent.startsWith('The program has ended')")
    assert not page.faults, page.faults
    page.context.close()
    assert "rsie resume live" in run.text
    assert "not finished" in rsie("show", "live")
    left = sorted(os.listdir(f"{FOLDER}/live"))
    assert not [f for f in left if f.startswith("live.")], left


def watch(browser):
    """rsie watch lists runs of other processes; read only, it has no buttons but those that choose a run."""
    process = subprocess.Popen([RSIE, "watch", ".", "--read-only"], cwd=FOLDER, stderr=subprocess.PIPE, text=True)
    try:
        link = re.match(r"page: (\S+)", process.stderr.readline())[1]
        page = Page(browser, 1440, "light", link.split("/?")[0] + "/")
        p = page.page
        p.goto(link)
        p.wait_for_selector("svg.figure", timeout=60_000)
        names = p.locator("#runs .open").all_inner_texts()
        assert {"a", "b"} <= {os.path.basename(n) for n in names}, names
        assert p.locator("#runs button:not(.open)").count() == 0, "no orders"
        page.check(8)
        p.locator("#runs .open").nth(1).click()
        wait(p, "document.getElementById('shown').textContent === " + json.dumps(names[1]))
        p.wait_for_timeout(1000)
        page.check(8)
        p.screenshot(path=f"{FOLDER}/watch-1440-light.png")
        page.context.close()
    finally:
        process.terminate()
        process.wait(timeout=30)


with sync_playwright() as play:
    browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
    for part in sys.argv[4:] or ["report", "large", "live", "watch"]:
        {"report": report, "large": large, "live": live, "watch": watch}[part](browser)
    browser.close()
print("looked at: report, comparison, card, live page; pictures in", FOLDER)
