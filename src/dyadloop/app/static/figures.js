// Figures of studies, plans and evidence. Each is drawn anew at the width it has, so that its text stays readable.
import { fill, make, mark, shown } from "./dom.js";

/** An element that holds what `draw(width)` returns, drawn again when its width changes. */
export function responsive(draw) {
  const box = make("div", { class: "figure" });
  let last = 0;
  new ResizeObserver((entries) => {
    const width = Math.floor(entries[0].contentRect.width);
    if (width < 40 || width === last) return;
    last = width;
    fill(box, [draw(width)]);
  }).observe(box);
  return box;
}

function svg(width, height, label, ...children) {
  return mark("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": label }, children);
}

/** Round numbers between two ends, about as many as asked. */
export function ticks(low, high, count) {
  const rough = (high - low) / Math.max(count, 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough) ?? 10 * power;
  const found = [];
  for (let n = Math.ceil(low / step); n * step <= high + 1e-9; n += 1) found.push(Number((n * step).toPrecision(12)));
  return found;
}

function axis(x, low, high, top, bottom, width, label) {
  const lines = ticks(low, high, Math.max(2, Math.min(8, width / 90))).map((value) => [
    mark("line", { x1: x(value), x2: x(value), y1: top, y2: bottom, class: value === 0 ? "zero" : "grid" }),
    mark("text", { x: x(value), y: bottom + 14, "text-anchor": x(high) - x(value) < 16 ? "end" : "middle", class: "tick" }, shown(value)),
  ]);
  return [lines, mark("text", { x: (x(low) + x(high)) / 2, y: bottom + 30, "text-anchor": "middle", class: "tick" }, label)];
}

function shortened(text, width) {
  const letters = Math.max(8, Math.floor(width / 6.2));
  return text.length > letters ? `${text.slice(0, letters - 1)}…` : text;
}

/**
 * Intervals, one row each: `{ name, low, mid, high, right, kind, ropeLow, ropeHigh, weight, further }`.
 * `kind` is "study", "pooled", "new" or "push"; a name stands above its interval where there is little room.
 */
export function intervals(rows, { label, axisLabel }) {
  return responsive((width) => {
    const beside = width > 640;
    const left = beside ? Math.round(width * 0.42) : 8;
    const right = 12;
    const height = beside ? 24 : 40;
    const values = rows.flatMap((row) => [row.low, row.high, row.mid]).filter(Number.isFinite);
    const reach = Math.max(...values.map(Math.abs), 1e-6);
    const low = Math.min(0, ...values) - 0.04 * reach;
    const high = Math.max(0, ...values) + 0.04 * reach;
    const x = (value) => left + ((Math.min(Math.max(value, low), high) - low) / (high - low)) * (width - left - right);
    const bottom = rows.length * height + 4;
    const drawn = rows.map((row, place) => {
      const middle = place * height + (beside ? height / 2 : height - 10);
      const told = `${row.name}: ${shown(row.mid)} [${shown(row.low)}, ${shown(row.high)}]`;
      const size = row.weight === undefined ? 7 : 4 + 11 * Math.sqrt(row.weight);
      const shape = row.kind === "pooled"
        ? mark("path", { d: `M${x(row.low)} ${middle} L${x(row.mid)} ${middle - 6} L${x(row.high)} ${middle} L${x(row.mid)} ${middle + 6} Z`, class: "diamond" })
        : [mark("line", { x1: x(row.low), x2: x(row.high), y1: middle, y2: middle, class: `reach ${row.kind ?? "study"}` }),
          row.kind === "new" ? null : mark("rect", { x: x(row.mid) - size / 2, y: middle - size / 2, width: size, height: size, class: `point ${row.kind ?? "study"}` })];
      const rope = Number.isFinite(row.ropeHigh) ? mark("rect", {
        x: x(row.ropeLow ?? low), y: middle - 9, width: Math.max(1, x(row.ropeHigh) - x(row.ropeLow ?? low)), height: 18, class: "rope",
      }) : null;
      const name = mark("text", { x: beside ? 0 : left, y: beside ? middle + 4 : middle - 14, class: row.kind === "study" || !row.kind ? "" : "strong" },
        shortened(row.name, beside ? left - 12 : width - 16));
      return mark("g", {}, mark("title", {}, told), rope, name, shape);
    });
    return svg(width, bottom + 38, label, axis(x, low, high, 0, bottom, width - left, axisLabel), drawn);
  });
}

const SHADES = 4;

