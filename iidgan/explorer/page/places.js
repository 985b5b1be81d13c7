/** Pickers of run, seed and checkpoint, of one view or of two. */

import { announce, button, card, el, picker, replaceContent, slider } from "./dom.js";

const PLAY_MILLISECONDS = 500;
export const VIEW_NAMES = ["A", "B"];

/** The card with the pickers of all views. */
export function createPlaces(app) {
  const list = el("div", { class: "places" });
  const compare = button("", toggle);

  function toggle() {
    if (app.views.length > 1) app.views.pop();
    else {
      const others = app.runs.filter((run) => run !== app.run && run.kind === app.run.kind);
      app.views.push(app.createView(others[0] ?? app.run));
    }
    app.fitLatents();
    fill();
    app.notify("places");
    announce(app.views.length > 1 ? "Two views side by side" : "One view");
  }

  function fill() {
    replaceContent(list, ...app.views.map((view, index) => createPlace(app, view, index)));
    compare.textContent = app.views.length > 1 ? "Show one view only" : "Compare with another";
  }

  fill();
  app.watch(["runs"], fill);
  return card("Networks", list, compare);
}

function createPlace(app, view, index) {
  const method = el("p", { class: "soft" });
  const time = el("div");
  let timer = null;

  function changeRun(key) {
    const run = app.runs.find((candidate) => candidate.key === key);
    Object.assign(view, app.createView(run));
    if (index === 0 && app.views[1] && app.views[1].run.kind !== run.kind) app.views.pop();
    app.fitLatents();
    app.notify("runs", "places");
  }

  function changeSeed(text) {
    view.seed = Number(text);
    const steps = app.stepsOf(view);
    if (!steps.includes(view.step)) view.step = steps.at(-1);
    fillTime();
    app.notify("places");
  }

  function showStep(step) {
    view.step = step;
    app.notify("places");
  }

  function fillTime() {
    stop();
    const steps = app.stepsOf(view);
    if (steps.length === 0) {
      time.replaceChildren(el("p", { class: "soft" }, "No checkpoint yet."));
      return;
    }
    if (steps.length === 1) {
      const text = `Step ${steps[0].toLocaleString("en")}, the only checkpoint`;
      time.replaceChildren(el("p", { class: "soft" }, text));
      return;
    }
    const steer = slider({
      label: "Checkpoint",
      min: 0,
      max: steps.length - 1,
      step: 1,
      value: steps.indexOf(view.step),
      format: (position) => `step ${steps[position].toLocaleString("en")}`,
      onInput: (position) => showStep(steps[position]),
    });
    const play = button("Play", () => (timer === null ? start() : stop()), {
      "aria-label": `Play the checkpoints of view ${VIEW_NAMES[index]}`,
    });
    stopPlaying = () => (play.textContent = "Play");

    function start() {
      let position = steps.indexOf(view.step);
      if (position === steps.length - 1) position = -1;
      play.textContent = "Pause";
      timer = setInterval(() => {
        position += 1;
        steer.set(position);
        showStep(steps[position]);
        if (position === steps.length - 1 || !play.isConnected) stop();
      }, PLAY_MILLISECONDS);
    }

    time.replaceChildren(steer.root, play);
  }

  let stopPlaying = () => {};
  function stop() {
    clearInterval(timer);
    timer = null;
    stopPlaying();
  }

  const runs = index === 0 ? app.runs : app.runs.filter(({ kind }) => kind === app.run.kind);
  const options = runs.map((run) => [run.key, run.name]);
  const runPicker = picker({ label: "Run", options, value: view.run.key, onChange: changeRun });
  const seeds = view.run.seeds.map(({ seed, diverged }) => [
    seed,
    diverged === null ? seed : `${seed} (diverged at step ${diverged})`,
  ]);
  const seedPicker = picker({
    label: "Seed",
    options: seeds,
    value: view.seed,
    onChange: changeSeed,
  });
  method.textContent = `${view.run.method} on ${view.run.source}`;
  fillTime();
  const title = app.views.length > 1 ? [el("legend", {}, `View ${VIEW_NAMES[index]}`)] : [];
  return el(
    "fieldset",
    { class: `place view-${VIEW_NAMES[index].toLowerCase()}` },
    ...title,
    runPicker.root,
    method,
    seedPicker.root,
    time,
  );
}
