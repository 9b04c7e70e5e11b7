// Choosing a file and sending it to the app's own route, with how far it is; and a pulse while work runs.
import { jsx, jsxs } from "react/jsx-runtime";
import { useEffect, useRef, useState } from "react";

const megabytes = (bytes) => (bytes / 1048576).toLocaleString(undefined, { maximumFractionDigits: 1 });

// Says what the server refused: [code, its values as JSON]; "network" when it could not be reached.
const refusal = (request) => {
  try {
    const { code, details } = JSON.parse(request.responseText).error;
    return [String(code).toLowerCase(), JSON.stringify(details ?? {})];
  } catch {
    return [request.status === 413 ? "payload_too_large" : "network", "{}"];
  }
};

export function FileDrop({ words, mostBytes, onStored, onRefused }) {
  const input = useRef(null);
  const request = useRef(null);
  const [over, setOver] = useState(false);
  const [sending, setSending] = useState(null);

  useEffect(() => () => request.current?.abort(), []);

  const send = (file) => {
    if (!file || request.current) return;
    if (mostBytes && file.size > mostBytes) {
      onRefused("payload_too_large", JSON.stringify({ limit: mostBytes }));
      return;
    }
    const sent = new XMLHttpRequest();
    request.current = sent;
    const finish = (act) => () => {
      request.current = null;
      setSending(null);
      if (input.current) input.current.value = "";
      act?.();
    };
    sent.open("POST", "/uploads/imports");
    sent.setRequestHeader("X-File-Name", encodeURIComponent(file.name));
    sent.upload.onprogress = (event) => setSending({ name: file.name, sent: event.loaded, size: file.size });
    sent.onload = finish(() => {
      if (sent.status === 201) onStored(JSON.parse(sent.responseText).data.id);
      else onRefused(...refusal(sent));
    });
    sent.onerror = finish(() => onRefused("network", "{}"));
    sent.onabort = finish();
    setSending({ name: file.name, sent: 0, size: file.size });
    sent.send(file);
  };

  if (sending) {
    const all = sending.sent >= sending.size;
    return jsxs("div", {
      className: "fzc-drop fzc-sending",
      "aria-live": "polite",
      children: [
        jsx("strong", { children: sending.name }),
        jsx("div", {
          className: "fz-bar fz-bar-thick",
          role: "progressbar",
          "aria-valuenow": sending.sent,
          "aria-valuemax": sending.size,
          children: jsx("div", {
            className: "fz-bar-fill",
            "data-tone": "accent",
            style: { width: `${(100 * sending.sent) / Math.max(1, sending.size)}%` },
          }),
        }),
        jsx("span", {
          className: "fz-second",
          children: all ? words.reading : `${words.sending} ${megabytes(sending.sent)} / ${megabytes(sending.size)} ${words.unit}`,
        }),
        jsx("button", {
          type: "button",
          className: "fz-button fz-plain fz-size-small",
          onClick: () => request.current?.abort(),
          children: words.cancel,
        }),
      ],
    });
  }
  return jsxs("label", {
    className: "fzc-drop",
    "data-over": over,
    onDragOver: (event) => {
      event.preventDefault();
      setOver(true);
    },
    onDragLeave: () => setOver(false),
    onDrop: (event) => {
      event.preventDefault();
      setOver(false);
      send(event.dataTransfer.files[0]);
    },
    children: [
      jsx("input", {
        ref: input,
        type: "file",
        accept: ".csv,.txt,.tsv,text/csv,text/plain,text/tab-separated-values",
        className: "fzc-file",
        onChange: (event) => send(event.target.files[0]),
      }),
      jsx("strong", { children: words.title }),
      jsx("span", { className: "fz-second", children: words.hint }),
      jsx("span", { className: "fz-button fz-solid fz-size-normal", "aria-hidden": true, children: words.choose }),
    ],
  });
}

export function Pulse({ every, onBeat }) {
  const beat = useRef(onBeat);
  beat.current = onBeat;
  useEffect(() => {
    const timer = setInterval(() => document.hidden || beat.current(), every);
    return () => clearInterval(timer);
  }, [every]);
  return null;
}
