"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const viewer = byId("viewer");
  const selectLeft = byId("left");
  const selectRight = byId("right");
  const mapButton = byId("map-button");
  const mapStrength = byId("map-strength");
  const figures = Array.from(document.querySelectorAll("figure[data-picture]"));
  const mapFigure = figures.find((figure) => figure.dataset.picture === "map");

  function pictureOf(figure) {
    const image = figure.querySelector("img");
    const { name, label } = figure.dataset;
    return { name, label, src: image.src, alt: image.alt, smooth: figure === mapFigure };
  }

  const referenceFigure = figures.find((figure) => figure.dataset.picture === "reference");

  viewer.hidden = false;
  const view = makeViewer();

  function show() {
    const left = figures[selectLeft.selectedIndex];
    const right = figures[selectRight.selectedIndex];
    view.show(pictureOf(left), pictureOf(right), pictureOf(referenceFigure));
    for (const button of document.querySelectorAll("[data-side]")) {
      const chosen = button.dataset.side === "left" ? left : right;
      button.setAttribute("aria-pressed", String(button.closest("figure") === chosen));
    }
  }

  for (const button of document.querySelectorAll("[data-side]")) {
    button.addEventListener("click", () => {
      const index = figures.indexOf(button.closest("figure"));
      (button.dataset.side === "left" ? selectLeft : selectRight).selectedIndex = index;
      show();
    });
  }

  for (const select of [selectLeft, selectRight]) {
    select.addEventListener("change", show);
  }

  function swap() {
    [selectLeft.selectedIndex, selectRight.selectedIndex] = [selectRight.selectedIndex, selectLeft.selectedIndex];
    show();
  }

  byId("swap").addEventListener("click", swap);

  if (mapFigure !== undefined && mapButton !== null) {
    const update = () => {
      const on = mapButton.getAttribute("aria-pressed") === "true";
      view.showMap(on ? mapFigure.querySelector("img").src : null, mapStrength.value / 100);
    };
    mapButton.addEventListener("click", () => {
      const on = mapButton.getAttribute("aria-pressed") === "true";
      mapButton.setAttribute("aria-pressed", String(!on));
      update();
    });
    mapStrength.addEventListener("input", () => {
      mapButton.setAttribute("aria-pressed", "true");
      update();
    });
    update();
  }

  view.onLetters(viewer, { x: swap, m: () => mapButton !== null && mapButton.click() });
  for (const chooser of document.querySelectorAll(".choose")) {
    chooser.hidden = false;
  }
  selectLeft.selectedIndex = Number(figures.findIndex((figure) => figure.dataset.start === "left"));
  selectRight.selectedIndex = Number(figures.findIndex((figure) => figure.dataset.start === "right"));
  view.resize(Number(viewer.dataset.width), Number(viewer.dataset.height));
  show();
  const { lookX, lookY } = viewer.dataset;
  if (lookX !== undefined) {
    view.lookAt(Number(lookX), Number(lookY));
  }
})();
