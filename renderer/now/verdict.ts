/**
 * The sentence the page opens with, and the lamp beside it: what the box is doing, and why. Pure rules over facts, worst
 * cause first; runs in the browser.
 */
import type { BoxState, ListedModel, ModelView } from "../api/shapes.ts";
import { age, duration, listed } from "../format.ts";
import type { LampState } from "../lamp/lamp.ts";
import { t } from "../words.ts";

/** How the page and the box stand to each other. */
export type Contact =
  | { readonly type: "looking" }
  /** Answers; `unready` is the server's reason when it cannot serve now. */
  | { readonly type: "live"; readonly unready: string | null }
  /** Does not answer; `sinceMs` is the age of what is shown, null when there never was an answer. */
  | { readonly type: "gone"; readonly sinceMs: number | null }
  | { readonly type: "locked" };

export interface Facts {
  readonly contact: Contact;
  /** Null: not known (yet). */
  readonly models: readonly ListedModel[] | null;
  /** The box answered, but not with its models. */
  readonly modelsFailed: boolean;
  /** What only an admin sees; null for everybody else. */
  readonly state: BoxState | null;
  /** This very page is being answered. */
  readonly answeringYou: boolean;
}

export interface Verdict {
  readonly lamp: LampState;
  /** Two or three words for the strip and the tab. */
  readonly phrase: string;
  readonly sentence: string;
  readonly why: string | null;
}

export function verdict(facts: Facts): Verdict {
  const { contact, state } = facts;
  if (contact.type === "looking") return say("unlit", t("lamp.looking"), t("verdict.looking"), null);
  if (contact.type === "locked") return say("shaded", t("lamp.locked"), t("verdict.locked"), t("verdict.locked.why"));
  if (contact.type === "gone") {
    const why =
      contact.sinceMs === null ? t("verdict.gone.never") : t("verdict.gone.why", { age: age(contact.sinceMs) });
    return say("cracked", t("lamp.gone"), t("verdict.gone"), why);
  }
  if (facts.modelsFailed) {
    return say("cracked", t("lamp.cracked"), t("verdict.failed"), t("verdict.failed.why"));
  }
  if (state !== null) return fromState(state, contact.unready !== null);
  if (facts.answeringYou) return say("lit", t("lamp.lit"), t("verdict.answeringYou"), t("verdict.answeringYou.why"));
  if (facts.models === null) return say("unlit", t("lamp.looking"), t("verdict.looking"), null);
  if (facts.models.length === 0) return say("unlit", t("lamp.unlit"), t("verdict.none"), t("verdict.none.why"));
  if (contact.unready !== null) return say("unlit", t("lamp.unlit"), t("verdict.unready"), contact.unready);
  const models = listed(facts.models.map((model) => model.id));
  return say("ember", t("lamp.ember"), t("verdict.serves", { models }), t("verdict.serves.why"));
}

function fromState(state: BoxState, isStopping: boolean): Verdict {
  const { models, queue } = state;
  const broken = models.find((model) => model.state === "failed");
  if (broken) {
    return say("cracked", t("lamp.cracked"), t("verdict.broken", { model: broken.id }), broken.reason || null);
  }
  if (models.length === 0) return say("unlit", t("lamp.unlit"), t("verdict.none"), t("verdict.none.why"));
  if (isStopping && models.every((model) => model.state === "stopping")) {
    return say("shaded", t("lamp.shaded"), t("verdict.stopping"), t("verdict.stopping.why"));
  }
  const restarting = models.find((model) => model.state === "backing-off");
  if (restarting) {
    const sentence = t("verdict.restarting", { model: restarting.id });
    return say("cracked", t("lamp.cracked"), sentence, restarting.reason || null);
  }
  const busy = busySlots(models);
  if (busy > 0)
    return say("lit", t("lamp.answering", { count: busy }), answering(busy, queue), busyWhere(models, busy));
  const loading = models.find((model) => model.state === "loading");
  if (loading) {
    return say("ember", t("lamp.ember"), t("verdict.loading", { model: loading.id }), loading.reason || null);
  }
  const leaving = models.find((model) => model.state === "stopping");
  if (leaving) {
    return say("ember", t("lamp.ember"), t("verdict.leaving", { model: leaving.id }), leaving.reason || null);
  }
  if (queue.length > 0) {
    return say("ember", t("lamp.ember"), t("verdict.waiting", { waiting: queue.length }), null);
  }
  const loaded = models.filter((model) => model.state === "ready").map((model) => model.id);
  if (loaded.length === 0) return say("unlit", t("lamp.unlit"), t("verdict.unloaded"), t("verdict.unloaded.why"));
  const names = `${listed(loaded)} ${loaded.length === 1 ? "is" : "are"}`;
  return say("ember", t("lamp.ember"), t("verdict.idle", { models: names }), t("verdict.idle.why"));
}

function answering(count: number, queue: BoxState["queue"]): string {
  const waiting = queue.length;
  if (waiting === 0) return t("verdict.answering", { count });
  const wait = queue[0]?.expectedMs ?? null;
  if (wait === null) return t("verdict.answering.waiting", { count, waiting });
  return t("verdict.answering.waitingFor", { count, waiting, wait: duration(wait) });
}

/** `coder 2, fim 1; 5 of 8 slots free.` */
function busyWhere(models: readonly ModelView[], busy: number): string {
  const all = models.flatMap((model) => model.slots).length;
  const where = models
    .map((model) => ({ model: model.id, count: busySlots([model]) }))
    .filter(({ count }) => count > 0)
    .map((each) => t("verdict.answering.on", each));
  return t("verdict.answering.why", { models: where.join(", "), free: all - busy, all });
}

/** Slots that hold a request. */
export function busySlots(models: readonly ModelView[]): number {
  return models.flatMap((model) => model.slots).filter((slot) => slot.state !== "idle").length;
}

function say(lamp: LampState, phrase: string, sentence: string, why: string | null): Verdict {
  return { lamp, phrase, sentence, why };
}
