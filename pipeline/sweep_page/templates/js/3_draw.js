/* Figures of a trial: the solution (points) over the reference (filled), as SVG. */

const WIDTH = 460, LEFT = 62, RIGHT = 14, TOP = 34;

function ticks(low, high, wanted = 5) {
  const raw = (high - low) / wanted, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((f) => f * power).find((s) => s >= raw * 0.999);
  const found = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k++) found.push(Number((k * step).toPrecision(12)));
  return found;
}

/* A label with `_{...}` set below the line. */
function label(text, attributes) {
  const parts = text.split(/(_\{[^}]*\})/);
  let down = false;
  return svg("text", attributes, parts.filter(Boolean).map((part) => {
    const below = part.startsWith("_{");
    const span = svg("tspan", { dy: below ? "3" : down ? "-3" : null, "font-size": below ? "9" : null }, below ? part.slice(2, -1) : part);
    down = below;
    return span;
  }));
}

function scale(low, high, from, to) {
  return (value) => Number((from + ((value - low) / (high - low)) * (to - from)).toFixed(2));
}

/* An empty panel with axes; `at.x` and `at.y` give places on it. */
function panel(root, box, low, high, bottom, top, yLabel, wanted = 5) {
  const at = { x: scale(low, high, LEFT, WIDTH - RIGHT), y: scale(bottom, top, box.bottom, box.top) };
  const g = svg("g", { class: "axes" });
  for (const t of yLabel ? ticks(bottom, top, wanted) : []) {
    g.append(svg("line", { x1: LEFT - 4, x2: LEFT, y1: at.y(t), y2: at.y(t) }), svg("text", { x: LEFT - 7, y: at.y(t) + 4, "text-anchor": "end" }, number(t)));
  }
  for (const t of ticks(low, high)) {
    g.append(svg("line", { x1: at.x(t), x2: at.x(t), y1: box.bottom, y2: box.bottom + 4 }));
    if (box.labels) g.append(svg("text", { x: at.x(t), y: box.bottom + 16, "text-anchor": "middle" }, number(t)));
  }
  g.append(svg("rect", { x: LEFT, y: box.top, width: WIDTH - LEFT - RIGHT, height: box.bottom - box.top, fill: "none" }));
  const middle = (box.top + box.bottom) / 2;
  g.append(label(yLabel, { x: 12, y: middle, "text-anchor": "middle", transform: `rotate(-90 12 ${middle})`, class: "title" }));
  root.append(g);
  return at;
}

/* What the marks of a figure look like: [reference, solution]. */
const MARKS = {
  filled: (x) => [svg("rect", { x, y: 13, width: 16, height: 9, class: "reference" }), svg("line", { x1: x + 96, x2: x + 96, y1: 11, y2: 25, class: "solution" })],
  points: (x) => [svg("circle", { cx: x + 8, cy: 18, r: 6, class: "reference" })],
  ranges: (x) => [svg("rect", { x, y: 13, width: 16, height: 9, class: "reference" }), svg("line", { x1: x + 86, x2: x + 106, y1: 18, y2: 18, class: "solution" })],
  curves: (x) => [svg("line", { x1: x - 2, x2: x + 18, y1: 18, y2: 18, class: "reference curve" }), svg("line", { x1: x + 86, x2: x + 106, y1: 18, y2: 18, class: "solution curve" })],
};

function legend(root, hasReference, marks = "filled") {
  const x = LEFT + 4 - (hasReference ? 0 : 88);
  const g = svg("g", { class: "legend" });
  g.append(...MARKS[marks](x).filter((mark) => hasReference || !mark.classList.contains("reference")));
  if (hasReference) g.append(svg("text", { x: x + 21, y: 22 }, "reference"));
  if (marks !== "curves") g.append(svg("circle", { cx: x + 96, cy: 18, r: 3, class: "solution" }));
  g.append(svg("text", { x: x + 110, y: 22 }, "solution"));
  root.append(g);
}

function canvas(height, name) {
  return svg("svg", { viewBox: `0 0 ${WIDTH} ${height}`, role: "img", "aria-label": name, class: "chart" });
}

function steps(values, edges, at) {
  let path = `M${at.x(edges[0])},${at.y(0)}`;
  values.forEach((v, i) => { path += `V${at.y(v)}H${at.x(edges[i + 1])}`; });
  return path + `V${at.y(0)}Z`;
}

