/** The sentence the page opens with. Runs in the browser. */
import { useEffect, useRef, useState } from "react";
import type { Verdict } from "./verdict.ts";

/** Screen readers hear a change of state at most this often, in milliseconds. */
const announceEveryMs = 10_000;

export function VerdictLine({ verdict }: { verdict: Verdict }) {
  return (
    <div className="min-h-14">
      <h1 className="font-semibold text-20 leading-figure sm:text-28">{verdict.sentence}</h1>
      <p className="mt-1 text-muted wrap-anywhere">{verdict.why}</p>
      <Announced sentence={verdict.sentence} />
    </div>
  );
}

/** Says a sentence aloud when it changes; what comes too soon is held back, and only the newest is said. */
function Announced({ sentence }: { sentence: string }) {
  const [said, setSaid] = useState("");
  const saidAtMs = useRef(Number.NEGATIVE_INFINITY);
  useEffect(() => {
    if (sentence === said) return;
    const waitMs = Math.max(0, saidAtMs.current + announceEveryMs - performance.now());
    const timer = setTimeout(() => {
      saidAtMs.current = performance.now();
      setSaid(sentence);
    }, waitMs);
    return () => clearTimeout(timer);
  }, [sentence, said]);
  return (
    <p role="status" className="sr-only">
      {said}
    </p>
  );
}
