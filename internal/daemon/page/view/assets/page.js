// Refreshes the page: asks for its <main> and changes what differs, node by node, so that what is
// open stays open, what is selected stays selected, and focus and scroll stay where they are.
(() => {
  "use strict";
  const every = 5000, patience = 10000;
  const main = document.getElementById("main"), link = document.getElementById("link");
  let timer = 0, skew = clock(main), since = null;

  // How far this machine's clock is ahead of the daemon's.
  function clock(part) {
    const now = Date.parse(part.dataset.now);
    return Number.isNaN(now) ? 0 : Date.now() - now;
  }

  // The same words as the server's for the same time.
  function relative(milliseconds) {
    const seconds = Math.floor(Math.abs(milliseconds) / 1000);
    const minutes = Math.floor((seconds + 30) / 60), hours = Math.floor((seconds + 1800) / 3600), days = Math.floor((seconds + 43200) / 86400);
    const count = (n, noun) => n === 1 ? "1 " + noun : n + " " + noun + "s";
    let words;
    if (seconds < 10) return milliseconds < 0 ? "in a moment" : "just now";
    if (seconds < 60) words = "less than a minute";
    else if (minutes < 60) words = count(minutes, "minute");
    else if (hours < 48) words = count(hours, "hour");
    else words = count(days, "day");
    return milliseconds < 0 ? "in " + words : words + " ago";
  }

  function tell(part) {
    for (const time of part.querySelectorAll("time")) {
      const words = relative(Date.now() - skew - Date.parse(time.dateTime));
      const shown = time.querySelector(".rel");
      if (shown && shown.textContent !== words) shown.textContent = words;
    }
  }

  const key = node => node.nodeType === Node.ELEMENT_NODE ? node.dataset.key : undefined;
  const isAlike = (a, b) => a.nodeName === b.nodeName && key(a) === key(b);

  function change(have, want) {
    if (have.nodeType !== Node.ELEMENT_NODE) {
      if (have.nodeValue !== want.nodeValue) have.nodeValue = want.nodeValue;
      return;
    }
    const isReaders = name => have.nodeName === "DETAILS" && name === "open"; // what the reader has opened
    for (const { name, value } of want.attributes)
      if (!isReaders(name) && have.getAttribute(name) !== value) have.setAttribute(name, value);
    for (const { name } of [...have.attributes])
      if (!isReaders(name) && !want.hasAttribute(name)) have.removeAttribute(name);
    changeChildren(have, want);
  }

  function changeChildren(have, want) {
    const keyed = new Map();
    for (const child of have.children) if (key(child)) keyed.set(key(child), child);
    let at = have.firstChild;
    for (const wanted of [...want.childNodes]) {
      let found = null;
      if (key(wanted)) {
        found = keyed.get(key(wanted)) ?? null;
        keyed.delete(key(wanted)); // a second one of the same key is a node of its own
        if (found && found.nodeName !== wanted.nodeName) found = null;
      } else if (at && isAlike(at, wanted)) {
        found = at;
      }
      if (!found) {
        have.insertBefore(wanted, at);
        continue;
      }
      if (found === at) at = at.nextSibling;
      else have.insertBefore(found, at);
      change(found, wanted);
    }
    while (at) {
      const next = at.nextSibling;
      at.remove();
      at = next;
    }
  }

  // The text that is read first in the window; null at the top of the page.
  function topmost() {
    for (let y = 4; scrollY > 0 && y < innerHeight; y += 16) {
      const there = document.elementFromPoint(innerWidth / 2, y)?.closest("p, h2, h3, h4, dt, dd, summary, caption, li, td");
      if (there && main.contains(there)) return there;
    }
    return null;
  }

  function show(part) {
    skew = clock(part);
    tell(part);
    const active = document.activeElement, read = topmost(), before = read?.getBoundingClientRect().top;
    change(main, part);
    document.title = main.dataset.title;
    if (read?.isConnected) scrollBy(0, read.getBoundingClientRect().top - before);
    if (active !== document.activeElement && active.isConnected) active.focus({ preventScroll: true });
  }

  function say(words) {
    if (link.textContent !== words) link.textContent = words;
  }

  async function refresh() {
    clearTimeout(timer);
    try {
      const answer = await fetch(location.pathname + "?part=main", {
        cache: "no-store", redirect: "error", signal: AbortSignal.timeout(patience),
      });
      if (answer.ok) {
        const part = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("main");
        if (part) show(part);
        since = null;
        say("");
      } else if (answer.status === 401 || answer.status === 403) {
        say("The login is not taken any more. Reload the page to log in again.");
      } else if (answer.status === 404) {
        say("This target is not configured any more.");
      } else {
        lost();
      }
    } catch {
      lost();
    }
    if (!document.hidden) timer = setTimeout(refresh, every);
  }

  function lost() {
    since ??= new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    say("No answer from the daemon since " + since + ". What is shown may be old.");
  }

  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    if (!document.hidden) refresh();
  });
  setInterval(() => { if (!document.hidden) tell(main); }, 1000);
  tell(main);
  timer = setTimeout(refresh, every);
})();
