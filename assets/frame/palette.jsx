// Where one goes by typing: pages, acts and what the server finds; and the keys of the page that is there.
import { createElement as h, useEffect, useRef, useState } from "react";
import { useNavigate } from "react-router";
import { Dialog } from "@radix-ui/themes";
import {
  AtSign, CircleHelp, Contact, FileUp, Inbox, Keyboard, Languages, LayoutDashboard, LogOut, Mail, MessageSquare, Monitor, Moon, Plus,
  Search, Send, Settings, Sun, UserPlus, Users,
} from "lucide-react";

const ICONS = {
  "layout-dashboard": LayoutDashboard, inbox: Inbox, send: Send, users: Users, "at-sign": AtSign, settings: Settings, plus: Plus,
  "file-up": FileUp, "user-plus": UserPlus, mail: Mail, languages: Languages, sun: Sun, moon: Moon, monitor: Monitor,
  "log-out": LogOut, contact: Contact, message: MessageSquare, keyboard: Keyboard, "circle-help": CircleHelp,
};
const PAUSE = 200;
const SHORTEST = 2;
const MOST_LETTERS = 100;
const isMac = () => /Mac|iP(hone|ad)/.test(navigator.platform);
const folded = (text) => text.toLowerCase().normalize("NFD").replace(/[\u0300-\u036f]/g, "");

// How well `asked` matches: 0 not at all; the beginning counts most, then a word's beginning, then letters in their order.
export const score = (asked, text) => {
  if (!asked) return 1;
  const at = text.indexOf(asked);
  if (at === 0) return 100;
  if (at > 0) return /[\s,:–-]/.test(text[at - 1]) ? 80 : 60;
  let place = -1;
  let begun = -1;
  for (const letter of asked.replace(/\s/g, "")) {
    place = text.indexOf(letter, place + 1);
    if (place < 0) return 0;
    if (begun < 0) begun = place;
  }
  const spread = place - begun + 1 - asked.length;
  return spread > asked.length * 3 ? 0 : Math.max(1, 40 - spread);
};

const drawing = (name) => ICONS[name] && h(ICONS[name], { size: 16, strokeWidth: 1.75, "aria-hidden": true });
const keysOf = (letter) =>
  letter.split(" ").flatMap((part, index) => [
    index > 0 && " ",
    ...part.split("+").map((key, i) =>
      h("kbd", { key: `${index}${i}`, className: "fz-kbd" }, key === "ctrl" ? (isMac() ? "⌘" : "Ctrl") : key === "Enter" ? "↵" : key.length === 1 ? key.toUpperCase() : key)),
  ]);

// A dialog without a button of its own gives the focus back to nobody, unless it is told to whom.
function useFocusBack() {
  const before = useRef(null);
  const remember = () => (before.current = document.activeElement);
  const giveBack = (event) => {
    event.preventDefault();
    if (before.current?.isConnected) before.current.focus();
  };
  return [remember, giveBack];
}

// The page that a link leads to brings a palette of its own: what was open or typed in the one that goes, goes on there.
const PASSED_ON_MS = 3000;
let passedOn = null;

