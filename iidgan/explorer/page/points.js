/** Generators of points: data, samples, modes and density in the plane, and codes of data. */

import { card, checkbox, el, formatNumber, latestOnly } from "./dom.js";
import { fitCanvas, modeColours, styleColour } from "./images.js";
import { VIEW_NAMES } from "./places.js";

const LAYERS = { density: true, data: true, samples: true, modes: true };
const CODE_LIMIT = 3.6;
const GOOD_RADIUS = 3;

/** The card with the plane of each view. */
export function createPoints(app) {
  const columns = el("div", { class: "columns" });
  const layers = { ...LAYERS };
  const boxes = Object.keys(layers).map((name) =>
    checkbox({
      label: name,
      checked: layers[name],
      onChange(checked) {
        layers[name] = checked;
        draw();
      },
    }),
  );
  const legend = el("legend", {}, "Show");
  const root = card("Plane", el("fieldset", { class: "choice" }, legend, ...boxes), columns);
  let planes = [];

  function fill() {
    root.hidden = app.isImages || app.readyViews.length === 0 || app.run.shape[0] < 2;
    if (root.hidden) return;
    planes = app.views.map((view, index) => createPlane(app, view, index, layers));
    columns.replaceChildren(...planes.map((plane) => plane.root));
    draw();
  }

  const draw = latestOnly(async () => {
    if (root.hidden) return;
    const shown = planes;
    const indices = [...Array(app.count).keys()];
    for (const plane of shown.filter(({ view }) => view.step !== null)) {
      const [facts, samples] = await Promise.all([
        app.remember("plane", plane.view),
        app.generate(plane.view, indices),
      ]);
      if (shown === planes) plane.draw(facts, samples);
    }
  });

  fill();
  app.watch(["runs"], fill);
  app.watch(["places"], () => (planes.length === app.views.length ? draw() : fill()));
  app.watch(["latents", "selection"], draw);
  const repaint = () => planes.forEach((plane) => plane.repaint());
  new ResizeObserver(repaint).observe(columns);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
  return root;
}

function createPlane(app, view, index, layers) {
  const name = VIEW_NAMES[index];
  const canvas = el("canvas", {
    role: "img",
    class: "plane",
    "aria-label": "Data and generated samples in the plane",
    onclick: choose,
  });
  const codes = el("canvas", {
    role: "img",
    class: "plane",
    "aria-label": "Codes of the data; circles have radius 1, 2 and 3",
  });
  const codeFigure = el("figure", {}, el("figcaption", {}, "Codes F(x) of the data"), codes);
  const caption = el("figcaption", {});
  const summary = el("p", { class: "soft" });
  const root = el(
    "div",
    { class: `planes view-${name.toLowerCase()}` },
    el("figure", {}, caption, canvas),
    codeFigure,
    summary,
  );
  let last = null;

  function draw(facts, samples) {
    last = { facts, samples };
    caption.textContent = `${app.views.length > 1 ? `${name}: ` : ""}${view.run.name}`;
    const text = describePlane(facts);
    summary.textContent = text;
    canvas.setAttribute("aria-label", `Data and generated samples in the plane. ${text}`);
    codeFigure.hidden = facts.codes === null;
    repaint();
  }

  function repaint() {
    if (last === null || !root.isConnected) return;
    const { facts, samples } = last;
    paintPlane(canvas, facts, samples, { layers, app, name });
    if (facts.codes !== null) paintCodes(codes, facts, app);
  }

  function choose(event) {
    if (last === null) return;
    const { facts, samples } = last;
    const box = canvas.getBoundingClientRect();
    const { x, y } = facts.density;
    const px = x[0] + ((event.clientX - box.left) / box.width) * (x[1] - x[0]);
    const py = y[0] + ((box.bottom - event.clientY) / box.height) * (y[1] - y[0]);
    const size = view.run.shape[0];
    let nearest = 0;
    let least = Infinity;
    for (let i = 0; i < app.count; i += 1) {
      const distance = Math.hypot(samples[i * size] - px, samples[i * size + 1] - py);
      if (distance < least) [nearest, least] = [i, distance];
    }
    app.select(nearest);
  }

  return { root, view, draw, repaint };
}

/** What the plane shows in words. */
function describePlane({ modes }) {
  if (modes.length === 0) return "The modes of these data are not known.";
  const covered = modes.filter(({ share, expected }) => share > 0.1 * expected).length;
  const good = modes.reduce((sum, { share }) => sum + share, 0);
  const least = Math.min(...modes.map(({ share, expected }) => share / expected));
  return (
    `${covered} of ${modes.length} modes have at least a tenth of their share; ` +
    `${formatNumber(100 * good)} % of the samples are within three standard deviations of a ` +
    `mode; the rarest mode has ${formatNumber(100 * least)} % of its share.`
  );
}

