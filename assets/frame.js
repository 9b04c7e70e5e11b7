// What the frame needs of the browser: keys, whether this page is still the server's, and what is typed and not saved.
// Runs after boot.js and before the pages. No build step, no module.
(() => {
  "use strict";
  const fz = window.fz;
  const local = {
    read(key) {
      try {
        return JSON.parse(localStorage.getItem(key) || "null");
      } catch {
        return null;
      }
    },
    write(key, value) {
      try {
        if (value === null) localStorage.removeItem(key);
        else localStorage.setItem(key, JSON.stringify(value));
        return true;
      } catch {
        /* storage is full or refused */
        return false;
      }
    },
    keys(prefix) {
      try {
        return Object.keys(localStorage).filter((key) => key.startsWith(prefix));
      } catch {
        return [];
      }
    },
  };

  // ---- Keys. `<fz-key letter words>` clicks itself when its key is pressed; "g c" is one key after the other.
  const SECOND_KEY_MS = 1500;
  let first = "";
  let firstAt = 0;
  const writes = (at) => at && (at.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName) && !/^(checkbox|radio|button)$/.test(at.type));
  const pressed = (event) => {
    if (event.defaultPrevented || event.repeat || event.isComposing) return;
    if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k") {
      if (!document.querySelector("fz-key[letter='ctrl+k']")) return;
      event.preventDefault();
      fz.palette();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || writes(event.target)) return;
    if (document.querySelector("[role=dialog],[role=alertdialog],[role=menu]")) return;
    const letter = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const row = event.target.closest?.(".fz-opens");
    if (letter === "Enter" && row && event.target === row) {
      event.preventDefault();
      row.click();
      return;
    }
    const pair = Date.now() - firstAt < SECOND_KEY_MS ? `${first} ${letter}` : "";
    first = "";
    const found = [...document.querySelectorAll("fz-key:not([listed])")].find((each) => each.letter === (pair || letter));
    if (found) {
      event.preventDefault();
      found.click();
    } else if (document.querySelector(`fz-key:not([listed])[letter^="${CSS.escape(letter)} "]`)) {
      first = letter;
      firstAt = Date.now();
    }
  };
  document.addEventListener("keydown", pressed);
  customElements.define(
    "fz-key",
    class extends HTMLElement {
      get letter() {
        return this.getAttribute("letter") || "";
      }
      set letter(value) {
        this.setAttribute("letter", value);
      }
    },
  );
  // What is asked for while the page that would show it is still coming is shown once it is there.
  const PATIENCE_MS = 3000;
  let asked = "";
  let askedAt = 0;
  const tell = (name) => () => {
    if (document.dispatchEvent(new CustomEvent(name, { cancelable: true }))) [asked, askedAt] = [name, Date.now()];
  };
  // Call `show` whenever `name` is asked for; returns what ends that.
  fz.taking = (name, show) => {
    const take = (event) => {
      event.preventDefault();
      show();
    };
    document.addEventListener(name, take);
    if (asked === name && Date.now() - askedAt < PATIENCE_MS) {
      asked = "";
      show();
    }
    return () => document.removeEventListener(name, take);
  };
  // A menu that closes gives its focus back first.
  fz.palette = () => setTimeout(tell("fz-palette"), document.querySelector("[role=menu]") ? 150 : 0);
  fz.showKeys = () => setTimeout(tell("fz-show-keys"), document.querySelector("[role=menu]") ? 150 : 0);
  // Move to the next or previous row of the page's list, from the one that is open or has the focus.
  fz.row = (step) => {
    const rows = [...document.querySelectorAll(".fz-opens")].filter((row) => row.offsetParent);
    if (!rows.length) return;
    let at = rows.indexOf(document.activeElement?.closest(".fz-opens"));
    if (at < 0) at = rows.findIndex((row) => row.dataset.open === "true");
    const next = rows[at < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, at + step))];
    if (!next.hasAttribute("tabindex")) next.tabIndex = -1;
    next.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  };

  // ---- The version. The server names its bundle; a page of another one loads itself anew, once for each.
  const RELOADED = "fluenzr-reloaded-for";
  const noted = () => {
    try {
      return sessionStorage.getItem(RELOADED);
    } catch {
      return undefined;
    }
  };
  fz.bundle = window.fzBundle || "";
  fz.serverIs = (bundle) => {
    if (!bundle || !fz.bundle || bundle === fz.bundle) return;
    const before = noted();
    // Without storage nothing would stop a second time.
    if (before === undefined || before === bundle) {
      document.documentElement.dataset.stale = "true";
      return;
    }
    sessionStorage.setItem(RELOADED, bundle);
    keepNow();
    window.location.reload();
  };
  fz.askServer = async () => {
    try {
      const answer = await fetch("/bundle.json", { cache: "no-store" });
      if (answer.ok) fz.serverIs((await answer.json()).bundle);
    } catch {
      /* the server is away: it is asked again when the connection is back */
    }
  };
  // A part of the page that was asked for is not there any more: the router loads the present address anew by itself,
  // and whoever has just followed a link is then led to where it goes.
  const FOLLOWED = "fluenzr-followed";
  const JUST_NOW_MS = 10000;
  const ARRIVED_MS = 100;
  let followed = null;
  let arrival;
  // Whoever has arrived and comes back to where the link was does not follow it any more.
  const arrived = () => {
    if (isPending(followed)) return;
    followed = null;
    clearInterval(arrival);
  };
  document.addEventListener(
    "click",
    (event) => {
      const link = event.target.closest?.("a[href]");
      const stays = link && link.origin === location.origin && !link.target && !link.hasAttribute("download");
      if (!stays) return;
      followed = { href: link.href, from: location.href, at: Date.now() };
      clearInterval(arrival);
      arrival = setInterval(arrived, ARRIVED_MS);
    },
    true,
  );
  const isPending = (link) => link && Date.now() - link.at < JUST_NOW_MS && location.href === link.from && link.href !== link.from;
  try {
    const left = JSON.parse(sessionStorage.getItem(FOLLOWED) || "null");
    sessionStorage.removeItem(FOLLOWED);
    if (isPending(left) && performance.getEntriesByType("navigation")[0]?.type === "reload") location.replace(left.href);
  } catch {
    /* no storage: the link is followed by another click */
  }
  window.addEventListener("pagehide", () => {
    try {
      if (isPending(followed)) sessionStorage.setItem(FOLLOWED, JSON.stringify(followed));
    } catch {
      /* as above */
    }
  });
  window.addEventListener("vite:preloadError", () => {
    keepNow();
    fz.askServer();
  });
  // In front of the page as long as the socket is away.
  class Lost extends HTMLElement {
    connectedCallback() {
      document.documentElement.dataset.offline = "true";
      document.dispatchEvent(new CustomEvent("fz-link"));
    }
    disconnectedCallback() {
      delete document.documentElement.dataset.offline;
      document.dispatchEvent(new CustomEvent("fz-link"));
      fz.askServer();
    }
  }
  customElements.define("fz-lost", Lost);
  customElements.define(
    "fz-version",
    class extends HTMLElement {
      static observedAttributes = ["bundle"];
      attributeChangedCallback() {
        fz.serverIs(this.getAttribute("bundle"));
      }
    },
  );

  // ---- What is typed. `<fz-kept place person>` in a form or in an element with data-keeps keeps its fields in this
  // browser until the page says that they are saved: per person and place, never a password.
  const PREFIX = "fz-kept:";
  const MOST_LETTERS = 20000;
  const MOST_PLACES = 40;
  const LONGEST_MS = 30 * 86400000;
  const PAUSE_MS = 200;
  // What is older waits for somebody to look at it before it is saved over what others may have written since.
  const SETTLES_MS = 10 * 60000;
  const SETTLE_AGAIN_MS = [1500, 4000, 10000];
  const SILENCE_MS = 8000;
  const live = new Set();
  const keepNow = () => live.forEach((each) => each.keep());
  const places = () => local.keys(PREFIX).map((key) => [key, local.read(key)?.at || 0]).sort((one, other) => other[1] - one[1]);
  const tidy = () => places().forEach(([key, at], index) => (index >= MOST_PLACES || Date.now() - at > LONGEST_MS) && local.write(key, null));
  const valueOf = (field) => (field.type === "checkbox" ? field.checked : field.value);
  const put = (field, value) => {
    const proto = field instanceof HTMLTextAreaElement ? HTMLTextAreaElement : field instanceof HTMLSelectElement ? HTMLSelectElement : HTMLInputElement;
    if (field.type === "checkbox" || field.type === "radio") {
      // React hears of a box by its click only.
      if (field.checked !== (field.type === "radio" ? field.value === value : value)) field.click();
      return;
    }
    Object.getOwnPropertyDescriptor(proto.prototype, "value").set.call(field, value);
    field.dispatchEvent(new Event(field instanceof HTMLSelectElement ? "change" : "input", { bubbles: true }));
  };

  class Kept extends HTMLElement {
    static observedAttributes = ["place", "person", "stored"];
    connectedCallback() {
      this.host = this.closest("form,[data-keeps]");
      if (!this.host) return;
      this.values = {};
      this.typed = (event) => this.note(event.target);
      this.sent = () => this.submit();
      this.link = () => {
        this.show();
        this.settleSoon();
      };
      this.left = () => this.keep();
      this.host.addEventListener("input", this.typed);
      this.host.addEventListener("change", this.typed);
      this.host.addEventListener("submit", this.sent);
      document.addEventListener("fz-link", this.link);
      window.addEventListener("pagehide", this.left);
      // Fields come when the page has been filled, and are made anew when it is filled again.
      this.watch = new MutationObserver((changes) => this.changed(changes));
      this.watch.observe(this.host, { childList: true, subtree: true });
      this.querySelector("[data-drop]")?.addEventListener("click", () => this.drop());
      live.add(this);
      this.begin();
    }
    disconnectedCallback() {
      if (!this.host) return;
      this.keep();
      live.delete(this);
      this.watch.disconnect();
      clearTimeout(this.pause);
      clearTimeout(this.silence);
      clearTimeout(this.settling);
      clearTimeout(this.filling);
      for (const kind of ["input", "change"]) this.host.removeEventListener(kind, this.typed);
      this.host.removeEventListener("submit", this.sent);
      document.removeEventListener("fz-link", this.link);
      window.removeEventListener("pagehide", this.left);
    }
    attributeChangedCallback(name, before, after) {
      if (!this.host || before === after) return;
      if (name === "stored") return this.compare();
      // What was typed belongs to the place that was there.
      if (this.loaded) this.keep();
      this.begin();
    }
    get key() {
      const [person, place] = [this.getAttribute("person"), this.getAttribute("place")];
      return person && place ? `${PREFIX}${person}:${place}` : "";
    }
    begin() {
      this.loaded = this.key;
      const kept = this.loaded ? local.read(this.loaded) : null;
      this.values = kept && Date.now() - kept.at < LONGEST_MS ? { ...kept.values } : {};
      this.since = kept?.at || Date.now();
      this.state = Object.keys(this.values).length ? "unsaved" : "";
      this.show();
      // Not before React has put the fields in their places: until then it hears of nothing that happens in them.
      clearTimeout(this.filling);
      this.filling = setTimeout(() => {
        this.restore(this.fields());
        this.compare();
        if (Date.now() - this.since < SETTLES_MS) this.settleSoon();
      });
    }
    fields() {
      return [...this.host.querySelectorAll("input,textarea,select")].filter((field) => this.isKept(field));
    }
    isKept(field) {
      return (
        field.name && !/^(password|hidden|file|submit|button)$/.test(field.type) && !field.dataset.unkept &&
        !/password/i.test(field.name) && (field.form === this.host || (!field.form && !this.host.elements)) && !field.readOnly && !field.matches(":disabled")
      );
    }
    note(field) {
      if (this.restoring || !this.isKept(field)) return;
      this.values[field.name] = typeof valueOf(field) === "string" ? field.value.slice(0, MOST_LETTERS) : valueOf(field);
      this.state = "unsaved";
      this.show();
      clearTimeout(this.pause);
      this.pause = setTimeout(() => this.keep(), PAUSE_MS);
    }
    keep() {
      clearTimeout(this.pause);
      if (!this.loaded) return;
      const some = Object.keys(this.values).length > 0;
      if (!some && local.read(this.loaded) === null) return;
      if (!local.write(this.loaded, some ? { values: this.values, at: Date.now() } : null)) {
        // Full of older ones: what is typed now matters more.
        places().slice(MOST_PLACES / 4).forEach(([key]) => local.write(key, null));
        local.write(this.loaded, some ? { values: this.values, at: Date.now() } : null);
      }
      tidy();
    }
    restore(fields) {
      this.restoring = true;
      for (const field of fields) {
        if (!(field.name in this.values)) continue;
        const value = this.values[field.name];
        if (field.type === "radio" ? field.value !== value || field.checked : valueOf(field) === value) continue;
        put(field, value);
      }
      this.restoring = false;
    }
    // Fields that are saved when they are left are left again, once the page has been filled: what was sent when the
    // server came back may have come before it knew which page it was for.
    settleSoon(waits = SETTLE_AGAIN_MS) {
      clearTimeout(this.settling);
      if (!this.hasAttribute("settles") || !waits.length || document.documentElement.dataset.offline) return;
      this.settling = setTimeout(() => {
        const left = this.fields().filter((field) => field.name in this.values && field !== document.activeElement);
        for (const field of left) field.dispatchEvent(new FocusEvent("focusout", { bubbles: true }));
        if (left.length) this.settleSoon(waits.slice(1));
      }, waits[0]);
    }
    changed(changes) {
      const came = changes.flatMap((change) => [...change.addedNodes]).filter((node) => node.nodeType === 1 && !this.contains(node));
      const fields = came.flatMap((node) => [...(node.matches("input,textarea,select") ? [node] : []), ...node.querySelectorAll("input,textarea,select")]);
      // While a form is being saved, an empty field in the place of a full one is the server's answer.
      if (fields.length && this.state !== "saving") this.restore(fields.filter((field) => this.isKept(field)));
      if (this.state === "saving" && came.some((node) => node.closest(".fz-error") || node.querySelector(".fz-error"))) {
        this.state = "refused";
        this.restore(this.fields());
        this.show();
      }
    }
    submit() {
      this.keep();
      this.state = "saving";
      this.show();
      clearTimeout(this.silence);
      this.silence = setTimeout(() => {
        if (this.state !== "saving") return;
        this.state = Object.keys(this.values).length ? "unsaved" : "";
        this.restore(this.fields());
        this.show();
      }, SILENCE_MS);
    }
    // For fields that are saved when they are left: what the server has by now is kept no longer.
    compare() {
      const text = this.getAttribute("stored");
      if (!text || !Object.keys(this.values).length) return;
      let stored = {};
      try {
        stored = JSON.parse(text) || {};
      } catch {
        return;
      }
      for (const [name, value] of Object.entries(this.values))
        if (name in stored && String(stored[name] ?? "").trim() === String(value).trim()) delete this.values[name];
      if (!Object.keys(this.values).length) this.state = this.state === "unsaved" || this.state === "saving" ? "saved" : this.state;
      this.at = new Date(fz.now()).toISOString();
      this.keep();
      this.show();
    }
    saved() {
      this.values = {};
      this.state = "saved";
      this.at = new Date(fz.now()).toISOString();
      clearTimeout(this.silence);
      this.keep();
      this.show();
    }
    drop() {
      const names = Object.keys(this.values);
      this.values = {};
      this.state = "";
      this.keep();
      this.restoring = true;
      for (const field of this.fields()) {
        if (!names.includes(field.name)) continue;
        if (field.type === "checkbox" || field.type === "radio") field.checked !== field.defaultChecked && field.click();
        else if (field instanceof HTMLSelectElement) put(field, ([...field.options].find((each) => each.defaultSelected) || field.options[0])?.value ?? "");
        else put(field, field.defaultValue);
      }
      this.restoring = false;
      this.show();
    }
    show() {
      const away = document.documentElement.dataset.offline === "true" || !navigator.onLine;
      this.dataset.state = this.state === "saving" && away ? "unsaved" : this.state;
      const at = this.querySelector("[data-at]");
      if (at && this.at) at.textContent = fz.time(fz.lang(), this.at, this.getAttribute("zone") || undefined);
    }
  }
  customElements.define("fz-kept", Kept);
  for (const kind of ["online", "offline"]) window.addEventListener(kind, () => document.dispatchEvent(new CustomEvent("fz-link")));

  fz.kept = {
    // The server has what was typed at this place.
    saved(place) {
      let told = false;
      live.forEach((each) => {
        if (each.getAttribute("place") !== place) return;
        each.saved();
        told = true;
      });
      if (!told) local.keys(PREFIX).filter((key) => key.endsWith(`:${place}`)).forEach((key) => local.write(key, null));
    },
    // Whoever typed it at this place has thought better of it: the fields say again what holds.
    dropped(place) {
      live.forEach((each) => each.getAttribute("place") === place && each.drop());
    },
    // Somebody signs out: nothing of what they typed stays in this browser, nor what the editors keep beside it.
    forget() {
      live.forEach((each) => (each.values = {}));
      [PREFIX, "fz-answer:", "fz-mail:"].flatMap(local.keys).forEach((key) => local.write(key, null));
    },
  };
})();
