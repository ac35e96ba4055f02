/* The page: list of trials, the dialog, filters, and addresses that lead to a trial. */

const AT_A_TIME = 100;
let cells = [], listed = [], shown = AT_A_TIME, opened = null;
const dialog = document.getElementById("trial");
const list = document.getElementById("trials-table");

function cellName(cell) {
  return `${cell.config} · ${cell.stage} · trial ${cell.trial}`;
}

function cellAddress(cell) {
  return "#trial=" + encodeURIComponent(cell.point) + "/" + encodeURIComponent(cell.stage);
}

function trialRow(cell) {
  const open = el("button", { type: "button", class: "open", onclick: () => openTrial(cell), "aria-label": "Open " + cellName(cell) }, "open");
  const tone = { passed: "good", failed: "bad" }[cell.outcome] || "muted";
  const values = [cell.trial, cell.rounds, cell.calls, cell.prompt + cell.completion, cell.agent_s + cell.execute_s];
  return el("tr", {},
    el("td", {}, open), el("td", {}, cell.config), el("td", {}, cell.stage),
    ...values.slice(0, 1).map((v) => el("td", { class: "numeric", "data-value": v }, number(v))),
    el("td", { class: tone }, OUTCOMES[cell.outcome]), el("td", {}, cell.rung || "–"),
    el("td", {}, cell.category ? cell.category + (cell.attribution === "model" ? "" : ` (${cell.attribution})`) : "–"),
    ...values.slice(1).map((v) => el("td", { class: "numeric", "data-value": v }, number(v))));
}

function cellStays(cell, wanted) {
  if (wanted.stage && cell.stage !== wanted.stage) return false;
  if (wanted.model && cell.model !== wanted.model) return false;
  if (wanted.outcome && cell.outcome !== wanted.outcome) return false;
  if (wanted.config && cell.config !== wanted.config) return false;
  return !wanted.text || cell.text.includes(wanted.text);
}

function drawList() {
  list.tBodies[0].replaceChildren(...listed.slice(0, shown).map(trialRow));
  for (const head of list.tHead.rows[0].cells) head.removeAttribute("aria-sort");
  document.getElementById("trials-count").textContent = `${number(Math.min(shown, listed.length))} of ${plural(listed.length, "trial")} shown` + (config ? `, of ${config} only` : "") + ".";
  document.getElementById("more").hidden = shown >= listed.length;
  document.getElementById("every-config").hidden = !config;
}

let config = "";

function applyFilters() {
  const wanted = chosen();
  filterTables(wanted);
  listed = cells.filter((cell) => cellStays(cell, { ...wanted, config }));
  shown = AT_A_TIME;
  drawList();
}

/* A cell of the heat map leads to the trials behind it. */
function showCell(button) {
  config = button.dataset.config;
  filterForm.elements.stage.value = button.dataset.stage;
  filterForm.elements.outcome.value = "";
  applyFilters();
  const section = document.getElementById("trials");
  section.scrollIntoView();
  (list.querySelector("button.open") || section.querySelector("h2")).focus();
}

async function openTrial(cell) {
  opened = cell;
  history.replaceState(null, "", cellAddress(cell));
  document.getElementById("trial-title").textContent = cellName(cell);
  const place = document.getElementById("trial-content");
  const badges = document.getElementById("trial-badges");
  badges.replaceChildren();
  place.replaceChildren(el("p", {}, "Unpacking …"));
  if (!dialog.open) dialog.showModal();
  dialog.scrollTop = 0;
  let view, labels = [];
  try {
    view = await trialView(cell);
    labels = await trialBadges(cell);
  } catch (error) {
    view = el("p", { class: "reason" }, `This trial cannot be unpacked here (${error.message}). Its files are in points/${cell.point}/${cell.stage}/.`);
  }
  if (opened !== cell) return;
  badges.replaceChildren(...labels);
  place.replaceChildren(view);
  dialog.dataset.ready = cell.point + "/" + cell.stage;
}

function step(by) {
  const at = listed.indexOf(opened), next = listed[at + by];
  if (at >= 0 && next) openTrial(next);
}

function openAddress() {
  const found = /^#trial=([^/]+)\/([^/]+)$/.exec(location.hash);
  if (!found) return;
  const [point, stage] = found.slice(1).map(decodeURIComponent);
  const cell = cells.find((c) => c.point === point && c.stage === stage);
  if (cell) openTrial(cell);
}

function readCells(table) {
  return table.rows.map((row) => {
    const cell = Object.fromEntries(table.columns.map((name, i) => [name, row[i]]));
    for (const name of table.coded) if (cell[name] !== null) cell[name] = table.words[cell[name]];
    cell.config = cell.setting ? `${cell.model} · ${cell.setting}` : cell.model;
    cell.text = [cell.config, cell.point, cell.stage, cell.category, cell.cause, cell.evidence].join(" ").toLowerCase();
    return cell;
  });
}

async function start() {
  document.querySelectorAll("table.sortable").forEach(makeSortable);
  const map = document.querySelector("#heatmap table");
  if (map) makeGrid(map);
  document.querySelectorAll("#heatmap button").forEach((b) => b.addEventListener("click", () => showCell(b)));
  filterForm.addEventListener("input", applyFilters);
  filterForm.addEventListener("submit", (event) => event.preventDefault());
  filterForm.addEventListener("reset", () => setTimeout(() => { config = ""; applyFilters(); }));
  document.getElementById("more").addEventListener("click", () => { shown += AT_A_TIME; drawList(); });
  document.getElementById("every-config").addEventListener("click", () => { config = ""; applyFilters(); });
  document.getElementById("trial-close").addEventListener("click", () => dialog.close());
  document.getElementById("trial-before").addEventListener("click", () => step(-1));
  document.getElementById("trial-after").addEventListener("click", () => step(1));
  dialog.addEventListener("close", () => { opened = null; delete dialog.dataset.ready; history.replaceState(null, "", location.pathname + location.search); });
  window.addEventListener("hashchange", openAddress);
  if (typeof DecompressionStream === "undefined") {
    document.getElementById("trials-count").textContent = "This browser cannot unpack the trials (it lacks DecompressionStream; any browser from 2023 on has it). All of them are files in points/.";
    document.documentElement.dataset.ready = "without trials";
    return;
  }
  cells = readCells(await unpack("cells"));
  applyFilters();
  document.documentElement.dataset.ready = "yes";
  openAddress();
}

start();
