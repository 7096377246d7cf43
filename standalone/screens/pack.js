// Gives a picture at most 256 colours. The commonest keep their place, so that flat areas stay as they are; of all others
// those take one, the commonest, that lie in the same cell of a grid that is as fine as it can be. Returns width, height, palette
// (hex, 3 bytes a colour) and the colours' numbers, one byte a pixel, in base64.
async (png) => {
  const KEPT = 64;
  const image = await createImageBitmap(await (await fetch(`data:image/png;base64,${png}`)).blob());
  const { width, height } = image;
  const canvas = new OffscreenCanvas(width, height).getContext("2d");
  canvas.drawImage(image, 0, 0);
  const pixels = new Uint32Array(canvas.getImageData(0, 0, width, height).data.buffer);
  const counts = new Map();
  for (const pixel of pixels) counts.set(pixel, (counts.get(pixel) ?? 0) + 1);
  const common = [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0]).map(([pixel]) => pixel);

  let chosen = new Map();
  let palette = [];
  for (let step = 1; !palette.length || palette.length > 256; step += 1) {
    const cell = (pixel) => [0, 8, 16].map((place) => Math.floor(((pixel >>> place) & 255) / step)).join();
    const first = new Map();
    palette = [];
    chosen = new Map();
    for (const [turn, pixel] of common.entries()) {
      const at = cell(pixel);
      if (turn < KEPT || !first.has(at)) chosen.set(pixel, palette.push(pixel) - 1);
      if (!first.has(at)) first.set(at, chosen.get(pixel));
      chosen.set(pixel, chosen.get(pixel) ?? first.get(at));
    }
  }

  const numbers = new Uint8Array(pixels.length);
  for (let place = 0; place < pixels.length; place += 1) numbers[place] = chosen.get(pixels[place]);
  const hex = (byte) => (byte & 255).toString(16).padStart(2, "0");
  const colours = palette.map((pixel) => hex(pixel) + hex(pixel >>> 8) + hex(pixel >>> 16)).join("");
  const text = [];
  for (let place = 0; place < numbers.length; place += 32768) {
    text.push(String.fromCharCode(...numbers.subarray(place, place + 32768)));
  }
  return { width, height, colours, numbers: btoa(text.join("")) };
}
