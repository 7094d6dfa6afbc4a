// Sends the workbench's forms without leaving the page; without this file they work as plain forms.
"use strict";

const told = document.getElementById("status");
const order = document.getElementById("order");
const written = () => new URLSearchParams(new FormData(order)).toString();
// The order that the answer on the page is for.
let answeredOrder = written();

async function answered(form, submitter) {
  const response = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form, submitter)) });
  return new DOMParser().parseFromString(await response.text(), "text/html");
}

function swap(page) {
  for (const id of ["answer", "behind"]) {
    document.getElementById(id).replaceWith(page.getElementById(id));
  }
  answeredOrder = written();
  const heading = document.getElementById("card-title");
  told.textContent = "The service has answered.";
  if (heading) heading.focus();
}

async function send(form, submitter) {
  const place = document.getElementById(form.dataset.into || form.dataset.swap);
  place.setAttribute("aria-busy", "true");
  try {
    const page = await answered(form, submitter);
    if (form.dataset.swap) swap(page);
    else place.replaceChildren(page.getElementById("part"));
  } catch {
    told.textContent = "The service could not be reached.";
  } finally {
    place.removeAttribute("aria-busy");
  }
}

document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-into], [data-swap]")) return;
  event.preventDefault();
  send(event.target, event.submitter);
});

// Another patient means the operation of that patient's story, unless one is chosen afterwards.
function followStory(select) {
  const chosen = select.selectedOptions[0];
  document.getElementById("code").value = chosen.dataset.code || "";
  document.getElementById("story").textContent = chosen.textContent;
}

// An answer to another order than the one that now stands in the form is greyed, and nothing in it can be used.
function greyUnlessAnswered() {
  const note = document.getElementById("outdated");
  if (!note) return;
  const isOutdated = written() !== answeredOrder;
  if (isOutdated && note.hidden) told.textContent = note.textContent;
  note.hidden = !isOutdated;
  for (const part of document.querySelectorAll(".seen")) part.inert = isOutdated;
}

order.addEventListener("input", (event) => {
  if (event.target.id === "patient" && event.target.tagName === "SELECT") followStory(event.target);
  greyUnlessAnswered();
});
