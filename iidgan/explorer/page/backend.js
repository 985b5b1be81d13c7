/**
 * What the page asks about runs: the interface of a backend, and the backend that asks a server.
 *
 * The page reads its data through one object with the asynchronous functions below, and through
 * nothing else. `serverBackend` sends each question to the server of `iidgan explore`; another
 * backend may compute the answers in the page. A function that fails throws an `Error` whose
 * message is one line for the user. The page never asks for what `describe` says is not there.
 *
 * `place` is {run, seed, step}: the key of a run, and one of its seeds and steps. Codes are those
 * of Python: latents z (M numbers), and with K classes [z; c] (M + K), one code after the other.
 * The page draws latents, scales them by psi and appends classes itself. Values of images are
 * bytes in the order (n, H, W, C); values of points are float32 in the order (n, D), in the units
 * of the data.
 *
 * describe() -> {version, note: what the page says of itself, if anything, runs: [{
 *     key,            string: names the run in `place`
 *     name,           string: what the user called it
 *     id, method, source,     strings for the user
 *     kind,           "images" or "points"
 *     shape,          [C, H, W] or [D]; null as long as a run has no networks yet
 *     latent,         M
 *     classes,        [string]: names of the K classes; empty if the run is not conditional
 *     seeds,          [{seed, steps: [increasing], diverged: step or null}]
 *     canInvert,      boolean: there is F
 *     canRefine,      boolean: `invert` can improve codes (without F, from code 0)
 *     hasNeighbours,  boolean: `neighbours` can be asked
 *     hasHistory,     boolean: `history` can be asked
 *     isTraining,     boolean: the page asks `describe` and `history` again every few seconds
 * }]}
 *
 * generate({...place, codes: Float32Array(n * (M + K)), count: n})
 *     -> Uint8Array(n * H * W * C) or Float32Array(n * D)
 *
 * directions(place) -> [{name, vector: Float32Array(M)}]      of length 1; may be empty
 *
 * invert({...place, sample, label, refine})
 *     -> {input: values, stages: [{name, code: Float32Array(M + K), values, error, quantile}]}
 *     sample: a File with an image, or Float32Array(D); label: index of a class, or null for what
 *     F says; refine: number of steps, 0 for none. The stages are F's code, "code", and after
 *     refinement the improved one, "refined". error: mean squared difference in the units of G's
 *     output, [-1, 1] of images; quantile: the share of the prior that is closer to 0 than the
 *     latents.
 *
 * neighbours({...place, sample}) -> [{values, distance, label}]
 *     the samples of the data that are closest in root mean square of pixels (0 to 255) or
 *     coordinates; label: string, empty if there is none.
 *
 * plane(place) -> null, or of points {
 *     data:           Float32Array(n * 2): first two coordinates of data
 *     modes:          [{x, y, axes: [[dx, dy], [dx, dy]], share, expected}]: centre, semi-axes of
 *                     one standard deviation, share of good samples and of the data
 *     codes:          null, or with F and two latents Float32Array(m * 2): codes of data
 *     codeModes:      null, or Int32Array(m): mode of each of these
 *     density:        {values: Float32Array(rows * columns), rows, columns, x: [low, high],
 *                     y: [low, high]}: of the generated samples, largest value 1, from low y
 * }
 *
 * history({run}) -> {step, steps, isTraining, curves: [{
 *     name, group: "coverage" | "metrics" | "losses", seeds: [seed], steps: [step],
 *     values: [[value or null, one for each step], one list for each seed]
 * }]}
 */

import { decodeArray, encodeArray } from "./arrays.js";

/** The backend that asks the server at `address`, which ends in a slash. */
export function serverBackend(address) {
  async function ask(name, question = {}) {
    const body = JSON.stringify(question, (key, value) => encodeArray(value));
    const response = await fetch(address + name, { method: "POST", body }).catch(() => null);
    if (response === null) throw new Error("The server does not answer; is it still running?");
    if (!response.ok && response.status !== 400) {
      throw new Error(`The server failed (${response.status}); its terminal says why.`);
    }
    const answer = JSON.parse(await response.text(), (key, value) => decodeArray(value));
    if (!response.ok) throw new Error(answer.error);
    return answer;
  }

  async function askOfSample(name, { sample, ...question }) {
    if (!(sample instanceof Blob)) return ask(name, { ...question, sample });
    const bytes = new Uint8Array(await sample.arrayBuffer());
    return ask(name, { ...question, sample: bytes });
  }

  return {
    describe: () => ask("describe"),
    generate: (question) => ask("generate", question),
    directions: (place) => ask("directions", place),
    invert: (question) => askOfSample("invert", question),
    neighbours: (question) => askOfSample("neighbours", question),
    plane: (place) => ask("plane", place),
    history: (question) => ask("history", question),
  };
}
