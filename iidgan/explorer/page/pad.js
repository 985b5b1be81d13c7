/** A pad for two latents of the selected sample, in Cartesian or in polar coordinates. */

import { choice, el, latestOnly, picker, slider } from "./dom.js";
import { fitCanvas, sampleSize, styleColour, toImageData } from "./images.js";

const LIMIT = 3;
const TILES = 9;

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
  let tiles = null;

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
            drawMap();
          },
        }).root,
    );
    pickers.replaceChildren(...(latent > 2 ? choosers : []));
    fillSliders();
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
    if (tiles !== null) paintTiles(context, width, height);
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

  function paintTiles(context, width, height) {
    const side = document.createElement("canvas");
    [, side.height, side.width] = app.run.shape;
    context.imageSmoothingEnabled = false;
    for (let index = 0; index < TILES * TILES; index += 1) {
      side.getContext("2d").putImageData(toImageData(tiles, app.run.shape, index), 0, 0);
      const [column, row] = [index % TILES, Math.floor(index / TILES)];
      context.drawImage(
        side,
        (column * width) / TILES,
        height - ((row + 1) * height) / TILES,
        width / TILES,
        height / TILES,
      );
    }
  }

  /** Ask for the samples at the centres of the tiles, with all other latents as they are. */
  const drawMap = latestOnly(async () => {
    const [view] = app.views;
    if (root.hidden || view.step === null || !app.isImages) {
      tiles = null;
      if (!root.hidden) paint();
      return;
    }
    const axes = coordinates.axes(...dimensions);
    const { classes, latent } = view.run;
    const codes = app.latents.codes(view.run, Array(TILES * TILES).fill(app.selected));
    const z = app.latents.base(app.selected);
    for (let index = 0; index < TILES * TILES; index += 1) {
      const shares = [index % TILES, Math.floor(index / TILES)].map((i) => (i + 0.5) / TILES);
      const position = axes.map(({ min, max }, i) => min + shares[i] * (max - min));
      const values = coordinates.toLatents(...position);
      const start = index * (latent + classes.length);
      dimensions.forEach((dimension, i) => {
        codes[start + dimension] += app.latents.psi * (values[i] - z[dimension]);
      });
    }
    const place = app.placeOf(view);
    const answer = await app.backend.generate({ ...place, codes, count: TILES * TILES });
    if (view === app.views[0] && answer.length === TILES * TILES * sampleSize(view.run)) {
      tiles = answer;
      paint();
    }
  });

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
