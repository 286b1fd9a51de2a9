// What the pages do besides htmx: they hear that something happened, and number fields get buttons.
"use strict";

(() => {
  const live = () => document.getElementById("live");

  // Tells the live part of the page to draw itself anew; a burst of news is one.
  let soon;
  const stir = () => {
    clearTimeout(soon);
    soon = setTimeout(() => live()?.dispatchEvent(new CustomEvent("refresh")), 120);
  };

  const address = document.body.dataset.events;
  let news;
  const listen = () => {
    if (!address || news) return;
    news = new EventSource(address);
    news.addEventListener("open", () => document.body.classList.add("is-live"));
    news.addEventListener("error", () => document.body.classList.remove("is-live"));
    news.addEventListener("changed", stir);
  };
  // A page that is kept for the way back holds no connection.
  addEventListener("pagehide", () => { news?.close(); news = undefined; });
  addEventListener("pageshow", (event) => { listen(); if (event.persisted) location.reload(); });

  // A product's own price, until somebody says another.
  document.addEventListener("change", ({ target }) => {
    const price = target.dataset?.prices && document.getElementById(target.dataset.prices);
    if (price) price.value = target.selectedOptions[0]?.dataset.price ?? "";
  });

  // Buttons for less and more beside the menu's number fields.
  const step = (field, by) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "step";
    button.textContent = by > 0 ? "+" : "−";
    button.tabIndex = -1;
    button.setAttribute("aria-hidden", "true");
    button.addEventListener("click", () => {
      by > 0 ? field.stepUp() : field.stepDown();
      field.dispatchEvent(new Event("input", { bubbles: true }));
    });
    return button;
  };
  const dress = () => {
    for (const field of document.querySelectorAll("input[data-steps]")) {
      if (field.nextElementSibling?.classList.contains("step")) continue;
      field.before(step(field, -1));
      field.after(step(field, 1));
    }
  };
  dress();
  // Whatever was drawn anew is dressed anew.
  document.addEventListener("htmx:after:swap", dress);
})();
