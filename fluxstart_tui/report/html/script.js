"use strict";
// Zoom, filters, search and the theme; the page can be read without any of it.

const byId = (id) => document.getElementById(id);

// Theme ------------------------------------------------------------------------------------------

const theme = byId("theme");
theme.hidden = false;
theme.addEventListener("click", () => {
  const root = document.documentElement;
  const dark = root.dataset.theme
    ? root.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
});

// Timeline ---------------------------------------------------------------------------------------

function span(seconds) {
  if (seconds < 0.00095) return seconds < 1e-9 ? "0" : `${Math.round(seconds * 1e6)} µs`;
  if (seconds < 0.9995) return `${Number((seconds * 1e3).toPrecision(4))} ms`;
  return seconds < 600 ? `${Number(seconds.toPrecision(5))} s` : `${Math.round(seconds / 60)} min`;
}

function ticks(begin, end) {
  const least = (end - begin) / 7;
  const power = 10 ** Math.floor(Math.log10(least));
  const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= least);
  const found = [];
  for (let n = Math.ceil(begin / step); n * step < end - least / 4; n++) found.push(n * step);
  return found;
}

function zoomable(lanes) {
  const first = Number(lanes.dataset.begin);
  const last = Number(lanes.dataset.end);
  const shapes = [...lanes.querySelectorAll("svg")];
  const axis = lanes.querySelector(".ticks");
  const marks = [...lanes.querySelectorAll(".marks i")];
  const state = document.createElement("output");
  let [begin, end] = [first, last];

  function show(from, to) {
    const width = Math.min(last - first, Math.max(to - from, (last - first) / 5000));
    begin = Math.min(Math.max(first, from), last - width);
    end = begin + width;
    const unit = 100000 / (last - first);
    for (const shape of shapes) {
      const height = shape.viewBox.baseVal.height;
      shape.setAttribute("viewBox", `${(begin - first) * unit} 0 ${width * unit} ${height}`);
    }
    axis.replaceChildren(...ticks(begin, end).map((t) => {
      const tick = document.createElement("span");
      tick.textContent = span(t);
      tick.style.left = `${(100 * (t - begin)) / width}%`;
      return tick;
    }));
    for (const mark of marks) mark.style.left = `${(100 * (mark.dataset.t - begin)) / width}%`;
    state.textContent = `${span(begin)} to ${span(end)}`;
  }
  const zoom = (factor, at = (begin + end) / 2) =>
    show(at - (at - begin) * factor, at + (end - at) * factor);
  const move = (part) => show(begin + part * (end - begin), end + part * (end - begin));
  const launch = Number(lanes.dataset.launch || 0);
  const close = Number(lanes.dataset.close || 0);
  const actions = [
    ["All", () => show(first, last)],
    ...(launch ? [["Launch", () => show(first, launch)]] : []),
    ...(close ? [["End", () => show(close, last)]] : []),
    ["+", () => zoom(0.5), "Zoom in"], ["−", () => zoom(2), "Zoom out"],
    ["←", () => move(-0.25), "Earlier"], ["→", () => move(0.25), "Later"],
  ];
  const tools = document.createElement("div");
  tools.className = "tools";
  for (const [text, action, label] of actions) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = text;
    if (label) button.setAttribute("aria-label", label);
    button.addEventListener("click", action);
    tools.append(button);
  }
  state.setAttribute("aria-live", "polite");
  tools.append(state);
  lanes.before(tools);

  const keys = {
    "+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2), "0": () => show(first, last),
    ArrowLeft: () => move(-0.25), ArrowRight: () => move(0.25),
  };
  lanes.addEventListener("keydown", (event) => {
    if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    keys[event.key]();
  });
  const at = (event) => {
    const box = shapes[0].getBoundingClientRect();
    return begin + ((event.clientX - box.left) / box.width) * (end - begin);
  };
  lanes.addEventListener("wheel", (event) => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    zoom(event.deltaY < 0 ? 0.7 : 1.4, at(event));
  }, { passive: false });
  let from = null;
  lanes.addEventListener("pointerdown", (event) => {
    if (event.target.closest("svg") && event.button === 0) from = at(event);
  });
  lanes.addEventListener("pointerup", (event) => {
    const to = at(event);
    if (from !== null && Math.abs(to - from) > (end - begin) / 100) {
      show(Math.min(from, to), Math.max(from, to));
    }
    from = null;
  });
  show(first, launch && document.querySelector("header .good") ? launch : last);
}

