/** Images on canvases. */

/** Number of values of one sample of a run. */
export function sampleSize(run) {
  return run.shape.reduce((product, side) => product * side, 1);
}

/** Pixels of image `index` among bytes in the order (n, H, W, C). */
export function toImageData(values, [channels, height, width], index = 0) {
  const image = new ImageData(width, height);
  const start = index * channels * height * width;
  for (let pixel = 0; pixel < height * width; pixel += 1) {
    for (let channel = 0; channel < 3; channel += 1) {
      const source = start + pixel * channels + (channels === 3 ? channel : 0);
      image.data[4 * pixel + channel] = values[source];
    }
    image.data[4 * pixel + 3] = 255;
  }
  return image;
}

/** Draw image `index` on a canvas of its size. */
export function drawImage(canvas, values, shape, index = 0) {
  const [, height, width] = shape;
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  canvas.getContext("2d").putImageData(toImageData(values, shape, index), 0, 0);
}

/** A canvas, prepared for screens of many pixels, that is as large as its element. */
export function fitCanvas(canvas) {
  const scale = window.devicePixelRatio || 1;
  const { clientWidth: width, clientHeight: height } = canvas;
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  const context = canvas.getContext("2d");
  context.setTransform(scale, 0, 0, scale, 0, 0);
  return { context, width, height };
}

/** A colour of the style sheet. */
export function styleColour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** A colour for each of `count` modes. */
export function modeColours(count) {
  const lightness = styleColour("mode-lightness");
  const hues = Array.from({ length: count }, (_, index) => Math.round((360 * index) / count));
  return hues.map((hue) => `hsl(${hue} 65% ${lightness})`);
}