export function Palette({ words, entries, found, foundFor, onAsk, ...acts }) {
  const [open, setOpen] = useState(false);
  const [asked, setAsked] = useState("");
  const [at, setAt] = useState(0);
  const timer = useRef(0);
  const [remember, giveBack] = useFocusBack();
  const list = useRef(null);
  const field = useRef(null);
  const navigate = useNavigate();
  const now = useRef(null);
  now.current = open ? asked : null;

  useEffect(() => {
    const show = (text = "") => {
      remember();
      // The page may go before it has been drawn once more.
      now.current = text;
      setAsked(text);
      setAt(0);
      setOpen(true);
    };
    if (passedOn && Date.now() - passedOn.at < PASSED_ON_MS) show(passedOn.asked);
    passedOn = null;
    const took = window.fz.taking("fz-palette", () => show());
    return () => {
      took();
      clearTimeout(timer.current);
      if (now.current !== null) passedOn = { asked: now.current, at: Date.now() };
    };
  }, []);
  const wanted = asked.trim().slice(0, MOST_LETTERS);
  useEffect(() => {
    clearTimeout(timer.current);
    if (!open || wanted.length < SHORTEST) return;
    timer.current = setTimeout(() => onAsk(wanted), PAUSE);
  }, [open, wanted]);

  // One that is asked for again while it closes is the same dialog still, which moves no focus a second time.
  useEffect(() => {
    if (open) field.current?.focus();
  }, [open]);

  const sought = folded(wanted);
  const own = entries
    .map((each) => ({ ...each, worth: Math.max(score(sought, folded(each.label)), each.more ? score(sought, folded(each.more)) * 0.7 : 0) }))
    .filter((each) => each.worth > 0);
  if (sought) own.sort((one, other) => other.worth - one.worth);
  const isAsked = wanted.length >= SHORTEST;
  // While the next answer comes, what is there stays as far as it still fits.
  const theirs = isAsked ? found.filter((each) => foundFor === wanted || score(sought, folded(`${each.label} ${each.note}`)) > 0) : [];
  const waits = isAsked && foundFor !== wanted;
  const lines = [...own.map((each) => ({ ...each, part: each.part })), ...theirs.map((each) => ({ ...each, part: words[each.kind] }))];
  const parts = [...new Set(lines.map((line) => line.part))].map((part) => [part, lines.filter((line) => line.part === part)]);
  const shown = parts.flatMap(([, inside]) => inside);
  const chosen = Math.min(at, Math.max(0, shown.length - 1));

  useEffect(() => {
    list.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  }, [chosen, shown.length]);

  const take = (line) => {
    if (!line) return;
    setOpen(false);
    if (line.act === "keys") window.fz.showKeys();
    else if (line.act) acts[line.act]();
    else navigate(line.href);
  };
  const press = (event) => {
    if (event.nativeEvent.isComposing) return;
    const last = shown.length - 1;
    const to = { ArrowDown: chosen >= last ? 0 : chosen + 1, ArrowUp: chosen <= 0 ? last : chosen - 1, PageDown: Math.min(last, chosen + 8), PageUp: Math.max(0, chosen - 8) }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      setAt(Math.max(0, to));
    } else if (event.key === "Enter") {
      event.preventDefault();
      take(shown[chosen]);
    }
  };

  let index = -1;
  return h(Dialog.Root, { open, onOpenChange: setOpen },
    h(Dialog.Content, { className: "fz-dialog fz-palette", align: "start", "aria-describedby": undefined, onCloseAutoFocus: giveBack },
      h(Dialog.Title, { className: "fz-unseen" }, words.title),
      h("div", { className: "fz-palette-head" },
        h(Search, { size: 16, strokeWidth: 1.75, "aria-hidden": true }),
        h("input", {
          ref: field, className: "fz-palette-field", type: "text", role: "combobox", autoComplete: "off", spellCheck: false,
          "aria-label": words.title, "aria-expanded": true, "aria-controls": "fz-palette-list", "aria-autocomplete": "list",
          "aria-activedescendant": shown.length ? `fz-palette-${chosen}` : undefined, placeholder: words.placeholder, value: asked,
          maxLength: MOST_LETTERS, onChange: (event) => { setAsked(event.target.value); setAt(0); }, onKeyDown: press,
        }),
        h("button", { type: "button", className: "fz-palette-close", onClick: () => setOpen(false), "aria-label": words.close }, h("kbd", { className: "fz-kbd" }, words.escape))),
      h("div", { id: "fz-palette-list", role: "listbox", "aria-label": words.title, "aria-busy": waits, className: "fz-palette-list", ref: list },
        parts.map(([part, inside]) =>
          h("div", { key: part, role: "group", "aria-label": part },
            h("div", { className: "fz-palette-part", "aria-hidden": true }, part),
            inside.map((line) => {
              index += 1;
              const mine = index;
              return h("div", {
                key: line.href + line.act + line.label, id: `fz-palette-${mine}`, role: "option", "aria-selected": mine === chosen, className: "fz-palette-line",
                onMouseMove: () => mine !== chosen && setAt(mine), onClick: () => take(line),
              }, drawing(line.icon), h("span", { className: "fz-palette-label" }, line.label), line.note && h("span", { className: "fz-palette-note" }, line.note), line.keys && h("span", { className: "fz-palette-keys" }, keysOf(line.keys)));
            })))),
      h("div", { className: "fz-palette-foot", role: "status" },
        waits ? words.searching : shown.length === 0 ? words.nothing.replace("@text", wanted) : isAsked ? "" : words.hint)));
}

// The keys that work on this page, as its own handlers and the frame's have named them.
export function Keys({ words }) {
  const [lines, setLines] = useState(null);
  const [remember, giveBack] = useFocusBack();
  useEffect(() => {
    const show = () => {
      remember();
      const seen = new Set();
      const all = [...document.querySelectorAll("fz-key")].map((each) => ({ letter: each.getAttribute("letter"), words: each.getAttribute("words"), place: each.getAttribute("place") }));
      setLines(all.filter((each) => !seen.has(each.letter) && seen.add(each.letter)));
    };
    return window.fz.taking("fz-show-keys", show);
  }, []);
  const part = (place) => (lines || []).filter((each) => each.place === place);
  return h(Dialog.Root, { open: lines !== null, onOpenChange: (isOpen) => !isOpen && setLines(null) },
    h(Dialog.Content, { className: "fz-dialog fz-keys", onCloseAutoFocus: giveBack },
      h("div", { className: "fz-keys-head" },
        h(Dialog.Title, { className: "fz-panel-title" }, words.title),
        h(Dialog.Close, null, h("button", { type: "button", className: "fz-button fz-quiet fz-size-small" }, words.close))),
      h(Dialog.Description, { className: "fz-dialog-words" }, words.about),
      ["page", "frame"].filter((place) => part(place).length > 0).map((place) =>
        h("section", { key: place },
          h("h2", { className: "fz-palette-part" }, words[place]),
          h("dl", { className: "fz-keys-list" },
            part(place).map((each) => [h("dt", { key: each.letter }, keysOf(each.letter)), h("dd", { key: `${each.letter}d` }, each.words)]))))));
}
