/* Sorting of tables, moving in the heat map, and which rows the filters leave. */

const OUTCOMES = { passed: "passed", failed: "failed", not_reached: "not reached", reference: "reference", missing: "not computed yet" };

function sortValue(row, column) {
  const cell = row.cells[column];
  const value = cell.dataset.value;
  if (value === undefined) return cell.textContent.trim().toLowerCase();
  return value === "" ? null : Number(value);
}

/* Unknown values stay last whichever way is sorted; equal ones keep their order. */
function compare(a, b, sign) {
  if (a === null || b === null) return (a === null) - (b === null);
  if (typeof a === "number" && typeof b === "number") return sign * (a - b);
  return sign * String(a).localeCompare(String(b), "en");
}

function sortBy(table, head) {
  const up = head.getAttribute("aria-sort") === "descending" || (head.getAttribute("aria-sort") !== "ascending" && head.dataset.first === "up");
  const sign = up ? 1 : -1, column = head.cellIndex, body = table.tBodies[0];
  for (const other of head.parentNode.cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", up ? "ascending" : "descending");
  const rows = [...body.rows].map((row, i) => ({ row, i, value: sortValue(row, column) }));
  rows.sort((a, b) => compare(a.value, b.value, sign) || a.i - b.i);
  body.append(...rows.map((r) => r.row));
}

function makeSortable(table) {
  for (const head of table.tHead.rows[table.tHead.rows.length - 1].cells) {
    const button = head.querySelector("button");
    if (button) button.addEventListener("click", () => sortBy(table, head));
  }
}

/* The arrow keys move between the buttons of the heat map; one of them is in the tab order. */
function makeGrid(table) {
  const grid = () => [...table.tBodies[0].rows].filter((r) => !r.hidden).map((r) => [...r.querySelectorAll("button")]);
  table.addEventListener("keydown", (event) => {
    const move = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    const rows = grid(), at = rows.findIndex((r) => r.includes(document.activeElement));
    if (!move || at < 0) return;
    event.preventDefault();
    const column = rows[at].indexOf(document.activeElement) + move[1];
    const next = rows[at + move[0]] && rows[at + move[0]][column];
    if (!next) return;
    document.activeElement.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  });
}

const filterForm = document.getElementById("filter");

function chosen() {
  const get = (name) => filterForm.elements[name].value;
  return { text: get("text").trim().toLowerCase(), stage: get("stage"), model: get("model"), outcome: get("outcome") };
}

/* Whether a row of a table that Python made stays; its data say what it is about. */
function stays(row, wanted) {
  const about = row.dataset;
  if (wanted.text && !(about.text || "").toLowerCase().includes(wanted.text)) return false;
  if (wanted.model && about.models !== undefined && !about.models.split("\n").includes(wanted.model)) return false;
  if (wanted.outcome && about.outcomes !== undefined && !about.outcomes.split(" ").includes(wanted.outcome)) return false;
  if (about.only !== undefined) return !wanted.stage || about.only === wanted.stage;
  if (about.stage === undefined) return true;
  return about.stage === wanted.stage;
}

function filterTables(wanted) {
  for (const row of document.querySelectorAll("table.filtered > tbody > tr")) row.hidden = !stays(row, wanted);
  for (const cell of document.querySelectorAll("#heatmap [data-column]")) cell.classList.toggle("faded", Boolean(wanted.stage) && cell.dataset.column !== wanted.stage);
  for (const table of document.querySelectorAll("table.filtered")) {
    const none = ![...table.tBodies[0].rows].some((r) => !r.hidden);
    const note = table.parentNode.querySelector(".none");
    if (note) note.hidden = !none;
  }
}
