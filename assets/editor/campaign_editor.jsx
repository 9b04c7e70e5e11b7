// The mail editor of a campaign, and a clock that ticks while the page is looked at.
//
// What is typed lives here, not in the page's state: a refresh of figures cannot take a letter away. Each change is
// written to this browser's storage at once and sent after a short pause, or when the editor is left; it leaves the
// storage when the server says that it has it. A lost connection or a reload therefore loses nothing.
import { createElement as h, Fragment, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";

const PREFIX = "fz-mail:";
const PAUSE = 700;
const SILENCE = 4000;
const MARK = /\{\{\s*(#if\s+|else\b|\/if\b)?\s*([\p{L}\p{N}_.-]*)[^{}]*\}\}/gu;
const KEPT = new Set(["P", "BR", "B", "STRONG", "I", "EM", "U", "UL", "OL", "LI", "A", "DIV", "H1", "H2", "H3", "BLOCKQUOTE"]);

const read = (key) => {
  try {
    return JSON.parse(localStorage.getItem(key) || "null");
  } catch {
    return null;
  }
};
const write = (key, value) => {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, JSON.stringify(value));
  } catch {
    /* storage is full or refused: what is typed still goes to the server */
  }
};
const looksRich = (text) => /<\/?(p|br|div|span|a|b|i|u|em|strong|ul|ol|li|h[1-6]|blockquote|table|img)(\s[^<>]*)?\/?>/i.test(text);
const escaped = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
const asRich = (text) =>
  looksRich(text) ? text : text.split(/\n{2,}/).map((part) => `<p>${escaped(part).replace(/\n/g, "<br>")}</p>`).join("");
const asPlain = (root) => {
  const blocks = [...root.children].map((block) => {
    if (/^(UL|OL)$/.test(block.tagName))
      return [...block.children].map((item, i) => (block.tagName === "OL" ? `${i + 1}. ` : "- ") + item.innerText.trim()).join("\n");
    return block.innerText.replace(/\n+$/, "");
  });
  return (blocks.length ? blocks.join("\n\n") : root.innerText).replace(/\u00a0/g, " ").trim();
};

// What comes from elsewhere keeps its words, emphasis, lists and links, and nothing else.
const tidy = (markup) => {
  const page = new DOMParser().parseFromString(markup, "text/html");
  page.querySelectorAll("script,style,meta,link,title").forEach((node) => node.remove());
  const walk = (node) => {
    [...node.childNodes].forEach((child) => {
      if (child.nodeType === Node.COMMENT_NODE) child.remove();
      if (child.nodeType !== Node.ELEMENT_NODE) return;
      walk(child);
      if (!KEPT.has(child.tagName)) child.replaceWith(...child.childNodes);
      else
        [...child.attributes].forEach((attribute) => {
          if (!(child.tagName === "A" && attribute.name === "href" && /^(https?:|mailto:|tel:|\{\{)/i.test(attribute.value)))
            child.removeAttribute(attribute.name);
        });
    });
  };
  walk(page.body);
  return page.body.innerHTML;
};

const drawing = (paths, size = 16) =>
  h(
    "svg",
    { width: size, height: size, viewBox: "0 0 24 24", fill: "none", stroke: "currentColor", strokeWidth: 1.75, strokeLinecap: "round", strokeLinejoin: "round", "aria-hidden": true },
    paths.map((d, i) => h("path", { key: i, d })),
  );
const ICONS = {
  bold: ["M6 12h9a4 4 0 0 1 0 8H7a1 1 0 0 1-1-1V5a1 1 0 0 1 1-1h7a4 4 0 0 1 0 8"],
  italic: ["M19 4h-9", "M14 20H5", "M15 4 9 20"],
  bullets: ["M3 5h.01", "M3 12h.01", "M3 19h.01", "M8 5h13", "M8 12h13", "M8 19h13"],
  numbers: ["M11 5h10", "M11 12h10", "M11 19h10", "M4 4h1v5", "M4 9h2", "M6.5 20H3.4c0-1 2.6-1.9 2.6-3.5a1.5 1.5 0 0 0-2.6-1"],
  link: ["M10 13a5 5 0 0 0 7.54.54l3-3a5 5 0 0 0-7.07-7.07l-1.72 1.71", "M14 11a5 5 0 0 0-7.54-.54l-3 3a5 5 0 0 0 7.07 7.07l1.71-1.71"],
  braces: ["M8 3H7a2 2 0 0 0-2 2v5a2 2 0 0 1-2 2 2 2 0 0 1 2 2v5a2 2 0 0 0 2 2h1", "M16 21h1a2 2 0 0 0 2-2v-5a2 2 0 0 1 2-2 2 2 0 0 1-2-2V5a2 2 0 0 0-2-2h-1"],
  down: ["m6 9 6 6 6-6"],
  alert: ["M12 8v4", "M12 16h.01", "M22 12a10 10 0 1 1-20 0 10 10 0 0 1 20 0"],
  saved: ["m17 15-5.5 5.5L9 18", "M5 17.743A7 7 0 1 1 15.71 10h1.79a4.5 4.5 0 0 1 1.5 8.742"],
  saving: ["M21 12a9 9 0 1 1-6.219-8.56"],
  unsaved: ["m2 2 20 20", "M5.782 5.782A7 7 0 0 0 9 19h8.5a4.5 4.5 0 0 0 1.307-.193", "M21.532 16.5A4.5 4.5 0 0 0 17.5 10h-1.79A7.008 7.008 0 0 0 10 5.07"],
};

// Colours the variables without touching the text: known ones as chips, unknown ones underlined in red.
const highlight = (root, known) => {
  if (!root || typeof Highlight === "undefined" || !CSS.highlights) return;
  const good = [];
  const bad = [];
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    for (const found of node.data.matchAll(MARK)) {
      const range = new Range();
      range.setStart(node, found.index);
      range.setEnd(node, found.index + found[0].length);
      const plain = found[1] && !found[1].startsWith("#if");
      (plain || known.has(found[2]) ? good : bad).push(range);
    }
  }
  CSS.highlights.set("fz-variable", new Highlight(...good));
  CSS.highlights.set("fz-variable-unknown", new Highlight(...bad));
};

export function Poll({ every = 5000, onTick }) {
  const tick = useRef(onTick);
  tick.current = onTick;
  useEffect(() => {
    const timer = setInterval(() => document.visibilityState === "visible" && tick.current && tick.current(), every);
    return () => clearInterval(timer);
  }, [every]);
  return null;
}

// Nodes of two campaigns may have the same id.
const isAbout = (ack, campaign, node) => ack && ack.campaign === campaign && ack.node === node;

// Sends what an earlier visit typed and could not send, also for mails that are not open now.
export function Rescue({ campaign, ack, onSave }) {
  useEffect(() => {
    if (!ack || ack.campaign !== campaign || ack.state === "failed") return;
    const key = `${PREFIX}${campaign}:${ack.node}`;
    const kept = read(key);
    if (kept && kept.seq <= ack.seq) write(key, null);
  }, [ack]);
  useEffect(() => {
    if (!campaign) return;
    const keys = Object.keys(localStorage).filter((key) => key.startsWith(`${PREFIX}${campaign}:`));
    keys.forEach((key) => {
      const kept = read(key);
      if (kept) onSave({ ...kept, campaign });
    });
  }, [campaign]);
  return null;
}

export function MailEditor({ campaign, node, value, ack, readOnly, variables, custom, faults, threadSubject, words, onSave }) {
  const key = `${PREFIX}${campaign}:${node}`;
  const [name, setName] = useState("");
  const [subject, setSubject] = useState("");
  const [rich, setRich] = useState(true);
  const [plain, setPlain] = useState("");
  const [save, setSave] = useState("");
  const [savedAt, setSavedAt] = useState("");
  const [menu, setMenu] = useState("");
  const [chosen, setChosen] = useState("");
  const [fallback, setFallback] = useState("");
  const [address, setAddress] = useState("");
  const [filter, setFilter] = useState("");
  const [count, setCount] = useState(0);
  const body = useRef(null);
  const subjectField = useRef(null);
  const plainField = useRef(null);
  const place = useRef("body");
  const range = useRef(null);
  const shown = useRef({ key: "", version: -1 });
  const base = useRef("");
  const pending = useRef(null);
  const flight = useRef(null);
  const timers = useRef({});
  const latest = useRef({});
  const isPlainOnly = useRef(null);
  latest.current = { name, subject, rich, plain };

  const list = useMemo(
    () => [...variables, ...(custom || []).map((each) => ({ name: each.name, label: each.label, own: true }))],
    [variables, custom],
  );
  const known = useMemo(() => new Set(list.map((each) => each.name)), [list]);
  const paint = useCallback(() => {
    highlight(body.current, known);
    const text = latest.current.rich ? body.current?.innerText || "" : latest.current.plain;
    setCount((text.match(/[\p{L}\p{N}]+(?:['’-][\p{L}\p{N}]+)*/gu) || []).length);
  }, [known]);

  const put = useCallback((content) => {
    setName(content.name);
    setSubject(content.subject);
    const wantsRich = content.body === "" ? isPlainOnly.current !== node : looksRich(content.body);
    setRich(wantsRich);
    setPlain(wantsRich ? "" : content.body);
    latest.current = { name: content.name, subject: content.subject, rich: wantsRich, plain: wantsRich ? "" : content.body };
    if (body.current) {
      body.current.innerHTML = wantsRich ? tidyOwn(content.body) : "";
      if (wantsRich && !content.body) body.current.innerHTML = "<p><br></p>";
    }
  }, [node]);

  // The server's words come in when another mail is opened or when something else than this editor changed them:
  // before the field is seen, or a quick hand would write into one that is still empty.
  useLayoutEffect(() => {
    if (!value || value.node !== node) return;
    if (shown.current.key === key && shown.current.version === value.version) return;
    const moved = shown.current.key === key;
    // Somebody else's words do not take the place of what is being typed: the save will ask which are to stay.
    if (moved && pending.current) return;
    shown.current = { key, version: value.version };
    base.current = value.token;
    const found = read(key);
    const kept = found && isAbout(ack, campaign, node) && ack.state !== "failed" && found.seq <= ack.seq ? null : found;
    if (kept && !moved && !readOnly) {
      base.current = kept.base;
      pending.current = kept;
      put(kept);
      send();
    } else {
      if (moved) write(key, null);
      pending.current = null;
      put(value);
      setSave("");
    }
    setMenu("");
    paint();
  }, [key, value, readOnly]);

  useEffect(paint, [faults, rich]);
  useEffect(() => {
    document.execCommand("defaultParagraphSeparator", false, "p");
    const track = () => {
      const at = document.getSelection();
      if (at && at.rangeCount && body.current?.contains(at.anchorNode)) range.current = at.getRangeAt(0).cloneRange();
    };
    document.addEventListener("selectionchange", track);
    const retry = setInterval(() => timers.current.pause || send(), SILENCE);
    const back = () => {
      flight.current = null;
      send();
    };
    const hidden = () => document.visibilityState === "hidden" && flush();
    window.addEventListener("online", back);
    document.addEventListener("visibilitychange", hidden);
    return () => {
      document.removeEventListener("selectionchange", track);
      window.removeEventListener("online", back);
      document.removeEventListener("visibilitychange", hidden);
      clearInterval(retry);
    };
  }, []);
  // Leaving the page does not wait for the pause.
  useEffect(() => () => {
    flush();
    clearTimeout(timers.current.silence);
  }, []);

  const sendRef = useRef(() => {});
  sendRef.current = (now) => {
    timers.current.pause = null;
    const { seq, sent } = flight.current || { seq: 0, sent: 0 };
    // One at a time: what is sent next has to know what the last one became. Whoever leaves does not wait for it; the
    // server knows what this editor saved last.
    if (!pending.current || (now ? seq >= pending.current.seq : Date.now() - sent < SILENCE)) return;
    flight.current = { seq: pending.current.seq, sent: Date.now() };
    onSave({ ...pending.current, campaign, base: base.current });
    clearTimeout(timers.current.silence);
    timers.current.silence = setTimeout(() => pending.current && setSave("unsaved"), SILENCE);
  };
  const send = () => sendRef.current(false);
  const flush = () => {
    clearTimeout(timers.current.pause);
    sendRef.current(true);
  };

  useEffect(() => {
    if (!isAbout(ack, campaign, node) || !flight.current || ack.seq < flight.current.seq) return;
    clearTimeout(timers.current.silence);
    flight.current = null;
    if (ack.state === "saved") {
      base.current = ack.token;
      if (pending.current && pending.current.seq > ack.seq) {
        pending.current = { ...pending.current, base: ack.token };
        write(key, pending.current);
        if (!timers.current.pause) send();
        return;
      }
      pending.current = null;
      write(key, null);
      setSave("saved");
      setSavedAt(window.fz ? window.fz.time(window.fz.lang(), ack.at) : "");
      return;
    }
    // "kept": the server holds it as a draft and asks what to do. "failed": it cannot be taken as it is and stays here.
    if (ack.state === "kept") write(key, null);
    pending.current = null;
    setSave("refused");
  }, [ack]);

  const changed = () => {
    if (readOnly) return;
    const now = latest.current;
    const text = now.rich ? ownHtml(body.current) : now.plain;
    // Two changes within a millisecond are two.
    const seq = Math.max(Date.now(), (pending.current?.seq || 0) + 1);
    const content = { node, seq, base: base.current, name: now.name, subject: now.subject, body: text };
    pending.current = content;
    write(key, content);
    setSave((state) => (state === "unsaved" ? state : "saving"));
    clearTimeout(timers.current.pause);
    timers.current.pause = setTimeout(send, PAUSE);
    paint();
  };
  const setField = (which, set) => (event) => {
    set(event.target.value);
    latest.current = { ...latest.current, [which]: event.target.value };
    changed();
  };
  const intoBody = (act) => {
    body.current.focus();
    if (range.current) {
      const at = document.getSelection();
      at.removeAllRanges();
      at.addRange(range.current);
    }
    act();
    changed();
  };
  const command = (which) => () => intoBody(() => document.execCommand(which));
  const insertInField = (field, set, which, text) => {
    const [from, to] = [field.selectionStart ?? field.value.length, field.selectionEnd ?? field.value.length];
    const next = field.value.slice(0, from) + text + field.value.slice(to);
    set(next);
    latest.current = { ...latest.current, [which]: next };
    changed();
    requestAnimationFrame(() => {
      field.focus();
      field.setSelectionRange(from + text.length, from + text.length);
    });
  };
  const insert = (text) => {
    setMenu("");
    setChosen("");
    setFallback("");
    if (place.current === "subject") insertInField(subjectField.current, setSubject, "subject", text);
    else if (latest.current.rich) intoBody(() => document.execCommand("insertText", false, text));
    else insertInField(plainField.current, setPlain, "plain", text);
  };
  const choose = (each) => {
    if (each.sender) insert(`{{${each.name}}}`);
    else setChosen(each.name);
  };
  const withFallback = () => {
    const words = fallback.replace(/[{}|]/g, "").trim();
    insert(words ? `{{${chosen}|${words}}}` : `{{${chosen}}}`);
  };
  const replace = (fault) => {
    const swap = (text) =>
      text.replace(MARK, (whole, block, found) => (found === fault.variable ? whole.replace(found, fault.nearest) : whole));
    setSubject((text) => swap(text));
    latest.current = { ...latest.current, subject: swap(latest.current.subject), plain: swap(latest.current.plain) };
    setPlain((text) => swap(text));
    if (latest.current.rich) {
      const walker = document.createTreeWalker(body.current, NodeFilter.SHOW_TEXT);
      for (let text = walker.nextNode(); text; text = walker.nextNode()) {
        const next = swap(text.data);
        if (next !== text.data) text.data = next;
      }
    }
    changed();
  };
  const toPlain = () => {
    const text = asPlain(body.current);
    isPlainOnly.current = node;
    latest.current = { ...latest.current, rich: false, plain: text };
    setPlain(text);
    setRich(false);
    changed();
  };
  const toRich = () => {
    isPlainOnly.current = null;
    body.current.innerHTML = tidyOwn(asRich(latest.current.plain)) || "<p><br></p>";
    latest.current = { ...latest.current, rich: true, plain: "" };
    setRich(true);
    setPlain("");
    changed();
  };
  const putLink = () => {
    let to = address.trim();
    setMenu("");
    setAddress("");
    if (!to) return intoBody(() => document.execCommand("unlink"));
    if (!/^(https?:|mailto:|tel:|\{\{)/i.test(to)) to = to.includes("@") && !to.includes("/") ? `mailto:${to}` : `https://${to}`;
    intoBody(() => {
      if (range.current && range.current.collapsed)
        document.execCommand("insertHTML", false, `<a href="${escaped(to).replace(/"/g, "&quot;")}">${escaped(to.replace(/^https?:\/\//, ""))}</a>`);
      else document.execCommand("createLink", false, to);
    });
  };
  const paste = (event) => {
    const markup = event.clipboardData.getData("text/html");
    event.preventDefault();
    if (markup) document.execCommand("insertHTML", false, tidy(markup));
    else document.execCommand("insertHTML", false, asRich(event.clipboardData.getData("text/plain")).replace(/^<p>([^]*)<\/p>$/, (whole, inner) => (inner.includes("<p>") ? whole : inner)));
    changed();
  };
  const tool = (label, icon, act, extra = {}) =>
    h("button", { type: "button", className: "fz-tool", title: label, "aria-label": label, onMouseDown: (event) => event.preventDefault(), onClick: act, ...extra }, drawing(icon));
  const variableMenu = () => {
    const wanted = filter.toLowerCase();
    const found = list.filter((each) => !wanted || each.name.toLowerCase().includes(wanted) || each.label.toLowerCase().includes(wanted));
    return h(
      "div",
      { className: "fz-pop", role: "dialog", "aria-label": words.variable, onKeyDown: (event) => event.key === "Escape" && (setMenu(""), setChosen("")) },
      chosen
        ? h(
            "form",
            { className: "fz-pop-form", onSubmit: (event) => { event.preventDefault(); event.stopPropagation(); withFallback(); } },
            h("label", { className: "fz-field" },
              h("span", { className: "fz-label" }, words.fallback.replace("@name", list.find((each) => each.name === chosen)?.label || chosen)),
              h("input", { className: "fz-input", autoFocus: true, value: fallback, maxLength: 200, placeholder: words.fallback_example, onChange: (event) => setFallback(event.target.value) }),
              h("span", { className: "fz-help" }, words.fallback_help)),
            h("div", { className: "fz-pop-foot" },
              h("button", { type: "button", className: "fz-button fz-quiet fz-size-small", onClick: () => setChosen("") }, words.back),
              h("button", { type: "submit", className: "fz-button fz-soft fz-size-small" }, words.insert)))
        : h(Fragment, null,
            h("input", { className: "fz-input fz-pop-search", type: "search", autoFocus: true, value: filter, placeholder: words.search_variable, "aria-label": words.search_variable, onChange: (event) => setFilter(event.target.value) }),
            h("div", { className: "fz-pop-list" },
              found.map((each) =>
                h("button", { type: "button", key: each.name, className: "fz-pop-item", onClick: () => choose(each) },
                  h("span", null, each.label), h("code", null, each.name))),
              !found.length && h("p", { className: "fz-second fz-pop-none" }, words.no_variable))),
    );
  };
  const open = (which, at) => () => {
    place.current = at;
    setFilter("");
    setChosen("");
    setMenu((now) => (now === which ? "" : which));
  };
  const stateText = { saved: words.saved.replace("@time", savedAt), saving: words.saving, unsaved: words.unsaved, refused: words.refused }[save];

  return h(
    "div",
    {
      className: "fz-mail",
      "data-read-only": readOnly,
      // What is pressed next, such as the start, is to find what was typed.
      onBlur: (event) => event.currentTarget.contains(event.relatedTarget) || flush(),
    },
    h("div", { className: "fz-mail-fields" },
      h("div", { className: "fz-mail-state", "aria-live": "polite" },
        stateText && h("span", { className: "fz-save", "data-state": save }, drawing(ICONS[save === "refused" ? "alert" : save], 14), h("span", null, stateText))),
      h("label", { className: "fz-field" },
        h("span", { className: "fz-label" }, words.name),
        h("input", { className: "fz-input", value: name, maxLength: 200, disabled: readOnly, placeholder: words.name_example, onChange: setField("name", setName) })),
      h("div", { className: "fz-field" },
        h("span", { className: "fz-label-line" },
          h("label", { className: "fz-label", htmlFor: `${node}-subject` }, words.subject),
          !readOnly && h("button", { type: "button", className: "fz-tool-words", onMouseDown: (event) => event.preventDefault(), onClick: open("subject", "subject"), "aria-expanded": menu === "subject" },
            drawing(ICONS.braces, 12), words.variable)),
        h("input", { id: `${node}-subject`, ref: subjectField, className: "fz-input", value: subject, maxLength: 500, disabled: readOnly, placeholder: threadSubject, onFocus: () => (place.current = "subject"), onChange: setField("subject", setSubject) }),
        menu === "subject" && variableMenu(),
        h("span", { className: "fz-help" }, threadSubject ? words.subject_help : words.subject_first)),
      h("div", { className: "fz-field" },
        h("span", { className: "fz-label", id: `${node}-body` }, words.body),
        h("div", { className: "fz-compose" },
          !readOnly && h("div", { className: "fz-tools", role: "toolbar", "aria-label": words.format },
            rich && h(Fragment, null,
              tool(words.bold, ICONS.bold, command("bold")),
              tool(words.italic, ICONS.italic, command("italic")),
              tool(words.bullets, ICONS.bullets, command("insertUnorderedList")),
              tool(words.numbers, ICONS.numbers, command("insertOrderedList")),
              tool(words.link, ICONS.link, () => {
                const at = range.current?.startContainer;
                setAddress((at?.nodeType === 1 ? at : at?.parentElement)?.closest?.("a")?.getAttribute("href") || "");
                open("link", "body")();
              }, { "aria-expanded": menu === "link" }),
              h("span", { className: "fz-tool-line" })),
            h("button", { type: "button", className: "fz-tool-words", onMouseDown: (event) => event.preventDefault(), onClick: open("body", "body"), "aria-expanded": menu === "body" },
              drawing(ICONS.braces, 14), words.variable, drawing(ICONS.down, 12)),
            h("button", { type: "button", className: "fz-tool-words fz-tool-end", onClick: rich ? toPlain : toRich }, rich ? words.to_plain : words.to_rich)),
          menu === "body" && variableMenu(),
          menu === "link" && h("form", { className: "fz-pop fz-pop-form", onSubmit: (event) => { event.preventDefault(); event.stopPropagation(); putLink(); }, onKeyDown: (event) => event.key === "Escape" && setMenu("") },
            h("label", { className: "fz-field" },
              h("span", { className: "fz-label" }, words.link_address),
              h("input", { className: "fz-input", autoFocus: true, value: address, placeholder: "https://", onChange: (event) => setAddress(event.target.value) }),
              h("span", { className: "fz-help" }, words.link_help)),
            h("div", { className: "fz-pop-foot" }, h("button", { type: "submit", className: "fz-button fz-soft fz-size-small" }, words.link_put))),
          h("div", {
            ref: body, className: "fz-write", contentEditable: !readOnly, suppressContentEditableWarning: true, role: "textbox", "aria-multiline": true, "aria-labelledby": `${node}-body`,
            style: rich ? undefined : { display: "none" }, onInput: changed, onPaste: paste, onFocus: () => (place.current = "body"),
            onKeyDown: (event) => { if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") { event.preventDefault(); event.stopPropagation(); setMenu("link"); } },
          }),
          h("textarea", {
            ref: plainField, className: "fz-write fz-write-plain", value: plain, disabled: readOnly, "aria-labelledby": `${node}-body`,
            style: rich ? { display: "none" } : undefined, onFocus: () => (place.current = "body"), onChange: setField("plain", setPlain),
          }),
          (faults || []).map((fault, i) =>
            h("div", { key: i, className: "fz-mail-fault", role: "status" },
              drawing(ICONS.alert),
              h("span", null, fault.text),
              fault.nearest && !readOnly && h("button", { type: "button", className: "fz-button fz-plain fz-size-small", onClick: () => replace(fault) }, words.replace)))),
        h("span", { className: "fz-help fz-mail-count" }, (rich ? "" : words.is_plain + " ") + words.count.replace("@n", count))),
    ),
  );
}

// The server cleans what is stored; this only keeps a page from running what an older store may hold.
const tidyOwn = (markup) => {
  const page = new DOMParser().parseFromString(markup, "text/html");
  page.querySelectorAll("script,style,iframe,object,embed,form,link,meta,base,svg,math,template,noscript").forEach((node) => node.remove());
  page.querySelectorAll("*").forEach((node) => [...node.attributes].forEach((each) => (/^on/i.test(each.name) || /^javascript:/i.test(each.value.replace(/[\x00-\x20]+/g, ""))) && node.removeAttribute(each.name)));
  return page.body.innerHTML;
};
const ownHtml = (root) => {
  if (!root.innerText.trim() && !root.querySelector("img")) return "";
  const copy = root.cloneNode(true);
  copy.querySelectorAll("div").forEach((each) => {
    const block = document.createElement("p");
    block.append(...each.childNodes);
    if (!each.querySelector("p,ul,ol")) each.replaceWith(block);
  });
  return copy.innerHTML;
};

// What every box for rich text needs; the inbox's answers are written with it too.
export { ICONS, asRich, drawing, escaped, ownHtml, read, tidy, tidyOwn, write };
