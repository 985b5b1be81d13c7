/** Curves over training: coverage, losses and metrics, also of runs that still train. */

import { card, el, formatNumber, showError } from "./dom.js";
import { VIEW_NAMES } from "./places.js";

const GROUPS = { coverage: "Coverage", losses: "Losses", metrics: "Other metrics" };
const WIDTH = 320;
const HEIGHT = 150;
const MARGIN = { left: 54, right: 8, top: 8, bottom: 22 };
const POLL_MILLISECONDS = 4000;
const IDLE_POLLS = 8; // without a training, every eighth poll asks
const SVG = "http://www.w3.org/2000/svg";

/** The card of curves; it asks again as long as a run trains. */
export function createCurves(app) {
  const progress = el("p", { "aria-live": "polite" });
  const groups = el("div");
  const root = card("Training", progress, groups);
  const open = { coverage: true, losses: true, metrics: false };
  let histories = [];

  async function load() {
    const asked = app.views.filter(({ run }) => run.hasHistory);
    const answers = await Promise.all(
      asked.map(({ run }) => app.backend.history({ run: run.key })),
    );
    histories = asked.map((view, i) => ({ view, index: app.views.indexOf(view), ...answers[i] }));
    show();
  }

  function show() {
    root.hidden = histories.length === 0;
    const text = histories.map(describeProgress).join(" ");
    if (progress.textContent !== text) progress.textContent = text;
    const names = new Map();
    histories.forEach(({ curves }) => curves.forEach(({ name, group }) => names.set(name, group)));
    groups.replaceChildren(
      ...Object.entries(GROUPS).flatMap(([group, title]) => {
        const members = [...names.keys()].filter((name) => names.get(name) === group);
        if (members.length === 0) return [];
        const charts = members.map((name) => createChart(name, histories));
        const summary = el("summary", {}, `${title} (${members.length})`);
        const details = el("details", {}, summary, el("div", { class: "charts" }, ...charts));
        details.open = open[group];
        details.addEventListener("toggle", () => (open[group] = details.open));
        return [details];
      }),
    );
  }

  function describeProgress({ index, step, steps, isTraining }) {
    const prefix = histories.length > 1 ? `${VIEW_NAMES[index]}: ` : "";
    const state = isTraining ? "training" : step < steps ? "stopped" : "finished";
    return `${prefix}step ${step.toLocaleString("en")} of ${steps.toLocaleString("en")}, ${state}.`;
  }

  let numPolls = 0;
  async function poll() {
    numPolls += 1;
    // Now and then a run that has ended is resumed.
    const isDue = app.runs.some(({ isTraining }) => isTraining) || numPolls % IDLE_POLLS === 0;
    if (!document.hidden && isDue) {
      try {
        app.renew(await app.backend.describe());
        await load();
      } catch (error) {
        showError(error);
      }
    }
    setTimeout(poll, POLL_MILLISECONDS);
  }

  const reload = () => load().catch(showError);
  let shown = "";
  app.watch(["places", "runs"], () => {
    const runs = app.views.map(({ run }) => run.key).join(" ");
    if (runs !== shown) reload();
    else show();
    shown = runs;
  });
  reload();
  setTimeout(poll, POLL_MILLISECONDS);
  return root;
}

/** A chart of one curve of each run, with a line for each seed. */
function createChart(name, histories) {
  const curves = histories.flatMap(({ view, index, curves: all }) =>
    all.filter((curve) => curve.name === name).map((curve) => ({ ...curve, view, index })),
  );
  const values = curves.flatMap((curve) => curve.values.flat().filter((value) => value !== null));
  const x = [0, Math.max(1, ...curves.map(({ steps }) => steps.at(-1)))];
  const y = values.length ? [Math.min(...values), Math.max(...values)] : [0, 1];
  if (y[0] === y[1]) y[1] += Math.abs(y[1]) || 1;
  const toX = (step) =>
    MARGIN.left + ((step - x[0]) / (x[1] - x[0])) * (WIDTH - MARGIN.left - MARGIN.right);
  const toY = (value) =>
    HEIGHT - MARGIN.bottom - ((value - y[0]) / (y[1] - y[0])) * (HEIGHT - MARGIN.top - MARGIN.bottom);
  const chart = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, "aria-hidden": "true" });
  for (const value of y) {
    chart.append(
      svg("line", { class: "axis", x1: MARGIN.left, x2: WIDTH - MARGIN.right, y1: toY(value), y2: toY(value) }),
      svg("text", { x: MARGIN.left - 5, y: toY(value) + 4, "text-anchor": "end" }, formatNumber(value)),
    );
  }
  chart.append(
    svg("text", { x: MARGIN.left, y: HEIGHT - 6 }, "0"),
    svg("text", { x: WIDTH - MARGIN.right, y: HEIGHT - 6, "text-anchor": "end" }, x[1].toLocaleString("en")),
  );
  for (const { steps, values: rows, seeds, view, index } of curves) {
    const colour = `line-${VIEW_NAMES[index].toLowerCase()}`;
    rows.forEach((row, i) => {
      const isChosen = seeds[i] === view.seed;
      const points = steps.flatMap((step, j) => (row[j] === null ? [] : [`${toX(step)},${toY(row[j])}`]));
      const style = `${colour}${isChosen ? " chosen" : ""}`;
      chart.append(svg("polyline", { class: style, points: points.join(" ") }));
    });
    if (view.step !== null) {
      const position = toX(Math.min(view.step, x[1]));
      chart.append(svg("line", { class: `now ${colour}`, x1: position, x2: position, y1: MARGIN.top, y2: HEIGHT - MARGIN.bottom }));
    }
  }
  const text = curves.map((curve) => describeCurve(curve, curves.length > 1)).join("; ");
  return el("figure", { class: "chart" }, el("figcaption", {}, el("strong", {}, name), ` ${text}`), chart);
}

/** The value of a curve at the step that is shown, or at the last one before it, in words. */
function describeCurve({ steps, values, seeds, view, index }, hasOthers) {
  const row = values[seeds.indexOf(view.seed)] ?? values[0];
  let last = -1;
  steps.forEach((step, i) => {
    if (row[i] !== null && (view.step === null || step <= view.step || last < 0)) last = i;
  });
  const prefix = hasOthers ? `${VIEW_NAMES[index]} ` : "";
  if (last < 0) return `${prefix}no value`;
  return `${prefix}${formatNumber(row[last])} at step ${steps[last].toLocaleString("en")}`;
}

function svg(tag, attributes, text = "") {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.textContent = text;
  return element;
}
