// Marks of a figure as SVG: line, band, points, cells, arrows, dials. Colours are those of the page.
import { make, mark, shown } from "./dom.js";

const INK = "var(--ink)";
const FAINT = "var(--faint)";
const GRID = "var(--grid)";

let lastId = 0;

/** Numbers at which an axis has ticks: about `count`, at 1, 2 or 5 times a power of ten. */
export function ticks(low, high, count = 5) {
  const raw = (high - low) / count;
  if (!(raw > 0)) return [low];
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= raw);
  const found = [];
  for (let at = Math.ceil(low / step) * step; at <= high + step * 1e-9; at += step) found.push(Number(at.toPrecision(12)));
  return found;
}

/** The range of numbers with a little room; never empty. */
export function range(lists, room = 0.06) {
  const numbers = lists.flat().filter((value) => Number.isFinite(value));
  if (!numbers.length) return [0, 1];
  const low = numbers.reduce((a, b) => Math.min(a, b));
  const high = numbers.reduce((a, b) => Math.max(a, b));
  const extra = high > low ? room * (high - low) : 0.5 * (1 + Math.abs(high));
  return [low - extra, high + extra];
}

function scale([low, high], [from, to]) {
  const slope = (to - from) / (high - low || 1);
  return (value) => from + (value - low) * slope;
}

function point(x, y) {
  return `${x.toFixed(1)},${y.toFixed(1)}`;
}

/** An SVG with a title that is read aloud. */
export function canvas(width, height, title, attributes = {}) {
  const id = `figure-${++lastId}`;
  return mark("svg", {
    viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-labelledby": id, ...attributes,
  }, mark("title", { id }, title));
}

/** A figure with axes; x and y hold `range`, `label` and perhaps `ticks` as [value, text] pairs. */
export function figure({ width = 420, height = 190, title, x, y, caption = null }) {
  const margin = { left: 48, right: 12, top: caption ? 22 : 10, bottom: x.label ? 36 : 22 };
  const svg = canvas(width, height, title);
  const right = width - margin.right;
  const bottom = height - margin.bottom;
  const across = scale(x.range, [margin.left, right]);
  const up = scale(y.range, [bottom, margin.top]);
  const axes = mark("g", { "aria-hidden": "true" });
  for (const value of ticks(...y.range, 4)) {
    axes.append(
      mark("line", { x1: margin.left, x2: right, y1: up(value), y2: up(value), stroke: GRID }),
      mark("text", { x: margin.left - 5, y: up(value) + 4, "text-anchor": "end", fill: FAINT }, shown(value)),
    );
  }
  for (const [value, text] of x.ticks ?? ticks(...x.range, 6).map((at) => [at, shown(at)])) {
    axes.append(
      mark("line", { x1: across(value), x2: across(value), y1: bottom, y2: bottom + 4, stroke: FAINT }),
      mark("text", { x: across(value), y: bottom + 16, "text-anchor": "middle", fill: FAINT }, text),
    );
  }
  axes.append(mark("line", { x1: margin.left, x2: right, y1: bottom, y2: bottom, stroke: FAINT }));
  if (caption) axes.append(mark("text", { x: margin.left - 40, y: 13, fill: INK, "font-weight": 600 }, caption));
  if (x.label) axes.append(mark("text", { x: (margin.left + right) / 2, y: height - 4, "text-anchor": "middle", fill: FAINT }, x.label));
  if (y.label) axes.append(mark("text", { x: right, y: 13, "text-anchor": "end", fill: FAINT }, y.label));
  const plot = mark("g", {});
  svg.append(axes, plot);
  return { svg, plot, across, up, left: margin.left, right, top: margin.top, bottom };
}

/** A line through points; it breaks where a number is missing. */
export function line(chart, xs, ys, { colour = "var(--blue)", width = 1.6, dash = null, opacity = 1 } = {}) {
  let path = "";
  let open = false;
  ys.forEach((value, index) => {
    if (!Number.isFinite(value)) { open = false; return; }
    path += `${open ? "L" : "M"}${point(chart.across(xs[index]), chart.up(value))}`;
    open = true;
  });
  chart.plot.append(mark("path", {
    d: path, fill: "none", stroke: colour, "stroke-width": width, "stroke-dasharray": dash, "stroke-opacity": opacity,
    "stroke-linejoin": "round",
  }));
}

