// What helps where there are scripts. Every page is whole without this file: it adds, it never carries.
"use strict";

const all = (root, selector) => Array.from(root.querySelectorAll(selector));

// Lists of choices: a filter box, Select all and Clear work on what the filter leaves.
for (const list of all(document, "[data-choices]")) {
  const tools = list.querySelector("[data-tools]");
  if (!tools) continue;
  tools.hidden = false;
  const rows = all(list, "[data-choice]");
  const shown = () => rows.filter((row) => !row.hidden);
  const box = tools.querySelector("[data-filter]");
  const count = tools.querySelector("[data-count]");
  const tell = () => {
    const chosen = rows.filter((row) => row.querySelector("input").checked).length;
    if (count) count.textContent = `${chosen} of ${rows.length} chosen`;
  };
  box?.addEventListener("input", () => {
    const wanted = box.value.trim().toLowerCase();
    for (const row of rows) row.hidden = !row.textContent.toLowerCase().includes(wanted);
  });
  // Enter in the filter box must not send the form.
  box?.addEventListener("keydown", (event) => {
    if (event.key === "Enter") event.preventDefault();
  });
  const put = (checked) => () => {
    for (const row of shown()) row.querySelector("input").checked = checked;
    list.dispatchEvent(new Event("input", { bubbles: true }));
  };
  tools.querySelector("[data-all]")?.addEventListener("click", put(true));
  tools.querySelector("[data-none]")?.addEventListener("click", put(false));
  list.addEventListener("input", tell);
  tell();
}

// Parts of a form that belong to one choice: data-for="name=value".
for (const part of all(document, "[data-for]")) {
  const form = part.closest("form");
  const [name, value] = part.dataset.for.split("=");
  const follow = () => {
    const chosen = form.querySelector(`[name="${name}"]:checked`);
    part.hidden = !chosen || chosen.value !== value;
  };
  form.addEventListener("input", follow);
  follow();
}

// A button that becomes active once what its form requires is there.
for (const button of all(document, "button[data-when-complete]")) {
  const form = button.form;
  const follow = () => {
    const groups = all(form, "[data-one-of]").filter((group) => !group.closest("[hidden]"));
    const chosen = groups.every((group) => group.querySelector("input:checked"));
    button.disabled = !(form.checkValidity() && chosen);
  };
  form.addEventListener("input", follow);
  form.addEventListener("change", follow);
  follow();
}

// To confirm, the name is typed.
for (const box of all(document, "input[data-confirms]")) {
  const button = box.form.querySelector("button[data-confirmed]");
  const follow = () => {
    button.disabled = box.value.trim() !== box.dataset.confirms;
  };
  box.addEventListener("input", follow);
  follow();
}

// A tick that opens the way on.
for (const tick of all(document, "input[data-opens]")) {
  const way = document.getElementById(tick.dataset.opens);
  const follow = () => {
    way.hidden = !tick.checked;
  };
  tick.addEventListener("change", follow);
  follow();
}

// Dialogs stand open in the page where there are no scripts.
for (const dialog of all(document, "dialog[open][data-modal]")) {
  dialog.close();
  dialog.showModal();
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    dialog.querySelector("[data-cancel]")?.click();
  });
}

for (const button of all(document, "button[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const text = document.getElementById(button.dataset.copy).textContent;
    const said = button.textContent;
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Not copied: select it by hand";
    }
    setTimeout(() => {
      button.textContent = said;
    }, 2000);
  });
}

// A file made in the browser, so that the secret is not asked for again.
for (const button of all(document, "button[data-download]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    const text = document.getElementById(button.dataset.from).textContent;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
    link.download = button.dataset.download;
    link.click();
    URL.revokeObjectURL(link.href);
  });
}

// A secret goes with its page: no way back leads to it, not by the history and not by a page the browser has set aside.
for (const link of all(document, "a[data-forget]")) {
  link.addEventListener("click", (event) => {
    event.preventDefault();
    window.location.replace(link.href);
  });
}
window.addEventListener("pagehide", () => {
  for (const place of all(document, "[data-secret]")) place.textContent = "";
});
