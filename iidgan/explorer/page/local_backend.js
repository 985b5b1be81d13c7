/** The backend of a page that stands alone: it computes with networks that are in the page. */

import { decodeArray } from "./arrays.js";
import { readPicture } from "./pictures.js";
import { meanSquaredError, refineCode } from "./refinement.js";

/**
 * What is in the page, as `standalone.py` writes it: {
 *     description,    the answer to `describe`
 *     histories,      {run: the answer to `history`}
 *     places,         {"run/seed/step": {
 *         networks,   {G, F}; F only if there is one
 *         directions, plane: the answers of these names
 *     }}
 *     runtime,        what computes the networks, if that is not a module of the page
 * }
 */
export function readData() {
  const text = document.getElementById("data").textContent;
  return JSON.parse(text, (key, value) => decodeArray(value));
}

/**
 * The backend (see backend.js) on such data. `create` returns the functions of a network: `forward`
 * on arrays of n samples, and of G perhaps `gradient`, as `refineCode` reads it; both are
 * asynchronous, and return a list of arrays.
 */
export function localBackend(data, create) {
  const runs = new Map(data.description.runs.map((run) => [run.key, run]));
  const created = new Map();

  function find({ run, seed, step }) {
    return data.places[`${run}/${seed}/${step}`];
  }

  /** G or F of a place, which is created when it is first used. */
  function findNetwork(place, name) {
    const network = find(place).networks[name];
    if (!created.has(network)) created.set(network, create(network));
    return created.get(network);
  }

  async function generate(place, codes) {
    const [values] = await findNetwork(place, "G").forward(codes);
    return values;
  }

  /** The code of a sample: that of F, or 0, and the class that was asked for, if one was. */
  async function encode(place, x, label) {
    const run = runs.get(place.run);
    const code = run.canInvert
      ? (await findNetwork(place, "F").forward(x))[0]
      : new Float32Array(run.latent + run.classes.length);
    if (label !== null) {
      code.fill(0, run.latent);
      code[run.latent + label] = 1;
    }
    if (!code.every(Number.isFinite)) {
      throw new Error("The code is not finite: the seed diverged, or the sample is unlike the data.");
    }
    return code;
  }

  async function invert({ sample, label, refine, ...place }) {
    const run = runs.get(place.run);
    const input = run.kind === "images" ? await readPicture(sample, run.shape) : sample;
    const x = toValues(input, run);
    const codes = { code: await encode(place, x, label) };
    if (refine > 0) {
      codes.refined = await refineCode(findNetwork(place, "G").gradient, x, codes.code, refine);
    }
    const stages = [];
    for (const [name, code] of Object.entries(codes)) {
      const values = await generate(place, code);
      const error = meanSquaredError(values, x);
      const quantile = radiusQuantile(code.subarray(0, run.latent));
      stages.push({ name, code, values: fromValues(values, run), error, quantile });
    }
    return { input, stages };
  }

  return {
    describe: async () => data.description,
    generate: async ({ codes, ...place }) =>
      fromValues(await generate(place, codes), runs.get(place.run)),
    directions: async (place) => find(place).directions,
    invert,
    plane: async (place) => find(place).plane,
    history: async ({ run }) => data.histories[run],
  };
}

/** What G returns, as the page reads it: of images (n, C, H, W) in [-1, 1], bytes (n, H, W, C). */
function fromValues(values, { kind, shape }) {
  if (kind !== "images") return values;
  const bytes = new Uint8ClampedArray(values.length);
  forEachPixel(values.length, shape, (first, last) => {
    bytes[last] = ((Number.isNaN(values[first]) ? 0 : values[first]) + 1) * 127.5;
  });
  return new Uint8Array(bytes.buffer);
}

/** The reverse: a sample as F reads it. */
function toValues(sample, { kind, shape }) {
  if (kind !== "images") return sample;
  const values = new Float32Array(sample.length);
  forEachPixel(sample.length, shape, (first, last) => {
    values[first] = sample[last] / 127.5 - 1;
  });
  return values;
}

/** Call `visit` with the positions of each number if channels are the first axis, and the last. */
function forEachPixel(length, [channels, height, width], visit) {
  const numPixels = height * width;
  for (let first = 0; first < length; first += 1) {
    const channel = Math.floor(first / numPixels) % channels;
    const image = Math.floor(first / (channels * numPixels));
    visit(first, (image * numPixels + (first % numPixels)) * channels + channel);
  }
}

/**
 * The share of the prior that is closer to 0 than a latent of M numbers: P(a, x), the regularised
 * gamma function, at a = M / 2 and x = |z|² / 2; by its series
 *
 *     P(a, x) = x^a e^-x / gamma(a + 1) (1 + x / (a + 1) + x² / ((a + 1) (a + 2)) + ...)
 */
function radiusQuantile(z) {
  const a = z.length / 2;
  const x = z.reduce((sum, value) => sum + value * value, 0) / 2;
  if (x === 0) return 0;
  if (x > a + 40 * Math.sqrt(a) + 100) return 1; // the terms would overflow
  let [term, sum] = [1, 1];
  for (let n = 1; term > 1e-10 * sum; n += 1) {
    term *= x / (a + n);
    sum += term;
  }
  // gamma(a + 1) is a (a - 1) ..., down to 1, or to 1/2 times the square root of pi
  let logarithm = Math.log(sum) - x - (z.length % 2 ? Math.log(Math.PI * x) / 2 : 0);
  for (let k = a; k > 0; k -= 1) logarithm += Math.log(x / k);
  return Math.min(1, Math.exp(logarithm));
}