function histogram(figure, found) {
  const width = (figure.high - figure.low) / figure.bins;
  const edges = Array.from({ length: figure.bins + 1 }, (_, i) => figure.low + i * width);
  const ours = figure.reference;
  const every = [ours, found].filter(Boolean).flatMap((c) => c.y.map((v, i) => [v - c.e[i], v + c.e[i]]));
  const most = Math.max(...every.map((v) => v[1])), least = Math.min(0, ...every.map((v) => v[0]));
  const top = most > 0 ? most * 1.08 : 1, bottom = least < 0 ? least * 1.08 : 0;
  const per = figure.y + " / " + number(width, 3) + (figure.unit ? " " + figure.unit : "");
  const root = canvas(330, figure.title + ": solution and reference");
  const at = panel(root, { top: TOP, bottom: 215 }, figure.low, figure.high, bottom, top, per);
  const hidden = (box) => figure.hidden && root.append(svg("rect", { x: at.x(figure.hidden[0]), y: box[0], width: at.x(figure.hidden[1]) - at.x(figure.hidden[0]), height: box[1] - box[0], class: "hidden" }));
  hidden([TOP, 215]);
  if (figure.hidden) root.append(svg("text", { x: (at.x(figure.hidden[0]) + at.x(figure.hidden[1])) / 2, y: TOP + 14, "text-anchor": "middle", class: "note" }, leftInHidden(figure, found) ? "selected events blinded" : "blinded"));
  if (ours) {
    root.append(svg("path", { d: steps(ours.y, edges, at), class: "reference" }));
    bars(root, at, edges, ours, "band");
  }
  if (found) points(root, at, edges, found);
  legend(root, Boolean(ours));
  const ratio = panel(root, { top: 228, bottom: 290, labels: true }, figure.low, figure.high, 0.5, 1.5, "sol. / ref.", 2);
  root.append(svg("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: ratio.y(1), y2: ratio.y(1), class: "unit" }));
  if (ours && found) ratios(root, ratio, edges, ours, found);
  root.append(label(figure.x + (figure.unit ? " [" + figure.unit + "]" : ""), { x: WIDTH - RIGHT, y: 322, "text-anchor": "end", class: "title" }));
  return root;
}

/* Whether events are shown in the blinded range: those that the selection would not keep. */
function leftInHidden(figure, found) {
  const width = (figure.high - figure.low) / figure.bins;
  const inside = (i) => { const x = figure.low + (i + 0.5) * width; return x > figure.hidden[0] && x < figure.hidden[1]; };
  return [figure.reference, found].filter(Boolean).some((c) => c.y.some((v, i) => v && inside(i)));
}

function hiddenText(figure, found) {
  if (!figure.hidden) return "";
  const range = `between ${number(figure.hidden[0])} and ${number(figure.hidden[1])} ${figure.unit}`;
  return leftInHidden(figure, found) ? ` Selected events ${range} are blinded: those shown there do not pass the selection.` : ` Blinded ${range}.`;
}

/* Uncertainty of the reference: sqrt(N), or the square root of the sum of squared weights. */
function bars(root, at, edges, contents, kind) {
  contents.y.forEach((v, i) => {
    if (!contents.e[i]) return;
    const high = at.y(v + contents.e[i]), low = at.y(v - contents.e[i]);
    root.append(svg("rect", { x: at.x(edges[i]), y: high, width: at.x(edges[i + 1]) - at.x(edges[i]), height: Math.max(0, low - high), class: kind }));
  });
}

function points(root, at, edges, contents) {
  const g = svg("g", { class: "solution" });
  contents.y.forEach((v, i) => {
    if (!v && !contents.e[i]) return;
    const x = (at.x(edges[i]) + at.x(edges[i + 1])) / 2;
    g.append(svg("line", { x1: x, x2: x, y1: at.y(v + contents.e[i]), y2: at.y(v - contents.e[i]) }), svg("circle", { cx: x, cy: at.y(v), r: 2.6 }));
  });
  root.append(g);
}

/* Both come from the same events: the band is the reference's own uncertainty, points have none. */
function ratios(root, at, edges, ours, found) {
  const clamp = (v) => Math.min(1.5, Math.max(0.5, v));
  const g = svg("g", { class: "solution" });
  ours.y.forEach((v, i) => {
    if (!(v > 0)) return;
    const spread = ours.e[i] / v, x = (at.x(edges[i]) + at.x(edges[i + 1])) / 2, r = found.y[i] / v;
    const high = at.y(clamp(1 + spread)), low = at.y(clamp(1 - spread));
    root.append(svg("rect", { x: at.x(edges[i]), y: high, width: at.x(edges[i + 1]) - at.x(edges[i]), height: low - high, class: "band" }));
    if (r > 1.5 || r < 0.5) {
      const y = at.y(clamp(r)), d = r > 1.5 ? 5 : -5;
      g.append(svg("path", { d: `M${x - 4},${y + d}L${x},${y}L${x + 4},${y + d}Z` }));
    } else g.append(svg("circle", { cx: x, cy: at.y(r), r: 2.2 }));
  });
  root.append(g);
}

function scan(figure, found) {
  const ours = figure.reference, both = [ours, found].filter(Boolean);
  const values = both.flatMap((s) => [s.inclusive, s.combined, ...s.steps.map((p) => p[1])]);
  const low = Math.min(...values), high = Math.max(...values), room = (high - low || Math.abs(high) || 1) * 0.15;
  const root = canvas(290, "Search for boundaries: combined significance against boundary");
  const at = panel(root, { top: TOP, bottom: 245, labels: true }, 0, 1, low - room, high + room, "combined significance Z");
  both.forEach((s) => {
    const kind = s === ours ? "reference" : "solution", size = s === ours ? 6 : 3;
    root.append(svg("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: at.y(s.inclusive), y2: at.y(s.inclusive), class: kind + " dashed" }));
    for (const [x, z, accepted] of s.steps) root.append(svg("circle", { cx: at.x(x), cy: at.y(z), r: size, class: kind + (accepted ? "" : " open") }));
  });
  legend(root, Boolean(ours), "points");
  root.append(svg("text", { x: WIDTH - RIGHT, y: 280, "text-anchor": "end", class: "title" }, "boundary in the classifier score"));
  return root;
}

function categories(figure, found) {
  const ours = figure.reference, both = [ours, found].filter(Boolean);
  const high = Math.max(...both.flatMap((c) => c.rows.map((r) => r[2])), 0) * 1.1 || 1;
  const root = canvas(290, "Significance of each category");
  const at = panel(root, { top: TOP, bottom: 245, labels: true }, 0, 1, 0, high, "significance Z of the category");
  if (ours) for (const [a, b, z] of ours.rows) root.append(svg("rect", { x: at.x(a), y: at.y(z), width: at.x(b) - at.x(a), height: at.y(0) - at.y(z), class: "reference" }));
  if (found) for (const [a, b, z] of found.rows) {
    root.append(svg("line", { x1: at.x(a), x2: at.x(b), y1: at.y(z), y2: at.y(z), class: "solution" }), svg("circle", { cx: (at.x(a) + at.x(b)) / 2, cy: at.y(z), r: 3, class: "solution" }));
  }
  legend(root, Boolean(ours), "ranges");
  root.append(svg("text", { x: WIDTH - RIGHT, y: 280, "text-anchor": "end", class: "title" }, "classifier score"));
  return root;
}

function strength(figure, found) {
  const rows = [["reference", figure.reference], ["solution", found]].filter((r) => r[1]);
  const ends = rows.flatMap(([, m]) => [m.mu + m.error[0], m.mu + m.error[1], ...m.interval]);
  const low = Math.min(0, ...ends), high = Math.max(1, ...ends), room = (high - low) * 0.06;
  const root = canvas(150, "Signal strength with its intervals");
  const at = panel(root, { top: 14, bottom: 105, labels: true }, low - room, high + room, 0, 1, "");
  root.append(svg("line", { x1: at.x(1), x2: at.x(1), y1: 14, y2: 105, class: "unit" }));
  rows.forEach(([kind, m], i) => {
    const y = 42 + i * 36;
    if (m.interval.length) root.append(svg("line", { x1: at.x(m.interval[0]), x2: at.x(m.interval[1]), y1: y, y2: y, class: kind + " thin" }));
    root.append(svg("line", { x1: at.x(m.mu + m.error[0]), x2: at.x(m.mu + m.error[1]), y1: y, y2: y, class: kind + " thick" }));
    root.append(svg("circle", { cx: at.x(m.mu), cy: y, r: 4, class: kind }));
    const least = Math.min(...m.error.map(Math.abs).filter((e) => e > 0));
    const places = Number.isFinite(least) ? Math.max(0, 1 - Math.floor(Math.log10(least))) : 2;
    const written = (v) => v.toFixed(places).replace("-", "−");
    const text = `${kind}: μ = ${written(m.mu)} +${written(m.error[1])} ${written(m.error[0])}`;
    root.append(svg("text", { x: LEFT + 8, y: y - 9 }, text));
  });
  root.append(svg("text", { x: WIDTH - RIGHT, y: 140, "text-anchor": "end", class: "title" }, "signal strength μ (thick: 68 %, thin: 95 %)"));
  return root;
}

function profile(figure, found) {
  const both = [["reference", figure.reference], ["solution", found]].filter((r) => r[1]);
  const x = both.flatMap(([, p]) => p.points.map((q) => q[0]));
  const root = canvas(290, "Profile likelihood of the signal strength");
  const at = panel(root, { top: TOP, bottom: 245, labels: true }, Math.min(...x), Math.max(...x), 0, 10, "2ΔNLL");
  for (const [y, text] of [[1, "68 %"], [3.84, "95 %"]]) {
    root.append(svg("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: at.y(y), y2: at.y(y), class: "unit" }), svg("text", { x: WIDTH - RIGHT - 4, y: at.y(y) - 4, "text-anchor": "end", class: "note" }, text));
  }
  for (const [kind, p] of both) {
    const shown = p.points.filter((q) => q[1] <= 10);
    root.append(svg("polyline", { points: shown.map((q) => at.x(q[0]) + "," + at.y(q[1])).join(" "), fill: "none", class: kind + " curve" }));
  }
  legend(root, Boolean(figure.reference), "curves");
  root.append(svg("text", { x: WIDTH - RIGHT, y: 280, "text-anchor": "end", class: "title" }, "signal strength μ"));
  return root;
}

const FITTED = {
  true: "Fitted to the data themselves: the run is not blinded (unblind=true).",
  false: "Fitted to expected (Asimov) data, made of sidebands and simulation: no blinded event is in it.",
};
const TELLS = {
  scan: "Combined significance when a boundary is added; full points: accepted, open ones: they gain too little. Dashed: without any boundary.",
  categories: "Significance of each category over its range of the score.",
  strength: "The line at 1 is the Standard Model's.",
  profile: "Crossings with the dashed lines are the ends of the intervals.",
};
const DRAWN = { histogram, scan, categories, strength, profile };
const TITLES = { scan: "Search for boundaries", categories: "Categories", strength: "Signal strength", profile: "Profile likelihood" };

function contentsText(contents, weighted) {
  if (!contents) return "no such table";
  const beside = contents.below || contents.above ? `, beside the axis ${number(contents.below)} and ${number(contents.above)}` : "";
  const lost = contents.lost ? `, ${plural(contents.lost, "row")} without a finite value` : "";
  return plural(contents.rows, "row") + (weighted ? `, sum of weights ${number(contents.sum, 5)}` : "") + beside + lost;
}

/* A figure with its caption. */
function figureView(figure, found) {
  const name = figure.title || TITLES[figure.kind];
  const caption = el("figcaption", {}, el("b", {}, name[0].toUpperCase() + name.slice(1) + ". "), TELLS[figure.kind] || "");
  if (figure.kind === "strength" || figure.kind === "profile") caption.append(" " + FITTED[figure.observed]);
  if (figure.kind === "histogram") {
    caption.append(`Reference: ${contentsText(figure.reference, figure.weighted)}. Solution: ${contentsText(found, figure.weighted)}. ` +
      `Bars (solution) and grey bands (reference): ${figure.weighted ? "square root of the sum of squared weights" : "√N"}. Triangles: ratios beyond the axis.` + hiddenText(figure, found));
  }
  return el("figure", { class: "half" }, DRAWN[figure.kind](figure, found), caption);
}
