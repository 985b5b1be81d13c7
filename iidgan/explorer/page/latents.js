/** Latents of the page's samples: draws of the prior, and how controls change them. */

/** Uniform numbers in [0, 1) that a seed determines (Mulberry32). */
function uniformNumbers(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let bits = state;
    bits = Math.imul(bits ^ (bits >>> 15), bits | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 4294967296;
  };
}

/** A latent from N(0, I), by the method of Box and Muller; draw `index` of set `set`. */
export function drawLatent(set, index, dimension) {
  const uniform = uniformNumbers(Math.imul(set, 0x9e3779b1) + index);
  const z = new Float32Array(dimension);
  for (let i = 0; i < dimension; i += 2) {
    const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
    const angle = 2 * Math.PI * uniform();
    z[i] = radius * Math.cos(angle);
    if (i + 1 < dimension) z[i + 1] = radius * Math.sin(angle);
  }
  return z;
}

/** Latents of samples, with truncation, classes, and moves along directions. */
export class LatentSet {
  constructor() {
    this.set = 1;
    this.psi = 1;
    this.label = -1; // each class in turn
    this.dimension = 1;
    this.moves = []; // [{vector, amount}]
    this.edited = new Map(); // latents that were changed, by index
    this.labels = new Map(); // classes of single samples, by index
  }

  /** The latent of a sample before truncation and moves. */
  base(index) {
    return this.edited.get(index) ?? drawLatent(this.set, index, this.dimension);
  }

  /** Change one latent of a sample. */
  edit(index, dimension, value) {
    const z = this.base(index);
    z[dimension] = value;
    this.edited.set(index, z);
  }

  /** What the generator gets for a latent z: psi z plus the moves. */
  transform(latent) {
    const z = latent.map((value) => this.psi * value);
    for (const { vector, amount } of this.moves) {
      vector.forEach((part, i) => (z[i] += amount * part));
    }
    return z;
  }

  /** Let the generator get this latent for a sample, under the present truncation and moves. */
  setTransformed(index, latent) {
    if (this.psi < 0.01) this.psi = 1;
    const z = drawLatent(this.set, index, this.dimension);
    z.set(latent);
    for (const { vector, amount } of this.moves) {
      vector.forEach((part, i) => (z[i] -= amount * part));
    }
    this.edited.set(index, z.map((value, i) => (i < latent.length ? value / this.psi : value)));
  }

  /** The class of a sample among `count` classes. */
  labelOf(index, count) {
    const label = this.labels.get(index) ?? (this.label < 0 ? index : this.label);
    return label % count;
  }

  /** The codes [z; c] of samples for a run. */
  codes(run, indices) {
    const bases = indices.map((index) => this.base(index));
    return this.encode(run, bases, indices);
  }

  /** The codes [z; c] of latents, with the classes of samples. */
  encode({ latent, classes }, latents, indices) {
    const width = latent + classes.length;
    const codes = new Float32Array(latents.length * width);
    latents.forEach((z, row) => {
      codes.set(this.transform(z).subarray(0, latent), row * width);
      if (classes.length === 0) return;
      codes[row * width + latent + this.labelOf(indices[row], classes.length)] = 1;
    });
    return codes;
  }
}
