/** Typed arrays in JSON: {"type": "float32", "base64": "..."}, in little-endian order. */

const TYPES = { float32: Float32Array, int32: Int32Array, uint8: Uint8Array };
const CHUNK = 0x8000; // arguments of one call

/** A typed array as an object for JSON; other values are returned as they are. */
export function encodeArray(value) {
  const name = Object.keys(TYPES).find((type) => value instanceof TYPES[type]);
  if (name === undefined) return value;
  const bytes = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  let text = "";
  for (let start = 0; start < bytes.length; start += CHUNK) {
    text += String.fromCharCode(...bytes.subarray(start, start + CHUNK));
  }
  return { type: name, base64: btoa(text) };
}

/** The typed array of an object from JSON; other values are returned as they are. */
export function decodeArray(value) {
  if (value === null || typeof value !== "object" || !("base64" in value)) return value;
  const text = atob(value.base64);
  const bytes = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  return new TYPES[value.type](bytes.buffer);
}
