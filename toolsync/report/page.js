// The page is whole without this: it searches, sorts, and adds buttons that copy.
"use strict";
const table = document.querySelector("table.tools");
if (table) {
  // A tool's row, with the one below it that says why it stands there.
  const body = table.tBodies[0], tools = [];
  for (const row of body.rows) {
    if (row.classList.contains("why")) tools.at(-1).rows.push(row);
    else tools.push({rows: [row], text: "", ...row.dataset});
  }
  for (const tool of tools) tool.text = tool.rows.map(row => row.textContent).join(" ").toLowerCase();
  const make = (name, values) => Object.assign(document.createElement(name), values);
  const form = make("form", {className: "search"}), told = make("span", {});
  const field = make("input", {type: "search", placeholder: "Search names, versions, reasons", maxLength: 200});
  const sort = make("select", {}), label = make("label", {}), head = make("span", {textContent: "Sort"});
  form.setAttribute("role", "search");
  field.setAttribute("aria-label", "Search tools");
  told.setAttribute("role", "status");
  for (const [value, text] of [["rank", "waiting first"], ["name", "name"], ["lag", "longest lag"]]) {
    sort.append(make("option", {value, textContent: text}));
  }
  label.append(head, sort);
  const show = () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const tool of tools) {
      const fits = words.every(word => tool.text.includes(word));
      for (const row of tool.rows) row.hidden = !fits;
      count += fits;
    }
    told.textContent = words.length ? count + " of " + tools.length : "";
  };
  const order = new Intl.Collator("en", {numeric: true});
  const by = {rank: (a, b) => a.rank - b.rank, name: () => 0, lag: (a, b) => b.lag - a.lag};
  sort.addEventListener("change", () => {
    tools.sort((a, b) => by[sort.value](a, b) || order.compare(a.name, b.name));
    body.append(...tools.flatMap(tool => tool.rows));
  });
  field.addEventListener("input", show);
  form.addEventListener("submit", event => event.preventDefault());
  form.append(field, label, told);
  table.before(form);
  document.addEventListener("keydown", event => {
    if (event.key === "/" && !/^(INPUT|SELECT)$/.test(document.activeElement.tagName)) { event.preventDefault(); field.focus(); }
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
