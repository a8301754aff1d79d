// The page is drawn by the server. This script posts what the visitor does,
// and after each change fetches the same address and swaps the regions that
// differ, keeping focus, scroll position and typed text.
"use strict";

// shown remembers which parts of cards the visitor opened or closed, by element
// ID; an edited card has other IDs and begins anew.
const state = { drawn: new Map(), fetching: false, again: false, shown: new Map() };

const $ = (sel, root = document) => root.querySelector(sel);
const regions = (doc) => doc.querySelectorAll("[data-region]");

function remember() {
  state.drawn.clear();
  for (const r of regions(document)) state.drawn.set(r.id, r.innerHTML);
}

function notice(text, bad) {
  const box = $("#notice");
  box.textContent = text || "";
  box.className = "notice" + (text ? " shown" : "") + (bad ? " bad" : "");
  clearTimeout(notice.timer);
  if (box.showPopover) { // above an open dialog
    if (box.matches(":popover-open")) box.hidePopover();
    if (text) box.showPopover();
  }
  if (text) notice.timer = setTimeout(() => notice(""), 9000);
}

async function post(action, body) {
  body.user = document.body.dataset.user;
  try {
    const resp = await fetch("do/" + action, {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
    });
    if (!resp.ok) throw new Error(await resp.text());
    const answer = await resp.json();
    notice(answer.notice, answer.error);
    return !answer.error;
  } catch (e) {
    notice("This did not reach the demo: " + e.message, true);
    return false;
  } finally {
    refresh();
  }
}

// refresh fetches the present address again and swaps what changed.
async function refresh() {
  if (state.fetching) { state.again = true; return; }
  state.fetching = true;
  try {
    do {
      state.again = false;
      const here = location.search;
      const resp = await fetch("./" + here, { headers: { Accept: "text/html" } });
      const doc = new DOMParser().parseFromString(await resp.text(), "text/html");
      if (here === location.search) swap(doc);
      else state.again = true;
    } while (state.again);
  } catch {
    notice("The demo does not answer. Is it still running?", true);
  } finally {
    state.fetching = false;
  }
}

function swap(doc) {
  for (const fresh of regions(doc)) {
    const old = document.getElementById(fresh.id);
    if (!old || state.drawn.get(fresh.id) === fresh.innerHTML) continue;
    state.drawn.set(fresh.id, fresh.innerHTML);
    if (fresh.id === "modal") swapModal(old, fresh);
    else swapRegion(old, fresh);
  }
  document.title = doc.title;
}

// focusIn says how to find what has the focus in a region again: links and the
// lines to try have no ID, and are known by what they do.
function focusIn(root) {
  const el = document.activeElement;
  if (!root.contains(el) || el === root) return null;
  if (el.id) return "#" + CSS.escape(el.id);
  for (const name of ["href", "data-text", "data-where"]) {
    if (el.hasAttribute(name)) return `[${name}="${CSS.escape(el.getAttribute(name))}"]`;
  }
  return null;
}

function swapRegion(old, fresh) {
  const bottom = old.scrollHeight - old.scrollTop - old.clientHeight < 60;
  const top = old.scrollTop;
  const focus = focusIn(old);
  const open = [...old.querySelectorAll("details[open] > summary")].map((s) => s.id);
  const typed = typedIn(old, "[data-card] ");
  old.innerHTML = fresh.innerHTML;
  retype(old, typed);
  showParts(old);
  for (const id of open) document.getElementById(id)?.parentElement.setAttribute("open", "");
  old.scrollTop = "stick" in old.dataset && bottom ? old.scrollHeight : top;
  if (focus) old.querySelector(focus)?.focus({ preventScroll: true });
}

// typedIn gathers what was typed and not yet sent.
function typedIn(root, where) {
  const typed = new Map();
  for (const el of root.querySelectorAll(`${where}input, ${where}textarea, ${where}select`)) {
    if (el.dataset.touched) typed.set(el.id, el.type === "checkbox" || el.type === "radio" ? el.checked : el.value);
  }
  return typed;
}

function retype(root, typed) {
  for (const [id, value] of typed) {
    const el = document.getElementById(id);
    if (!el || !root.contains(el)) continue;
    if (typeof value === "boolean") el.checked = value; else el.value = value;
    el.dataset.touched = "1";
  }
}

// showParts opens and closes parts of cards as the visitor left them.
function showParts(root) {
  for (const [id, on] of state.shown) {
    const el = document.getElementById(id);
    if (el && root.contains(el)) show(el, on);
  }
}

function show(el, on) {
  state.shown.set(el.id, on);
  el.hidden = !on;
  for (const b of document.querySelectorAll("[data-panel]")) if (b.dataset.panel === el.id) b.setAttribute("aria-expanded", String(on));
}

// openPanel is Action.ShowCard: one of a row is open at a time.
function openPanel(button) {
  const panel = document.getElementById(button.dataset.panel);
  if (!panel) return;
  const on = panel.hidden;
  for (const other of panel.parentElement.querySelectorAll(":scope > .panel")) if (other !== panel) show(other, false);
  show(panel, on);
  if (on) panel.querySelector("input, textarea, select, button")?.focus({ preventScroll: true });
  if (on) panel.scrollIntoView({ block: "nearest" });
}

