/** The state of the page, which its panels change and watch. */

import { showError } from "./dom.js";
import { LatentSet } from "./latents.js";

export const NUM_POINTS = 1000;
const IMAGE_COUNTS = [12, 24, 48];

/** What is shown: views of runs (one, or two to compare), and the latents of the samples. */
export class App {
  constructor(backend, description) {
    this.backend = backend;
    this.runs = description.runs;
    this.latents = new LatentSet();
    this.numImages = IMAGE_COUNTS[1];
    this.imageCounts = IMAGE_COUNTS;
    this.selected = 0;
    this.views = [this.createView(this.runs[0])];
    this.watchers = new Map();
    this.answers = new Map(); // of questions whose answers do not change
    this.fitLatents();
  }

  /** A view of a run: of its first seed that did not diverge, at its last step. */
  createView(run) {
    const seed = run.seeds.find(({ diverged }) => diverged === null) ?? run.seeds[0];
    return { run, seed: seed?.seed ?? null, step: seed?.steps.at(-1) ?? null };
  }

  /** Views that have networks; without any in the first view, there are none to explore. */
  get readyViews() {
    return this.views[0].step === null ? [] : this.views.filter(({ step }) => step !== null);
  }

  /** The run of the first view. */
  get run() {
    return this.views[0].run;
  }

  get isImages() {
    return this.run.kind === "images";
  }

  get count() {
    return this.isImages ? this.numImages : NUM_POINTS;
  }

  /** The place of a view, as a backend reads it. */
  placeOf({ run, seed, step }) {
    return { run: run.key, seed, step };
  }

  /** The steps of a view's seed. */
  stepsOf(view) {
    return view.run.seeds.find(({ seed }) => seed === view.seed)?.steps ?? [];
  }

  /** Let latents have as many dimensions as the largest that is shown. */
  fitLatents() {
    const dimension = Math.max(...this.views.map(({ run }) => run.latent));
    if (dimension !== this.latents.dimension) {
      this.latents.dimension = dimension;
      this.latents.edited.clear();
    }
    this.selected = Math.min(this.selected, this.count - 1);
  }

  /** Call `run` at each of these events: places, latents, selection, runs. */
  watch(events, run) {
    for (const event of events) {
      this.watchers.set(event, [...(this.watchers.get(event) ?? []), run]);
    }
  }

  notify(...events) {
    showError(null);
    new Set(events.flatMap((event) => this.watchers.get(event) ?? [])).forEach((run) => run());
  }

  /** Select a sample, which the sliders of single latents change. */
  select(index) {
    this.selected = index;
    this.notify("selection");
  }

  /** Samples of latents by the generator of a view. */
  generate(view, indices) {
    const codes = this.latents.codes(view.run, indices);
    return this.backend.generate({ ...this.placeOf(view), codes, count: indices.length });
  }

  /** The answer to a question of a place, which is asked once. */
  remember(name, view) {
    const place = this.placeOf(view);
    const key = JSON.stringify([name, place]);
    if (!this.answers.has(key)) {
      const answer = this.backend[name](place);
      answer.catch(() => this.answers.delete(key));
      this.answers.set(key, answer);
    }
    return this.answers.get(key);
  }

  /** Take over a newer description of the runs; a view at the last step stays at the last one. */
  renew(description) {
    const before = JSON.stringify(this.runs);
    const wasLast = this.views.map((view) => view.step === (this.stepsOf(view).at(-1) ?? null));
    this.runs = description.runs;
    this.views.forEach((view, i) => {
      view.run = this.runs.find(({ key }) => key === view.run.key);
      if (view.seed === null) Object.assign(view, this.createView(view.run));
      const steps = this.stepsOf(view);
      if (wasLast[i] || !steps.includes(view.step)) view.step = steps.at(-1) ?? null;
    });
    if (before === JSON.stringify(this.runs)) return;
    this.fitLatents();
    this.notify("runs", "places");
  }
}