/** The area between two courses, in pieces where numbers are missing. */
export function band(chart, xs, low, high, { colour = "var(--blue)", opacity = 0.16 } = {}) {
  let piece = [];
  const close = () => {
    if (piece.length > 1) {
      const above = piece.map((i) => point(chart.across(xs[i]), chart.up(high[i])));
      const below = piece.map((i) => point(chart.across(xs[i]), chart.up(low[i]))).reverse();
      chart.plot.append(mark("path", { d: `M${[...above, ...below].join("L")}Z`, fill: colour, "fill-opacity": opacity }));
    }
    piece = [];
  };
  xs.forEach((_, i) => (Number.isFinite(low[i]) && Number.isFinite(high[i]) ? piece.push(i) : close()));
  close();
}

/** Points, each with a text that is shown on hovering. */
export function points(chart, xs, ys, { colour = "var(--blue)", radius = 4, filled = true, texts = [] } = {}) {
  xs.forEach((value, index) => {
    if (!Number.isFinite(value) || !Number.isFinite(ys[index])) return;
    chart.plot.append(mark("circle", {
      cx: chart.across(value), cy: chart.up(ys[index]), r: radius, stroke: colour, "stroke-width": 1.5,
      fill: filled ? colour : "var(--paper)",
    }, texts[index] ? mark("title", {}, texts[index]) : null));
  });
}

/** A vertical line at a value with a word beside it. */
export function rule(chart, value, text, { colour = INK, dash = "3 3" } = {}) {
  const x = chart.across(value);
  const left = x > (chart.left + chart.right) / 2;
  chart.plot.append(
    mark("line", { x1: x, x2: x, y1: chart.top, y2: chart.bottom, stroke: colour, "stroke-dasharray": dash }),
    mark("text", { x: x + (left ? -5 : 5), y: chart.top + 10, "text-anchor": left ? "end" : "start", fill: colour }, text),
  );
}

/** Horizontal intervals: [text, middle, low, high] per row. */
export function intervals(rows, { title, label, width = 420, colour = "var(--blue)", zero = 0 }) {
  const height = 44 + 20 * rows.length;
  const bounds = range([...rows.map((row) => row.slice(1)), [zero]]);
  const chart = figure({ width, height, title, x: { range: bounds, label }, y: { range: [rows.length - 0.4, -0.6] } });
  chart.svg.querySelector("g").querySelectorAll("text[text-anchor=end]").forEach((text) => text.remove());
  rule(chart, zero, "");
  rows.forEach(([text, middle, low, high], index) => {
    const y = chart.up(index);
    chart.plot.append(mark("line", { x1: chart.across(low), x2: chart.across(high), y1: y, y2: y, stroke: colour, "stroke-width": 2 }));
    points(chart, [middle], [index], { colour, texts: [text] });
    chart.plot.append(mark("text", { x: 2, y: y + 4 }, text));
  });
  return chart.svg;
}

/** A matrix as cells: blue above 0, red below, as strong as the logarithm of the size says. */
export function cells(values, rows, columns, { title, size = 26, side = 120, top = 110, digits = 2, marked = null, wide = size }) {
  const most = Math.max(1e-12, ...values.flat().filter(Number.isFinite).map(Math.abs));
  const strength = (value) => Math.max(0, 1 + Math.log10(Math.abs(value) / most) / 2.5);
  const svg = canvas(side + wide * columns.length + 8, top + size * rows.length + 6, title);
  columns.forEach((text, column) => {
    const x = side + wide * (column + 0.5) + 4;
    const turned = wide < 44;
    svg.append(mark("text", turned ? { transform: `translate(${x} ${top - 5}) rotate(-60)` } : { x, y: top - 6, "text-anchor": "middle" }, text));
  });
  rows.forEach((text, row) => {
    svg.append(mark("text", { x: side - 5, y: top + size * (row + 0.5) + 4, "text-anchor": "end" }, text));
    columns.forEach((other, column) => {
      const value = values[row][column];
      const known = Number.isFinite(value);
      const x = side + wide * column;
      const y = top + size * row;
      const shade = known && value !== 0 ? 0.85 * strength(value) : 0;
      svg.append(mark("rect", {
        x, y, width: wide - 1, height: size - 1, fill: value < 0 ? "var(--red)" : "var(--blue)", "fill-opacity": shade.toFixed(2),
        stroke: GRID,
      }, mark("title", {}, `${other} to ${text}: ${shown(value)}`)));
      if (known && Math.abs(value) > most / 300 && value !== 0) {
        const fill = shade > 0.5 ? "var(--on-blue)" : INK;
        const text = Math.abs(value) >= 100 ? String(Math.round(value)) : shown(value, digits);
        svg.append(mark("text", { x: x + wide / 2, y: y + size / 2 + 3.5, "text-anchor": "middle", fill, "font-size": wide < 34 ? 9 : 11 }, text));
      }
      if (marked?.[row]?.[column]) svg.append(mark("path", { d: `M${x + 4},${y + 4}l6,6m0,-6l-6,6`, stroke: INK, "stroke-width": 1.6 }));
    });
  });
  return svg;
}

