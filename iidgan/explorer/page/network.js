/**
 * Networks by plain script: runs the programs that `program_writer.py` describes.
 *
 * A program maps one sample at a time, on flat arrays.
 */

/** A function of each program of a network, by name: see `createRun`. */
export function createNetwork({ weights, programs }) {
  const tensors = decodeTensors(weights);
  const runs = Object.entries(programs).map(([name, program]) => [name, createRun(program, tensors)]);
  return Object.fromEntries(runs);
}

const PAUSE_MILLISECONDS = 40;

/** An asynchronous function that maps arrays of n samples each to a list of such arrays. */
function createRun(program, tensors) {
  const values = program.inputSizes.map(() => null);
  const steps = program.operations.map((operation) => {
    const result = new Float32Array(operation.size);
    const compute = OPERATIONS[operation.op](operation);
    const operands = operation.inputs.map((input) => tensors[input.tensor] ?? input);
    values.push(result);
    return () => compute(result, ...operands.map((x) => (typeof x === "number" ? values[x] : x)));
  });

  function runRow(inputs, row) {
    program.inputSizes.forEach((size, i) => {
      values[i] = inputs[i].subarray(row * size, (row + 1) * size);
    });
    for (const step of steps) step();
    return program.outputs.map((output) => values[output].slice());
  }

  return async function run(...inputs) {
    const count = inputs[0].length / program.inputSizes[0];
    const rows = [];
    let start = performance.now();
    for (let row = 0; row < count; row += 1) {
      rows.push(runRow(inputs, row));
      if (performance.now() - start > PAUSE_MILLISECONDS) {
        await new Promise((resolve) => setTimeout(resolve)); // the page stays responsive
        start = performance.now();
      }
    }
    return program.outputs.map((_, i) => joinArrays(rows.map((outputs) => outputs[i])));
  };
}

function joinArrays(arrays) {
  const joined = new Float32Array(arrays.length && arrays.length * arrays[0].length);
  arrays.forEach((array, i) => joined.set(array, i * array.length));
  return joined;
}

function decodeTensors({ numbers: text, sizes, precision }) {
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const numbers =
    precision === "float16"
      ? Float32Array.from(new Uint16Array(bytes.buffer), decodeHalf)
      : new Float32Array(bytes.buffer);
  let end = 0;
  return sizes.map((size) => numbers.subarray(end, (end += size)));
}

/** Return the number whose half precision has these 16 bits. */
function decodeHalf(bits) {
  const exponent = (bits >> 10) & 31;
  const fraction = (bits & 1023) / 1024;
  const size = exponent === 0 ? fraction * 2 ** -14 : (1 + fraction) * 2 ** (exponent - 15);
  return bits & 0x8000 ? -size : size;
}

/**
 * By name, functions of the fields of an operation that return a function of its result, which it
 * overwrites, and of its operands.
 */
const OPERATIONS = {
  add: ({ repeats }) => binary(repeats, (x, y) => x + y),
  multiply: ({ repeats }) => binary(repeats, (x, y) => x * y),
  relu: () => elementwise((x) => (x > 0 ? x : 0)),
  leakyRelu: ({ slope }) => elementwise((x) => (x > 0 ? x : slope * x)),
  tanh: () => elementwise(Math.tanh),
  sigmoid: () => elementwise((x) => 1 / (1 + Math.exp(-x))),

  gate: ({ slope }) => (y, gradient, x) => {
    for (let i = 0; i < y.length; i++) y[i] = x[i] > 0 ? gradient[i] : slope * gradient[i];
  },

  softmax: () => (y, x) => {
    const largest = x.reduce((a, b) => Math.max(a, b));
    const sum = x.reduce((total, value) => total + Math.exp(value - largest), 0);
    for (let i = 0; i < y.length; i++) y[i] = Math.exp(x[i] - largest) / sum;
  },

  gather: ({ index }) => (y, x) => {
    for (let i = 0; i < y.length; i++) y[i] = x[index[i]];
  },

  concat: () => (y, ...parts) => {
    let end = 0;
    for (const part of parts) {
      y.set(part, end);
      end += part.length;
    }
  },

  sum: ({ size }) => (y, x) => {
    const length = x.length / size;
    for (let i = 0; i < size; i++) {
      let sum = 0;
      for (let j = i * length; j < (i + 1) * length; j++) sum += x[j];
      y[i] = sum;
    }
  },

  linear: ({ size }) => (y, x, weight) => {
    y.fill(0);
    addVectorProduct(y, weight, x, size, x.length);
  },

  conv2d: (operation) => {
    const { inputShape, outputShape, kernelSize } = operation;
    const positions = listPatches(operation, inputShape, outputShape);
    const patches = new Float32Array(inputShape[0] * positions.length);
    const [rows, columns] = [outputShape[0], outputShape[1] * outputShape[2]];
    const inner = inputShape[0] * kernelSize[0] * kernelSize[1];
    return (y, x, weight) => {
      readPatches(patches, x, positions, inputShape);
      y.fill(0);
      addProduct(y, weight, [inner, 1], patches, rows, inner, columns);
    };
  },

  convTranspose2d: (operation) => {
    const { inputShape, outputShape, kernelSize } = operation;
    const positions = listPatches(operation, outputShape, inputShape);
    const patches = new Float32Array(outputShape[0] * positions.length);
    const [inner, columns] = [inputShape[0], inputShape[1] * inputShape[2]];
    const rows = outputShape[0] * kernelSize[0] * kernelSize[1];
    return (y, x, weight) => {
      patches.fill(0);
      if (columns === 1) addProduct(patches, x, [inner, 1], weight, 1, inner, rows);
      else addProduct(patches, weight, [1, rows], x, rows, inner, columns);
      y.fill(0);
      addPatches(y, patches, positions, outputShape);
    };
  },

  averagePool: (operation) => {
    const { inputShape, outputShape, kernelSize } = operation;
    const positions = listPatches(operation, inputShape, outputShape);
    const patches = new Float32Array(inputShape[0] * positions.length);
    const numPixels = outputShape[1] * outputShape[2];
    const area = kernelSize[0] * kernelSize[1];
    return (y, x) => {
      readPatches(patches, x, positions, inputShape);
      y.fill(0);
      for (let i = 0; i < patches.length; i++) {
        const channel = Math.floor(i / positions.length);
        y[channel * numPixels + (i % numPixels)] += patches[i] / area;
      }
    };
  },

  upsample: ({ inputShape, outputShape }) => (y, x) => {
    const [, height, width] = inputShape;
    const [channels, newHeight, newWidth] = outputShape;
    const [rowFactor, columnFactor] = [newHeight / height, newWidth / width];
    let i = 0;
    for (let row = 0; row < channels * newHeight; row++) {
      const start = Math.floor(row / rowFactor) * width;
      for (let column = 0; column < newWidth; column++) {
        y[i++] = x[start + Math.floor(column / columnFactor)];
      }
    }
  },
};

