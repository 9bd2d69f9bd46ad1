// The page is whole without this: it searches, sorts, and adds buttons that copy.
"use strict";
const table = document.querySelector("table.tools");
if (table) {
  const body = table.tBodies[0], rows = [...body.rows];
  const texts = new Map(rows.map(row => [row, row.textContent.toLowerCase()]));
  const find = document.createElement("form"), field = document.createElement("input");
  const told = document.createElement("span");
  find.className = "find";
  find.setAttribute("role", "search");
  field.type = "search";
  field.placeholder = "Search names, versions, reasons";
  field.setAttribute("aria-label", "Search tools");
  told.setAttribute("role", "status");
  const show = () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const row of rows) {
      row.hidden = !words.every(word => texts.get(row).includes(word));
      count += !row.hidden;
    }
    told.textContent = words.length ? count + " of " + rows.length : "";
  };
  field.addEventListener("input", show);
  find.addEventListener("submit", event => event.preventDefault());
  find.append(field, told);
  table.parentElement.before(find);
  document.addEventListener("keydown", event => {
    if (event.key === "/" && document.activeElement !== field) { event.preventDefault(); field.focus(); }
  });
  const order = new Intl.Collator("en", {numeric: true});
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      const key = row => row.cells[column].dataset.sort ?? row.cells[column].textContent.trim();
      const keys = new Map(rows.map(row => [row, key(row)]));
      rows.sort((a, b) => (down ? -1 : 1) * order.compare(keys.get(a), keys.get(b)));
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      body.append(...rows);
    });
  });
}
for (const place of document.querySelectorAll(".copy")) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy";
  const text = place.querySelector("pre");
  button.setAttribute("aria-label", "Copy " + text.getAttribute("aria-label"));
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text.textContent);
    } catch {
      getSelection().selectAllChildren(text);  // no clipboard here: the reader copies
      return;
    }
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
  place.append(button);
}