/** A number on a line from 0 past 1, where the loop would sustain itself. */
export function dial(value, { title, words, colour = "var(--blue)" }) {
  const width = 320;
  const svg = canvas(width, 64, `${title}: ${shown(value)}; ${words}`);
  // what lies beyond 1 is squeezed into the last part, so that 25 and 0.1 have room on one line
  const place = (number) => 14 + 190 * Math.min(1, Math.max(0, number)) + (number > 1 ? 98 * (1 - 1 / number) : 0);
  svg.append(
    mark("rect", { x: 14, y: 34, width: 190, height: 9, fill: GRID, rx: 2 }),
    mark("rect", { x: 204, y: 34, width: 103, height: 9, fill: "var(--red)", "fill-opacity": 0.35, rx: 2 }),
    mark("text", { x: 14, y: 58, "text-anchor": "middle", fill: FAINT }, "0"),
    mark("text", { x: 204, y: 58, "text-anchor": "middle", fill: FAINT }, "1"),
    mark("text", { x: 307, y: 58, "text-anchor": "end", fill: FAINT }, "sustains itself"),
    mark("text", { x: 14, y: 15, "font-weight": 600 }, title),
    mark("text", { x: 307, y: 15, "text-anchor": "end", "font-weight": 700, "font-size": 14 }, shown(value)),
  );
  if (Number.isFinite(value)) svg.append(mark("path", { d: `M${place(value).toFixed(1)},32l-6,-9h12z`, fill: colour }));
  return svg;
}

/** The path of a bent arrow from the border of one box to that of another, and where its head and middle are. */
export function bent(from, to, bend) {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const length = Math.hypot(dx, dy) || 1;
  const middle = { x: (from.x + to.x) / 2 - (bend * dy), y: (from.y + to.y) / 2 + (bend * dx) };
  const start = border(from, middle);
  const end = border(to, middle, 5);
  const halfway = { x: (start.x + 2 * middle.x + end.x) / 4, y: (start.y + 2 * middle.y + end.y) / 4 };
  return { path: `M${point(start.x, start.y)}Q${point(middle.x, middle.y)} ${point(end.x, end.y)}`, halfway, length };
}

function border(box, towards, room = 1) {
  const [dx, dy] = [towards.x - box.x, towards.y - box.y];
  const share = Math.min((box.width / 2 + room) / Math.abs(dx || 1e-9), (box.height / 2 + room) / Math.abs(dy || 1e-9));
  return { x: box.x + dx * share, y: box.y + dy * share };
}

/** Heads of arrows in one colour, to be named as `url(#id)`. */
export function arrowhead(id, colour) {
  return mark("marker", { id, viewBox: "0 0 8 8", refX: 6, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto-start-reverse", markerUnits: "userSpaceOnUse" },
    mark("path", { d: "M0,0L8,4L0,8Z", fill: colour }));
}

/** A figure as the text of a file: colours of the page are written out, and what is simulated says so. */
export function svgText(svg, simulated) {
  const copy = svg.cloneNode(true);
  const style = getComputedStyle(document.documentElement);
  for (const element of [copy, ...copy.querySelectorAll("*")]) {
    for (const { name, value } of [...element.attributes]) {
      if (value.startsWith("var(")) element.setAttribute(name, style.getPropertyValue(value.slice(4, -1)).trim());
    }
    if (element.tagName === "text" && !element.hasAttribute("font-size")) element.setAttribute("font-size", "11");
  }
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.setAttribute("font-family", "sans-serif");
  for (const inner of copy.querySelectorAll("svg")) inner.removeAttribute("aria-labelledby");
  if (simulated) {
    const [, , width, height] = copy.getAttribute("viewBox").split(" ").map(Number);
    copy.append(mark("text", { x: width - 4, y: height - 4, "text-anchor": "end", "font-size": 9, "font-weight": 700, fill: style.getPropertyValue("--amber").trim() }, "SIMULATED"));
  }
  return new XMLSerializer().serializeToString(copy);
}

/** The sign that numbers are simulated. */
export function simulatedSign() {
  return make("span", { class: "simulated" }, "SIMULATED");
}
