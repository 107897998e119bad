/** What the box does right now, for the admin; for everybody else one line that says how to see it. Runs in the browser. */
import { useState } from "react";
import { SignIn } from "../access/sign-in.tsx";
import type { BoxState } from "../api/shapes.ts";
import { memory, unknownFigure } from "../format.ts";
import { t } from "../words.ts";
import { busySlots } from "./verdict.ts";

/** `stale`: the box has gone silent, and nothing here may look live. */
export function LiveState({ state, stale, refused }: { state: BoxState | null; stale: boolean; refused: boolean }) {
  if (state !== null) return <Figures state={state} stale={stale} />;
  return refused ? <Hidden /> : null;
}

function Figures({ state, stale }: { state: BoxState; stale: boolean }) {
  const slots = state.models.flatMap((model) => model.slots).length;
  const loaded = state.models.filter((model) => model.state === "ready").length;
  const next = state.queue[0];
  const figures = [
    { name: t("live.loaded"), value: t("live.loaded.of", { loaded, all: state.models.length }) },
    { name: t("live.slots"), value: t("live.slots.of", { busy: busySlots(state.models), all: slots }) },
    {
      name: t("live.queue"),
      value: next ? t("live.queue.some", { count: state.queue.length, caller: next.caller }) : t("live.queue.none"),
    },
    {
      name: t("live.memory"),
      value: state.rss === undefined ? unknownFigure : memory(state.rss),
      why: t("live.memory.why"),
    },
  ];
  return (
    <section aria-label={t("live.title")}>
      <dl className={`grid grid-cols-2 gap-4 sm:grid-cols-4 ${stale ? "text-muted" : ""}`}>
        {figures.map((figure) => (
          <div key={figure.name} title={figure.why} className="border-line border-t pt-2">
            <dt className="text-13 text-muted">{figure.name}</dt>
            <dd className="font-semibold text-16 leading-text">{figure.value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function Hidden() {
  const [open, setOpen] = useState(false);
  return (
    <div className="-mt-3">
      <p className="flex flex-wrap items-center gap-x-2 text-13 text-muted">
        {t("live.hidden")}
        <button
          type="button"
          className="min-h-11 font-semibold text-ink underline underline-offset-4 sm:min-h-9"
          aria-expanded={open}
          onClick={() => setOpen(!open)}
        >
          {t(open ? "live.hide" : "live.how")}
        </button>
      </p>
      {open ? <SignIn whom="admin" /> : null}
    </div>
  );
}
