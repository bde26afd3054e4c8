"use strict";
(() => {
  const all = (selector, root) => Array.from((root || document).querySelectorAll(selector));
  const one = (selector) => document.querySelector(selector);
  const bar = one(".filters"), form = one("#filters"), said = one("#said"), none = one("#none");
  const cards = all(".change"), sections = all("main > section.list");
  const folds = all(".change > details");
  const texts = new Map();

  const text = (card) => {
    if (!texts.has(card)) texts.set(card, card.textContent.toLowerCase());
    return texts.get(card);
  };

  const wanted = () => {
    const chosen = (name) => all(`input[name=${name}]`, form).filter((box) => box.checked);
    return {
      words: form.elements.words.value.toLowerCase().split(/\s+/).filter(Boolean),
      actions: new Set(chosen("action").map((box) => box.value)),
      module: form.elements.module ? form.elements.module.value : "",
      severity: Number(form.elements.severity ? form.elements.severity.value : 0),
      found: form.elements.found ? form.elements.found.checked : false,
    };
  };

  const fits = (card, want) => {
    const data = card.dataset;
    return (want.actions.size === 0 || want.actions.has(data.action))
      && (want.module === "" || want.module === data.module)
      && (want.severity === 0 || Number(data.severity) >= want.severity)
      && (!want.found || data.findings !== "0")
      && want.words.every((word) => text(card).includes(word));
  };

  const filter = () => {
    const want = wanted();
    let shown = 0;
    for (const card of cards) {
      const show = fits(card, want);
      if (card.hidden === show) card.hidden = !show;
      if (show) shown += 1;
    }
    for (const section of sections) {
      section.hidden = !all(".change", section).some((card) => !card.hidden);
    }
    const number = (n) => n.toLocaleString("en");
    said.value = shown === cards.length
      ? `All ${number(shown)} entries` : `${number(shown)} of ${number(cards.length)} entries`;
    none.hidden = shown > 0 || cards.length === 0;
  };

  let timer = 0;
  const soon = () => { clearTimeout(timer); timer = setTimeout(filter, 120); };
  form.addEventListener("input", soon);
  form.addEventListener("change", filter);
  form.addEventListener("submit", (event) => { event.preventDefault(); filter(); });
  form.addEventListener("reset", () => setTimeout(filter));
  all("[data-fold]").forEach((button) => button.addEventListener("click", () => {
    const open = button.dataset.fold === "open";
    for (const fold of folds) if (!fold.closest(".change").hidden) fold.open = open;
  }));
  one("#again").addEventListener("click", () => { form.reset(); form.elements.words.focus(); });

  const arrive = () => {
    const id = location.hash.slice(1);
    const card = id ? document.getElementById(id) : null;
    if (!card || !card.classList.contains("change")) return;
    if (card.hidden) { form.reset(); filter(); }
    const fold = all("details", card)[0];
    if (fold) fold.open = true;
    card.scrollIntoView();
  };
  addEventListener("hashchange", arrive);

  let opened = [];
  addEventListener("beforeprint", () => {
    opened = all("details").filter((fold) => !fold.open);
    for (const fold of opened) fold.open = true;
  });
  addEventListener("afterprint", () => {
    for (const fold of opened) fold.open = false;
    opened = [];
  });

  const theme = one("#theme"), names = ["auto", "light", "dark"];
  let current = 0;
  theme.addEventListener("click", () => {
    current = (current + 1) % names.length;
    if (current) document.documentElement.dataset.theme = names[current];
    else delete document.documentElement.dataset.theme;
    theme.textContent = `Colours: ${names[current]}`;
  });

  theme.hidden = false;
  bar.hidden = false;
  filter();
  arrive();
})();