for (const lanes of document.querySelectorAll(".lanes")) {
  if (lanes.querySelector("svg")) zoomable(lanes);
}
for (const hint of document.querySelectorAll("[data-zoom-hint]")) {
  hint.textContent = "Drag over a part, or press + and −, to zoom.";
}

// Output and log ---------------------------------------------------------------------------------

/** Returns ranges of an idset, null if the text is none. */
function ranges(text) {
  const found = [];
  for (const part of text.replace(/[[\]\s]/g, "").split(",").filter(Boolean)) {
    const range = /^(\d+)(?:-(\d+))?$/.exec(part);
    if (!range) return null;
    found.push([Number(range[1]), Number(range[2] ?? range[1])]);
  }
  return found;
}

function overlap(some, others) {
  return some.some(([a, b]) => others.some(([c, d]) => a <= d && c <= b));
}

function cell(kind, text) {
  const made = document.createElement("span");
  made.className = kind;
  made.textContent = text;
  return made;
}

function marked(text, found) {
  const made = cell("x", "");
  let at = 0;
  for (let next; found && (next = text.toLowerCase().indexOf(found, at)) >= 0;) {
    const mark = document.createElement("mark");
    mark.textContent = text.slice(next, next + found.length);
    made.append(text.slice(at, next), mark);
    at = next + found.length;
  }
  made.append(text.slice(at));
  return made;
}

function viewer(form) {
  const name = form.dataset.viewer;
  const part = (id) => byId(`${name}-${id}`);
  const lines = JSON.parse(part("data").textContent).map(([t, ranks, kind, text]) => (
    { t, ranks, kind, text, set: ranges(ranks) ?? [], low: text.toLowerCase() }
  ));
  let shown = 1000;

  function show() {
    const wanted = ranges(part("ranks").value);
    part("ranks").setAttribute("aria-invalid", String(wanted === null));
    const text = part("find").value.toLowerCase();
    const kind = part("kind").value;
    const order = part("kind").dataset.order?.split(",");
    const fits = (line) => !kind || line.kind === kind
      || (order && order.indexOf(line.kind) < order.indexOf(kind));
    const matching = lines.filter((line) => (
      (!wanted?.length || overlap(wanted, line.set))
      && fits(line) && line.low.includes(text)
    ));
    const newest = matching.slice(-shown);
    part("lines").replaceChildren(...newest.map((line) => {
      const row = document.createElement("div");
      row.className = line.kind;
      row.append(
        cell("t", line.t.toFixed(3)), cell("r", line.ranks), cell("s", line.kind),
        marked(line.text, text),
      );
      return row;
    }));
    const some = newest.length < matching.length ? `, the newest ${newest.length} shown` : "";
    part("count").textContent = wanted === null
      ? "no ranks: write 0-3,5"
      : `${matching.length} of ${lines.length} lines${some}`;
    part("older").hidden = !some;
  }
  let timer = 0;
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => { shown = 1000; show(); }, 120);
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  part("older").addEventListener("click", () => { shown *= 4; show(); });
  form.hidden = false;
  form.show = show;
  show();
}

for (const form of document.querySelectorAll("form[data-viewer]")) viewer(form);

for (const link of document.querySelectorAll("a[data-ranks]")) {
  link.addEventListener("click", () => {
    const field = byId("output-ranks");
    if (!field) return;
    field.value = link.dataset.ranks;
    field.form.show();
  });
}

// Copies, and what is folded when the page is printed --------------------------------------------

for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.textContent = "Copied";
  });
}
addEventListener("beforeprint", () => {
  for (const folded of document.querySelectorAll("details")) folded.open = true;
});
