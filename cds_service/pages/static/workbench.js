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

function swapPart(place, page, form) {
  const part = page.getElementById("part");
  place.replaceChildren(part);
  if (form.matches(".accept") && "arrived" in part.dataset) accepted(form);
}

// The accepted drafts join the order session, as in an EHR; the same option in another EHR's dress is accepted too.
function accepted(form) {
  const drafts = JSON.parse(form.dataset.drafts).filter((one) => one?.resourceType === "ServiceRequest");
  const words = ["Accepted", "Accepted: draft order added"][addToSession(drafts)] || `Accepted: ${drafts.length} draft orders added`;
  const same = `.accept input[name="suggestion"][value="${CSS.escape(new FormData(form).get("suggestion"))}"]`;
  for (const input of document.querySelectorAll(same)) {
    const note = document.createElement("strong");
    note.className = "accepted";
    note.textContent = words;
    input.form.replaceWith(note);
  }
  told.textContent = words;
}

// How many drafts the request below holds more than before: it is what would be sent next.
function addToSession(drafts) {
  const body = document.getElementById("body");
  try {
    const request = JSON.parse(body.value);
    const entries = request.context.draftOrders.entry;
    for (const one of drafts) entries.push({ resource: { ...one, id: `accepted-${entries.length}` } });
    body.value = JSON.stringify(request, null, 2);
    return drafts.length;
  } catch {
    return 0; // a hook without draft orders, or a request that was edited into something else
  }
}

async function send(form, submitter) {
  const place = document.getElementById(form.dataset.into || form.dataset.swap);
  place.setAttribute("aria-busy", "true");
  const answer = answered(form, submitter); // first: a disabled button would not be sent
  if (submitter) submitter.disabled = true;
  try {
    const page = await answer;
    if (form.dataset.swap) swap(page);
    else swapPart(place, page, form);
  } catch {
    told.textContent = "The service could not be reached.";
  } finally {
    place.removeAttribute("aria-busy");
    if (submitter) submitter.disabled = false;
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