function paintPlane(canvas, facts, samples, { layers, app, name }) {
  const { context, width, height } = fitCanvas(canvas);
  const { x, y } = facts.density;
  const toX = (value) => ((value - x[0]) / (x[1] - x[0])) * width;
  const toY = (value) => height - ((value - y[0]) / (y[1] - y[0])) * height;
  context.clearRect(0, 0, width, height);
  if (layers.density) paintDensity(context, facts.density, width, height);
  if (layers.data) paintPoints(context, facts.data, 2, { toX, toY, radius: 2, colour: "data" });
  if (layers.modes) paintModes(context, facts.modes, { toX, toY });
  const size = app.run.shape[0];
  const colour = name.toLowerCase();
  if (layers.samples) paintPoints(context, samples, size, { toX, toY, radius: 1.6, colour });
  const start = app.selected * size;
  paintMarker(context, toX(samples[start]), toY(samples[start + 1]), colour);
}

function paintDensity(context, density, width, height) {
  const { values, rows, columns } = density;
  const picture = document.createElement("canvas");
  picture.width = columns;
  picture.height = rows;
  const image = new ImageData(columns, rows);
  const probe = document.createElement("canvas").getContext("2d");
  probe.fillStyle = styleColour("density");
  probe.fillRect(0, 0, 1, 1);
  const colour = probe.getImageData(0, 0, 1, 1).data;
  for (let i = 0; i < values.length; i += 1) {
    const row = rows - 1 - Math.floor(i / columns);
    const target = 4 * (row * columns + (i % columns));
    image.data.set([colour[0], colour[1], colour[2], 230 * Math.sqrt(values[i])], target);
  }
  picture.getContext("2d").putImageData(image, 0, 0);
  context.imageSmoothingEnabled = true;
  context.drawImage(picture, 0, 0, width, height);
}

function paintPoints(context, values, size, { toX, toY, radius, colour }) {
  context.fillStyle = styleColour(colour);
  context.beginPath();
  for (let i = 0; i + 1 < values.length; i += size) {
    const [px, py] = [toX(values[i]), toY(values[i + 1])];
    if (!Number.isFinite(px + py)) continue;
    context.moveTo(px + radius, py);
    context.arc(px, py, radius, 0, 2 * Math.PI);
  }
  context.fill();
}

function paintModes(context, modes, { toX, toY }) {
  const colours = modeColours(modes.length);
  modes.forEach((mode, index) => {
    const isMissing = mode.share < 0.1 * mode.expected;
    context.strokeStyle = isMissing ? styleColour("bad") : colours[index];
    context.lineWidth = 2;
    context.setLineDash(isMissing ? [4, 3] : []);
    const [centreX, centreY] = [toX(mode.x), toY(mode.y)];
    const [major, minor] = mode.axes
      .map(([dx, dy]) => [toX(mode.x + GOOD_RADIUS * dx) - centreX, toY(mode.y + GOOD_RADIUS * dy) - centreY])
      .map(([dx, dy]) => ({ length: Math.max(6, Math.hypot(dx, dy)), angle: Math.atan2(dy, dx) }));
    context.beginPath();
    context.ellipse(centreX, centreY, major.length, minor.length, major.angle, 0, 2 * Math.PI);
    context.stroke();
  });
  context.setLineDash([]);
}

function paintMarker(context, x, y, colour) {
  for (const [lineWidth, name] of [
    [5, "back"],
    [2.5, colour],
  ]) {
    context.lineWidth = lineWidth;
    context.strokeStyle = styleColour(name);
    context.beginPath();
    context.arc(x, y, 8, 0, 2 * Math.PI);
    context.stroke();
  }
}

function paintCodes(canvas, { codes, codeModes, modes }, app) {
  const { context, width, height } = fitCanvas(canvas);
  const toX = (value) => ((value + CODE_LIMIT) / (2 * CODE_LIMIT)) * width;
  const toY = (value) => height - toX(value) * (height / width);
  context.clearRect(0, 0, width, height);
  context.strokeStyle = styleColour("line");
  for (const radius of [1, 2, 3]) {
    context.beginPath();
    context.arc(width / 2, height / 2, (radius / (2 * CODE_LIMIT)) * width, 0, 2 * Math.PI);
    context.stroke();
  }
  const colours = modeColours(modes.length);
  const grey = styleColour("data");
  for (let i = 0; i < codes.length / 2; i += 1) {
    context.fillStyle = colours[codeModes?.[i]] ?? grey; // bad samples have mode -1
    context.beginPath();
    context.arc(toX(codes[2 * i]), toY(codes[2 * i + 1]), 1.8, 0, 2 * Math.PI);
    context.fill();
  }
  const z = app.latents.transform(app.latents.base(app.selected));
  paintMarker(context, toX(z[0]), toY(z[1]), "a");
}
