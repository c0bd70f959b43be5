"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const data = JSON.parse(byId("data").textContent);
  const NONE = "–";
  const FEWER_ROWS = 200;
  const N_WORST = 5;
  const PICTURE_COLUMNS = 4; // image, target, encoder, trouble; figures follow

  // Figures as Python writes them: a true minus, thousands apart, infinity for identical pictures.
  function figure(measure, value, signed = measure.signed) {
    if (value === null || value === undefined) {
      return NONE;
    }
    if (!Number.isFinite(value)) {
      return value > 0 ? (signed ? "+∞" : "∞") : "−∞";
    }
    const { decimals } = measure;
    const text = Math.abs(value).toLocaleString("en", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
    const nothing = Number(Math.abs(value).toFixed(decimals)) === 0;
    return (value < 0 && !nothing ? "−" : signed && !nothing ? "+" : "") + text;
  }

  const number = (value) => (value === "inf" ? Infinity : value === "-inf" ? -Infinity : value);
  const rows = data.rows.map((row) => ({
    image: row[0],
    target: row[1],
    encoder: row[2],
    trouble: row[3],
    figures: row.slice(PICTURE_COLUMNS).map(number),
  }));
  const placeOf = new Map(rows.map((row) => [`${row.image} ${row.target} ${row.encoder}`, row]));
  const rowOf = (image, target, encoder) => placeOf.get(`${image} ${target} ${encoder}`);
  const quality = data.measures.map((measure, index) => ({ ...measure, index })).filter((measure) => measure.quality);
  const titleOf = (measure) => (measure.unit ? `${measure.label}, ${measure.unit}` : measure.label);

  // Elements: text goes in as text, never as HTML.
  function element(tag, properties = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(properties)) {
      if (name === "class") {
        made.className = value;
      } else if (name in made && typeof value !== "string") {
        made[name] = value;
      } else {
        made.setAttribute(name, value);
      }
    }
    made.append(...children);
    return made;
  }

  function svg(tag, attributes = {}, ...children) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) {
      made.setAttribute(name, value);
    }
    made.append(...children);
    return made;
  }

  function fill(select, names, chosen) {
    select.replaceChildren(...names.map((name) => element("option", {}, name)));
    select.selectedIndex = Math.max(0, names.indexOf(chosen));
  }

  function onPress(group, attribute, choose) {
    const buttons = Array.from(group.querySelectorAll(`[${attribute}]`));
    for (const button of buttons) {
      button.addEventListener("click", () => {
        for (const other of buttons) {
          other.setAttribute("aria-pressed", String(other === button));
        }
        choose(button.getAttribute(attribute));
      });
    }
  }

  for (const controls of document.querySelectorAll(".controls")) {
    controls.hidden = false;
  }

  // Panels: one of several is shown, by what its data say.
  function showPanel(card, wanted) {
    for (const panel of card.querySelectorAll(".panel")) {
      panel.hidden = Object.entries(wanted).some(([name, value]) => panel.dataset[name] !== value);
    }
  }

  // Verdict.
  const verdictEncoder = byId("verdict-encoder");
  if (verdictEncoder !== null) {
    const wanted = { encoder: verdictEncoder.value, target: data.headline.target };
    verdictEncoder.addEventListener("change", () => {
      wanted.encoder = verdictEncoder.value;
      showPanel(byId("verdict"), wanted);
    });
    onPress(byId("verdict-target"), "data-target", (target) => {
      wanted.target = target;
      showPanel(byId("verdict"), wanted);
    });
  }

  const bdEncoder = byId("bd-encoder");
  if (bdEncoder !== null) {
    bdEncoder.addEventListener("change", () => showPanel(byId("bd-rates"), { encoder: bdEncoder.value }));
  }

  if (byId("means-target") !== null) {
    onPress(byId("means-target"), "data-target", (target) => showPanel(byId("means"), { target }));
  }

  // Curves: the legend switches encoders off and shows which line is whose.
  const legend = document.querySelector(".legend");
  if (legend !== null) {
    const buttons = Array.from(legend.querySelectorAll("[data-encoder]"));
    const seriesOf = (name) =>
      Array.from(document.querySelectorAll("#curves g.series")).filter((group) => group.dataset.encoder === name);
    const update = () => {
      for (const button of buttons) {
        for (const group of seriesOf(button.dataset.encoder)) {
          group.classList.toggle("off", button.getAttribute("aria-pressed") === "false");
        }
      }
      byId("all-series").hidden = buttons.every((button) => button.getAttribute("aria-pressed") === "true");
    };
    for (const button of buttons) {
      const point = (on) => () => {
        byId("curves").classList.toggle("pointed", on);
        for (const group of seriesOf(button.dataset.encoder)) {
          group.classList.toggle("pointed", on);
        }
      };
      button.addEventListener("click", () => {
        button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") === "false"));
        update();
      });
      button.addEventListener("pointerenter", point(true));
      button.addEventListener("pointerleave", point(false));
      button.addEventListener("focus", point(true));
      button.addEventListener("blur", point(false));
    }
    byId("all-series").addEventListener("click", () => {
      buttons.forEach((button) => button.setAttribute("aria-pressed", "true"));
      update();
    });
    onPress(byId("curves"), "data-curves", (kind) => {
      for (const charts of document.querySelectorAll(".charts")) {
        charts.hidden = charts.dataset.kind !== kind;
      }
    });
  }

  // Viewer.
  const albums = data.albums;
  const albumNames = data.images.filter((name) => name in albums);
  const viewing = { view: null, left: "", right: "" };
  const ORIGINAL = "original";
  const inPage = (image, target) => image in albums && target in albums[image].targets;

  function uri(place) {
    return byId(`picture-${place}`).textContent;
  }

  function lookAt(image, target, left, right, scroll) {
    byId("album").value = image;
    fillShots(target);
    viewing.left = left;
    viewing.right = right;
    fillSides();
    showPictures();
    if (scroll) {
      byId("viewer-body").scrollIntoView({ block: "start" });
      byId("stage").focus({ preventScroll: true });
    }
  }

  function fillShots(wanted) {
    const there = data.targets.filter((target) => inPage(byId("album").value, target));
    fill(byId("shot"), there, wanted);
  }

  function sideNames() {
    const album = albums[byId("album").value];
    const files = album.targets[byId("shot").value];
    return [...(album.reference === null ? [] : [ORIGINAL]), ...data.encoders.filter((name) => name in files)];
  }

  function fillSides() {
    const names = sideNames();
    fill(byId("left"), names, viewing.left);
    fill(byId("right"), names, viewing.right);
  }

  function pictureOf(name) {
    const image = byId("album").value;
    const album = albums[image];
    const target = byId("shot").value;
    if (name === ORIGINAL && album.reference !== null) {
      return { name, label: name, src: uri(album.reference), alt: `${image}, original`, smooth: false };
    }
    const row = rowOf(data.images.indexOf(image), data.targets.indexOf(target), data.encoders.indexOf(name));
    const nBytes = row.figures[data.measures.findIndex((measure) => measure.key === "bytes")];
    const label = `${name}, ${nBytes.toLocaleString("en")} bytes`;
    return { name, label, src: uri(album.targets[target][name]), alt: `${image} by ${label}`, smooth: false };
  }

  function overlay() {
    const album = albums[byId("album").value];
    const pressed = ["map", "mask"].find((kind) => byId(`${kind}-button`).getAttribute("aria-pressed") === "true");
    const place = pressed === undefined ? null : album[pressed];
    viewing.view.showMap(place === null ? null : uri(place), byId("map-strength").value / 100);
    for (const kind of ["map", "mask"]) {
      byId(`${kind}-button`).disabled = album[kind] === null;
    }
  }

  function showPictures() {
    viewing.left = byId("left").value;
    viewing.right = byId("right").value;
    const [width, height] = albums[byId("album").value].size;
    viewing.view.resize(width, height);
    const reference = albums[byId("album").value].reference === null ? null : pictureOf(ORIGINAL);
    viewing.view.show(pictureOf(viewing.left), pictureOf(viewing.right), reference);
    overlay();
    showScores();
  }

  function showScores() {
    const image = data.images.indexOf(byId("album").value);
    const target = data.targets.indexOf(byId("shot").value);
    const found = [viewing.left, viewing.right].map((name) => rowOf(image, target, data.encoders.indexOf(name)));
    const shown = data.measures.map((measure, index) => ({ measure, index }))
      .filter(({ index }) => found.some((row) => row !== undefined && row.figures[index] !== null));
    const head = element("tr", {}, columnHead({ label: "Shown", unit: "" }),
      ...shown.map(({ measure }) => columnHead(measure)));
    const lines = [viewing.left, viewing.right].map((name, side) => element("tr", {},
      element("th", { scope: "row" }, element("bdi", {}, name)),
      ...shown.map(({ measure, index }) =>
        element("td", {}, found[side] === undefined ? NONE : figure(measure, found[side].figures[index])))));
    const caption = element("caption", { class: "unseen" }, "Figures of the two pictures shown");
    const table = element("table", { class: "dense" }, caption, element("thead", {}, head),
      element("tbody", {}, ...(viewing.left === viewing.right ? lines.slice(0, 1) : lines)));
    byId("shown-scores").replaceChildren(
      element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Figures of the pictures shown" }, table));
  }

  function columnHead(measure) {
    return element("th", { scope: "col" }, measure.label, element("span", { class: "unit" }, measure.unit || "\u00a0"));
  }

  function step(select, by) {
    const { length } = select.options;
    select.selectedIndex = (select.selectedIndex + by + length) % length;
    select.dispatchEvent(new Event("change"));
  }

  function swap() {
    [viewing.left, viewing.right] = [viewing.right, viewing.left];
    fillSides();
    showPictures();
  }

  function toggle(kind) {
    if (byId(`${kind}-button`).disabled) {
      return;
    }
    const on = byId(`${kind}-button`).getAttribute("aria-pressed") === "true";
    for (const other of ["map", "mask"]) {
      byId(`${other}-button`).setAttribute("aria-pressed", String(other === kind && !on));
    }
    overlay();
  }

  function startViewer() {
    byId("viewer-body").hidden = false;
    viewing.view = makeViewer();
    fill(byId("album"), albumNames, albumNames[0]);
    byId("album").addEventListener("change", () => {
      fillShots(byId("shot").value);
      fillSides();
      showPictures();
    });
    byId("shot").addEventListener("change", () => {
      fillSides();
      showPictures();
    });
    byId("left").addEventListener("change", showPictures);
    byId("right").addEventListener("change", showPictures);
    byId("previous").addEventListener("click", () => step(byId("album"), -1));
    byId("next").addEventListener("click", () => step(byId("album"), 1));
    byId("swap").addEventListener("click", swap);
    for (const kind of ["map", "mask"]) {
      byId(`${kind}-button`).hidden = albumNames.every((name) => albums[name][kind] === null);
      byId(`${kind}-button`).addEventListener("click", () => toggle(kind));
    }
    const toolsAreUseless = byId("map-button").hidden && byId("mask-button").hidden;
    document.querySelector(".map-tools").hidden = toolsAreUseless;
    byId("map-strength").addEventListener("input", overlay);
    viewing.view.onLetters(byId("viewer-body"), {
      n: () => step(byId("album"), 1),
      p: () => step(byId("album"), -1),
      t: () => step(byId("shot"), 1),
      x: swap,
      m: () => toggle("map"),
    });
  }

  // Worst and best images of a pair of encoders.
  const pair = ["encoder", "against", "target", "measure"].map((name) => byId(`pair-${name}`));
  const [pairEncoder, pairAgainst, pairTarget, pairMeasure] = pair;

  function differences() {
    const measure = quality[pairMeasure.selectedIndex];
    const target = pairTarget.selectedIndex;
    const encoder = data.encoders.indexOf(pairEncoder.value);
    const against = data.encoders.indexOf(pairAgainst.value);
    const found = [];
    for (let image = 0; image < data.images.length; image += 1) {
      const [ours, theirs] = [encoder, against].map((place) => rowOf(image, target, place));
      const [a, b] = [ours, theirs].map((row) => (row === undefined ? null : row.figures[measure.index]));
      if (Number.isFinite(a) && Number.isFinite(b)) {
        found.push({ image, a, b, difference: a - b, gain: measure.higher ? a - b : b - a });
      }
    }
    found.sort((x, y) => x.gain - y.gain || (data.images[x.image] < data.images[y.image] ? -1 : 1));
    return { measure, found };
  }

  function strip(found, measure) {
    const width = Math.max(300, byId("comparison").clientWidth);
    const height = 64;
    const low = Math.min(0, found[0].gain);
    const high = Math.max(0, found[found.length - 1].gain);
    const span = high - low || 1;
    const x = (gain) => 12 + ((gain - low) / span) * (width - 24);
    // Points that would hide each other go up and down from the middle.
    const levels = [];
    const dots = found.map((entry) => {
      const at = x(entry.gain);
      let level = levels.findIndex((end) => end < at - 10);
      level = level < 0 ? levels.length : level;
      levels[level] = at;
      const y = height / 2 + (level % 2 ? 1 : -1) * Math.ceil(level / 2) * 9;
      const kind = entry.gain > 0 ? "won" : entry.gain < 0 ? "lost" : "tied";
      const label = `${data.images[entry.image]}: ${figure(measure, entry.difference, true)} ${measure.unit}`;
      return svg("circle", { class: kind, cx: at, cy: Math.min(height - 6, Math.max(6, y)), r: 4.5 },
        svg("title", {}, label));
    });
    const title = `Difference of each of ${found.length} images`;
    return svg("svg", { class: "strip", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": title },
      svg("path", { class: "zero", d: `M${x(0)} 0V${height}` }), ...dots);
  }

  function extremes(title, entries, measure) {
    const head = element("tr", {}, element("th", { scope: "col" }, title),
      ...["Difference", pairEncoder.value, pairAgainst.value].map((name) => element("th", { scope: "col" }, name)),
      element("th", { scope: "col" }, element("span", { class: "unseen" }, "Look")));
    const lines = entries.map((entry) => {
      const image = data.images[entry.image];
      const kind = entry.gain > 0 ? "better-text" : entry.gain < 0 ? "worse-text" : "";
      const look = inPage(image, pairTarget.value)
        ? element("button", { type: "button", class: "button look", "aria-label": `Look at ${image}` }, "Look")
        : element("span", { class: "note", title: "The page does not carry its pictures" }, "not here");
      look.addEventListener("click", () => {
        if (inPage(image, pairTarget.value)) {
          lookAt(image, pairTarget.value, pairEncoder.value, pairAgainst.value, true);
        }
      });
      return element("tr", {}, element("th", { scope: "row" }, element("bdi", {}, image)),
        element("td", { class: kind }, figure(measure, entry.difference, true)),
        element("td", {}, figure(measure, entry.a)), element("td", {}, figure(measure, entry.b)),
        element("td", {}, look));
    });
    return element("table", { class: "dense" }, element("thead", {}, head), element("tbody", {}, ...lines));
  }

  function showPair() {
    const { measure, found } = differences();
    const caption = `${pairEncoder.value} minus ${pairAgainst.value} at ${pairTarget.value}, ${titleOf(measure)}`;
    const won = found.filter((entry) => entry.gain > 0).length;
    const lost = found.filter((entry) => entry.gain < 0).length;
    const title = element("p", { class: "panel-title" }, `${caption}: won ${won}, lost ${lost} of ${found.length} images`);
    if (found.length === 0) {
      byId("comparison").replaceChildren(title, element("p", { class: "small" }, "No image has both figures."));
      return;
    }
    // The strip begins and ends at zero where all images lie on one side of it.
    const end = (gain, word) => (gain === 0 ? "0" : `${figure(measure, measure.higher ? gain : -gain, true)} ${word}`);
    const scale = element("div", { class: "strip-ends" },
      element("span", {}, end(Math.min(0, found[0].gain), "worse")),
      element("span", {}, end(Math.max(0, found[found.length - 1].gain), "better")));
    const worst = extremes("Worst", found.slice(0, N_WORST), measure);
    const best = extremes("Best", found.slice(-N_WORST).reverse(), measure);
    byId("comparison").replaceChildren(title, strip(found, measure), scale,
      element("div", { class: "two" }, element("div", { class: "scroll" }, worst), element("div", { class: "scroll" }, best)));
  }

  function startPair() {
    const { headline } = data;
    fill(pairEncoder, data.encoders, headline.encoder);
    const plain = data.plain === null ? undefined : data.encoders[data.plain];
    fill(pairAgainst, data.encoders, plain === headline.encoder ? data.encoders.find((name) => name !== plain) : plain);
    fill(pairTarget, data.targets, headline.target);
    fill(pairMeasure, quality.map(titleOf), "");
    pairMeasure.selectedIndex = Math.max(0, quality.findIndex((measure) => measure.key === headline.measure));
    for (const select of pair) {
      select.addEventListener("change", showPair);
    }
    window.addEventListener("resize", showPair);
    for (const button of document.querySelectorAll("#verdict button.figure")) {
      button.addEventListener("click", () => {
        pairEncoder.value = button.dataset.encoder;
        pairAgainst.value = button.dataset.against;
        pairTarget.value = button.dataset.target;
        pairMeasure.selectedIndex = quality.findIndex((measure) => measure.key === button.dataset.measure);
        showPair();
        byId("images").scrollIntoView({ block: "start" });
        pairEncoder.focus({ preventScroll: true });
      });
    }
    showPair();
  }

  // Every image: all figures of each encode, or one measure with a column an encoder.
  const rowsTable = byId("rows-table");
  const sorting = { column: 0, down: false };
  let allRows = false;
  const ALL = "all";

  function columnsOfFigures() {
    const names = [
      { label: "Image", unit: "", of: (row) => data.images[row.image], picture: true },
      { label: "Encoder", unit: "", of: (row) => data.encoders[row.encoder] },
    ];
    if (byId("rows-target").value === ALL) {
      names.push({ label: "Target", unit: "", of: (row) => row.target, write: (place) => data.targets[place] });
    }
    return [...names, ...data.measures.map((measure, index) => ({
      label: measure.label,
      unit: measure.unit,
      of: (row) => row.figures[index],
      write: (value) => figure(measure, value),
    }))];
  }

  function chosenRows() {
    const target = byId("rows-target").value;
    const encoder = byId("rows-encoder").value;
    const wanted = byId("rows-search").value.trim().toLowerCase();
    return rows.filter((row) =>
      (target === ALL || data.targets[row.target] === target)
      && (encoder === ALL || data.encoders[row.encoder] === encoder)
      && (wanted === "" || data.images[row.image].toLowerCase().includes(wanted)));
  }

  // A line an image and target, a column an encoder.
  function matrix(measure) {
    const lines = new Map();
    for (const row of chosenRows()) {
      const key = `${row.image} ${row.target}`;
      const line = lines.get(key) || { image: row.image, target: row.target, trouble: "", values: [] };
      line.values[row.encoder] = row.figures[measure.index];
      lines.set(key, line);
    }
    const shown = data.encoders.map((name, place) => ({ name, place }))
      .filter(({ name }) => [ALL, name].includes(byId("rows-encoder").value));
    const best = (line) => {
      const gains = shown.map(({ place }) => line.values[place]).filter((value) => typeof value === "number")
        .map((value) => (measure.higher ? value : -value));
      return gains.length > 1 ? Math.max(...gains) : null;
    };
    const columns = [
      { label: "Image", unit: "", of: (line) => data.images[line.image], picture: true },
      { label: "Target", unit: "", of: (line) => line.target, write: (place) => data.targets[place] },
      ...shown.map(({ name, place }) => ({
        label: name,
        unit: "",
        of: (line) => line.values[place],
        write: (value) => figure(measure, value),
        wins: (line) => typeof line.values[place] === "number"
          && (measure.higher ? line.values[place] : -line.values[place]) === best(line),
      })),
    ];
    return { lines: Array.from(lines.values()), columns };
  }

  // Texts as people order them, numbers by size, what is missing last whichever way.
  const collator = new Intl.Collator("en", { numeric: true });
  function compareValues(a, b, down) {
    const lacks = (value) => value === null || value === undefined;
    if (lacks(a) || lacks(b)) {
      return Number(lacks(a)) - Number(lacks(b));
    }
    const order = typeof a === "string" ? collator.compare(a, b) : a < b ? -1 : Number(a > b);
    return down ? -order : order;
  }

  function headCell(column, place) {
    const pressed = sorting.column === place;
    const arrow = pressed ? (sorting.down ? "↓" : "↑") : "";
    const button = element("button", { type: "button", class: "sort" },
      element("span", { class: "sort-name" }, column.label, element("span", { class: "arrow", "aria-hidden": "true" }, arrow)),
      element("span", { class: "unit" }, column.unit || "\u00a0"));
    button.addEventListener("click", () => {
      sorting.down = pressed ? !sorting.down : false;
      sorting.column = place;
      showRows();
      rowsTable.querySelectorAll("thead button")[place].focus();
    });
    return element("th", { scope: "col", "aria-sort": pressed ? (sorting.down ? "descending" : "ascending") : "none" }, button);
  }

  function bodyLine(line, columns) {
    const cells = columns.map((column, place) => {
      const value = column.of(line);
      const text = column.write ? column.write(value) : value;
      if (place === 0) {
        return element("th", { scope: "row" }, element("bdi", {}, text));
      }
      if (column.wins !== undefined && column.wins(line)) {
        return element("td", {}, element("span", { class: "top-value" }, element("span", { class: "unseen" }, "best "), text));
      }
      return element("td", place < 2 ? { class: "text" } : {}, text);
    });
    if (line.trouble) {
      const kept = columns.findIndex((column) => column.of(line) === null);
      return element("tr", {}, ...cells.slice(0, kept),
        element("td", { class: "trouble", colspan: String(cells.length - kept) }, line.trouble));
    }
    return element("tr", {}, ...cells);
  }

  function showRows() {
    const place = byId("rows-view").selectedIndex - 1;
    const { lines, columns } = place < 0 ? { lines: chosenRows(), columns: columnsOfFigures() } : matrix(quality[place]);
    sorting.column = Math.min(sorting.column, columns.length - 1);
    const { of } = columns[sorting.column];
    lines.sort((a, b) => compareValues(of(a), of(b), sorting.down)
      || a.image - b.image || a.target - b.target || a.encoder - b.encoder);
    const shown = allRows ? lines : lines.slice(0, FEWER_ROWS);
    rowsTable.tHead.replaceChildren(element("tr", {}, ...columns.map(headCell)));
    rowsTable.tBodies[0].replaceChildren(...shown.map((line) => bodyLine(line, columns)));
    const total = lines.length.toLocaleString("en");
    byId("rows-count").textContent = shown.length < lines.length ? `${shown.length} of ${total} rows` : `${total} rows`;
    byId("rows-more").hidden = shown.length === lines.length;
    byId("rows-more").textContent = `Show all ${total}`;
  }

  function startRows() {
    fill(byId("rows-view"), ["every figure", ...quality.map(titleOf)], "");
    fill(byId("rows-target"), [ALL, ...data.targets], data.headline.target);
    fill(byId("rows-encoder"), [ALL, ...data.encoders], ALL);
    for (const name of ["view", "target", "encoder"]) {
      byId(`rows-${name}`).addEventListener("change", () => {
        allRows = false;
        showRows();
      });
    }
    byId("rows-search").addEventListener("input", showRows);
    byId("rows-more").addEventListener("click", () => {
      allRows = true;
      showRows();
    });
    showRows();
  }

  if (albumNames.length > 0) {
    startViewer();
    const other = data.plain === null ? ORIGINAL : data.encoders[data.plain];
    lookAt(data.headline.image, data.headline.target, other, data.headline.encoder, false);
  }
  if (quality.length > 0 && data.encoders.length > 1) {
    startPair();
  } else {
    byId("images").hidden = true;
  }
  startRows();
})();