/** Who was measured when: a row per person, darker where more values are. */
export function presence(map, readout) {
  return responsive((width) => {
    const { rows, edges } = map;
    const named = rows.length <= 60;
    const left = named ? 84 : 6;
    const height = named ? 13 : Math.max(2, Math.min(5, Math.floor(620 / rows.length)));
    const step = (width - left - 6) / (edges.length - 1);
    const most = Math.max(1, ...rows.flatMap((row) => row.counts));
    const paths = Array.from({ length: SHADES + 1 }, () => "");
    rows.forEach((row, place) => row.counts.forEach((count, column) => {
      if (!count) return;
      const shade = Math.ceil((SHADES * count) / most);
      paths[shade] += `M${(left + column * step).toFixed(1)} ${place * height}h${Math.max(step - 0.6, 0.6).toFixed(1)}v${Math.max(height - 1, 1)}h-${Math.max(step - 0.6, 0.6).toFixed(1)}z`;
    }));
    const bottom = rows.length * height + 2;
    const last = edges[edges.length - 1];
    const scale = last < 0.2 ? [24 * 60, "minutes"] : last < 3 ? [24, "hours"] : [1, "days"];
    const x = (value) => left + (value / (last * scale[0])) * (width - left - 6);
    const names = named ? rows.map((row, place) => mark("text", { x: 0, y: place * height + 10, class: "small" }, shortened(row.person, 80))) : null;
    const drawn = svg(width, bottom + 36, "Values of each person over time",
      mark("rect", { x: left, y: 0, width: width - left - 6, height: bottom, class: "ground" }),
      paths.map((path, shade) => (path ? mark("path", { d: path, class: `shade-${shade}` }) : null)), names,
      axis(x, 0, last * scale[0], bottom, bottom, width, `${scale[1]} since the first moment of the dyad`));
    drawn.addEventListener("pointermove", (event) => {
      const box = drawn.getBoundingClientRect();
      const row = rows[Math.floor((event.clientY - box.top) / height)];
      const column = Math.floor((event.clientX - box.left - left) / step);
      if (!row || column < 0 || column >= row.counts.length) return;
      readout(`${row.person} (${row.role}, dyad ${row.dyad}), ${scale[1]} ${shown(edges[column] * scale[0])} to ${shown(edges[column + 1] * scale[0])}: ${row.counts[column]} values`);
    });
    return drawn;
  });
}

/** Lines over numbers: `series` is [{ name, points: [{ x, y, low, high }] }]; y is a share from 0 to 1. */
export function shares(series, { label, axisLabel }) {
  return responsive((width) => {
    const [left, right, top, bottom] = [44, 14, 10, 230];
    const all = series.flatMap((one) => one.points.map((point) => point.x));
    const [low, high] = [Math.min(...all), Math.max(...all)];
    const x = (value) => left + (high > low ? (value - low) / (high - low) : 0.5) * (width - left - right);
    const y = (value) => bottom - value * (bottom - top);
    const grid = [0, 0.25, 0.5, 0.75, 1].map((value) => [
      mark("line", { x1: left, x2: width - right, y1: y(value), y2: y(value), class: "grid" }),
      mark("text", { x: left - 6, y: y(value) + 4, "text-anchor": "end", class: "tick" }, `${value * 100} %`),
    ]);
    const below = [...new Set(all)].map((value) => mark("text", { x: x(value), y: bottom + 15, "text-anchor": "middle", class: "tick" }, shown(value)));
    const drawn = series.map((one, place) => {
      const line = one.points.map((point, n) => `${n ? "L" : "M"}${x(point.x)} ${y(point.y)}`).join("");
      return mark("g", { class: `series series-${place % 6}` },
        mark("path", { d: line, class: "line" }),
        one.points.map((point) => [
          mark("line", { x1: x(point.x), x2: x(point.x), y1: y(point.low), y2: y(point.high), class: "bar" }),
          mark("circle", { cx: x(point.x), cy: y(point.y), r: 4 }, mark("title", {}, `${one.name}, ${shown(point.x)}: ${shown(100 * point.y)} %`)),
        ]));
    });
    return svg(width, bottom + 36, label, grid, below, drawn,
      mark("text", { x: (left + width - right) / 2, y: bottom + 31, "text-anchor": "middle", class: "tick" }, axisLabel));
  });
}

/** The names of lines with their colours, for `shares`. */
export function legend(names) {
  return make("ul", { class: "legend" }, names.map((name, place) => make("li", {},
    mark("svg", { viewBox: "0 0 14 14", width: 14, height: 14, class: `series series-${place % 6}`, "aria-hidden": "true" }, mark("circle", { cx: 7, cy: 7, r: 5 })), name)));
}
