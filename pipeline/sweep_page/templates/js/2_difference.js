/* The difference between two modules, line by line (longest common subsequence). */

const MOST_PAIRS = 4e6;
const CONTEXT = 3;

/* [sign, line, number in the old, number in the new] per line; sign is " ", "-" or "+". */
function difference(before, after) {
  const a = before.split("\n"), b = after.split("\n");
  let start = 0, end = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  const found = [];
  for (let i = 0; i < start; i++) found.push([" ", a[i], i + 1, i + 1]);
  const n = a.length - start - end, m = b.length - start - end;
  const common = n * m <= MOST_PAIRS ? lengths(a, b, start, n, m) : null;
  let i = 0, j = 0;
  while (i < n || j < m) {
    const same = common && i < n && j < m && a[start + i] === b[start + j];
    if (same) {
      found.push([" ", a[start + i], start + ++i, start + ++j]);
    } else if (i < n && (j >= m || !common || common[i + 1][j] >= common[i][j + 1])) {
      found.push(["-", a[start + i], start + ++i, null]);
    } else {
      found.push(["+", b[start + j], null, start + ++j]);
    }
  }
  for (let k = end; k > 0; k--) found.push([" ", a[a.length - k], a.length - k + 1, b.length - k + 1]);
  return found;
}

/* common[i][j]: lines that a from i and b from j have in common, in order. */
function lengths(a, b, start, n, m) {
  const common = Array.from({ length: n + 1 }, () => new Uint16Array(m + 1));
  for (let i = n - 1; i >= 0; i--) {
    for (let j = m - 1; j >= 0; j--) {
      common[i][j] = a[start + i] === b[start + j] ? common[i + 1][j + 1] + 1 : Math.max(common[i + 1][j], common[i][j + 1]);
    }
  }
  return common;
}

/* The lines near a change, as an element; unchanged stretches are named. */
function differenceView(before, after) {
  const lines = difference(before, after);
  const near = lines.map((_, i) => lines.slice(Math.max(0, i - CONTEXT), i + CONTEXT + 1).some((l) => l[0] !== " "));
  const view = el("pre", { class: "diff", tabindex: "0" });
  let skipped = 0;
  const close = () => {
    if (skipped) view.append(el("span", { class: "skip" }, "… " + plural(skipped, "unchanged line")));
    skipped = 0;
  };
  lines.forEach(([sign, text, old, now], i) => {
    if (!near[i]) { skipped++; return; }
    close();
    const kind = { "+": "added", "-": "removed", " ": "same" }[sign];
    view.append(el("span", { class: kind }, el("i", { "aria-hidden": "true" }, String(old ?? "").padStart(4) + " " + String(now ?? "").padStart(4) + " "), sign + " " + text));
  });
  close();
  if (!lines.some((l) => l[0] !== " ")) view.replaceChildren(el("span", { class: "skip" }, "No line differs."));
  return view;
}
