"use strict";
(() => {
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const { columns, rows, download, classes, none } = read("review");
  const cards = [...document.querySelectorAll(".card")];
  const status = document.getElementById("status");
  const store = "noisystudent review " + JSON.stringify(rows.map((row) => [row.run, row.split, row.id]));
  const answers = new Array(rows.length).fill("");
  let unsaved = false;

  const remember = () => {
    try { localStorage.setItem(store, JSON.stringify(answers)); } catch { /* a browser may keep nothing */ }
  };
  const remembered = () => {
    try { return JSON.parse(localStorage.getItem(store)) ?? []; } catch { return []; }
  };

  const radios = (card) => [...card.querySelectorAll("input[type=radio]")];
  const other = (card) => card.querySelector("input[list]");

  const show = (place) => {
    const card = cards[place], answer = answers[place];
    let chosen = false;
    for (const radio of radios(card)) chosen = (radio.checked = radio.value !== "" && radio.value === answer) || chosen;
    if (other(card) && document.activeElement !== other(card)) other(card).value = chosen ? "" : answer;
    card.classList.toggle("answered", answer !== "");
    const count = answers.filter((one) => one !== "").length;
    status.textContent = `${count} of ${rows.length} answered${unsaved ? ", not saved yet" : ""}`;
  };
  const answer = (place, value) => {
    if (answers[place] === value) return;
    answers[place] = value;
    unsaved = true;
    remember();
    show(place);
  };
  const go = (place) => {
    const card = cards[Math.max(0, Math.min(place, cards.length - 1))];
    card.focus({ preventScroll: true });
    card.scrollIntoView({ block: "center" });
  };

  cards.forEach((card, place) => {
    card.addEventListener("change", (event) => {
      if (event.target.type === "radio") answer(place, event.target.value);
    });
    other(card)?.addEventListener("input", (event) => {
      const known = classes.includes(event.target.value);
      event.target.setCustomValidity(known || event.target.value === "" ? "" : "no class has this name");
      event.target.setAttribute("aria-invalid", String(!event.target.validity.valid));
      answer(place, known ? event.target.value : "");
    });
    card.querySelector("button").addEventListener("click", () => {
      if (other(card)) other(card).value = "";
      answer(place, "");
    });
    // Keys count where a card has the focus, so that they are in nobody's way elsewhere.
    card.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.altKey || event.metaKey || event.target.matches("input[list]")) return;
      const choice = card.querySelector(`input[data-key="${CSS.escape(event.key)}"]`);
      if (choice) { answer(place, choice.value); go(place + 1); }
      else if (event.key === "y") { answer(place, rows[place].says); go(place + 1); }
      else if (event.key === "j") go(place + 1);
      else if (event.key === "k") go(place - 1);
      else if (event.key === "x") answer(place, "");
      else return;
      event.preventDefault();
    });
  });

  const field = (value) => {
    const text = value === null ? "" : String(value);
    return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const table = () => {
    const lines = rows.map((row, place) => columns.map((column) => field(column === "label" ? answers[place] : row[column])));
    return [columns, ...lines].map((line) => line.join(",") + "\n").join("");
  };
  document.getElementById("save").addEventListener("click", () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([table()], { type: "text/csv" }));
    link.download = download;
    link.click();
    URL.revokeObjectURL(link.href);
    unsaved = false;
    cards.forEach((_, place) => show(place));
  });
  document.getElementById("begin").addEventListener("click", () => go(Math.max(answers.indexOf(""), 0)));
  addEventListener("beforeunload", (event) => { if (unsaved) event.preventDefault(); });

  remembered().slice(0, rows.length).forEach((value, place) => {
    if (value === none || classes.includes(value)) { answers[place] = value; unsaved = true; }
  });
  cards.forEach((_, place) => show(place));
  document.body.classList.add("ready");
})();
