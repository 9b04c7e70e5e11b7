// The box in which an answer is written, and what the inbox needs of the browser: countdowns, the thread's end.
//
// What is typed lives here, not in the page's state. Each change is written to this browser's storage at once and sent
// after a short pause; it leaves the storage when the server says that it has it. A lost connection or a reload
// therefore loses nothing.
import { createElement as h, useEffect, useRef, useState } from "react";
import { ICONS, asRich, drawing, escaped, ownHtml, read, tidy, tidyOwn, write } from "./campaign_editor.jsx";

const PREFIX = "fz-answer:";
const PAUSE = 700;
const SILENCE = 4000;
const OWN = {
  format: ["M12 4v16", "M4 7V5a1 1 0 0 1 1-1h14a1 1 0 0 1 1 1v2", "M9 20h6"],
  clip: ["m16 6-8.414 8.586a2 2 0 0 0 2.829 2.829l8.414-8.586a4 4 0 1 0-5.657-5.657l-8.379 8.551a6 6 0 1 0 8.485 8.485l8.379-8.551"],
  send: ["M14.536 21.686a.5.5 0 0 0 .937-.024l6.5-19a.496.496 0 0 0-.635-.635l-19 6.5a.5.5 0 0 0-.024.937l7.93 3.18a2 2 0 0 1 1.112 1.11z", "m21.854 2.147-10.94 10.939"],
  clock: ["M12 6v6l4 2", "M22 12a10 10 0 1 1-20 0 10 10 0 0 1 20 0"],
  saved: ["M16 3H5a2 2 0 0 0-2 2v14a2 2 0 0 0 2 2h14a2 2 0 0 0 2-2V8z", "M15 3v4a2 2 0 0 0 2 2h4", "M7 13h10", "M7 17h6"],
  close: ["M18 6 6 18", "m6 6 12 12"],
  trash: ["M3 6h18", "M19 6v14a2 2 0 0 1-2 2H7a2 2 0 0 1-2-2V6", "M8 6V4a2 2 0 0 1 2-2h4a2 2 0 0 1 2 2v2"],
  plus: ["M5 12h14", "M12 5v14"],
};
const keyOf = (person, conversation) => `${PREFIX}${person}:${conversation}`;
const token = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

// Sends what an earlier visit typed and could not send, for conversations that are not open now.
export function AnswerRescue({ person, open, ack, onSave }) {
  useEffect(() => {
    if (!ack || (ack.state !== "saved" && ack.state !== "sent")) return;
    const key = keyOf(person, ack.conversation);
    const kept = read(key);
    if (kept && kept.seq <= ack.seq) write(key, null);
  }, [ack]);
  useEffect(() => {
    if (!person) return;
    Object.keys(localStorage)
      .filter((key) => key.startsWith(`${PREFIX}${person}:`) && key !== keyOf(person, open))
      .forEach((key) => {
        const kept = read(key);
        if (kept) onSave(kept);
      });
  }, [person]);
  return null;
}

// Keeps a conversation at its end when it is opened, when something is added and when the box below it grows, unless
// somebody reads further up.
export function ThreadEnd({ conversation, count }) {
  const seen = useRef("");
  const atEnd = useRef(true);
  useEffect(() => {
    const pane = document.querySelector(".fzi-thread");
    if (!pane || !conversation || !count) return;
    const end = () => atEnd.current && (pane.scrollTop = pane.scrollHeight);
    const scrolled = () => (atEnd.current = pane.scrollHeight - pane.scrollTop - pane.clientHeight < 120);
    if (seen.current !== conversation) {
      atEnd.current = true;
      document.querySelector('.fzi-row[data-open="true"]')?.scrollIntoView({ block: "nearest" });
    }
    seen.current = conversation;
    const watch = new ResizeObserver(end);
    watch.observe(pane);
    pane.addEventListener("scroll", scrolled, { passive: true });
    end();
    return () => {
      watch.disconnect();
      pane.removeEventListener("scroll", scrolled);
    };
  }, [conversation, count]);
  return null;
}