// toggle is Action.ToggleVisibility.
function toggle(button) {
  const card = button.closest("[data-card]");
  for (const line of button.dataset.targets.split("\n")) {
    for (const el of card.querySelectorAll("[data-el]")) {
      if (el.dataset.el === line.slice(1)) show(el, line[0] === "~" ? el.hidden : line[0] === "+");
    }
  }
}

// inputsFor are the inputs that a button of a card sends: those of its own card
// and of the cards around it.
function inputsFor(button) {
  const all = {};
  for (const c of button.closest("[data-card]").querySelectorAll("[data-control]")) {
    if (c.closest("[data-scope]").contains(button)) all[c.dataset.name] = chosen(c);
  }
  return all;
}

async function press(button) {
  const body = { ...place(button), action: button.dataset.act, nth: Number(button.dataset.nth), inputs: inputsFor(button) };
  const dialog = button.closest("[data-dialog]");
  if (dialog) body.dialog = dialog.dataset.dialog;
  button.setAttribute("aria-busy", "true");
  await post("press", body);
  button.removeAttribute("aria-busy");
}

// swapModal keeps what was typed and not yet sent where the same input stays.
function swapModal(old, fresh) {
  const before = $("dialog", old);
  const typed = before ? typedIn(before, "") : new Map();
  const focus = old.contains(document.activeElement) ? document.activeElement.id : "";
  const scroll = before ? $(".dialog-body", before).scrollTop : 0;
  const same = before && before.dataset.viewId === $("dialog", fresh)?.dataset.viewId;
  old.innerHTML = fresh.innerHTML;
  const now = $("dialog", old);
  if (!now) return;
  if (same) retype(now, typed);
  showParts(now);
  showModal(now);
  if (same) $(".dialog-body", now).scrollTop = scroll;
  const wrong = now.querySelector("[aria-invalid]");
  if (wrong) wrong.focus();
  else if (focus && document.getElementById(focus)) document.getElementById(focus).focus();
}

function showModal(dialog) {
  dialog.showModal();
  const told = $("#notice");
  if (told.showPopover && told.matches(":popover-open")) { told.hidePopover(); told.showPopover(); } // stays above
  dialog.addEventListener("cancel", (e) => { // the Escape key
    e.preventDefault();
    if ("task" in dialog.dataset) post("dismiss", { dialog: dialog.dataset.viewId });
    else post("close", { view: dialog.dataset.viewId });
  });
  const first = dialog.querySelector(".dialog-body input, .dialog-body textarea, .dialog-body select");
  if (first) first.focus();
}

// place says where an element stands, as the simulator wants to know it.
function place(el) {
  const at = el.closest("[data-place]");
  if (!at) return {};
  return at.dataset.view ? { view: at.dataset.view } : { channel: at.dataset.channel, ts: at.dataset.ts };
}

// chosen reads a control.
function chosen(control) {
  const boxes = control.querySelectorAll("input[type=checkbox], input[type=radio]");
  if (boxes.length) return [...boxes].filter((b) => b.checked).map((b) => b.value);
  const v = control.querySelector("input, textarea, select").value;
  return v === "" ? [] : [v];
}

function values(form) {
  const all = {};
  for (const c of form.querySelectorAll("[data-control]")) all[c.dataset.name] = chosen(c);
  return all;
}

// confirmed asks where the app wants it asked.
function confirmed(el) {
  const ask = el.parentElement.querySelector(":scope > template[data-confirm]") ||
    el.closest("details")?.parentElement.querySelector(":scope > template[data-confirm]");
  const own = ask && (ask.previousElementSibling === el || ask.previousElementSibling === el.closest("details") || el.matches("select"));
  if (!own) return Promise.resolve(true);
  const box = $("#confirm");
  $("#confirm-title").textContent = ask.dataset.title;
  $("#confirm-text").replaceChildren(ask.content.cloneNode(true));
  $("#confirm-no").textContent = ask.dataset.no;
  $("#confirm-yes").textContent = ask.dataset.yes;
  $("#confirm-yes").className = ask.dataset.style === "danger" ? "danger" : "primary";
  box.returnValue = "no";
  box.showModal();
  return new Promise((done) => box.addEventListener("close", () => done(box.returnValue === "yes"), { once: true }));
}

async function click(el, choose) {
  if (!(await confirmed(el))) return;
  const body = { ...place(el), action: el.dataset.act, block: el.dataset.block };
  if (choose !== undefined) body.choose = choose;
  const form = el.closest("form[data-view]");
  if (form) body.typed = values(form);
  el.setAttribute("aria-busy", "true");
  await post("click", body);
  el.removeAttribute("aria-busy");
}

function go(href) {
  history.pushState(null, "", href);
  visit();
}

