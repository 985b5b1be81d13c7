/** A pad for two latents of the selected sample, in Cartesian or in polar coordinates. */

import { choice, el, latestOnly, picker, slider } from "./dom.js";
import { fitCanvas, modeColours, sampleSize, styleColour, toImageData } from "./images.js";

const LIMIT = 3;
const IMAGE_TILES = 9;
const POINT_TILES = 32;

const COORDINATES = {
  cartesian: {
    axes: (x, y) => [
      { label: `z ${x}`, min: -LIMIT, max: LIMIT, step: 0.05, digits: 2, unit: "" },
      { label: `z ${y}`, min: -LIMIT, max: LIMIT, step: 0.05, digits: 2, unit: "" },
    ],
    toLatents: (x, y) => [x, y],
    fromLatents: (x, y) => [x, y],
  },
  polar: {
    axes: () => [
      { label: "Angle", min: 0, max: 360, step: 1, digits: 0, unit: "°" },
      { label: "Radius", min: 0, max: LIMIT, step: 0.05, digits: 2, unit: "" },
    ],
    toLatents(angle, radius) {
      const radians = (angle * Math.PI) / 180;
      return [radius * Math.cos(radians), radius * Math.sin(radians)];
    },
    fromLatents(x, y) {
      return [((Math.atan2(y, x) * 180) / Math.PI + 360) % 360, Math.hypot(x, y)];
    },
  },
};

/** Images of tiles, row after row from below. */
function paintImages(values, shape, tiles, context, width, height) {
  const tile = document.createElement("canvas");
  [, tile.height, tile.width] = shape;
  context.imageSmoothingEnabled = false;
  for (let index = 0; index < tiles * tiles; index += 1) {
    tile.getContext("2d").putImageData(toImageData(values, shape, index), 0, 0);
    const [left, top] = [index % tiles, tiles - 1 - Math.floor(index / tiles)];
    context.drawImage(
      tile,
      (left * width) / tiles,
      (top * height) / tiles,
      width / tiles,
      height / tiles,
    );
  }
}

/** Tiles in the colour of the mode that is closest to their sample. */
function paintModeMap(values, size, tiles, facts, context, width, height) {
  if (facts === null || facts.modes.length === 0) return;
  const { modes } = facts;
  const colours = modeColours(modes.length);
  context.globalAlpha = 0.45;
  for (let index = 0; index < tiles * tiles; index += 1) {
    const [x, y] = values.subarray(index * size, index * size + 2);
    const distances = modes.map((mode) => Math.hypot(mode.x - x, mode.y - y));
    context.fillStyle = colours[distances.indexOf(Math.min(...distances))];
    const [left, top] = [index % tiles, tiles - 1 - Math.floor(index / tiles)];
    context.fillRect(
      Math.floor((left * width) / tiles),
      Math.floor((top * height) / tiles),
      Math.ceil(width / tiles),
      Math.ceil(height / tiles),
    );
  }
  context.globalAlpha = 1;
}

