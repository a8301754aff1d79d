// Menus are details elements, which the keyboard opens by itself: of a message,
// of a row of buttons, of an element that has more choices.
"use strict";

// closeMenu leaves the focus where the menu was opened.
function closeMenu(menu) {
  const inside = menu?.contains(document.activeElement);
  menu?.removeAttribute("open");
  if (inside) menu.querySelector("summary").focus({ preventScroll: true });
}

// A press elsewhere closes a menu.
document.addEventListener("click", (e) => {
  for (const d of document.querySelectorAll("details.menu[open]")) if (!d.contains(e.target)) d.removeAttribute("open");
});

// No menu opens out of sight.
document.addEventListener("toggle", (e) => {
  if (e.target.matches("details.menu[open]")) e.target.querySelector(".menu-list").scrollIntoView({ block: "nearest" });
}, true);
