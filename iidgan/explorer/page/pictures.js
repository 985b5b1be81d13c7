/** Pictures of the user as samples of a run, as `pictures.py` and Pillow convert them. */

const MAX_PIXELS = 2 ** 25;

/**
 * The bytes (H, W, C) of a file: transparent over white, the largest part of the shape at the
 * centre, resized by an antialiased bicubic filter, grey for runs on grey images.
 */
export async function readPicture(file, [channels, height, width]) {
  const source = cropCentre(await decodePicture(file), width, height);
  const pixels = resizeRows(resizeColumns(source, width), height).data;
  const bytes = new Uint8Array(height * width * channels);
  for (let pixel = 0; pixel < height * width; pixel += 1) {
    const colours = pixels.subarray(4 * pixel, 4 * pixel + 3);
    if (channels === 3) bytes.set(colours, 3 * pixel);
    else bytes.fill(toGrey(colours), channels * pixel, channels * (pixel + 1));
  }
  return bytes;
}

async function decodePicture(file) {
  const bitmap = await createImageBitmap(file, { colorSpaceConversion: "none" }).catch(() => {
    throw new Error("This file is no image that the browser can decode.");
  });
  const { width, height } = bitmap;
  if (width * height > MAX_PIXELS) {
    const limit = MAX_PIXELS.toLocaleString("en");
    throw new Error(`A picture must have at most ${limit} pixels, got ${width} x ${height}.`);
  }
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillStyle = "white";
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, 0, 0);
  return context.getImageData(0, 0, width, height);
}

/** The largest part of an image, at its centre, whose sides are as those of the target. */
function cropCentre(image, targetWidth, targetHeight) {
  let { width, height } = image;
  if (width * targetHeight <= height * targetWidth) {
    height = Math.max(1, Math.round((width * targetHeight) / targetWidth));
  } else {
    width = Math.max(1, Math.round((height * targetWidth) / targetHeight));
  }
  const left = Math.floor((image.width - width) / 2);
  const top = Math.floor((image.height - height) / 2);
  const data = new Uint8ClampedArray(4 * width * height);
  for (let row = 0; row < height; row += 1) {
    const start = 4 * ((top + row) * image.width + left);
    data.set(image.data.subarray(start, start + 4 * width), 4 * row * width);
  }
  return { data, width, height };
}

/** Resize the rows of an image to a width; the results are bytes. */
function resizeColumns({ data, width, height }, newWidth) {
  if (width === newWidth) return { data, width, height };
  const resized = new Uint8ClampedArray(4 * newWidth * height);
  listWeights(width, newWidth).forEach(({ first, weights }, column) => {
    for (let row = 0; row < height; row += 1) {
      for (let channel = 0; channel < 4; channel += 1) {
        const start = 4 * (row * width + first) + channel;
        let sum = 0;
        for (let i = 0; i < weights.length; i += 1) sum += weights[i] * data[start + 4 * i];
        resized[4 * (row * newWidth + column) + channel] = sum;
      }
    }
  });
  return { data: resized, width: newWidth, height };
}

function resizeRows(image, newHeight) {
  return transpose(resizeColumns(transpose(image), newHeight));
}

function transpose({ data, width, height }) {
  const turned = new Uint8ClampedArray(data.length);
  for (let row = 0; row < height; row += 1) {
    for (let column = 0; column < width; column += 1) {
      const start = 4 * (row * width + column);
      turned.set(data.subarray(start, start + 4), 4 * (column * height + row));
    }
  }
  return { data: turned, width: height, height: width };
}

/** For each new pixel, the pixels that it is a weighted mean of: the first one, and weights. */
function listWeights(size, newSize) {
  const scale = size / newSize;
  const spread = Math.max(scale, 1);
  return Array.from({ length: newSize }, (_, position) => {
    const centre = (position + 0.5) * scale;
    const first = Math.max(0, Math.floor(centre - 2 * spread + 0.5));
    const end = Math.min(size, Math.floor(centre + 2 * spread + 0.5));
    const weights = Array.from({ length: end - first }, (_, i) =>
      cubic(Math.abs((first + i + 0.5 - centre) / spread)),
    );
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return { first, weights: weights.map((weight) => weight / sum) };
  });
}

/** Keys' cubic convolution kernel with a = -1/2. */
function cubic(distance) {
  if (distance < 1) return (1.5 * distance - 2.5) * distance * distance + 1;
  if (distance < 2) return ((-0.5 * distance + 2.5) * distance - 4) * distance + 2;
  return 0;
}

/** Luma of ITU-R 601, in Pillow's integers. */
function toGrey([red, green, blue]) {
  return (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;
}
