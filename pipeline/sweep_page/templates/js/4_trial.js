/* One trial of one stage: figures, verdict, rounds, files; shown in a dialog. */

const KINDS = { code: "code", printed: "text", unread: "text" };

function sentences(text) {
  return el("ul", {}, text.split("\n").filter((line) => line.trim()).map((line) => el("li", {}, line)));
}

function codeView(text, marked) {
  const lines = text.replace(/\n$/, "").split("\n");
  return el("pre", { class: "code", tabindex: "0" }, lines.map((line, i) => el("span", { class: i + 1 === marked ? "here" : null }, line + "\n")));
}

function cutNote(part, base) {
  if (!part.cut) return null;
  return el("p", { class: "cut" }, `[cut here: ${plural(part.cut, "character")} more are in `, link(base + "trajectory.jsonl", "trajectory.jsonl"), "]");
}

/* A module, with buttons that choose between the whole and what changed since the round before. */
function moduleView(part, text, before) {
  if (before === null) return codeView(text, part.line);
  const place = el("div", {});
  const buttons = [
    ["Changes since the round before", () => differenceView(before, text)],
    ["Whole module", () => codeView(text, part.line)],
  ].map(([name, make]) => el("button", { type: "button", onclick: (event) => choose(event.currentTarget, make) }, name));
  function choose(button, make) {
    buttons.forEach((b) => b.setAttribute("aria-pressed", String(b === button)));
    place.replaceChildren(make());
  }
  choose(buttons[0], () => differenceView(before, text));
  return el("div", {}, el("div", { class: "choice", role: "group", "aria-label": "How the module is shown" }, buttons), place);
}

async function roundsView(doc, base) {
  const place = el("section", { class: "rounds" }, el("h3", {}, "Rounds"));
  if (doc.note) place.append(el("p", { class: "cut" }, doc.note));
  if (!doc.rounds.length) place.append(el("p", {}, "No round was recorded."));
  if (doc.faults) place.append(el("p", { class: "cut" }, plural(doc.faults, "fault") + " of the machinery on the way; see trajectory.jsonl."));
  let before = null;
  for (const round of doc.rounds) {
    const box = el("div", { class: "round" });
    for (const part of round.parts) {
      const text = await piece(part.x);
      box.append(el("h5", { class: part.tone || null }, part.t));
      if (part.k === "code") {
        box.append(moduleView(part, text, before));
        before = text;
      } else box.append(KINDS[part.k] === "text" || part.k === "words" ? el("pre", { tabindex: "0" }, text) : sentences(text));
      box.append(cutNote(part, base) || "");
    }
    const tokens = round.tokens[0] + round.tokens[1];
    const about = plural(round.calls, "call") + (tokens ? `, ${number(round.tokens[0])} tokens asked, ${number(round.tokens[1])} answered` : "");
    place.append(el("h4", {}, "Round " + round.n + " ", el("small", {}, about)), box);
  }
  return place;
}

function checksTable(name, checks, left, counts, base) {
  if (!checks.length && !left) return null;
  const rows = checks.map(([passed, what, expected, found, detail, rung]) => el("tr", {},
    el("td", { class: passed ? "good" : "bad" }, passed ? "passed" : "failed"), el("td", {}, what), el("td", {}, rung || "–"),
    el("td", {}, expected), el("td", {}, found), el("td", {}, detail)));
  const head = ["", "check", "rung", "expected", "found", "detail"].map((t) => el("th", { scope: "col" }, t));
  const table = el("div", { class: "scroll" }, el("table", {}, el("caption", {}, el("b", {}, name + ". "), `${number(counts[0])} passed, ${number(counts[1])} failed.`), el("thead", {}, el("tr", {}, head)), el("tbody", {}, rows)));
  if (left) table.append(el("p", { class: "cut" }, `[cut here: ${plural(left, "check")} more in `, link(base + "verdict.json", "verdict.json"), "]"));
  return table;
}

function verdictView(verdict, base) {
  const place = el("section", {}, el("h3", {}, "Verdict"));
  if (verdict.fault) place.append(el("p", { class: "cut" }, verdict.fault));
  const tables = [
    checksTable("Checks", verdict.checks, verdict.checks_left, verdict.checks_count, base),
    checksTable("Fabrication guard", verdict.guard, verdict.guard_left, verdict.guard_count, base),
  ].filter(Boolean);
  if (!tables.length && !verdict.fault) place.append(el("p", {}, "The judge made no check."));
  place.append(...tables);
  return place;
}

async function figuresView(doc) {
  const place = el("section", {}, el("h3", {}, "Output over the reference"));
  if (doc.figures_note) place.append(el("p", {}, doc.figures_note));
  const box = el("div", { class: "figures" });
  for (const [figure, solution] of doc.figures) box.append(figureView(await piece(figure), await piece(solution)));
  if (doc.figures.length) place.append(box);
  return place;
}

function trialHead(cell, base, doc) {
  const facts = [
    ["outcome", OUTCOMES[cell.outcome] + (cell.rung ? ", rung " + cell.rung : "")],
    ["rounds, calls", `${number(cell.rounds)}, ${number(cell.calls)}`],
    ["tokens (prompt, completion)", `${number(cell.prompt)}, ${number(cell.completion)}`],
    ["dialogue, execution", `${number(cell.agent_s)} s, ${number(cell.execute_s)} s`],
    ["GPU, cost", `${cell.gpu_s === null ? "not known" : number(cell.gpu_s) + " s"}, ${cell.cost === null ? "not known" : number(cell.cost)}`],
    ["hints not followed", number(cell.hints)],
  ].map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value)));
  const head = el("div", {}, el("dl", { class: "facts" }, facts));
  if (cell.category) {
    head.append(el("p", { class: "reason" }, el("b", {}, `${cell.category}${cell.cause !== cell.category ? " (" + cell.cause + ")" : ""}`), ` · counts against: ${cell.attribution} · `, cell.evidence));
  }
  if (cell.shared) head.append(el("p", {}, "The output was taken over from a run of the same code on the same input."));
  const files = doc ? doc.files.flatMap((name) => [link(base + name, name), " "]) : [];
  head.append(el("p", { class: "files" }, "All of it, with every prompt: ", ...files));
  return head;
}

/* What must be known before anything is read, wherever the dialog is scrolled to. */
async function trialBadges(cell) {
  if (cell.address === null) return [];
  const doc = await piece(cell.address);
  const found = [doc.synthetic && ["Synthetic data", "synthetic"], doc.scripted && ["Scripted replies", "warning"]];
  return found.filter(Boolean).map(([text, kind]) => el("span", { class: "badge " + kind }, text));
}

/* Everything about `cell`, as one element. */
async function trialView(cell) {
  const base = `points/${cell.point}/${cell.stage}/`;
  if (cell.address === null) return el("div", {}, trialHead(cell, base, null), el("p", {}, "Nothing of it is computed yet."));
  const doc = await piece(cell.address);
  const parts = [trialHead(cell, base, doc), await figuresView(doc), verdictView(await piece(doc.verdict), base), await roundsView(doc, base)];
  return el("div", {}, parts);
}
