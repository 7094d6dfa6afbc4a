// Sends the workbench's forms without leaving the page; without this file they work as plain forms.
"use strict";

const told = document.getElementById("status");

async function answered(form, submitter) {
  const response = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form, submitter)) });
  return new DOMParser().parseFromString(await response.text(), "text/html");
}

function swap(page) {
  for (const id of ["answer", "behind"]) {
    document.getElementById(id).replaceWith(page.getElementById(id));
  }
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
document.addEventListener("change", (event) => {
  if (event.target.id !== "patient" || event.target.tagName !== "SELECT") return;
  const chosen = event.target.selectedOptions[0];
  document.getElementById("code").value = chosen.dataset.code || "";
  document.getElementById("story").textContent = chosen.textContent;
});
