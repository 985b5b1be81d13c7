/** A sample of the user: its code, what G makes of it, and the closest samples of the data. */

import { announce, button, card, el, formatNumber, latestOnly, newId, slider } from "./dom.js";
import { drawImage } from "./images.js";
import { VIEW_NAMES } from "./places.js";

const MAX_REFINE = 400;
const DEFAULT_REFINE = 100;

/** The card in which a picture is dropped, or a point is typed. */
export function createInversion(app) {
  const input = el("div");
  const results = el("div", { class: "columns" });
  const message = el("p", { class: "soft", role: "status" });
  const refine = slider({
    label: "Refinement steps",
    min: 0,
    max: MAX_REFINE,
    step: 50,
    value: DEFAULT_REFINE,
    onInput: () => {},
  });
  refine.input.addEventListener("change", () => ask());
  const note = el("p", { class: "soft" });
  const root = card("Your own sample", note, input, refine.root, message, results);
  let sample = null;
  let filled = "";
  const describeRun = () => JSON.stringify([app.run.key, app.run.shape]);

  function fill() {
    filled = describeRun();
    const { canInvert, canRefine } = app.run;
    root.hidden = app.readyViews.length === 0 || !(canInvert || canRefine);
    if (root.hidden) return;
    refine.root.hidden = !canRefine;
    note.textContent = canInvert
      ? "Its code F(x), and what G makes of it."
      : "This run has no inverse F: its code is searched from 0, by refinement alone.";
    input.replaceChildren(app.isImages ? createDropZone(take) : createPointForm(app.run, take));
    sample = null;
    results.replaceChildren();
    message.textContent = "";
  }

  function take(newSample) {
    sample = newSample;
    ask();
  }

  const ask = latestOnly(async () => {
    if (sample === null) return;
    const asked = sample;
    message.textContent = "Inverting …";
    const columns = [];
    for (const view of app.readyViews) {
      const question = {
        ...app.placeOf(view),
        sample: asked,
        label: view.run.canInvert || app.latents.label < 0 ? null : app.latents.label,
        refine: view.run.canRefine ? Number(refine.input.value) : 0,
      };
      if (!view.run.canInvert && view.run.classes.length && question.label === null) {
        question.label = app.latents.labelOf(app.selected, view.run.classes.length);
      }
      const answer = await app.backend.invert(question);
      if (asked !== sample) return;
      columns.push({ view, element: createResult(app, view, answer), question });
      results.replaceChildren(...columns.map(({ element }) => element));
    }
    message.textContent = "";
    announce("The sample is inverted");
    for (const { view, element, question } of columns) {
      if (!view.run.hasNeighbours) continue;
      try {
        element.append(showNeighbours(view, await app.backend.neighbours(question)));
      } catch (error) {
        element.append(el("p", { class: "soft" }, `No nearest samples: ${error.message}`));
      }
    }
  });

  fill();
  app.watch(["runs"], () => {
    if (describeRun() !== filled) fill();
  });
  app.watch(["places"], () => ask());
  return root;
}

function createDropZone(take) {
  const id = newId();
  const file = el("input", { type: "file", id, accept: "image/*", onchange: () => choose(file.files[0]) });
  const zone = el(
    "div",
    { class: "drop" },
    el("label", { for: id }, "Drop a picture here, or choose one"),
    file,
  );
  function choose(picture) {
    if (picture) take(picture);
  }
  zone.addEventListener("dragover", (event) => {
    event.preventDefault();
    zone.classList.add("over");
  });
  zone.addEventListener("dragleave", () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    file.files = event.dataTransfer.files; // its name appears beside the button
    choose(file.files[0]);
  });
  return zone;
}

function createPointForm(run, take) {
  const fields = [...Array(run.shape[0]).keys()].map((axis) => {
    const id = newId();
    const field = el("input", { id, type: "number", step: "any", value: 0 });
    return { field, root: el("div", { class: "picker" }, el("label", { for: id }, `x ${axis}`), field) };
  });
  const invertButton = button("Invert", () => {
    take(Float32Array.from(fields, ({ field }) => Number(field.value)));
  });
  return el("div", { class: "row" }, ...fields.map(({ root }) => root), invertButton);
}

const STAGE_TITLES = { code: ["G(0)", "G(F(x))"], refined: ["G of the refined code", "Refined"] };

function createResult(app, view, { input, stages }) {
  const name = VIEW_NAMES[app.views.indexOf(view)];
  const { run } = view;
  const figures = [createFigure(run, input, run.kind === "images" ? "As the run sees it" : "x")];
  for (const { name: stage, code, values, error, quantile } of stages) {
    const title = STAGE_TITLES[stage][Number(run.canInvert)];
    const figure = createFigure(run, values, title);
    const classes = code.subarray(run.latent);
    const label = classes.length ? classes.indexOf(Math.max(...classes)) : null;
    const facts = el("dl", { class: "facts" });
    const rows = { error: formatNumber(error), quantile: formatNumber(quantile) };
    if (label !== null) rows.class = run.classes[label];
    for (const [term, text] of Object.entries(rows)) {
      facts.append(el("dt", {}, term), el("dd", {}, text));
    }
    const use = button("Use this code", () => {
      app.latents.setTransformed(app.selected, code.subarray(0, run.latent));
      if (label !== null) app.latents.labels.set(app.selected, label);
      app.notify("latents");
      announce(`Sample ${app.selected} has this code`);
    });
    figure.append(facts, use);
    figures.push(figure);
  }
  const title = app.views.length > 1 ? [el("h3", {}, `${name}: ${run.name}`)] : [];
  return el("div", { class: `result view-${name.toLowerCase()}` }, ...title, el("div", { class: "figures" }, ...figures));
}

function createFigure(run, values, title) {
  const caption = el("figcaption", {}, title);
  if (run.kind === "points") {
    const text = `(${[...values].map(formatNumber).join(", ")})`;
    return el("figure", {}, caption, el("output", {}, text));
  }
  const canvas = el("canvas", { role: "img", "aria-label": title });
  drawImage(canvas, values, run.shape);
  return el("figure", {}, caption, canvas);
}

function showNeighbours({ run }, neighbours) {
  const figures = neighbours.map(({ values, distance, label }, index) => {
    const title = `${index + 1}. ${label ? `${label}, ` : ""}${formatNumber(distance)}`;
    return createFigure(run, values, title);
  });
  const title = el("h3", {}, "Nearest samples of the data");
  return el("div", {}, title, el("div", { class: "figures small" }, ...figures));
}