// visit draws another place: everything but the script is new.
async function visit() {
  document.documentElement.setAttribute("aria-busy", "true");
  const resp = await fetch("./" + location.search, { headers: { Accept: "text/html" } });
  const doc = new DOMParser().parseFromString(await resp.text(), "text/html");
  document.body.dataset.user = doc.body.dataset.user;
  document.body.dataset.at = doc.body.dataset.at;
  document.body.replaceChildren(...doc.body.childNodes);
  document.body.classList.remove("places");
  document.title = doc.title;
  arrive();
}

function arrive() {
  document.documentElement.removeAttribute("aria-busy");
  remember();
  showParts(document);
  for (const box of document.querySelectorAll("[data-stick]")) box.scrollTop = box.scrollHeight;
  const dialog = $("dialog[data-modal]");
  if (dialog) showModal(dialog);
  const target = location.hash && document.getElementById(location.hash.slice(1));
  if (target) target.scrollIntoView({ block: "center" });
  if (document.body.dataset.at === "home") post("home", {});
  if (matchMedia("(min-width: 700px)").matches && !dialog) ($("#reply-text") || $("#composer-text"))?.focus({ preventScroll: true });
  showWho();
}

// showWho brings the person whom the visitor is into the strip of people.
function showWho() {
  $("#people .current")?.scrollIntoView({ block: "nearest", inline: "center" });
}

document.addEventListener("click", (e) => {
  const link = e.target.closest("a[data-go]");
  if (link && !e.ctrlKey && !e.metaKey && !e.shiftKey) {
    e.preventDefault();
    go(link.getAttribute("href"));
    return;
  }
  if (e.target.closest("#burger")) {
    const open = document.body.classList.toggle("places");
    $("#burger").setAttribute("aria-expanded", String(open));
    return;
  }
  const el = e.target.closest("[data-do], a[href], input, textarea, select, label");
  if (!el || !el.dataset.do || el.tagName === "FORM") return;
  closeMenu(el.closest("details.menu"));
  switch (el.dataset.do) {
    case "click": click(el, el.dataset.choose === undefined ? undefined : [el.dataset.choose]); break;
    case "press": press(el); break;
    case "menu": post("menu", { ...place(el), action: el.dataset.act }); break;
    case "panel": openPanel(el); break;
    case "toggle": toggle(el); break;
    case "open": window.open(el.dataset.href, "_blank", "noopener,noreferrer"); break;
    case "dismiss": post("dismiss", { dialog: el.dataset.dialog }); break;
    case "add": post("add", { where: el.dataset.where }).then(visit); break;
    case "close": post("close", { view: el.dataset.view }); break;
    case "close-all": post("close", { view: el.dataset.view, all: true }); break;
    case "try": {
      const box = $("#composer-text");
      if (!box) break;
      box.value = el.dataset.text;
      box.focus();
      break;
    }
  }
});

document.addEventListener("change", (e) => {
  const control = e.target.closest("[data-live]");
  if (!control || e.target.matches("textarea, input[type=text]")) return;
  const el = e.target;
  const body = { ...place(control), action: control.dataset.act, block: control.dataset.block, choose: chosen(control) };
  const form = control.closest("form[data-view]");
  if (form) body.typed = values(form);
  confirmed(el).then((yes) => (yes ? post("click", body) : refresh()));
});

document.addEventListener("input", (e) => { e.target.dataset.touched = "1"; });

document.addEventListener("submit", async (e) => {
  const form = e.target;
  if (!form.dataset.do) return;
  e.preventDefault();
  if (form.dataset.do === "task") { // the Enter key
    form.querySelector("[data-do=press]")?.click();
    return;
  }
  if (form.dataset.do === "submit") {
    const send = e.submitter || $("button[type=submit]", form);
    send?.setAttribute("aria-busy", "true");
    const body = { view: form.dataset.view, values: values(form) };
    for (const el of form.querySelectorAll("[data-touched]")) delete el.dataset.touched;
    await post("submit", body);
    send?.removeAttribute("aria-busy");
    return;
  }
  const box = $("textarea", form);
  const text = box.value;
  if (!text.trim()) return;
  box.value = "";
  if (!(await post("type", { channel: form.dataset.channel, thread: form.dataset.thread || "", text })) && !box.value) box.value = text;
});

document.addEventListener("keydown", (e) => {
  if (e.key === "Enter" && !e.shiftKey && !e.isComposing && e.target.matches(".composer textarea")) {
    e.preventDefault();
    e.target.form.requestSubmit();
  }
  if ((e.key === "Enter" || e.key === " ") && e.target.matches(".ac[data-do], .col[data-do]")) {
    e.preventDefault();
    e.target.click();
  }
  if (e.key === "Escape") {
    closeMenu($("details.menu[open]"));
    document.body.classList.remove("places");
  }
});

// The strip of people scrolls sideways with an ordinary wheel.
document.addEventListener("wheel", (e) => {
  const strip = e.target.closest("#people");
  if (strip && !e.deltaX && strip.scrollWidth > strip.clientWidth) {
    strip.scrollLeft += e.deltaY;
    e.preventDefault();
  }
}, { passive: false });

addEventListener("popstate", visit);
addEventListener("resize", showWho);

arrive();
new EventSource("events").onmessage = refresh;
