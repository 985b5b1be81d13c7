/** The page: panels around one state. */

import { App } from "./app.js";
import { createControls, createDirections } from "./controls.js";
import { createCurves } from "./curves.js";
import { showError } from "./dom.js";
import { createEditor } from "./editor.js";
import { createInversion } from "./inversion.js";
import { createPlaces } from "./places.js";
import { createPoints } from "./points.js";
import { createSamples } from "./samples.js";

const CONTROLS = [createPlaces, createControls];
const CONTENT = [
  createSamples,
  createPoints,
  createDirections,
  createEditor,
  createInversion,
  createCurves,
];

/** Build the page on what a backend answers (see backend.js). */
export async function start(backend) {
  try {
    const description = await backend.describe();
    const app = new App(backend, description);
    const { length } = app.runs;
    document.getElementById("note").textContent = description.note ?? "";
    document.getElementById("summary").textContent = `${length} ${length === 1 ? "run" : "runs"}`;
    document.getElementById("controls").replaceChildren(...CONTROLS.map((create) => create(app)));
    document.getElementById("content").replaceChildren(...CONTENT.map((create) => create(app)));
  } catch (error) {
    showError(error);
  }
}
