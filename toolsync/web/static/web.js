// Every page is whole without this: it searches as one types, and copies.
"use strict";
const search = document.querySelector("form.search");
if (search) {
  let timer, last = location.search;
  const show = async () => {
    const query = new URLSearchParams(new FormData(search));
    for (const [name, value] of [...query]) if (!value) query.delete(name);
    const wanted = query.toString() ? "?" + query : "";
    if (wanted === last) return;
    last = wanted;
    try {
      const answer = await fetch(search.action + wanted, {credentials: "same-origin"});
      if (!answer.ok || last !== wanted) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const list = page.getElementById("list");
      if (!list) return location.reload();  // the session has ended
      document.getElementById("list").replaceWith(list);
      history.replaceState(null, "", search.action + wanted);
    } catch { search.submit(); }
  };
  search.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(show, 150); });
  search.addEventListener("submit", event => { event.preventDefault(); show(); });
  document.addEventListener("keydown", event => {
    if (event.key === "/" && !/^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName)) {
      event.preventDefault();
      search.elements.q.focus();
    }
  });
}
const running = document.getElementById("running");
if (running) {
  const show = text => {
    const open = new Set([...running.querySelectorAll("details[open] pre")].map(pre => pre.getAttribute("aria-label")));
    const focused = document.activeElement.getAttribute?.("aria-label");
    running.innerHTML = text;  // our own server's, with all values escaped
    for (const pre of running.querySelectorAll("details pre")) {
      const name = pre.getAttribute("aria-label");
      if (open.has(name)) { pre.closest("details").open = true; pre.scrollTop = pre.scrollHeight; }
      if (name && name === focused) pre.focus();
    }
  };
  const events = new EventSource(running.dataset.events);
  events.onmessage = event => show(JSON.parse(event.data));
  document.querySelector(".noscript")?.remove();
}
for (const place of document.querySelectorAll(".copy")) {
  const button = document.createElement("button");
  const text = place.querySelector("pre");
  button.type = "button";
  button.textContent = "Copy";
  button.setAttribute("aria-label", "Copy " + text.getAttribute("aria-label"));
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(text);  // no clipboard here: the reader copies
    }
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
  place.append(button);
}
