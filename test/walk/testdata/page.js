// What a person does in a page, and what they would complain about. The value
// of the file is an object of functions; each returns at once, and the test
// asks again until it gets what it waits for.
(() => {
  const tidy = (s) => s.replace(/[↗▾\uFE0E]/g, "").replace(/\s+/g, " ").trim();
  const called = (el, name) => tidy(el.innerText || el.textContent || el.value || "") === name || tidy(el.getAttribute("aria-label") || "") === name || el.value === name;
  const visible = (el) => el.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && el.getClientRects().length > 0;
  // top is what lies in front: a form, a thread on a narrow page, or the page.
  const top = () => [...document.querySelectorAll("dialog[open]")].at(-1) || document.body || document.createElement("body");
  const pressable = "button, a[href], summary, [role=button]";

  const named = (name, within) => [...(within || top()).querySelectorAll(pressable)].filter((el) => visible(el) && !el.disabled && called(el, name)).at(-1);

  // room is a line of the list of places.
  const room = (platform, name) => {
    let on = document.querySelectorAll("#sidebar h2.platform").length ? "" : platform;
    for (const el of document.querySelectorAll("#sidebar > *")) {
      if (el.matches("h2.platform")) on = tidy(el.textContent);
      else if (el.matches("h2") && tidy(el.textContent) === "Portals") on = "Portals";
      for (const a of el.querySelectorAll("a")) {
        if (on === platform && tidy(a.querySelector(".room-name").textContent).replace(/^# /, "") === name) return a;
      }
    }
    return null;
  };

  const colour = (s) => {
    let m = s.match(/^rgba?\(([^)]*)\)$/);
    if (m) { const p = m[1].split(/[ ,/]+/).map(Number); return [p[0] / 255, p[1] / 255, p[2] / 255, p[3] ?? 1]; }
    m = s.match(/^color\(srgb ([^)]*)\)$/);
    if (m) { const p = m[1].split(/[ /]+/).map(Number); return [p[0], p[1], p[2], p[3] ?? 1]; }
    return [0, 0, 0, 1];
  };
  const over = (a, b) => [0, 1, 2].map((i) => a[i] * a[3] + b[i] * (1 - a[3])).concat(1);
  const ground = (el) => {
    const layers = [];
    for (let e = el; e; e = e.parentElement) {
      const c = colour(getComputedStyle(e).backgroundColor);
      if (c[3] > 0) layers.push(c);
      if (c[3] === 1) break;
    }
    return layers.reduceRight((under, c) => over(c, under), [1, 1, 1, 1]);
  };
  const light = (c) => {
    const [r, g, b] = c.map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };

  return {
    // focus puts the keyboard's focus on what is called so, and says where it leads.
    focus(name, platform) {
      if (!document.body || document.documentElement.hasAttribute("aria-busy")) return null; // another place is about to be drawn
      const el = platform === undefined ? named(name) : platform === "person" ? document.querySelector(`#people a[title^="${name}"]`) : room(platform, name);
      if (!el) return null;
      el.scrollIntoView({ block: "nearest" });
      el.focus({ preventScroll: true });
      if (document.activeElement !== el) return null;
      const s = getComputedStyle(el);
      const ring = s.outlineStyle !== "none" && parseFloat(s.outlineWidth) > 0 || s.boxShadow !== "none";
      return { link: el.target === "_blank" ? el.href : "", ring };
    },
    // shows reports whether all of the texts are to be seen.
    shows(texts, gone) {
      const said = top().innerText.replace(/\s+/g, " ");
      return texts.every((t) => said.includes(t)) && gone.every((t) => !said.includes(t));
    },
    said: () => tidy(top().innerText),
    // compose puts the focus where messages are written.
    compose() {
      const at = document.querySelector("#composer-text");
      at?.focus();
      return at !== null && document.activeElement === at;
    },

    // fill types into the input of a label, or chooses what begins so.
    fill(label, value) {
      const l = [...top().querySelectorAll("label, .label")].find((x) => tidy(x.textContent).startsWith(label));
      const box = l && (l.control || document.getElementById(l.htmlFor) || l.parentElement.querySelector("input, select, textarea"));
      if (!box) return false;
      if (box.type === "checkbox" || box.type === "radio") { if (!box.checked) box.click(); return true; }
      if (box.tagName === "SELECT") {
        const o = [...box.options].find((x) => tidy(x.textContent).replace(/^# ?/, "").startsWith(value));
        if (!o) return false;
        box.value = o.value;
      } else box.value = value;
      box.dispatchEvent(new Event("input", { bubbles: true }));
      box.dispatchEvent(new Event("change", { bubbles: true }));
      return true;
    },
    // number is what the bot shows beside the link that it has just given.
    number: (link) => {
      const el = [...document.querySelectorAll("a[href]")].filter((a) => a.href === link).at(-1);
      const m = el && el.closest(".entry, .card, dialog").innerText.match(/number: (\d\d)/);
      return m ? m[1] : "";
    },
    at: (who, place) => !!document.querySelector(`#people a.current[title^="${who}"]`) && (!place || [...document.querySelectorAll("#sidebar a.current .room-name")].some((x) => tidy(x.textContent).replace(/^# /, "") === place)),
    link: (part) => [...document.querySelectorAll(".entry a[href], .card a[href]")].filter((a) => visible(a) && a.href.includes(part)).at(-1)?.href || "",
    // look brings the last message with these words to the middle.
    look(text) {
      const el = [...document.querySelectorAll(".entry, .empty, .home > *, dialog[open]")].filter((e) => visible(e) && e.innerText.replace(/\s+/g, " ").includes(text)).at(-1);
      if (!el) return false;
      document.activeElement?.blur();
      el.scrollIntoView({ block: el.offsetHeight > innerHeight * 0.6 ? "start" : "center" });
      return true;
    },
    settled: () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(!document.querySelector("[aria-busy]"))))),
    // complaints are what a picky user would write about this view.
    complaints() {
      const all = new Set();
      const name = (el) => `${el.tagName.toLowerCase()}.${el.className} “${tidy(el.textContent).slice(0, 50)}”`;
      if (document.documentElement.scrollWidth > innerWidth) all.add(`the page is ${document.documentElement.scrollWidth} px wide in a window of ${innerWidth}`);
      const within = top();
      for (const el of within.querySelectorAll("*")) {
        if (!visible(el) || el.closest("template, .sr, svg, iframe, option")) continue;
        const r = el.getBoundingClientRect();
        const scrolls = el.closest(".b-table, .people, .try, pre, .sidebar, .persona");
        if (!scrolls && r.width > 0 && r.right > innerWidth + 1 && !el.closest("[hidden]") && getComputedStyle(el).position !== "fixed" && r.left < innerWidth) all.add(`sticks out on the right by ${Math.round(r.right - innerWidth)} px: ${name(el)}`);
        if (!scrolls && /auto|scroll/.test(getComputedStyle(el).overflowX) && el.scrollWidth > el.clientWidth + 1 && !el.matches("textarea, .b-table, pre")) all.add(`has to be scrolled sideways: ${name(el)}`);
        const own = [...el.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
        if (!own || r.bottom < 0 || r.top > innerHeight || el.disabled) continue;
        const s = getComputedStyle(el);
        const back = ground(el);
        const c = contrast(over(colour(s.color), back), back);
        const size = parseFloat(s.fontSize);
        const large = size >= 24 || (size >= 18.6 && Number(s.fontWeight) >= 700);
        if (c < (large ? 3 : 4.5)) all.add(`contrast ${c.toFixed(2)} to 1: ${name(el)}`);
        if (size < 11) all.add(`letters of ${size} px: ${name(el)}`);
      }
      for (const el of within.querySelectorAll("button, a.button, summary")) {
        if (!visible(el) || el.closest(".people")) continue;
        const r = el.getBoundingClientRect();
        if (innerWidth < 500 && el.matches(".entry *, dialog *, .home *") && r.height < 30) all.add(`too low for a finger (${Math.round(r.height)} px): ${name(el)}`);
        if (el.scrollWidth > el.clientWidth + 2) all.add(`words cut off: ${name(el)}`);
      }
      return [...all];
    },
  };
})()