function elementwise(apply) {
  return (y, x) => {
    for (let i = 0; i < y.length; i++) y[i] = apply(x[i]);
  };
}

/** An operation on two operands: number i reads number i / repeat, modulo its size, of each. */
function binary(repeats, apply) {
  return (y, a, b) => {
    const [left, right] = [broadcast(a, repeats[0], y.length), broadcast(b, repeats[1], y.length)];
    for (let i = 0; i < y.length; i++) y[i] = apply(left[i], right[i]);
  };
}

function broadcast(x, repeat, size) {
  if (x.length === size) return x;
  const result = new Float32Array(size);
  for (let start = 0, k = 0; start < size; start += repeat, k = (k + 1) % x.length) {
    result.fill(x[k], start, start + repeat);
  }
  return result;
}

/**
 * Add the product of matrices a (rows, inner) and b (inner, columns) to c (rows, columns).
 *
 * The numbers of a are `rowStep` and `step` apart, of which one is 1: the other order is that of
 * its transpose. Two rows of c take four rows of b at a time, so that a number of b is read half
 * as often as it is used, and one of c a quarter as often.
 */
function addProduct(c, a, [rowStep, step], b, rows, inner, columns) {
  const [blockedRows, blockedInner] = [rows - (rows % 2), inner - (inner % 4)];
  for (let row = 0; row < blockedRows; row += 2) {
    for (let k = 0; k < blockedInner; k += 4) {
      const p = row * rowStep + k * step;
      const q = p + rowStep;
      const p0 = a[p], p1 = a[p + step], p2 = a[p + 2 * step], p3 = a[p + 3 * step];
      const q0 = a[q], q1 = a[q + step], q2 = a[q + 2 * step], q3 = a[q + 3 * step];
      let i = row * columns;
      const end = i + columns;
      for (let j = k * columns; i < end; i++, j++) {
        const b0 = b[j], b1 = b[j + columns];
        const b2 = b[j + 2 * columns], b3 = b[j + 3 * columns];
        c[i] += p0 * b0 + p1 * b1 + p2 * b2 + p3 * b3;
        c[i + columns] += q0 * b0 + q1 * b1 + q2 * b2 + q3 * b3;
      }
    }
  }
  for (let row = 0; row < rows; row++) {
    for (let k = row < blockedRows ? blockedInner : 0; k < inner; k++) {
      const factor = a[row * rowStep + k * step];
      for (let i = row * columns, j = k * columns; j < (k + 1) * columns; i++, j++) {
        c[i] += factor * b[j];
      }
    }
  }
}

/** Add the product of a matrix a (rows, inner) and a vector to c. */
function addVectorProduct(c, a, vector, rows, inner) {
  for (let row = 0, i = 0; row < rows; row++) {
    let sum = 0;
    for (let k = 0; k < inner; k++) sum += a[i++] * vector[k];
    c[row] += sum;
  }
}

/**
 * List, for each pixel of the kernel and each of its places, the pixel of the image that it
 * covers, or -1 outside of it.
 */
function listPatches({ kernelSize, stride, padding }, [, height, width], [, rows, columns]) {
  const positions = new Int32Array(kernelSize[0] * kernelSize[1] * rows * columns);
  let i = 0;
  for (let ky = 0; ky < kernelSize[0]; ky++) {
    for (let kx = 0; kx < kernelSize[1]; kx++) {
      for (let row = 0; row < rows; row++) {
        for (let column = 0; column < columns; column++) {
          const y = row * stride[0] + ky - padding[0];
          const x = column * stride[1] + kx - padding[1];
          const isInside = y >= 0 && y < height && x >= 0 && x < width;
          positions[i++] = isInside ? y * width + x : -1;
        }
      }
    }
  }
  return positions;
}

function readPatches(patches, image, positions, [channels, height, width]) {
  for (let channel = 0, i = 0; channel < channels; channel++) {
    const start = channel * height * width;
    for (const position of positions) patches[i++] = position < 0 ? 0 : image[start + position];
  }
}

function addPatches(image, patches, positions, [channels, height, width]) {
  for (let channel = 0, i = 0; channel < channels; channel++) {
    const start = channel * height * width;
    for (const position of positions) {
      if (position >= 0) image[start + position] += patches[i];
      i++;
    }
  }
}
