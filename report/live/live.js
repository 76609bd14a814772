"use strict";
// The page of runs: statuses arrive as server-sent events; the pictures of the run that is shown are
// fetched again when its version changes.
(function () {
  const link = document.getElementById("link");
  const rows = document.getElementById("runs");
  const body = document.getElementById("body");
  const title = document.getElementById("shown");
  const keep = document.getElementById("keep");
  let shown = null; // id
  let version = -1;
  let ended = false;

  function cell(tr, text) {
    const td = document.createElement("td");
    td.textContent = text;
    tr.append(td);
    return td;
  }

  function button(td, run, order, label, enabled) {
    const b = document.createElement("button");
    b.type = "button";
    b.textContent = label;
    b.className = order;
    b.id = order + "-" + run.id;
    b.disabled = !enabled;
    b.setAttribute("aria-label", label + " " + run.name);
    b.addEventListener("click", function () { tell(run, order, b); });
    td.append(b);
  }

  async function tell(run, order, b) {
    if (order === "stop" && !window.confirm("Stop " + run.name + "? Everything up to the last whole generation is saved.")) return;
    b.disabled = true;
    const answer = await fetch("/runs/" + run.id + "/" + order, { method: "POST" }).catch(function () { return null; });
    say(answer && answer.ok ? order + ": the run has been told" : "not done: " + (answer ? (await answer.text()).trim() : "no answer"), !(answer && answer.ok));
  }

  function say(text, bad) {
    if (link.textContent !== text) link.textContent = text;
    link.className = bad ? "lost" : "";
  }

  function draw(runs) {
    const focus = document.activeElement && document.activeElement.id;
    const made = runs.map(function (run) {
      const tr = document.createElement("tr");
      if (run.id === shown) tr.setAttribute("aria-current", "true");
      const open = document.createElement("button");
      open.type = "button";
      open.className = "open";
      open.id = "open-" + run.id;
      open.textContent = run.name;
      open.addEventListener("click", function () { show(run); });
      cell(tr, "").append(open);
      const state = document.createElement("span");
      state.className = "state " + run.state;
      state.textContent = run.state;
      cell(tr, "").append(state);
      const td = cell(tr, "");
      if (run.read_only) {
        td.textContent = "read only";
      } else {
        button(td, run, "pause", "Pause", run.state === "running");
        button(td, run, "resume", "Resume", run.state === "paused" || run.state === "pausing");
        button(td, run, "stop", "Stop", run.state === "running" || run.state === "paused" || run.state === "pausing");
      }
      const done = cell(tr, run.generation + " of " + run.generations);
      done.className = "n";
      const bar = document.createElement("progress");
      bar.max = Math.max(1, run.generations);
      bar.value = run.generation;
      bar.setAttribute("aria-label", "Generations of " + run.name);
      done.append(bar);
      cell(tr, run.best === null ? "–" : run.best.toFixed(4)).className = "n";
      cell(tr, run.evaluations.toLocaleString("en")).className = "n";
      cell(tr, run.error || run.phase);
      return tr;
    });
    rows.replaceChildren.apply(rows, made);
    if (focus && document.getElementById(focus)) document.getElementById(focus).focus();
  }

  function show(run) {
    shown = run.id;
    version = -1;
    title.textContent = run.name;
    document.title = run.name + " – rsie";
    pictures(run);
  }

  async function pictures(run) {
    if (run.version === version) return;
    version = run.version;
    const answer = await fetch("/runs/" + run.id + "/body").catch(function () { return null; });
    if (!answer || !answer.ok) { version = -1; return; }
    const text = await answer.text();
    if (run.id !== shown) return;
    const open = new Set(Array.from(body.querySelectorAll("figure details[open]"), function (d) { return d.parentElement.id; }));
    body.innerHTML = text; // our own server's, in which every name is escaped
    body.querySelectorAll("figure details").forEach(function (d) { d.open = open.has(d.parentElement.id); });
    keep.href = "/runs/" + run.id + "/report.html";
    keep.hidden = false;
  }

  const source = new EventSource("/events");
  source.onopen = function () { say("Connected", false); };
  source.onmessage = function (e) {
    const runs = JSON.parse(e.data);
    draw(runs);
    const run = runs.find(function (r) { return r.id === shown; }) || runs.find(function (r) { return r.state === "running"; }) || runs[0];
    if (!run) return;
    if (shown === null) show(run); else pictures(run);
  };
  source.addEventListener("end", function () {
    ended = true;
    source.close();
    say("The program has ended; what is shown is its last state", false);
    rows.querySelectorAll("button").forEach(function (b) { if (b.className !== "open") b.disabled = true; });
  });
  source.onerror = function () { if (!ended) say("Connection lost; trying again", true); };
})();
