/** Networks in ONNX files, which onnxruntime-web computes; both are inside the page. */

/**
 * A function of networks {onnx, inputShape} that returns {forward}, like `createNetwork`.
 *
 * `runtime` is {module, wasm}: the text of the module of onnxruntime-web with its glue, and its
 * WebAssembly, compressed by gzip, in base64. A page from a file can fetch neither.
 */
export function onnxNetworks(runtime) {
  let loaded = null;
  let lastRun = Promise.resolve(); // the runtime computes one thing at a time

  return function createOnnxNetwork({ onnx, inputShape }) {
    loaded ??= loadRuntime(runtime);
    const created = loaded.then(async (ort) => {
      const session = await ort.InferenceSession.create(decodeBytes(onnx));
      return { ort, session };
    });

    async function run(inputs) {
      const { ort, session } = await created;
      const size = inputShape.reduce((product, side) => product * side, 1);
      const tensor = new ort.Tensor("float32", inputs, [inputs.length / size, ...inputShape]);
      const outputs = await session.run({ [session.inputNames[0]]: tensor });
      return [outputs[session.outputNames[0]].data];
    }

    function forward(inputs) {
      const result = lastRun.then(() => run(inputs));
      lastRun = result.catch(() => {});
      return result;
    }

    return { forward };
  };
}

async function loadRuntime({ module, wasm }) {
  const address = URL.createObjectURL(new Blob([module], { type: "text/javascript" }));
  const ort = await import(address);
  const compressed = new Blob([decodeBytes(wasm)]).stream();
  const binary = compressed.pipeThrough(new DecompressionStream("gzip"));
  ort.env.wasm.wasmBinary = await new Response(binary).arrayBuffer();
  ort.env.wasm.numThreads = 1; // threads would need a server that isolates the page
  return ort;
}

function decodeBytes(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
