"use strict";
/* Pieces: JSON values in compressed chunks, unpacked when they are first asked for. */

const chunks = new Map();

function unpack(id) {
  if (!chunks.has(id)) chunks.set(id, unpackNow(id));
  return chunks.get(id);
}

async function unpackNow(id) {
  const packed = atob(document.getElementById(id).textContent.trim());
  const bytes = Uint8Array.from(packed, (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

/* The value at an address like "3.14": chunk 3, place 14. */
async function piece(address) {
  const [chunk, place] = address.split(".");
  return (await unpack("chunk-" + chunk))[Number(place)];
}

/* Elements. Text only ever becomes a text node: what a model wrote is never read as HTML. */

const SVG = "http://www.w3.org/2000/svg";

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name === "onclick") node.addEventListener("click", value);
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  for (const child of children.flat()) {
    if (child !== null && child !== undefined) node.append(child);
  }
  return node;
}

function el(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

function svg(tag, attributes, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function link(path, text) {
  return el("a", { href: path.split("/").map(encodeURIComponent).join("/") }, text);
}

/* Numbers as the rest of the page writes them. */

function number(value, digits = 4) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  if (Number.isInteger(value) && Math.abs(value) < 1e15) return String(value).replace("-", "−").replace(/\B(?=(\d{3})+$)/g, "\u202f");
  if (value !== 0 && (Math.abs(value) >= 1e6 || Math.abs(value) < 1e-3)) {
    const [mantissa, power] = value.toExponential(digits - 1).split("e");
    const raised = Number(power).toString().replace(/./g, (c) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(c)]);
    return (Number(mantissa) + "×10" + raised).replace(/^-/, "−");
  }
  return String(Number(value.toPrecision(digits))).replace("-", "−");
}

function plural(count, noun) {
  return number(count) + " " + noun + (count === 1 ? "" : "s");
}
