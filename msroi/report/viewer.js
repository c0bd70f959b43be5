"use strict";
// Two pictures over each other: a divider between them, their difference, or the errors of both; zoom, pan, pinch,
// keyboard. A page calls makeViewer() once stage.html, modes.html and zoom.html are in it, tells the size, and hands
// over pictures, each {name, label, src, alt, smooth}. Nothing here knows where the pictures come from.
const makeViewer = () => {
  const byId = (id) => document.getElementById(id);
  const stage = byId("stage");
  const layers = byId("layers");
  const pair = byId("pair");
  const layerLeft = byId("layer-left");
  const layerRight = byId("layer-right");
  const layerOriginal = byId("layer-original");
  const layerMap = byId("layer-map");
  const grip = byId("grip");
  const LARGEST_ZOOM = 16;

  // width, height: of the pictures. split: where the divider stands in the visible part, 0 to 1.
  // scale: CSS pixels per picture pixel; null fits the picture into the stage. x, y: the picture's corner.
  // mode: a key of MODES. places: where left and right differ most, null until asked for; place: the last that was
  // shown, there: whether it still is.
  const state = { width: 1, height: 1, split: 0.5, scale: null, x: 0, y: 0, mode: "slider" };
  Object.assign(state, { places: null, place: -1, there: false });
  let names = ["", ""];
  let original = null;

  // What the tag at the top says of a mode, by how much errors are amplified.
  const MODES = {
    slider: () => "",
    difference: (gain) => `difference of the two, × ${gain}`,
    errors: (gain) => `error against the original, × ${gain}`,
  };

  const clamp = (value, low, high) => Math.min(Math.max(value, low), Math.max(low, high));
  const fitScale = () => Math.min(stage.clientWidth / state.width, stage.clientHeight / state.height, 2);
  const scaleNow = () => (state.scale === null ? fitScale() : state.scale);

  function visibleRange() {
    const shown = state.width * scaleNow();
    const from = clamp(state.x, 0, stage.clientWidth);
    return [from, Math.min(stage.clientWidth, state.x + shown)];
  }

  function place() {
    const scale = scaleNow();
    const w = state.width * scale;
    const h = state.height * scale;
    // On whole pixels of the screen, or 100 % would show the picture between them.
    const dots = window.devicePixelRatio;
    const whole = (value) => Math.round(value * dots) / dots;
    const room = (space, size, at) => whole(size <= space ? (space - size) / 2 : clamp(at, space - size, 0));
    state.x = room(stage.clientWidth, w, state.x);
    state.y = room(stage.clientHeight, h, state.y);
    layers.style.width = `${w}px`;
    layers.style.height = `${h}px`;
    layers.style.transform = `translate(${state.x}px, ${state.y}px)`;
    placeDivider(w);
    const zoom = scale * window.devicePixelRatio;
    stage.classList.toggle("zoomed", state.scale !== null);
    layers.classList.toggle("pixels", zoom >= 1.99);
    byId("tag-zoom").textContent = `${Math.round(zoom * 100)} %`;
    tellState();
    for (const button of document.querySelectorAll("[data-zoom]")) {
      const level = button.dataset.zoom;
      const on = level === "fit" ? state.scale === null : state.scale !== null && Math.abs(zoom - level) < 1e-3;
      button.setAttribute("aria-pressed", String(on));
    }
  }

  function placeDivider(w) {
    const [from, to] = visibleRange();
    const divider = from + state.split * (to - from);
    const cut = divider - state.x;
    const apart = state.mode !== "difference";
    // Differences are made by the browser: |left - right|, or |either - original|, then brighter by the gain.
    pair.style.filter = state.mode === "slider" ? "" : `brightness(${byId("gain").value})`;
    layerOriginal.hidden = state.mode !== "errors";
    layerRight.style.mixBlendMode = apart ? "" : "difference";
    // Cut at the divider only: a cut along the picture's own edge would leave half a pixel uncovered there.
    layerLeft.style.clipPath = apart ? `inset(-1px ${w - cut}px -1px -1px)` : "";
    layerRight.style.clipPath = apart ? `inset(-1px -1px -1px ${cut}px)` : "";
    byId("divider").hidden = !apart;
    grip.hidden = !apart;
    byId("divider").style.left = `${divider}px`;
    grip.style.left = `${clamp(divider, 22, stage.clientWidth - 22)}px`;
    const percent = Math.round(state.split * 100);
    grip.setAttribute("aria-valuenow", String(percent));
    grip.setAttribute("aria-valuetext", `${percent} % ${names[0]}, ${100 - percent} % ${names[1]}`);
    placeTag(byId("tag-left"), apart ? divider - 20 : stage.clientWidth / 2 - 20);
    placeTag(byId("tag-right"), apart ? stage.clientWidth - divider - 20 : stage.clientWidth / 2 - 20);
  }

  function tellState() {
    const { mode, places, place, there } = state;
    const found = !there ? "" : places.length ? `place ${place + 1} of ${places.length}` : "no difference";
    const tag = byId("tag-state");
    const words = [MODES[mode](byId("gain").value), found].filter((text) => text !== "").join("; ");
    if (tag.textContent !== words) {
      tag.textContent = words;
    }
    tag.hidden = words === "";
  }

  function placeTag(tag, space) {
    tag.style.maxWidth = `${Math.max(0, space)}px`;
    tag.style.visibility = space < 48 ? "hidden" : "visible";
  }

  function layOut() {
    const scale = Math.min(stage.clientWidth / state.width, 2);
    stage.style.height = `${clamp(state.height * scale, 200, Math.max(260, window.innerHeight * 0.76))}px`;
    place();
  }

  // reference: the picture that both were made from, or null where the page has none.
  function show(left, right, reference) {
    for (const [layer, picture] of [[layerLeft, left], [layerRight, right]]) {
      if (layer.src !== picture.src) {
        layer.src = picture.src;
        Object.assign(state, { places: null, place: -1, there: false });
      }
      layer.alt = picture.alt;
      layer.classList.toggle("smooth", picture.smooth);
    }
    byId("tag-left").textContent = left.label;
    byId("tag-right").textContent = right.label;
    names = [left.name, right.name];
    original = reference;
    byId("mode-errors").disabled = reference === null;
    setMode(reference === null && state.mode === "errors" ? "slider" : state.mode);
  }

  // A map over the picture: its address, or null for none; strength 0 to 1.
  function showMap(src, strength) {
    layerMap.hidden = src === null;
    layerMap.style.opacity = String(strength);
    if (src !== null && layerMap.src !== src) {
      layerMap.src = src;
    }
  }

  function resize(width, height) {
    if (width !== state.width || height !== state.height) {
      Object.assign(state, { width, height, scale: null, x: 0, y: 0 });
    }
    layOut();
  }

  function setMode(mode) {
    state.mode = mode;
    for (const name of Object.keys(MODES)) {
      byId(`mode-${name}`).setAttribute("aria-pressed", String(name === mode));
    }
    document.querySelector(".gain").hidden = mode === "slider";
    if (mode === "errors" && layerOriginal.src !== original.src) {
      layerOriginal.src = original.src;
    }
    place();
  }

  // The picture's point (x, y) in the middle, under the divider, 200 % large or, where that is no larger than the
  // whole picture as it is shown, twice or four times that.
  function lookAt(x, y) {
    let zoom = 2;
    while (zoom / window.devicePixelRatio <= fitScale() && zoom < LARGEST_ZOOM) {
      zoom *= 2;
    }
    state.scale = zoom / window.devicePixelRatio;
    state.x = stage.clientWidth / 2 - x * state.scale;
    state.y = stage.clientHeight / 2 - y * state.scale;
    state.there = false;
    place();
    const [from, to] = visibleRange();
    moveDivider((state.x + x * state.scale - from) / Math.max(1, to - from));
  }

  // To the next of the places where left and right differ most, the first after the last.
  async function jump() {
    if (state.places === null) {
      await Promise.all([layerLeft.decode(), layerRight.decode()]);
      state.places = findDifferences(layerLeft, layerRight, state.width, state.height);
    }
    if (state.places.length > 0) {
      state.place = (state.place + 1) % state.places.length;
      lookAt(...state.places[state.place]);
      stage.scrollIntoView({ block: "nearest" });
    }
    state.there = true;
    tellState();
  }

  function zoomTo(scale, atX, atY) {
    const before = scaleNow();
    const largest = LARGEST_ZOOM / window.devicePixelRatio;
    const after = scale === null ? fitScale() : Math.min(scale, largest);
    const x = atX === undefined ? stage.clientWidth / 2 : atX;
    const y = atY === undefined ? stage.clientHeight / 2 : atY;
    state.x = x - ((x - state.x) * after) / before;
    state.y = y - ((y - state.y) * after) / before;
    state.scale = scale === null ? null : after;
    state.there = false;
    place();
  }

  function zoomBy(factor, atX, atY) {
    const wanted = scaleNow() * factor;
    const toFit = factor < 1 && wanted <= fitScale() * 1.001;
    zoomTo(toFit ? null : wanted, atX, atY);
  }

  function moveDivider(split) {
    state.split = clamp(split, 0, 1);
    place();
  }

  function pan(dx, dy) {
    state.x += dx;
    state.y += dy;
    state.there = false;
    place();
  }

  function positionOf(event) {
    const box = stage.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  // Pointers: one drags (the divider, or the picture when zoomed), two pinch.
  const pointers = new Map();
  let drag = null;

  function spread() {
    const [first, second] = Array.from(pointers.values());
    return {
      distance: Math.max(1, Math.hypot(first[0] - second[0], first[1] - second[1])),
      centre: [(first[0] + second[0]) / 2, (first[1] + second[1]) / 2],
    };
  }

  stage.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) {
      return;
    }
    pointers.set(event.pointerId, positionOf(event));
    stage.setPointerCapture(event.pointerId);
    const onGrip = grip.contains(event.target);
    drag = pointers.size === 1 ? { onGrip, start: positionOf(event), moved: onGrip } : null;
    stage.classList.add("dragging");
  });

  stage.addEventListener("pointermove", (event) => {
    const before = pointers.get(event.pointerId);
    if (before === undefined) {
      return;
    }
    const now = positionOf(event);
    if (pointers.size === 2) {
      const old = spread();
      pointers.set(event.pointerId, now);
      const { distance, centre } = spread();
      zoomBy(distance / old.distance, centre[0], centre[1]);
      if (state.scale !== null) {
        pan(centre[0] - old.centre[0], centre[1] - old.centre[1]);
      }
      return;
    }
    pointers.set(event.pointerId, now);
    if (drag === null) {
      return;
    }
    drag.moved = drag.moved || Math.hypot(now[0] - drag.start[0], now[1] - drag.start[1]) > 3;
    if (drag.moved && (drag.onGrip || state.scale === null)) {
      const [from, to] = visibleRange();
      moveDivider((now[0] - from) / Math.max(1, to - from));
    } else if (drag.moved) {
      pan(now[0] - before[0], now[1] - before[1]);
    }
  });

  for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) {
    stage.addEventListener(name, (event) => {
      pointers.delete(event.pointerId);
      drag = null;
      stage.classList.toggle("dragging", pointers.size > 0);
    });
  }

  stage.addEventListener("dblclick", (event) => {
    if (!grip.contains(event.target)) {
      const pixel = 1 / window.devicePixelRatio;
      // Where fitting already shows every pixel, go one step nearer.
      const near = fitScale() > pixel * 0.99 ? 4 * pixel : pixel;
      zoomTo(state.scale === null ? near : null, ...positionOf(event));
    }
  });

  stage.addEventListener("wheel", (event) => {
    // Without Ctrl (or a pinch on a touchpad, which sets it) the page scrolls as anywhere.
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      zoomBy(Math.exp(-event.deltaY * 0.004), ...positionOf(event));
    }
  }, { passive: false });

  function onKey(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) {
      return;
    }
    const step = event.shiftKey ? 0.1 : 0.01;
    const panning = state.scale !== null && event.target === stage;
    const far = event.shiftKey ? 240 : 48;
    const actions = {
      ArrowLeft: () => (panning ? pan(far, 0) : moveDivider(state.split - step)),
      ArrowRight: () => (panning ? pan(-far, 0) : moveDivider(state.split + step)),
      ArrowUp: () => (panning ? pan(0, far) : event.target === grip && moveDivider(state.split + step)),
      ArrowDown: () => (panning ? pan(0, -far) : event.target === grip && moveDivider(state.split - step)),
      PageUp: () => moveDivider(state.split + 0.1),
      PageDown: () => moveDivider(state.split - 0.1),
      Home: () => moveDivider(0),
      End: () => moveDivider(1),
      "+": () => zoomBy(2),
      "=": () => zoomBy(2),
      "-": () => zoomBy(0.5),
      0: () => zoomTo(null),
    };
    const scrolls = /^(Page|Home|End)|^Arrow(Up|Down)/.test(event.key);
    if (event.key in actions && (!scrolls || panning || event.target === grip)) {
      event.preventDefault();
      actions[event.key]();
    }
  }

  stage.addEventListener("keydown", onKey);

  // Letters that work anywhere in `area`; `more`: the page's own, by letter.
  function onLetters(area, more) {
    // Left alone, right alone, and back to the middle: the eye sees small differences best when they blink.
    const alone = (end) => moveDivider(state.split === end ? 0.5 : end);
    const toggle = (mode) => byId(`mode-${mode}`).disabled || setMode(state.mode === mode ? "slider" : mode);
    const actions = {
      l: () => alone(1),
      r: () => alone(0),
      d: () => toggle("difference"),
      e: () => toggle("errors"),
      j: jump,
      ...more,
    };
    area.addEventListener("keydown", (event) => {
      const typing = /^(SELECT|INPUT)$/.test(event.target.tagName);
      const action = actions[event.key.toLowerCase()];
      if (action !== undefined && !typing && !event.altKey && !event.ctrlKey && !event.metaKey) {
        event.preventDefault();
        action();
      }
    });
  }

  for (const mode of Object.keys(MODES)) {
    byId(`mode-${mode}`).addEventListener("click", () => setMode(mode));
  }
  byId("gain").addEventListener("change", place);
  byId("jump").addEventListener("click", jump);

  for (const button of document.querySelectorAll("[data-zoom]")) {
    button.addEventListener("click", () => {
      const level = button.dataset.zoom;
      zoomTo(level === "fit" ? null : Number(level) / window.devicePixelRatio);
    });
  }

  window.addEventListener("resize", layOut);
  return { resize, show, showMap, lookAt, onLetters };
};