/** The pad: {root, fill(), show(), drawMap()}. A map of samples is behind its point. */
export function createPad(app) {
  const canvas = el("canvas", { "aria-hidden": "true", class: "pad-canvas" });
  const pickers = el("div", { class: "row" });
  const sliders = el("div", { class: "sliders" });
  const kinds = choice({
    legend: "Plane of two latents",
    options: [
      ["cartesian", "Cartesian"],
      ["polar", "Polar"],
    ],
    value: "cartesian",
    onChange(kind) {
      coordinates = COORDINATES[kind];
      fillSliders();
      drawMap();
    },
  });
  const root = el("div", { class: "pad" }, kinds, pickers, canvas, sliders);
  let coordinates = COORDINATES.cartesian;
  let dimensions = [0, 1];
  let steers = [];
  let paintMap = () => {};
  let drawn = ""; // what the map shows

  function fill() {
    const { latent } = app.run;
    root.hidden = latent < 2;
    if (root.hidden) return;
    if (Math.max(...dimensions) >= latent) dimensions = [0, 1];
    const options = [...Array(latent).keys()].map((dimension) => [dimension, `z ${dimension}`]);
    const choosers = ["Across", "Up"].map(
      (label, position) =>
        picker({
          label,
          options,
          value: dimensions[position],
          onChange(text) {
            const chosen = Number(text);
            if (chosen === dimensions[1 - position]) dimensions.reverse();
            else dimensions[position] = chosen;
            fill();
          },
        }).root,
    );
    pickers.replaceChildren(...(latent > 2 ? choosers : []));
    fillSliders();
    drawMap();
  }

  function fillSliders() {
    const axes = coordinates.axes(...dimensions);
    steers = axes.map(({ digits, unit, ...axis }) =>
      slider({
        ...axis,
        value: axis.min,
        format: (value) => `${value.toFixed(digits)}${unit}`,
        onInput: () => move(...steers.map(({ input }) => Number(input.value))),
      }),
    );
    sliders.replaceChildren(...steers.map((steer) => steer.root));
    show();
  }

  function move(across, up) {
    const values = coordinates.toLatents(across, up);
    dimensions.forEach((dimension, i) => app.latents.edit(app.selected, dimension, values[i]));
    app.notify("latents");
  }

  function currentPosition() {
    const z = app.latents.base(app.selected);
    return coordinates.fromLatents(...dimensions.map((dimension) => z[dimension]));
  }

  function show() {
    if (root.hidden) return;
    const position = currentPosition();
    steers.forEach((steer, i) => {
      if (document.activeElement !== steer.input) steer.set(position[i]);
    });
    paint();
  }

  function paint() {
    const { context, width, height } = fitCanvas(canvas);
    const axes = coordinates.axes(...dimensions);
    context.clearRect(0, 0, width, height);
    paintMap(context, width, height);
    context.strokeStyle = styleColour("line");
    context.strokeRect(0.5, 0.5, width - 1, height - 1);
    const [x, y] = currentPosition().map(
      (value, i) => (value - axes[i].min) / (axes[i].max - axes[i].min),
    );
    context.beginPath();
    context.arc(x * width, (1 - y) * height, 7, 0, 2 * Math.PI);
    context.lineWidth = 4;
    context.strokeStyle = styleColour("back");
    context.stroke();
    context.lineWidth = 2;
    context.strokeStyle = styleColour("a");
    context.stroke();
  }

  /** Draw the samples of the pad's tiles behind its point, with all other latents as they are. */
  const drawMap = latestOnly(async () => {
    const [view] = app.views;
    if (root.hidden || view.step === null) return;
    const { run } = view;
    const tiles = run.kind === "images" ? IMAGE_TILES : POINT_TILES;
    const count = tiles * tiles;
    const codes = createCodes(run, tiles);
    const question = [view.run.key, view.seed, view.step, ...codes].join();
    if (question === drawn) return;
    drawn = question;
    const values = await app.backend.generate({ ...app.placeOf(view), codes, count });
    if (run !== app.run || values.length !== count * sampleSize(run)) return;
    if (run.kind === "images") {
      paintMap = (...target) => paintImages(values, run.shape, tiles, ...target);
    } else {
      const facts = await app.remember("plane", view);
      paintMap = (...target) => paintModeMap(values, run.shape[0], tiles, facts, ...target);
    }
    paint();
  });

  /** Codes at the centres of tiles, row after row from below. */
  function createCodes(run, tiles) {
    const axes = coordinates.axes(...dimensions);
    const latents = Array.from({ length: tiles * tiles }, (_, index) => {
      const shares = [index % tiles, Math.floor(index / tiles)].map((i) => (i + 0.5) / tiles);
      const position = axes.map(({ min, max }, i) => min + shares[i] * (max - min));
      const z = app.latents.base(app.selected).slice();
      coordinates.toLatents(...position).forEach((value, i) => (z[dimensions[i]] = value));
      return z;
    });
    return app.latents.encode(run, latents, Array(latents.length).fill(app.selected));
  }

  function movePointer(event) {
    const box = canvas.getBoundingClientRect();
    const shares = [(event.clientX - box.left) / box.width, (box.bottom - event.clientY) / box.height];
    const position = coordinates.axes(...dimensions).map(({ min, max }, i) => {
      return min + Math.min(1, Math.max(0, shares[i])) * (max - min);
    });
    move(...position);
  }

  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    movePointer(event);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (canvas.hasPointerCapture(event.pointerId)) movePointer(event);
  });
  new ResizeObserver(() => {
    if (!root.hidden && canvas.isConnected) paint();
  }).observe(canvas);
  return { root, fill, show, drawMap };
}
