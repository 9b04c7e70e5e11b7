// Runs before the pages: the reader's language and colour mode, and the texts that only the
// browser can write (numbers, dates, times in the reader's own format). No build step, no module.
(() => {
  "use strict";
  const LANGUAGES = ["fr", "en"];
  const LOCALE = { fr: "fr-FR", en: "en-GB" };
  const NARROW = "\u202f";
  const NO_BREAK = "\u00a0";
  // Server time at the last word from the server, when that was here, and how fast it runs:
  // a demonstration runs on a clock of its own, and a reader's own clock may be wrong.
  const clock = { base: Date.now(), seen: performance.now(), rate: 1 };
  const formats = new Map();

  const stored = (key) => {
    try {
      return localStorage.getItem(key);
    } catch {
      return null;
    }
  };
  const store = (key, value) => {
    try {
      localStorage.setItem(key, value);
    } catch {
      /* private browsing without storage: the choice lasts as long as the page */
    }
  };
  let current = stored("fluenzr-lang");
  if (!LANGUAGES.includes(current)) {
    const wanted = (navigator.languages || [navigator.language || "fr"]).map((tag) => tag.slice(0, 2));
    current = wanted.find((tag) => LANGUAGES.includes(tag)) || "fr";
  }

  const intl = (kind, lang, options) => {
    const key = kind + lang + JSON.stringify(options);
    if (!formats.has(key)) formats.set(key, new Intl[kind](LOCALE[lang] || LOCALE.fr, options));
    return formats.get(key);
  };
  const number = (lang, value, digits = 0) =>
    intl("NumberFormat", lang, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);
  const unknown = (value) => value === null || value === undefined || value === "";
  const zoned = (zone, options) => (zone ? { ...options, timeZone: zone } : options);

  const dayNumber = (moment, zone) => {
    const parts = intl("DateTimeFormat", "en", zoned(zone, { year: "numeric", month: "numeric", day: "numeric" })).formatToParts(moment);
    const part = (type) => Number(parts.find((each) => each.type === type).value);
    return Date.UTC(part("year"), part("month") - 1, part("day")) / 86400000;
  };
  const daysAgo = (moment, zone) => dayNumber(new Date(fz.now()), zone) - dayNumber(moment, zone);
  const withYear = (lang, moment, zone) => {
    const year = moment.getUTCFullYear() !== new Date(fz.now()).getUTCFullYear();
    return intl("DateTimeFormat", lang, zoned(zone, { day: "numeric", month: "short", ...(year && { year: "numeric" }) })).format(moment);
  };

  const fz = {
    lang: () => current,
    setLang(lang) {
      current = lang;
      store("fluenzr-lang", lang);
      document.cookie = `fluenzr_lang=${lang}; Path=/; Max-Age=31536000; SameSite=Lax`;
      document.documentElement.lang = lang;
      document.dispatchEvent(new CustomEvent("fz-lang"));
    },
    number: (lang, value, digits) => (unknown(value) ? "–" : number(lang, value, digits)),
    percent: (lang, share, digits = 1) =>
      unknown(share) ? "–" : number(lang, share * 100, digits) + (lang === "fr" ? NARROW + "%" : "%"),
    size: (lang, octets) => {
      if (unknown(octets)) return "–";
      const unit = lang === "fr" ? ["o", "Ko", "Mo"] : ["B", "KB", "MB"];
      if (octets < 1000) return number(lang, octets) + NO_BREAK + unit[0];
      if (octets < 1e6) return number(lang, Math.round(octets / 1000)) + NO_BREAK + unit[1];
      return number(lang, octets / 1e6, 1) + NO_BREAK + unit[2];
    },
    plain: (lang, value) =>
      typeof value === "number" ? number(lang, value, Number.isInteger(value) ? 0 : 1) : String(value ?? ""),
    time: (lang, iso, zone) =>
      unknown(iso) ? "–" : intl("DateTimeFormat", lang, zoned(zone, { hour: "2-digit", minute: "2-digit" })).format(new Date(iso)),
    date: (lang, iso, zone) =>
      unknown(iso)
        ? "–"
        : intl("DateTimeFormat", lang, zoned(zone, { weekday: "long", day: "numeric", month: "long" })).format(new Date(iso)),
    exact: (lang, iso, zone) =>
      unknown(iso)
        ? ""
        : intl("DateTimeFormat", lang, zoned(zone, { dateStyle: "full", timeStyle: "medium" })).format(new Date(iso)) +
          (zone ? ` (${zone})` : ""),
    // A moment as it is said in a sentence: 14:52, “hier, 16:40”, “lundi 23 novembre, 09:14”.
    since(lang, iso, zone) {
      if (unknown(iso)) return "–";
      const day = (moment) => intl("DateTimeFormat", "fr", zoned(zone, { year: "numeric", month: "2-digit", day: "2-digit" })).format(moment);
      const clockTime = fz.time(lang, iso, zone);
      const moment = new Date(iso);
      if (day(moment) === day(new Date(fz.now()))) return clockTime;
      for (const [step, word] of [[-1, { fr: "hier", en: "yesterday" }], [1, { fr: "demain", en: "tomorrow" }]])
        if (day(moment) === day(new Date(fz.now() + step * 86400000))) return `${word[lang] || word.fr}, ${clockTime}`;
      return `${fz.day(lang, iso, zone)}, ${clockTime}`;
    },
    day: (lang, iso, zone) =>
      unknown(iso) ? "–" : intl("DateTimeFormat", lang, zoned(zone, { day: "numeric", month: "short" })).format(new Date(iso)),
    // How long ago, in the fewest letters: 12 min, 3 h, hier, lundi, 16 nov.
    ago(lang, iso, zone) {
      if (unknown(iso)) return "–";
      const moment = new Date(iso);
      const minutes = Math.floor((fz.now() - moment) / 60000);
      if (minutes < 1) return lang === "fr" ? "à l’instant" : "now";
      if (minutes < 60) return `${minutes} min`;
      const days = daysAgo(moment, zone);
      if (days === 0) return `${Math.floor(minutes / 60)} h`;
      if (days === 1) return lang === "fr" ? "hier" : "yesterday";
      if (days < 7) return intl("DateTimeFormat", lang, zoned(zone, { weekday: "long" })).format(moment);
      return withYear(lang, moment, zone);
    },
    // When a mail came: aujourd’hui, 16:06; mar. 17, 09:42; 16 nov., 09:42.
    stamp(lang, iso, zone) {
      if (unknown(iso)) return "–";
      const moment = new Date(iso);
      const days = daysAgo(moment, zone);
      const word = { 0: { fr: "aujourd’hui", en: "today" }, 1: { fr: "hier", en: "yesterday" }, "-1": { fr: "demain", en: "tomorrow" } }[days];
      const day = word
        ? word[lang] || word.fr
        : days > 0 && days < 25
          ? intl("DateTimeFormat", lang, zoned(zone, { weekday: "short", day: "numeric" })).format(moment)
          : withYear(lang, moment, zone);
      return `${day}, ${fz.time(lang, iso, zone)}`;
    },
    now: () => clock.base + (performance.now() - clock.seen) * clock.rate,
    setClock(iso, rate) {
      if (!iso) return;
      clock.base = Date.parse(iso);
      clock.seen = performance.now();
      clock.rate = rate || 1;
      document.dispatchEvent(new CustomEvent("fz-tick"));
    },
    relative(lang, iso, zone) {
      if (unknown(iso)) return "–";
      const seconds = (Date.parse(iso) - fz.now()) / 1000;
      const size = Math.abs(seconds);
      const relative = intl("RelativeTimeFormat", lang, { numeric: "auto", style: "short" });
      if (size < 45) return lang === "fr" ? (seconds > 5 ? "dans un instant" : "à l’instant") : seconds > 5 ? "in a moment" : "just now";
      if (size < 3600) return relative.format(Math.round(seconds / 60), "minute");
      if (size < 86400) return relative.format(Math.round(seconds / 3600), "hour");
      if (size < 7 * 86400) return relative.format(Math.round(seconds / 86400), "day");
      const year = new Date(iso).getUTCFullYear() !== new Date(fz.now()).getUTCFullYear();
      return intl("DateTimeFormat", lang, zoned(zone, { day: "numeric", month: "short", ...(year && { year: "numeric" }) })).format(new Date(iso));
    },
    // What follows a text in a form: the strength of a password, 0 to 4. Length counts most.
    strength(text) {
      const kinds = [/[a-zà-ÿ]/, /[A-ZÀ-Þ]/, /\d/, /[^\wÀ-ÿ]/].filter((kind) => kind.test(text)).length;
      const distinct = new Set(text).size;
      if (!text) return 0;
      if (text.length < 8 || distinct < 4) return 1;
      if (text.length < 12) return 2;
      return text.length >= 20 || kinds >= 3 ? 4 : 3;
    },
  };
  fz.toggleSidebar = () => {
    const root = document.documentElement;
    if (root.dataset.sidebar === "small") delete root.dataset.sidebar;
    else root.dataset.sidebar = "small";
    store("fluenzr-sidebar", root.dataset.sidebar || "");
  };
  window.fz = fz;
  document.documentElement.lang = current;
  if (stored("fluenzr-sidebar") === "small") document.documentElement.dataset.sidebar = "small";

  // <fz-when datetime zone lang mode>: a time that keeps itself right, the exact one on hover.
  class When extends HTMLElement {
    static observedAttributes = ["datetime", "zone", "lang", "mode"];
    connectedCallback() {
      this.write = () => {
        const [iso, zone, lang] = [this.getAttribute("datetime"), this.getAttribute("zone"), this.getAttribute("lang") || current];
        const text = (fz[this.getAttribute("mode") || "relative"] || fz.relative)(lang, iso, zone || undefined);
        if (this.textContent !== text) this.textContent = text;
        this.title = fz.exact(lang, iso, zone || undefined);
      };
      this.write();
      this.timer = setInterval(this.write, 15000);
      document.addEventListener("fz-tick", this.write);
    }
    disconnectedCallback() {
      clearInterval(this.timer);
      document.removeEventListener("fz-tick", this.write);
    }
    attributeChangedCallback() {
      this.write?.();
    }
  }
  customElements.define("fz-when", When);

  // <fz-clock now rate>: the server's time, handed over once a page has been filled.
  class ServerClock extends HTMLElement {
    static observedAttributes = ["now", "rate"];
    attributeChangedCallback() {
      fz.setClock(this.getAttribute("now"), Number(this.getAttribute("rate")));
    }
  }
  customElements.define("fz-clock", ServerClock);

  // <fz-demo-clock zone lang>: day and time of the demonstration's clock. It passes over nights at once, so that
  // the server is asked again every few seconds; all other times on the page follow.
  class DemoClock extends HTMLElement {
    static observedAttributes = ["zone", "lang"];
    connectedCallback() {
      this.write = () => {
        const [zone, lang] = [this.getAttribute("zone"), this.getAttribute("lang") || current];
        const iso = new Date(fz.now()).toISOString();
        const text = `${fz.date(lang, iso, zone || undefined)}, ${fz.time(lang, iso, zone || undefined)}`;
        if (this.textContent !== text) this.textContent = text;
      };
      this.ask = async () => {
        try {
          const answer = await fetch("/demo/clock", { cache: "no-store" });
          const { data } = await answer.json();
          fz.setClock(data.now, data.rate);
        } catch {
          /* the server is away: the banner of the lost connection says so */
        }
      };
      this.ask();
      this.timers = [setInterval(this.write, 500), setInterval(this.ask, 3000)];
      document.addEventListener("fz-tick", this.write);
    }
    disconnectedCallback() {
      this.timers.forEach(clearInterval);
      document.removeEventListener("fz-tick", this.write);
    }
    attributeChangedCallback() {
      this.write?.();
    }
  }
  customElements.define("fz-demo-clock", DemoClock);

  // <fz-poll seconds>: clicks itself while the tab is seen, and at once when it comes to the front again.
  class Poll extends HTMLElement {
    connectedCallback() {
      this.ask = () => document.visibilityState === "visible" && this.click();
      this.timer = setInterval(this.ask, 1000 * (Number(this.getAttribute("seconds")) || 30));
      document.addEventListener("visibilitychange", this.ask);
    }
    disconnectedCallback() {
      clearInterval(this.timer);
      document.removeEventListener("visibilitychange", this.ask);
    }
  }
  customElements.define("fz-poll", Poll);

  // The way past the menu moves the keyboard too: the router takes the fragment for itself.
  document.addEventListener("click", (event) => {
    if (!event.target.closest?.(".fz-skip")) return;
    event.preventDefault();
    document.getElementById("content")?.focus();
  });

  // A dialog that was opened by the page's state has no trigger to give the focus back to: whoever had it gets it.
  const FLOATING = "[role=dialog], [role=alertdialog], [role=menu]";
  let before = null;
  document.addEventListener("focusin", (event) => {
    if (!event.target.closest?.(FLOATING) && event.target.matches?.("a, button, input, select, textarea, [tabindex]:not([data-radix-focus-guard])")) before = event.target;
  });
  const giveBack = (changes) => {
    const closed = changes.some((change) =>
      [...change.removedNodes].some((node) => node.nodeType === 1 && (node.matches(FLOATING) || node.querySelector(FLOATING))));
    if (!closed) return;
    setTimeout(() => {
      if (document.activeElement === document.body && before?.isConnected && !document.querySelector(FLOATING)) before.focus();
    });
  };
  document.addEventListener("DOMContentLoaded", () => new MutationObserver(giveBack).observe(document.body, { childList: true }));
})();
