/** Codes that reproduce a sample better, as `latent/inversion.py` finds them. */

const LEARNING_RATE = 0.1;
const DECAYS = { mean: 0.9, square: 0.999 };
const EPSILON = 1e-8;

/**
 * The code whose latents Adam has moved towards a smaller mean squared difference of G(z) and x;
 * the best one on the way, so that the error does not grow.
 *
 * `computeGradient` maps a code and a sample to G's output and the gradient of the error.
 */
export async function refineCode(computeGradient, x, start, numSteps) {
  const code = start.slice();
  let [best, smallestError] = [start, Infinity];
  let mean = null;
  let square = null;
  for (let step = 0; step <= numSteps; step += 1) {
    const [values, gradient] = await computeGradient(code, x);
    const error = meanSquaredError(values, x);
    if (error < smallestError) [best, smallestError] = [code.slice(), error];
    mean ??= gradient.map(() => 0);
    square ??= gradient.map(() => 0);
    const rate = LEARNING_RATE * (1 - step / numSteps);
    for (let i = 0; i < gradient.length; i += 1) {
      mean[i] += (1 - DECAYS.mean) * (gradient[i] - mean[i]);
      square[i] += (1 - DECAYS.square) * (gradient[i] ** 2 - square[i]);
      const correctedMean = mean[i] / (1 - DECAYS.mean ** (step + 1));
      const correctedSquare = square[i] / (1 - DECAYS.square ** (step + 1));
      code[i] -= (rate * correctedMean) / (Math.sqrt(correctedSquare) + EPSILON);
    }
  }
  return best;
}

export function meanSquaredError(x, y) {
  return x.reduce((sum, value, i) => sum + (value - y[i]) ** 2, 0) / x.length;
}
