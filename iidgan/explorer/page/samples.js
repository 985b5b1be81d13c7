/** Generated images as a grid, of one view or of two side by side. */

import { card, el, latestOnly } from "./dom.js";
import { drawImage } from "./images.js";
import { VIEW_NAMES } from "./places.js";

/** The card with the images of all samples; one of them is selected. */
export function createSamples(app) {
  const columns = el("div", { class: "columns" });
  const note = el("p", { class: "soft" });
  const root = card("Samples", note, columns);
  let grids = [];

  function fill() {
    root.hidden = !app.isImages || app.readyViews.length === 0;
    if (root.hidden) return;
    note.textContent =
      app.views.length > 1
        ? "The same latents in both. Choose one to change its latents below."
        : "Choose one to change its latents below.";
    grids = app.views.map((view, index) => createGrid(app, view, index));
    columns.replaceChildren(...grids.map((grid) => grid.root));
    showSelection();
    draw();
  }

  function showSelection() {
    grids.forEach((grid) => grid.select(app.selected));
  }

  const draw = latestOnly(async () => {
    if (root.hidden) return;
    const indices = [...Array(app.count).keys()];
    const shown = grids;
    const ready = shown.filter(({ view }) => view.step !== null);
    const values = await Promise.all(ready.map(({ view }) => app.generate(view, indices)));
    if (shown === grids) ready.forEach((grid, i) => grid.draw(values[i]));
  });

  fill();
  app.watch(["runs", "count"], fill);
  app.watch(["places"], () => (grids.length === app.views.length ? draw() : fill()));
  app.watch(["latents"], draw);
  app.watch(["selection"], showSelection);
  return root;
}

/** One grid of images: radio buttons, of which arrow keys choose another. */
function createGrid(app, view, index) {
  const { run } = view;
  const name = VIEW_NAMES[index];
  const canvases = [...Array(app.count).keys()].map(() => el("canvas", { "aria-hidden": "true" }));
  const buttons = canvases.map((canvas, i) => {
    const label = `Sample ${i}`;
    return el(
      "button",
      { type: "button", role: "radio", "aria-label": label, onclick: () => app.select(i) },
      canvas,
    );
  });
  const group = el(
    "div",
    { class: "grid", role: "radiogroup", "aria-label": `Samples of view ${name}`, onkeydown: move },
    ...buttons,
  );
  const title = app.views.length > 1 ? `${name}: ${run.name}` : run.name;

  function move(event) {
    const width = getComputedStyle(group).gridTemplateColumns.split(" ").length;
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -width, ArrowDown: width };
    const next = app.selected + steps[event.key];
    if (!(next >= 0 && next < buttons.length)) return;
    event.preventDefault();
    app.select(next);
    buttons[next].focus();
  }

  function select(selected) {
    buttons.forEach((radio, i) => {
      radio.setAttribute("aria-checked", String(i === selected));
      radio.tabIndex = i === selected ? 0 : -1;
    });
  }

  function draw(values) {
    canvases.forEach((canvas, i) => drawImage(canvas, values, run.shape, i));
    const { classes } = run;
    buttons.forEach((radio, i) => {
      const className = classes[app.latents.labelOf(i, classes.length)];
      radio.setAttribute("aria-label", `Sample ${i}${className ? `, ${className}` : ""}`);
      radio.title = className ?? "";
    });
  }

  const root = el(
    "figure",
    { class: `view-${name.toLowerCase()}` },
    el("figcaption", {}, title),
    group,
  );
  return { root, view, select, draw };
}
