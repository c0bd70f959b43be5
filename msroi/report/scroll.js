"use strict";
// A table that is too wide scrolls in its box: the box is marked while there is more to its right.
(() => {
  let waiting = false;

  function mark() {
    waiting = false;
    for (const box of document.querySelectorAll(".scroll")) {
      box.classList.toggle("more-right", box.scrollLeft + box.clientWidth < box.scrollWidth - 1);
    }
  }

  function later() {
    if (!waiting) {
      waiting = true;
      requestAnimationFrame(mark);
    }
  }

  document.addEventListener("scroll", later, { capture: true, passive: true });
  window.addEventListener("resize", later);
  // Tables come and go with what is chosen.
  new MutationObserver(later).observe(document.body, { childList: true, subtree: true, attributeFilter: ["hidden"] });
  later();
})();
