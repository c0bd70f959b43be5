"use strict";
// Where two pictures differ most. left, right: images that are decoded; width, height: of the pictures, in pixels.
// Returns at most five points [x, y], the largest squared difference around it first, none within another's reach;
// none at all for pictures that are equal.
const findDifferences = (left, right, width, height) => {
  const N_PLACES = 5;
  const STRIP_PIXELS = 1 << 20;
  // A fortieth of the shorter side, and sums over 3 x 3 cells: about as much as an eye or a word takes.
  const cell = Math.max(8, Math.round(Math.min(width, height) / 40));
  const columns = Math.ceil(width / cell);
  const rows = Math.ceil(height / cell);
  const sums = new Float64Array(columns * rows);
  const stripRows = Math.min(height, cell * Math.max(1, Math.floor(STRIP_PIXELS / (width * cell))));

  function reader() {
    const canvas = document.createElement("canvas");
    canvas.width = width;
    canvas.height = stripRows;
    const context = canvas.getContext("2d", { willReadFrequently: true });
    return (image, top, n) => {
      const scale = image.naturalHeight / height;
      context.drawImage(image, 0, top * scale, image.naturalWidth, n * scale, 0, 0, width, n);
      return context.getImageData(0, 0, width, n).data;
    };
  }

  const [readLeft, readRight] = [reader(), reader()];
  for (let top = 0; top < height; top += stripRows) {
    const n = Math.min(stripRows, height - top);
    const [first, second] = [readLeft(left, top, n), readRight(right, top, n)];
    for (let y = 0, at = 0; y < n; y += 1) {
      const row = Math.floor((top + y) / cell) * columns;
      for (let x = 0; x < width; x += 1, at += 4) {
        const red = first[at] - second[at];
        const green = first[at + 1] - second[at + 1];
        const blue = first[at + 2] - second[at + 2];
        sums[row + Math.floor(x / cell)] += red * red + green * green + blue * blue;
      }
    }
  }

  const around = [];
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      let sum = 0;
      for (let y = Math.max(0, row - 1); y <= Math.min(rows - 1, row + 1); y += 1) {
        for (let x = Math.max(0, column - 1); x <= Math.min(columns - 1, column + 1); x += 1) {
          sum += sums[y * columns + x];
        }
      }
      around.push({ row, column, sum });
    }
  }
  around.sort((a, b) => b.sum - a.sum);
  const chosen = [];
  for (const one of around) {
    const near = ({ row, column }) => Math.max(Math.abs(row - one.row), Math.abs(column - one.column)) < 4;
    if (one.sum > 0 && chosen.length < N_PLACES && !chosen.some(near)) {
      chosen.push(one);
    }
  }
  const middle = (place, size) => Math.min((place + 0.5) * cell, size);
  return chosen.map(({ row, column }) => [middle(column, width), middle(row, height)]);
};
