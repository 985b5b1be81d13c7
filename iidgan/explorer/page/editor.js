/** The selected sample: its picture or values, and a slider for each of its latents. */

import { announce, button, card, el, formatNumber, latestOnly, picker, slider } from "./dom.js";
import { drawImage } from "./images.js";
import { createPad } from "./pad.js";
import { VIEW_NAMES } from "./places.js";

const SLIDERS_SHOWN = 16;
const MAX_LATENT = 3;

/** The card of the selected sample. */
export function createEditor(app) {
  const pictures = el("div", { class: "large" });
  const list = el("div", { class: "sliders" });
  const blocks = el("div");
  const number = el("div");
  const pad = createPad(app);
  const reset = button("As drawn", () => change(() => app.latents.edited.delete(app.selected)));
  const mean = button("Mean of the prior", () =>
    change(() => app.latents.edited.set(app.selected, new Float32Array(app.latents.dimension))),
  );
  const latents = el("div", {}, blocks, list);
  const root = card(
    "One sample",
    number,
    el("div", { class: "editor" }, pictures, pad.root, latents),
    el("div", { class: "buttons" }, reset, mean),
  );
  let first = 0;
  let sliders = [];
  let outputs = [];

  function change(run) {
    run();
    app.notify("latents");
    announce(`Sample ${app.selected} has changed`);
  }

  function fill() {
    root.hidden = app.readyViews.length === 0;
    if (root.hidden) return;
    const { latent } = app.run;
    latents.hidden = latent === 2; // the pad has them
    first = first < latent ? first : 0;
    const starts = [];
    for (let start = 0; start < latent; start += SLIDERS_SHOWN) starts.push(start);
    const blockPicker = picker({
      label: "Latents",
      options: starts.map((start) => [
        start,
        `${start} to ${Math.min(start + SLIDERS_SHOWN, latent) - 1}`,
      ]),
      value: first,
      onChange(text) {
        first = Number(text);
        fillSliders();
      },
    });
    blocks.replaceChildren(...(starts.length > 1 ? [blockPicker.root] : []));
    outputs = app.views.map((view, index) => createOutput(app, view, index));
    pictures.replaceChildren(...outputs.map((output) => output.root));
    fillSliders();
    fillNumber();
    pad.fill();
    draw();
  }

  function fillNumber() {
    const steer = slider({
      label: "Sample",
      min: 0,
      max: app.count - 1,
      step: 1,
      value: app.selected,
      onInput: (value) => app.select(value),
    });
    number.replaceChildren(steer.root);
    number.hidden = app.isImages;
  }

  function fillSliders() {
    const last = Math.min(first + SLIDERS_SHOWN, app.run.latent);
    sliders = [];
    for (let dimension = first; dimension < last; dimension += 1) {
      sliders.push(
        slider({
          label: `z ${dimension}`,
          min: -MAX_LATENT,
          max: MAX_LATENT,
          step: 0.05,
          value: 0,
          format: (value) => value.toFixed(2),
          onInput(value) {
            app.latents.edit(app.selected, dimension, value);
            app.notify("latents");
          },
        }),
      );
    }
    list.replaceChildren(...sliders.map((steer) => steer.root));
    showLatents();
  }

  function showLatents() {
    const z = app.latents.base(app.selected);
    sliders.forEach((steer, i) => {
      if (document.activeElement !== steer.input) steer.set(z[first + i]);
    });
    pad.show();
  }

  const draw = latestOnly(async () => {
    if (root.hidden) return;
    const shown = outputs;
    const ready = shown.filter(({ view }) => view.step !== null);
    const values = await Promise.all(ready.map(({ view }) => app.generate(view, [app.selected])));
    if (shown === outputs) ready.forEach((output, i) => output.draw(values[i]));
  });

  fill();
  app.watch(["runs", "count"], fill);
  app.watch(["places"], () => {
    if (outputs.length !== app.views.length) fill();
    else draw();
    pad.drawMap();
  });
  app.watch(["latents"], () => {
    showLatents();
    draw();
    pad.drawMap();
  });
  app.watch(["selection"], () => {
    showLatents();
    fillNumber();
    draw();
    pad.drawMap();
  });
  return root;
}

/** The selected sample of one view: an image, or coordinates. */
function createOutput(app, view, index) {
  const name = VIEW_NAMES[index];
  const canvas = el("canvas", { role: "img", "aria-label": `Selected sample of view ${name}` });
  const text = el("output", {});
  const caption = el("figcaption", {});
  const root = el("figure", { class: `view-${name.toLowerCase()}` }, caption);
  const { run } = view;
  root.append(run.kind === "images" ? canvas : text);

  function draw(values) {
    const className = run.classes[app.latents.labelOf(app.selected, run.classes.length)];
    const prefix = app.views.length > 1 ? `${name}: ` : "";
    caption.textContent = `${prefix}sample ${app.selected}${className ? `, ${className}` : ""}`;
    if (run.kind === "images") drawImage(canvas, values, run.shape);
    else text.textContent = `(${[...values].map(formatNumber).join(", ")})`;
  }

  return { root, view, draw };
}
