/** Controls of all samples: draws, truncation, class, and moves along directions. */

import { announce, button, card, el, picker, replaceContent, showError, slider } from "./dom.js";

const MAX_MOVE = 4;

/** The card with the controls of all samples. */
export function createControls(app) {
  const { latents } = app;
  const classes = el("div");
  const counts = el("div");
  const psi = slider({
    label: "Truncation psi",
    min: 0,
    max: 1.5,
    step: 0.05,
    value: 1,
    format: (value) => value.toFixed(2),
    onInput(value) {
      latents.psi = value;
      app.notify("latents");
    },
  });

  function fill() {
    const names = app.run.classes;
    const options = [[-1, "each in turn"], ...names.map((name, index) => [index, name])];
    latents.label = Math.min(latents.label, names.length - 1);
    const classPicker = picker({
      label: "Class",
      options,
      value: latents.label,
      onChange(text) {
        latents.label = Number(text);
        latents.labels.clear();
        app.notify("latents");
      },
    });
    replaceContent(classes, ...(names.length ? [classPicker.root] : []));
    const countPicker = picker({
      label: "Samples",
      options: app.imageCounts.map((count) => [count, count]),
      value: app.numImages,
      onChange(text) {
        app.numImages = Number(text);
        app.fitLatents();
        app.notify("count", "latents");
      },
    });
    replaceContent(counts, ...(app.isImages ? [countPicker.root] : []));
  }

  function drawAgain() {
    latents.set += 1;
    latents.edited.clear();
    latents.labels.clear();
    app.notify("latents");
    announce(`Set ${latents.set} of samples`);
  }

  fill();
  app.watch(["runs"], fill);
  app.watch(["latents"], () => psi.set(latents.psi));
  return card("All samples", counts, classes, psi.root, button("Draw others", drawAgain));
}

/** The card with a slider for each direction. */
export function createDirections(app) {
  const { latents } = app;
  const list = el("div", { class: "sliders" });
  const reset = button("Back to 0", () => {
    latents.moves.forEach((move) => (move.amount = 0));
    show();
    app.notify("latents");
  });
  const note = el(
    "p",
    { class: "soft" },
    "Steps along directions of length 1, for every sample. SeFa: what the first layer of G " +
      "amplifies most. Towards a class: its mean code minus the mean of all.",
  );
  const root = card("Directions", note, list, reset);
  let sliders = [];

  function show() {
    sliders.forEach((steer, index) => steer.set(latents.moves[index].amount));
  }

  async function load() {
    const [view] = app.views;
    root.hidden = view.step === null;
    if (view.step === null) return;
    const directions = await app.remember("directions", view);
    if (view !== app.views[0]) return;
    const amounts = new Map(latents.moves.map(({ name, amount }) => [name, amount]));
    latents.moves = directions.map(({ name, vector }) => ({
      name,
      vector,
      amount: amounts.get(name) ?? 0,
    }));
    sliders = latents.moves.map((move) =>
      slider({
        label: move.name,
        min: -MAX_MOVE,
        max: MAX_MOVE,
        step: 0.1,
        value: move.amount,
        format: (value) => value.toFixed(1),
        onInput(value) {
          move.amount = value;
          app.notify("latents");
        },
      }),
    );
    root.hidden = directions.length === 0;
    replaceContent(list, ...sliders.map((steer) => steer.root));
    if (latents.moves.some(({ amount }) => amount !== 0)) app.notify("latents");
  }

  app.watch(["places"], () => load().catch(showError));
  load().catch(showError);
  return root;
}