// A button that can be pressed until a moment, with the seconds that are left.
export function Countdown({ until, label, words, onPress, onOver }) {
  const left = () => Math.ceil((Date.parse(until) - (window.fz ? window.fz.now() : Date.now())) / 1000);
  const [seconds, setSeconds] = useState(left);
  const over = useRef(onOver);
  over.current = onOver;
  useEffect(() => {
    setSeconds(left());
    let told = false;
    const timer = setInterval(() => {
      const now = left();
      setSeconds(now);
      if (now <= -1 && !told) {
        told = true;
        over.current?.();
      }
    }, 500);
    return () => clearInterval(timer);
  }, [until]);
  const soon = seconds > 0 && seconds <= 60;
  return h(
    "button",
    { type: "button", className: "fz-button fz-plain fz-size-small", onClick: () => onPress(), disabled: seconds <= 0 },
    soon ? words.replace("@n", seconds) : label,
  );
}

const refusal = (request) => {
  try {
    return String(JSON.parse(request.responseText).error.details?.why || "bad_file");
  } catch {
    return request.status === 413 ? "file_too_large" : "network";
  }
};

export function AnswerEditor({ person, value, ack, insert, files, saved, mostBytes, words, onSave, onSend, onFiles, onRefused, onRemoveFile, onPutSaved, onAskName, onDeleteSaved }) {
  const conversation = value?.conversation || "";
  const key = keyOf(person, conversation);
  const body = useRef(null);
  const input = useRef(null);
  const range = useRef(null);
  const shown = useRef({ key: "", version: -1 });
  const lastSaved = useRef("");
  const pending = useRef(null);
  const flight = useRef(null);
  const timers = useRef({});
  const sending = useRef(null);
  const inserted = useRef(0);
  const uploads = useRef(new Map());
  const [progress, setProgress] = useState([]);
  const [save, setSave] = useState("");
  const [why, setWhy] = useState("");
  const [busy, setBusy] = useState(false);
  const [menu, setMenu] = useState("");
  const [tools, setTools] = useState(false);
  const [address, setAddress] = useState("");
  const [at, setAt] = useState("");
  const [empty, setEmpty] = useState(true);
  const root = useRef(null);

  const look = () => setEmpty(!body.current || (!body.current.innerText.trim() && !body.current.querySelector("img,li")));
  const put = (html) => {
    if (!body.current) return;
    body.current.innerHTML = tidyOwn(html) || "<p><br></p>";
    look();
  };

  // The server's words come in when another conversation is opened, and when an answer was taken back.
  useEffect(() => {
    if (!person || !conversation) return;
    if (shown.current.key === key && shown.current.version === value.version) return;
    const moved = shown.current.key !== key;
    shown.current = { key, version: value.version };
    if (moved) {
      clearTimeout(timers.current.pause);
      if (pending.current && !flight.current) send();
      pending.current = null;
      flight.current = null;
      sending.current = null;
      setBusy(false);
      setSave("");
      setWhy("");
      setMenu("");
      setAt("");
    }
    const kept = moved ? read(key) : null;
    if (kept) {
      lastSaved.current = value.html;
      put(kept.html);
      pending.current = kept;
      setSave("saving");
      send();
      return;
    }
    // What is being typed stays; only what comes back is put before it.
    if (!moved && pending.current && !value.restored) return;
    if (value.restored && pending.current) {
      // Both the answer that came back and what was typed since stay.
      const tail = `<p></p>${lastSaved.current}`;
      const back = lastSaved.current && value.html.endsWith(tail) ? value.html.slice(0, -tail.length) : value.html;
      put(back + ownHtml(body.current));
      changed();
    } else {
      put(value.html);
      setSave(value.html ? "saved" : "");
    }
    lastSaved.current = value.html;
    if (value.restored) body.current?.focus();
  }, [person, key, value?.version]);

  useEffect(() => {
    const track = () => {
      const now = document.getSelection();
      if (now.rangeCount && body.current && body.current.contains(now.anchorNode)) range.current = now.getRangeAt(0).cloneRange();
    };
    const outside = (event) => root.current && !root.current.contains(event.target) && setMenu("");
    const back = () => {
      flight.current = null;
      send();
    };
    document.addEventListener("selectionchange", track);
    document.addEventListener("mousedown", outside);
    window.addEventListener("online", back);
    const retry = setInterval(() => timers.current.pause || send(), SILENCE);
    return () => {
      document.removeEventListener("selectionchange", track);
      document.removeEventListener("mousedown", outside);
      window.removeEventListener("online", back);
      clearInterval(retry);
    };
  }, []);
  // Leaving the page does not wait for the pause.
  useEffect(() => () => {
    clearTimeout(timers.current.pause);
    clearTimeout(timers.current.silence);
    if (pending.current && !sending.current && (!flight.current || pending.current.seq > flight.current.seq)) onSave(pending.current);
    uploads.current.forEach((request) => request.abort());
  }, []);

  const sendRef = useRef(() => {});
  sendRef.current = () => {
    timers.current.pause = null;
    if (!pending.current || sending.current || (flight.current && Date.now() - flight.current.sent < SILENCE)) return;
    flight.current = { seq: pending.current.seq, sent: Date.now() };
    onSave(pending.current);
    clearTimeout(timers.current.silence);
    timers.current.silence = setTimeout(() => pending.current && setSave("unsaved"), SILENCE);
  };
  const send = () => sendRef.current();

  useEffect(() => {
    if (!ack || ack.conversation !== conversation) return;
    if (ack.state === "sent" || (sending.current && ack.seq === sending.current.seq)) {
      const mine = sending.current;
      clearTimeout(timers.current.unsent);
      sending.current = null;
      setBusy(false);
      if (ack.state === "sent") {
        pending.current = null;
        flight.current = null;
        lastSaved.current = "";
        timers.current.last = null;
        write(key, null);
        setSave("");
        setWhy("");
        setAt("");
        setMenu("");
      } else if (mine) {
        pending.current = { conversation, seq: Date.now(), html: mine.html };
        send();
        setWhy(ack.why);
        setSave("refused");
      }
      return;
    }
    if (!flight.current || ack.seq < flight.current.seq) return;
    clearTimeout(timers.current.silence);
    const sent = flight.current;
    flight.current = null;
    if (ack.state !== "saved") {
      pending.current = null;
      setSave("refused");
      setWhy(ack.why);
      return;
    }
    if (pending.current && pending.current.seq > sent.seq) {
      if (!timers.current.pause) send();
      return;
    }
    lastSaved.current = pending.current ? pending.current.html : lastSaved.current;
    pending.current = null;
    write(key, null);
    setSave("saved");
  }, [ack]);

  const changed = () => {
    look();
    // Why it was refused stays to be read until something is changed.
    setWhy("");
    pending.current = { conversation, seq: Date.now(), html: ownHtml(body.current) };
    write(key, pending.current);
    setSave((state) => (state === "unsaved" ? state : "saving"));
    clearTimeout(timers.current.pause);
    timers.current.pause = setTimeout(send, PAUSE);
  };
  const intoBody = (act) => {
    body.current.focus();
    if (range.current && body.current.contains(range.current.startContainer)) {
      const now = document.getSelection();
      now.removeAllRanges();
      now.addRange(range.current);
    }
    act();
    changed();
  };
  const command = (which) => () => intoBody(() => document.execCommand(which));

  useEffect(() => {
    if (!insert || insert.conversation !== conversation || insert.version === inserted.current) return;
    inserted.current = insert.version;
    if (empty) {
      put(insert.html);
      body.current.focus();
      changed();
    } else intoBody(() => document.execCommand("insertHTML", false, tidyOwn(insert.html)));
  }, [insert]);

  const dispatch = (when) => {
    if (busy || empty) return;
    clearTimeout(timers.current.pause);
    const html = ownHtml(body.current);
    // Asked again with the same token, it still leaves once.
    const same = sending.current || (timers.current.last && timers.current.last.html === html && timers.current.last.at === when ? timers.current.last : null);
    const content = { conversation, seq: Date.now(), html, at: when, token: same ? same.token : token() };
    timers.current.last = content;
    sending.current = content;
    pending.current = null;
    write(key, { conversation, seq: content.seq, html });
    setBusy(true);
    setWhy("");
    onSend(content);
    clearTimeout(timers.current.unsent);
    timers.current.unsent = setTimeout(() => {
      if (!sending.current) return;
      pending.current = { conversation, seq: Date.now(), html: ownHtml(body.current) };
      sending.current = null;
      setBusy(false);
      setSave("unsaved");
      setWhy(words.unsent);
    }, 10_000);
  };
  const putLink = () => {
    let to = address.trim();
    setMenu("");
    setAddress("");
    if (!to) return intoBody(() => document.execCommand("unlink"));
    if (!/^(https?:|mailto:|tel:)/i.test(to)) to = to.includes("@") && !to.includes("/") ? `mailto:${to}` : `https://${to}`;
    intoBody(() => {
      if (!range.current || range.current.collapsed)
        document.execCommand("insertHTML", false, `<a href="${escaped(to).replace(/"/g, "&quot;")}">${escaped(to.replace(/^https?:\/\//, ""))}</a>`);
      else document.execCommand("createLink", false, to);
    });
  };
  const paste = (event) => {
    const given = [...event.clipboardData.files];
    event.preventDefault();
    if (given.length) return attach(given);
    const markup = event.clipboardData.getData("text/html");
    const plain = asRich(event.clipboardData.getData("text/plain")).replace(/^<p>([^]*)<\/p>$/, (whole, inner) => (inner.includes("<p>") ? whole : inner));
    document.execCommand("insertHTML", false, markup ? tidy(markup) : plain);
    changed();
  };
  const attach = (chosen) => {
    [...chosen].forEach((file) => {
      if (file.size > mostBytes) return onRefused("file_too_large", file.name);
      const request = new XMLHttpRequest();
      const id = token();
      const finish = (act) => () => {
        uploads.current.delete(id);
        setProgress((all) => all.filter((each) => each.id !== id));
        act?.();
      };
      uploads.current.set(id, request);
      setProgress((all) => [...all, { id, name: file.name, share: 0 }]);
      request.open("POST", `/uploads/answers/${conversation}`);
      request.setRequestHeader("X-File-Name", encodeURIComponent(file.name));
      request.setRequestHeader("Content-Type", file.type || "application/octet-stream");
      request.upload.onprogress = (event) =>
        setProgress((all) => all.map((each) => (each.id === id ? { ...each, share: event.loaded / Math.max(1, event.total) } : each)));
      request.onload = finish(() => (request.status === 201 ? onFiles(conversation) : onRefused(refusal(request), file.name)));
      request.onerror = finish(() => onRefused("network", file.name));
      request.onabort = finish();
      request.send(file);
    });
    if (input.current) input.current.value = "";
  };
  const hold = (event) => event.preventDefault();
  const tool = (label, icon, act, extra = {}) =>
    h("button", { type: "button", className: "fz-tool", title: label, "aria-label": label, onMouseDown: hold, onClick: act, ...extra }, drawing(icon));
  const open = (which) => () => setMenu((now) => (now === which ? "" : which));
  const stateText = { saved: words.saved, saving: words.saving, unsaved: words.unsaved, refused: words.refused }[save];
  const escape = (event) => event.key === "Escape" && (event.stopPropagation(), setMenu(""), body.current?.focus());

  return h(
    "div",
    {
      ref: root,
      className: "fzi-compose",
      onDragOver: hold,
      onDrop: (event) => {
        event.preventDefault();
        attach(event.dataTransfer.files);
      },
    },
    h("div", {
      ref: body, className: "fzi-write", contentEditable: !busy, suppressContentEditableWarning: true, role: "textbox", "aria-multiline": true, "aria-label": words.label,
      "data-empty": empty, "data-placeholder": words.placeholder, onInput: changed, onPaste: paste,
      onKeyDown: (event) => {
        const held = event.ctrlKey || event.metaKey;
        if (held && event.key === "Enter") {
          event.preventDefault();
          dispatch("");
        } else if (held && event.key.toLowerCase() === "k") {
          event.preventDefault();
          event.stopPropagation();
          setMenu("link");
        } else if (event.key === "Escape") body.current.blur();
      },
    }),
    why && h("div", { className: "fzi-why", role: "alert" }, drawing(ICONS.alert, 14), h("span", null, why)),
    (files.length > 0 || progress.length > 0) &&
      h("ul", { className: "fzi-files", "aria-label": words.files },
        files.map((file) =>
          h("li", { key: file.id, className: "fzi-file" }, drawing(OWN.clip, 12), h("span", null, file.name), h("span", { className: "fzi-size" }, window.fz.size(window.fz.lang(), file.size)),
            h("button", { type: "button", "aria-label": words.remove_file.replace("@name", file.name), title: words.remove_file.replace("@name", file.name), onClick: () => onRemoveFile(file.id) }, drawing(OWN.close, 12)))),
        progress.map((each) =>
          h("li", { key: each.id, className: "fzi-file", role: "progressbar", "aria-valuenow": Math.round(100 * each.share), "aria-valuemax": 100, "aria-label": each.name },
            drawing(ICONS.saving, 12), h("span", null, each.name), h("span", { className: "fzi-size" }, window.fz.percent(window.fz.lang(), each.share, 0)),
            h("button", { type: "button", "aria-label": words.cancel, title: words.cancel, onClick: () => uploads.current.get(each.id)?.abort() }, drawing(OWN.close, 12))))),
    tools && h("div", { className: "fzi-tools", role: "toolbar", "aria-label": words.format },
      tool(words.bold, ICONS.bold, command("bold")),
      tool(words.italic, ICONS.italic, command("italic")),
      tool(words.bullets, ICONS.bullets, command("insertUnorderedList")),
      tool(words.numbers, ICONS.numbers, command("insertOrderedList"))),
    h("div", { className: "fzi-compose-foot" },
      tool(words.format, OWN.format, () => setTools((now) => !now), { "aria-expanded": tools }),
      tool(words.link, ICONS.link, open("link"), { "aria-expanded": menu === "link" }),
      tool(words.attach, OWN.clip, () => input.current.click()),
      tool(words.saved_answers, OWN.saved, open("saved"), { "aria-expanded": menu === "saved", "aria-haspopup": "dialog" }),
      h("input", { ref: input, type: "file", multiple: true, className: "fzi-input", tabIndex: -1, "aria-hidden": true, onChange: (event) => attach(event.target.files) }),
      h("span", { className: "fzi-state", "aria-live": "polite" },
        stateText && h("span", { className: "fz-save", "data-state": save, title: stateText }, drawing(ICONS[save === "refused" ? "alert" : save], 14), h("span", null, stateText))),
      h("span", { className: "fzi-send" },
        h("button", { type: "button", className: "fz-button fz-solid fz-size-normal", onClick: () => dispatch(""), disabled: busy || empty, title: words.send_keys },
          busy ? h("span", { className: "fz-spin fzi-turn" }, drawing(ICONS.saving)) : drawing(OWN.send), h("span", null, words.send)),
        h("button", { type: "button", className: "fz-button fz-solid fz-icon-button fz-size-normal", "aria-label": words.later, title: words.later, "aria-expanded": menu === "later", disabled: busy || empty, onClick: open("later") }, drawing(OWN.clock)))),
    menu === "link" && h("form", { className: "fz-pop fz-pop-form fzi-pop", role: "dialog", "aria-label": words.link, onKeyDown: escape, onSubmit: (event) => { event.preventDefault(); event.stopPropagation(); putLink(); } },
      h("label", { className: "fz-field" }, h("span", { className: "fz-label" }, words.link_address),
        h("input", { className: "fz-input", autoFocus: true, value: address, placeholder: "https://", onChange: (event) => setAddress(event.target.value) })),
      h("div", { className: "fz-pop-foot" }, h("button", { type: "submit", className: "fz-button fz-soft fz-size-small" }, words.link_put))),
    menu === "later" && h("form", { className: "fz-pop fz-pop-form fzi-pop fzi-pop-right", role: "dialog", "aria-label": words.later, onKeyDown: escape, onSubmit: (event) => { event.preventDefault(); event.stopPropagation(); if (at) dispatch(at); } },
      h("label", { className: "fz-field" }, h("span", { className: "fz-label" }, words.later_at),
        h("input", { className: "fz-input", type: "datetime-local", autoFocus: true, required: true, value: at, onChange: (event) => setAt(event.target.value) }),
        h("span", { className: "fz-help" }, words.later_help)),
      h("div", { className: "fz-pop-foot" }, h("button", { type: "submit", className: "fz-button fz-soft fz-size-small", disabled: !at }, words.later_send))),
    menu === "saved" && h("div", { className: "fz-pop fzi-pop", role: "dialog", "aria-label": words.saved_answers, onKeyDown: escape },
      saved.length
        ? h("ul", { className: "fz-pop-list fzi-saved" },
            saved.map((each, i) =>
              h("li", { key: each.id },
                h("button", { type: "button", className: "fz-pop-item", autoFocus: i === 0, onClick: () => { setMenu(""); onPutSaved(each.id); } }, h("span", null, each.name)),
                h("button", { type: "button", className: "fz-tool", "aria-label": words.delete_saved.replace("@name", each.name), title: words.delete_saved.replace("@name", each.name), onClick: () => onDeleteSaved(each.id) }, drawing(OWN.trash, 14)))))
        : h("p", { className: "fz-second fz-pop-none" }, words.no_saved),
      h("button", { type: "button", className: "fz-pop-item fzi-keep", disabled: empty, onClick: () => { setMenu(""); onAskName(ownHtml(body.current)); } }, h("span", { className: "fzi-keep-words" }, drawing(OWN.plus, 14), words.keep_as))),
  );
}
