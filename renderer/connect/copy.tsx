/** A button that copies, and says whether it did. Runs in the browser. */
import { Check, Copy as CopyIcon } from "lucide-react";
import { useEffect, useState } from "react";
import { t } from "../words.ts";
import { copyText } from "./clipboard.ts";

/** How long the button says what became of it, in milliseconds. */
const saidMs = 2_000;

/** `label` names the thing for those who do not see it beside the button; `compact` shows the icon alone. */
export function Copy({ text, label, compact = false }: { text: string; label: string; compact?: boolean }) {
  const [said, setSaid] = useState<"nothing" | "done" | "failed">("nothing");
  useEffect(() => {
    if (said === "nothing") return;
    const timer = setTimeout(() => setSaid("nothing"), saidMs);
    return () => clearTimeout(timer);
  }, [said]);
  const Icon = said === "done" ? Check : CopyIcon;
  const word = said === "failed" ? t("copy.failed") : t(said === "done" ? "copy.done" : "copy.do");
  return (
    <>
      <button
        type="button"
        className={`control control-quiet shrink-0 text-13 ${compact ? "min-w-11 px-0 sm:min-w-9" : "min-w-24 justify-end"}`}
        aria-label={label}
        title={label}
        onClick={() => void copyText(text).then((done) => setSaid(done ? "done" : "failed"))}
      >
        <Icon size={16} aria-hidden="true" />
        {compact && said !== "failed" ? null : <span>{word}</span>}
      </button>
      <span role="status" className="sr-only">
        {said === "nothing" ? "" : word}
      </span>
    </>
  );
}

/** A command or an address that is there to be copied, inside a sentence. */
export function Command({ text }: { text: string }) {
  return (
    <code className="inline-block max-w-full rounded-control bg-sunk px-1 font-mono text-13 text-ink wrap-anywhere">
      {text}
    </code>
  );
}
